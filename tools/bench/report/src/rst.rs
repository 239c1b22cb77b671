// SPDX-License-Identifier: GPL-2.0

//! Text in reStructuredText, as the documentation.

/// A page under way.
#[derive(Default)]
pub struct Page(String);

impl Page {
    /// The title of a page.
    pub fn title(&mut self, text: &str) {
        let line = "=".repeat(text.chars().count());
        self.0 += &format!("{line}\n{text}\n{line}\n\n");
    }

    /// The heading of a section.
    pub fn heading(&mut self, text: &str) {
        let line = "=".repeat(text.chars().count());
        self.0 += &format!("{text}\n{line}\n\n");
    }

    /// The heading of a part of a section.
    pub fn minor_heading(&mut self, text: &str) {
        let line = "-".repeat(text.chars().count());
        self.0 += &format!("{text}\n{line}\n\n");
    }

    /// A line without changes, for comments and links.
    pub fn line(&mut self, text: &str) {
        self.0 += text;
        self.0.push('\n');
    }

    /// A paragraph, wrapped.
    pub fn paragraph(&mut self, text: &str) {
        const WIDTH: usize = 80;

        let mut column = 0;
        for word in text.split_whitespace() {
            let length = word.chars().count();
            if column > 0 && column + 1 + length > WIDTH {
                self.0.push('\n');
                column = 0;
            }
            if column > 0 {
                self.0.push(' ');
                column += 1;
            }
            self.0 += word;
            column += length;
        }
        self.0 += "\n\n";
    }

    /// A picture in the folder of the page, with its description.
    pub fn picture(&mut self, file: &str, words: &str) {
        self.0 += &format!(".. image:: {file}\n   :alt: {words}\n\n");
    }

    /// A table with its head; nothing if it has no rows.
    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        if rows.is_empty() {
            return;
        }
        let head: Vec<String> = head.iter().map(|&cell| cell.into()).collect();
        let width = |column: usize| {
            let cells = rows.iter().chain([&head]).filter_map(|row| row.get(column));
            // docutils needs a character in the first column.
            cells
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
                .max(2)
        };
        let columns: Vec<Column> = (0..head.len())
            .map(|column| Column {
                width: width(column),
                numbers: column > 0 && are_numbers(rows, column),
            })
            .collect();
        let rule: Vec<String> = columns
            .iter()
            .map(|column| "=".repeat(column.width))
            .collect();
        let rule = rule.join("  ");
        self.line(&rule);
        self.row(&head, &columns);
        self.line(&rule);
        for row in rows {
            self.row(row, &columns);
        }
        self.line(&rule);
        self.0.push('\n');
    }

    fn row(&mut self, cells: &[String], columns: &[Column]) {
        let mut text = String::new();
        for (place, &Column { width, numbers }) in columns.iter().enumerate() {
            let cell = cells.get(place).map_or("", String::as_str);
            // An empty first cell would join the row to the one before.
            let cell = if cell.is_empty() && place == 0 {
                "\\"
            } else {
                cell
            };
            let padded = match numbers {
                true => format!("{cell:>width$}"),
                false => format!("{cell:<width$}"),
            };
            if place > 0 {
                text += "  ";
            }
            text += &padded;
        }
        self.line(text.trim_end());
    }

    /// The text.
    pub fn text(self) -> String {
        let mut text = self.0.trim_end().to_string();
        text.push('\n');
        text
    }
}

/// A column of a table.
struct Column {
    width: usize,
    /// Whether its cells are numbers, which are flush right.
    numbers: bool,
}

/// Whether all cells of a column that are not empty begin like a number.
fn are_numbers(rows: &[Vec<String>], column: usize) -> bool {
    let cells = rows.iter().filter_map(|row| row.get(column));
    let is_number = |cell: &String| cell.starts_with(|c: char| c.is_ascii_digit());
    cells.clone().any(is_number) && cells.clone().all(|cell| is_number(cell) || cell == "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_fit_what_is_in_them() {
        let mut page = Page::default();
        let row = |cells: [&str; 2]| cells.map(String::from).to_vec();
        page.table(&["who", "cost"], &[row(["GenP", "1,313"]), row(["", "7"])]);
        page.table(&["nothing"], &[]);
        let text =
            "====  =====\nwho    cost\n====  =====\nGenP  1,313\n\\         7\n====  =====\n";
        assert_eq!(page.text(), text);
    }

    #[test]
    fn paragraphs_are_wrapped() {
        let mut page = Page::default();
        page.paragraph(&"word ".repeat(40));
        let text = page.text();
        assert!(text.lines().all(|line| line.len() <= 80));
        assert_eq!(text.split_whitespace().count(), 40);
    }
}
