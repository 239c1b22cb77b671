// SPDX-License-Identifier: GPL-2.0

//! Repeated display of the pool and of all partitions.

mod draw;
mod plain;
mod sample;
mod screen;
#[cfg(test)]
mod tests;

use std::{
    env,
    io::{self, IsTerminal},
    time::Instant,
};

use serde_json::{json, Value};

use crate::{
    cli::WatchArgs, interrupt::Interrupts, list, output::Format, pool, problem::Problem, stat,
};
use draw::Scroll;
pub use sample::counted;
use sample::{Line, Sample, View};
use screen::{Action, Screen};

/// A view for programs; `partition` is the one that was named.
fn document(view: &View, partition: Option<Value>) -> Value {
    let each = view.lines.iter().map(|line: &Line| {
        let mut document = list::partition(&line.partition);
        document["alarms"] = json!(line.alarms);
        document["borrows_per_second"] = json!(line.rates.map(|rates| rates.borrows));
        document["returns_per_second"] = json!(line.rates.map(|rates| rates.returns));
        document["revocations_per_second"] = json!(line.rates.map(|rates| rates.revocations));
        document
    });
    json!({
        "pool": pool::document(&view.pool),
        "alarms": view.alarms,
        "partitions": each.collect::<Vec<_>>(),
        "partition": partition,
    })
}

/// A document with a partition in it.
#[cfg(test)]
pub fn sample() -> Value {
    let line = Line {
        alarms: vec!["waiting"],
        ..Default::default()
    };
    let view = View {
        lines: vec![line],
        ..Default::default()
    };
    document(&view, None)
}

/// Views, one after the other.
struct Watch<F> {
    /// Looks.
    take: F,
    /// The last sample, and when it was taken.
    before: Option<(Sample, Instant)>,
}

impl<F: FnMut() -> Result<Sample, Problem>> Watch<F> {
    fn new(take: F) -> Self {
        Self { take, before: None }
    }

    /// What there is to show now.
    fn look(&mut self) -> Result<View, Problem> {
        let sample = (self.take)()?;
        let now = Instant::now();
        let before = self.before.as_ref();
        let before = before.map(|(sample, then)| (sample, now.duration_since(*then)));
        let view = View::new(sample.clone(), before);
        self.before = Some((sample, now));
        Ok(view)
    }
}

/// The problem if the terminal does not do what it is told.
fn of_terminal(error: io::Error) -> Problem {
    Problem::new(
        "cannot draw on the terminal",
        error,
        "See whether TERM is right; 'genpctl watch | cat' needs none.",
    )
}

/// Draws on the terminal until somebody or a signal ends it.
fn on_screen<F: FnMut() -> Result<Sample, Problem>>(
    mut screen: Screen,
    mut watch: Watch<F>,
    args: &WatchArgs,
    interrupts: &Interrupts,
) -> Result<(), Problem> {
    let mut scroll = Scroll::default();
    loop {
        let view = watch.look()?;
        let detail = args.name.as_deref().map(plain::partition);
        let until = Instant::now() + args.interval;
        loop {
            screen
                .draw(|frame| draw::draw(frame, &view, &mut scroll, detail.as_deref()))
                .map_err(of_terminal)?;
            match screen.wait(interrupts, until).map_err(of_terminal)? {
                Action::Quit => return Ok(()),
                Action::Scroll(rows) => scroll.first = scroll.first.saturating_add_signed(rows),
                Action::Look => break,
            }
        }
    }
}

/// Prints one text, or document, after the other until a signal ends it.
fn in_lines<F: FnMut() -> Result<Sample, Problem>>(
    mut watch: Watch<F>,
    args: &WatchArgs,
    interrupts: &Interrupts,
    format: Format,
) -> Result<(), Problem> {
    let name = args.name.as_deref();
    loop {
        let view = watch.look()?;
        let of_name = |name| Some(stat::document(name, &stat::ask(name).ok()?));
        format.print(
            || document(&view, name.and_then(of_name)),
            || plain::text(&view, name),
        )?;
        if interrupts.within(args.interval) {
            return Ok(());
        }
    }
}

/// The screen, if there is one to draw on.
fn screen(format: Format) -> Option<Screen> {
    let dumb = env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    if format == Format::Json || dumb || !io::stdout().is_terminal() {
        return None;
    }
    // Without a terminal to read from, lines still go.
    Screen::new().ok()
}

/// `genpctl watch`.
pub fn run(args: &WatchArgs, format: Format) -> Result<(), Problem> {
    pool::info()?;
    if let Some(name) = &args.name {
        // A missing partition is an error at the start, and is displayed later.
        stat::ask(name)?;
    }
    let interrupts = Interrupts::hold(&[libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT])
        .map_err(|error| Problem::new("cannot wait for Ctrl-C", error, "Try again."))?;
    let watch = Watch::new(sample::take);
    match screen(format) {
        Some(screen) => on_screen(screen, watch, args, &interrupts),
        None => in_lines(watch, args, &interrupts, format),
    }
}
