// SPDX-License-Identifier: GPL-2.0

//! The terminal while it belongs to `watch`, and what is typed there.

use std::{
    io::{self, Stdout},
    panic,
    time::{Duration, Instant},
};

use crossterm::{
    cursor::{Hide, Show},
    event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers},
    execute,
    terminal::{
        disable_raw_mode, enable_raw_mode, size, EnterAlternateScreen, LeaveAlternateScreen,
    },
};
use ratatui::{
    backend::CrosstermBackend, layout::Rect, Frame, Terminal, TerminalOptions, Viewport,
};

use crate::interrupt::Interrupts;

/// The longest time until a signal is seen.
const SLICE: Duration = Duration::from_millis(100);
/// Of a terminal that does not say how large it is, as a serial line.
const USUAL_SIZE: Rect = Rect {
    x: 0,
    y: 0,
    width: 80,
    height: 24,
};
/// Partitions that a page scrolls by.
const PAGE: isize = 10;

/// The terminal in raw mode, with a screen of its own. It is as before when this is dropped,
/// and before the message of a panic, even if the program aborts then.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    _restore: Restore,
}

/// Restores the terminal when it is dropped.
struct Restore;

impl Drop for Restore {
    fn drop(&mut self) {
        restore();
    }
}

/// Makes the terminal as it was. Twice does no harm.
fn restore() {
    // A terminal that is gone needs nothing.
    let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// End.
    Quit,
    /// Draw the same again, so many rows further.
    Scroll(isize),
    /// Look again.
    Look,
}

/// What a key asks for.
fn action(key: KeyEvent) -> Option<Action> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    // In raw mode Ctrl-C is a key.
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('c' | 'd') if control => Some(Action::Quit),
        KeyCode::Char('q' | 'Q') | KeyCode::Esc => Some(Action::Quit),
        KeyCode::Down | KeyCode::Char('j') => Some(Action::Scroll(1)),
        KeyCode::Up | KeyCode::Char('k') => Some(Action::Scroll(-1)),
        KeyCode::PageDown => Some(Action::Scroll(PAGE)),
        KeyCode::PageUp => Some(Action::Scroll(-PAGE)),
        KeyCode::Char('l') if control => Some(Action::Scroll(0)),
        _ => None,
    }
}

impl Screen {
    /// Takes over the terminal.
    pub fn new() -> io::Result<Self> {
        enable_raw_mode()?;
        // From here on whatever ends this restores it.
        let restoring = Restore;
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            restore();
            before(info);
        }));
        execute!(io::stdout(), EnterAlternateScreen, Hide)?;
        let backend = CrosstermBackend::new(io::stdout());
        let terminal = match size() {
            Ok((1.., 1..)) => Terminal::new(backend)?,
            _ => {
                let viewport = Viewport::Fixed(USUAL_SIZE);
                Terminal::with_options(backend, TerminalOptions { viewport })?
            }
        };
        Ok(Self {
            terminal,
            _restore: restoring,
        })
    }

    /// Draws a picture.
    pub fn draw(&mut self, picture: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(picture).map(|_| ())
    }

    /// Waits for a key, a signal, or until it is time to look again.
    pub fn wait(&self, interrupts: &Interrupts, until: Instant) -> io::Result<Action> {
        loop {
            if interrupts.within(Duration::ZERO) {
                return Ok(Action::Quit);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Action::Look);
            }
            if !event::poll(left.min(SLICE))? {
                continue;
            }
            match event::read()? {
                Event::Key(key) => {
                    if let Some(action) = action(key) {
                        return Ok(action);
                    }
                }
                Event::Resize(..) => return Ok(Action::Scroll(0)),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_a_pager() {
        let plain = |code| action(KeyEvent::new(code, KeyModifiers::NONE));
        assert_eq!(plain(KeyCode::Char('q')), Some(Action::Quit));
        assert_eq!(plain(KeyCode::Esc), Some(Action::Quit));
        assert_eq!(plain(KeyCode::Char('c')), None);
        let control = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(action(control), Some(Action::Quit));
        assert_eq!(plain(KeyCode::Down), Some(Action::Scroll(1)));
        assert_eq!(plain(KeyCode::Char('k')), Some(Action::Scroll(-1)));
        assert_eq!(plain(KeyCode::Char('x')), None);
    }
}
