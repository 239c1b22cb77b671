// SPDX-License-Identifier: GPL-2.0

//! The picture of a view: the pool, a row for each partition, and what q does.

use genp::abi::genp_info;
use ratatui::{
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::{Line as TextLine, Span},
    widgets::{Cell, Paragraph, Row, Table},
    Frame,
};

use super::sample::{Line, View};
use crate::{partitions::Source, pool, size, time};

/// Columns of a bar without its brackets.
const BAR: usize = 10;

/// What is shown beside the view.
#[derive(Debug, Default)]
pub struct Scroll {
    /// The first partition in the table.
    pub first: usize,
}

fn bold() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

fn alarming() -> Style {
    Style::new().fg(Color::Red).add_modifier(Modifier::BOLD)
}

/// How much of something is used, as a bar. It is empty only for nothing, and full only
/// for all.
pub fn bar(now: u64, most: u64, width: usize) -> String {
    let wide = width as u128;
    let filled = match (now, most) {
        (0, _) | (_, 0) => 0,
        _ if now >= most => width,
        _ => {
            let filled = u128::from(now) * wide / u128::from(most);
            (filled.max(1) as usize).min(width.saturating_sub(1))
        }
    };
    format!("[{}{}]", "#".repeat(filled), "-".repeat(width - filled))
}

/// A rate for people: three digits at most, and `-` if it is not known.
fn rate(rate: Option<f64>) -> String {
    match rate {
        None => "-".to_owned(),
        Some(rate) if rate >= 10_000.0 => format!("{:.0}k", rate / 1000.0),
        Some(rate) if rate >= 10.0 || rate == 0.0 => format!("{rate:.0}"),
        Some(rate) => format!("{rate:.1}"),
    }
}

/// A column of the table.
struct Column {
    heading: &'static str,
    width: u16,
    cell: fn(&Line) -> String,
}

/// The columns, the most important first: those that do not fit are left out from the end.
/// Alarms stand last, in what is left over.
const COLUMNS: [Column; 9] = [
    Column {
        heading: "name",
        width: 16,
        cell: |line| match line.partition.name.as_str() {
            "" => line
                .partition
                .id
                .map_or("-".to_owned(), |id| format!("#{id}")),
            name => name.to_owned(),
        },
    },
    Column {
        heading: "lent",
        width: BAR as u16 + 2,
        cell: |line| bar(line.partition.lent, line.partition.limit, BAR),
    },
    Column {
        heading: "waiting",
        width: 7,
        cell: |line| line.partition.waiters.to_string(),
    },
    Column {
        heading: "reserve used",
        width: BAR as u16 + 2,
        cell: |line| bar(line.partition.filled(), line.partition.reserve, BAR),
    },
    Column {
        heading: "borrow/s",
        width: 8,
        cell: |line| rate(line.rates.map(|rates| rates.borrows)),
    },
    Column {
        heading: "revoke/s",
        width: 8,
        cell: |line| rate(line.rates.map(|rates| rates.revocations)),
    },
    Column {
        heading: "reserve",
        width: 10,
        cell: |line| size::show(line.partition.reserve),
    },
    Column {
        heading: "limit",
        width: 10,
        cell: |line| size::show(line.partition.limit),
    },
    Column {
        heading: "return/s",
        width: 8,
        cell: |line| rate(line.rates.map(|rates| rates.returns)),
    },
];

/// The least room for alarms.
const ALARMS: u16 = 12;

/// How many of the columns fit into so much room.
fn fitting(width: u16) -> usize {
    let mut left = width.saturating_sub(ALARMS);
    let fits = |column: &&Column| {
        let wanted = column.width + 1;
        let fits = wanted <= left;
        left = left.saturating_sub(wanted);
        fits
    };
    // The name is always there.
    COLUMNS.iter().take_while(fits).count().max(1)
}

/// A line of the pool: what of how much, and a bar.
fn gauge(label: &str, now: u64, most: u64) -> String {
    let bar = bar(now, most, 2 * BAR);
    format!(
        "{label:<10} {bar} {} of {}",
        size::show(now),
        size::show(most)
    )
}

/// The pool in few lines.
fn pool_lines(view: &View) -> Vec<TextLine<'static>> {
    let pool: &genp_info = &view.pool;
    let alarms = match view.alarms.as_slice() {
        [] => Span::raw("no alarm"),
        alarms => Span::styled(alarms.join(", "), alarming()),
    };
    vec![
        TextLine::from(vec![Span::styled("pool       ", bold()), alarms]),
        gauge("committed", pool.committed, pool.capacity).into(),
        gauge("lent", pool.lent, pool.capacity).into(),
        gauge("free", pool.free, pool.capacity).into(),
        format!(
            "partitions {}, leases {}, waiters {}",
            pool::of(pool.partitions, pool.max_partitions),
            pool::of(pool.leases, pool.max_leases),
            pool::of(pool.waiters, pool.max_waiters)
        )
        .into(),
        format!(
            "longest recall {}, at most {}",
            time::show(pool.recall_worst_ns),
            time::show(pool.recall_bound_ns)
        )
        .into(),
    ]
}

/// The table of the partitions, from the one that is to be first.
fn table(view: &View, first: usize, width: u16) -> Table<'static> {
    let columns = &COLUMNS[..fitting(width)];
    let headings = columns.iter().map(|column| column.heading);
    let heading = Row::new(headings.chain(["alarms"])).style(bold());
    let row = |line: &Line| {
        let cells = columns.iter().map(|column| Cell::from((column.cell)(line)));
        let alarms = Cell::from(line.alarms.join(", ")).style(alarming());
        Row::new(cells.chain([alarms]))
    };
    let rows = view.lines.iter().skip(first).map(row);
    let widths = columns
        .iter()
        .map(|column| Constraint::Length(column.width));
    Table::new(rows, widths.chain([Constraint::Min(0)]))
        .header(heading)
        .column_spacing(1)
}

/// The last line.
fn foot(view: &View, first: usize, shown: usize) -> String {
    let all = view.lines.len();
    let mut text = "q quits".to_owned();
    if first > 0 || first + shown < all {
        let last = (first + shown).min(all);
        text = format!("{text}, arrows scroll: {} to {last} of {all}", first + 1);
    }
    if view.source == Some(Source::Processes) {
        text.push_str("; only what processes have open that you may look at");
    }
    text
}

/// Draws a view, and `detail` of one partition below.
pub fn draw(frame: &mut Frame<'_>, view: &View, scroll: &mut Scroll, detail: Option<&str>) {
    let below = detail.map_or(0, |text| text.lines().count() as u16 + 1);
    let parts = [
        Constraint::Max(7),
        Constraint::Min(2),
        Constraint::Max(below),
        Constraint::Length(1),
    ];
    let [top, middle, bottom, last]: [Rect; 4] = Layout::vertical(parts).areas(frame.area());
    frame.render_widget(Paragraph::new(pool_lines(view)), top);
    let room = usize::from(middle.height.saturating_sub(1));
    scroll.first = scroll.first.min(view.lines.len().saturating_sub(room));
    frame.render_widget(table(view, scroll.first, middle.width), middle);
    if let Some(detail) = detail {
        frame.render_widget(Paragraph::new(detail.to_owned()), bottom);
    }
    frame.render_widget(Paragraph::new(foot(view, scroll.first, room)), last);
}
