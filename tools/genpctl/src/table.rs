// SPDX-License-Identifier: GPL-2.0

//! Tables in text.

/// Rows of cells, written with columns in line.
#[derive(Debug)]
pub struct Table {
    /// How each column is aligned: `l` is flush left, all else flush right.
    columns: &'static str,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table, with a letter for each column: `l` or `r`.
    pub fn new(columns: &'static str) -> Self {
        let rows = Vec::new();
        Self { columns, rows }
    }

    /// Adds a row.
    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Adds a row of a label and a value.
    pub fn pair(&mut self, label: &str, value: impl ToString) {
        self.row([label.to_owned(), value.to_string()]);
    }

    /// How wide each column is.
    fn widths(&self) -> Vec<usize> {
        let mut widths = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        widths
    }

    /// The table as text, with a line for each row.
    pub fn show(&self) -> String {
        let widths = self.widths();
        let mut text = String::new();
        for row in &self.rows {
            let columns = self.columns.chars().chain(std::iter::repeat('r'));
            let cells = row.iter().zip(&widths).zip(columns);
            let cells: Vec<_> = cells
                .map(|((cell, width), column)| match column {
                    'l' => format!("{cell:<width$}"),
                    _ => format!("{cell:>width$}"),
                })
                .collect();
            text.push_str(cells.join("  ").trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn columns_stand_in_line() {
        let mut table = Table::new("lr");
        table.row(["name", "size"]);
        table.pair("a", 5);
        table.row(["bigger", "10000", "x"]);
        assert_eq!(
            table.show(),
            "name     size\na           5\nbigger  10000  x\n"
        );
    }
}
