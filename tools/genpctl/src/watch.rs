// SPDX-License-Identifier: GPL-2.0

//! Repeated display of the pool and of a partition.

use std::io::{self, IsTerminal};

use genp::abi::genp_info;
use serde_json::json;

use crate::{
    cli::WatchArgs,
    interrupt::Interrupts,
    output::{self, Format},
    pool,
    problem::Problem,
    size, stat,
    table::Table,
    time,
};

/// Clears the screen and hides the cursor.
const BEGIN: &str = "\x1b[2J\x1b[?25l";
/// Goes to the upper left corner.
const HOME: &str = "\x1b[H";
/// Clears the rest of a line, before its end.
const LINE_END: &str = "\x1b[K\n";
/// Clears what is below.
const REST: &str = "\x1b[J";
/// Shows the cursor again, on a line of its own.
const END: &str = "\x1b[?25h\n";

/// Counters in a line, for 80 columns.
const ACROSS: usize = 5;
/// Lines of them, for 24 lines in all: `genpctl stat` has the last few, too.
const LINES: usize = 3;

/// A terminal that is redrawn, or another output that takes one text after the
/// other. The terminal is restored when it is dropped.
struct Screen {
    terminal: bool,
}

impl Screen {
    /// Takes over stdout.
    fn new() -> Result<Self, Problem> {
        let terminal = io::stdout().is_terminal();
        if terminal {
            output::print(BEGIN)?;
        }
        Ok(Self { terminal })
    }

    /// Shows the next text.
    fn show(&self, text: &str) -> Result<(), Problem> {
        if self.terminal {
            // No line feed after the last line: it would scroll a full screen.
            let text = text.trim_end().replace('\n', LINE_END);
            output::print(&format!("{HOME}{text}{REST}"))
        } else {
            output::print(&format!("{text}\n"))
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.terminal {
            // A terminal that is gone needs no cursor.
            let _ = output::print(END);
        }
    }
}

/// The pool in few lines.
fn pool_table(info: &genp_info) -> Table {
    let mut table = Table::new("lr");
    table.row(["pool", "now", "of"]);
    let bytes = [
        ("committed", info.committed, info.capacity),
        ("quarantined", info.quarantined, info.committed),
        ("lent", info.lent, info.capacity),
        ("free", info.free, info.capacity),
        ("clean", info.clean, info.free),
    ];
    for (label, now, most) in bytes {
        table.row([label.to_owned(), size::show(now), size::show(most)]);
    }
    let counts = [
        ("partitions", info.partitions, info.max_partitions),
        ("leases", info.leases, info.max_leases),
        ("waiters", info.waiters, info.max_waiters),
    ];
    for (label, now, most) in counts {
        table.row([label.to_owned(), now.to_string(), most.to_string()]);
    }
    table.pair("worst recall", time::show(info.recall_worst_ns));
    table.pair("  of at most", time::show(info.recall_bound_ns));
    table
}

/// A partition in few lines, or why there are none.
fn partition(name: &str) -> String {
    let stat = match stat::ask(name) {
        Ok(stat) => stat,
        Err(problem) => return format!("{problem}\n"),
    };
    let mut text = stat::usage(name, &stat).show();
    let mut counts = Table::new("r");
    for some in stat::counters(&stat).chunks(ACROSS).take(LINES) {
        counts.row(some.iter().map(|(label, _)| *label));
        counts.row(some.iter().map(|(_, count)| count.to_string()));
    }
    text.push_str(&counts.show());
    text
}

/// What there is now, as a line for programs.
fn line(info: &genp_info, name: Option<&str>) -> String {
    // It may be gone by now.
    let partition = name.and_then(|name| Some(stat::document(name, &stat::ask(name).ok()?)));
    format!(
        "{}\n",
        json!({ "pool": pool::document(info), "partition": partition })
    )
}

/// `genpctl watch`.
pub fn run(args: &WatchArgs, format: Format) -> Result<(), Problem> {
    pool::info()?;
    if let Some(name) = &args.name {
        // A missing partition is an error at the start, and is displayed later.
        stat::ask(name)?;
    }
    let interrupts = Interrupts::hold()
        .map_err(|error| Problem::new("cannot wait for Ctrl-C", error, "Try again."))?;
    let screen = match format {
        Format::Text => Some(Screen::new()?),
        Format::Json => None,
    };
    loop {
        let info = pool::info()?;
        match &screen {
            None => output::print(&line(&info, args.name.as_deref()))?,
            Some(screen) => {
                let mut text = pool_table(&info).show();
                if let Some(name) = &args.name {
                    text.push('\n');
                    text.push_str(&partition(name));
                }
                screen.show(&text)?;
            }
        }
        if interrupts.within(args.interval) {
            return Ok(());
        }
    }
}
