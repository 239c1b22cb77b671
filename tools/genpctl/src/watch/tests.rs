// SPDX-License-Identifier: GPL-2.0

//! Pictures of sample data, and a terminal of which nothing is left behind.

use std::{
    env,
    fs::File,
    io::{Read, Write},
    mem::MaybeUninit,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    panic,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use genp::abi::genp_info;
use ratatui::{backend::TestBackend, Terminal};

use super::{
    draw::{self, bar, Scroll},
    on_screen, plain,
    sample::{Line, Rates, Sample, View},
    screen::Screen,
    Watch,
};
use crate::{cli::WatchArgs, interrupt::Interrupts, partitions::Partition};

fn pool() -> genp_info {
    genp_info {
        capacity: 64 << 20,
        committed: 16 << 20,
        lent: 32 << 20,
        free: 16 << 20,
        partitions: 2,
        max_partitions: 64,
        leases: 3,
        max_leases: 128,
        max_waiters: 64,
        recall_worst_ns: 48_231,
        recall_bound_ns: 5_000_000,
        ..Default::default()
    }
}

fn line(name: &str, lent: u64, alarms: &[&'static str]) -> Line {
    Line {
        partition: Partition {
            name: name.to_owned(),
            reserve: 2 << 20,
            used: 1 << 20,
            limit: 1 << 20,
            lent,
            waiters: 1,
            ..Default::default()
        },
        rates: Some(Rates {
            borrows: 12.25,
            ..Default::default()
        }),
        alarms: alarms.to_vec(),
    }
}

fn view() -> View {
    View {
        pool: pool(),
        alarms: vec!["waiting"],
        lines: vec![
            line("control", 0, &[]),
            line("vision", 1 << 20, &["misuse", "budget low"]),
        ],
        source: None,
    }
}

/// The lines of a picture.
fn picture(view: &View, width: u16, height: u16, scroll: &mut Scroll) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| draw::draw(frame, view, scroll, None))
        .unwrap();
    let buffer = terminal.backend().buffer().clone();
    let row = |y| {
        (0..width)
            .map(|x| buffer[(x, y)].symbol())
            .collect::<String>()
    };
    (0..height).map(|y| row(y).trim_end().to_owned()).collect()
}

#[test]
fn a_picture_has_the_pool_and_all_partitions() {
    let lines = picture(&view(), 100, 20, &mut Scroll::default());
    let expected = [
        "pool       waiting",
        "committed  [#####---------------] 16 MiB of 64 MiB",
        "lent       [##########----------] 32 MiB of 64 MiB",
        "free       [#####---------------] 16 MiB of 64 MiB",
        "partitions 2 of 64, leases 3 of 128, waiters 0 of 64",
        "longest recall 48.231 us, at most 5 ms",
        "",
        "name             lent         waiting reserve used borrow/s revoke/s reserve    alarms",
        "control          [----------] 1       [#####-----] 12       0        2 MiB",
        "vision           [##########] 1       [#####-----] 12       0        2 MiB      misuse, budget low",
    ];
    assert_eq!(lines[..expected.len()], expected);
    assert_eq!(lines.last().unwrap(), "q quits");
}

#[test]
fn a_narrow_terminal_keeps_what_matters() {
    let lines = picture(&view(), 40, 12, &mut Scroll::default());
    let heading = lines.iter().find(|line| line.starts_with("name")).unwrap();
    assert_eq!(heading, "name             alarms");
    let vision = lines
        .iter()
        .find(|line| line.starts_with("vision"))
        .unwrap();
    assert_eq!(vision, "vision           misuse, budget low");
    let middle = picture(&view(), 60, 12, &mut Scroll::default());
    assert!(middle.contains(&"name             lent         waiting alarms".to_owned()));
}

/// Nothing is too small to be drawn.
#[test]
fn no_size_panics() {
    for width in 1..50 {
        for height in 1..30 {
            picture(&view(), width, height, &mut Scroll { first: 1000 });
        }
    }
}

#[test]
fn many_partitions_scroll_to_the_last_and_no_further() {
    let mut many = view();
    many.lines = (0..50)
        .map(|number| line(&format!("p{number}"), 0, &[]))
        .collect();
    let mut scroll = Scroll::default();
    let lines = picture(&many, 80, 20, &mut scroll);
    assert_eq!(
        lines.last().unwrap(),
        "q quits, arrows scroll: 1 to 11 of 50"
    );
    scroll.first = 1000;
    let lines = picture(&many, 80, 20, &mut scroll);
    assert_eq!(scroll.first, 39);
    assert!(lines.iter().any(|line| line.starts_with("p49")));
    assert_eq!(
        lines.last().unwrap(),
        "q quits, arrows scroll: 40 to 50 of 50"
    );
}

#[test]
fn bars_are_full_or_empty_only_if_that_is_so() {
    assert_eq!(bar(0, 100, 4), "[----]");
    assert_eq!(bar(1, 1000, 4), "[#---]");
    assert_eq!(bar(999, 1000, 4), "[###-]");
    assert_eq!(bar(1000, 1000, 4), "[####]");
    assert_eq!(bar(5, 0, 4), "[----]");
    assert_eq!(bar(u64::MAX, u64::MAX, 4), "[####]");
}

#[test]
fn lines_say_the_same() {
    let text = plain::text(&view(), None);
    assert!(text.contains("alarms: waiting\n"));
    let vision = text
        .lines()
        .find(|line| line.starts_with("vision"))
        .unwrap();
    assert!(vision.ends_with("12.2  misuse, budget low"), "{vision}");
}

/// A terminal of which the test has the other end.
struct Pty {
    master: File,
    slave: OwnedFd,
    /// What was written to it so far.
    seen: String,
}

impl Pty {
    fn new(rows: u16, columns: u16) -> Self {
        let (mut master, mut slave) = (-1, -1);
        let size = libc::winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        // SAFETY: room for two descriptors, no name, no settings, and a size.
        let result = unsafe {
            libc::openpty(
                &mut master,
                &mut slave,
                std::ptr::null_mut(),
                std::ptr::null(),
                &size,
            )
        };
        assert_eq!(result, 0);
        // SAFETY: descriptors that were just made for us.
        unsafe {
            Self {
                master: File::from_raw_fd(master),
                slave: OwnedFd::from_raw_fd(slave),
                seen: String::new(),
            }
        }
    }

    /// The flags that raw mode changes.
    fn flags(&self) -> [u32; 3] {
        let mut termios = MaybeUninit::uninit();
        // SAFETY: filled in if the call succeeds.
        let termios = unsafe {
            assert_eq!(
                libc::tcgetattr(self.slave.as_raw_fd(), termios.as_mut_ptr()),
                0
            );
            termios.assume_init()
        };
        [termios.c_iflag, termios.c_oflag, termios.c_lflag]
    }

    /// Waits until this was written to it.
    fn expect(&mut self, end: &str) {
        let mut some = [0; 4096];
        while !self.seen.contains(end) {
            let mut poll = libc::pollfd {
                fd: self.master.as_raw_fd(),
                events: libc::POLLIN,
                revents: 0,
            };
            // SAFETY: one structure, there during the call.
            let ready = unsafe { libc::poll(&mut poll, 1, 60_000) };
            assert_eq!(ready, 1, "no {end:?} in {:?}", self.seen);
            let count = self.master.read(&mut some).unwrap();
            self.seen.push_str(&String::from_utf8_lossy(&some[..count]));
        }
    }
}

/// What a process does that [`a_terminal_is_as_it_was`] starts; nothing in a usual run.
#[test]
fn on_the_terminal_of_another_process() {
    let Ok(how) = env::var("GENPCTL_TEST_END") else {
        return;
    };
    // As a program whose panics abort: nothing is dropped after the message.
    panic::set_hook(Box::new(|info| {
        eprintln!("{info}");
        std::process::exit(7)
    }));
    let interrupts = Interrupts::hold(&[libc::SIGTERM]).unwrap();
    let mut looks = 0;
    let watch = Watch::new(|| {
        looks += 1;
        match how.as_str() {
            "panic" if looks == 2 => panic!("as asked"),
            // SAFETY: a signal to this thread, which holds it; others here do not.
            "signal" if looks == 2 => unsafe {
                libc::raise(libc::SIGTERM);
            },
            _ => {}
        }
        Ok(Sample {
            pool: pool(),
            ..Default::default()
        })
    });
    let args = WatchArgs {
        interval: Duration::from_millis(100),
        name: None,
    };
    on_screen(Screen::new().unwrap(), watch, &args, &interrupts).unwrap();
    std::process::exit(0);
}

/// However it ends, the terminal is as it was: modes, cursor, and the screen.
#[test]
fn a_terminal_is_as_it_was() {
    let ends = [
        ("key", 0, 24, 80),
        ("signal", 0, 24, 80),
        ("panic", 7, 24, 80),
        // A serial line says no size.
        ("key", 0, 0, 0),
    ];
    for (how, status, rows, columns) in ends {
        let mut pty = Pty::new(rows, columns);
        let before = pty.flags();
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "watch::tests::on_the_terminal_of_another_process",
            ])
            .args(["--nocapture", "--quiet"])
            .env("GENPCTL_TEST_END", how)
            .stdin(Stdio::from(pty.slave.try_clone().unwrap()))
            .stdout(Stdio::from(pty.slave.try_clone().unwrap()))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        pty.expect("quits");
        assert!(
            pty.seen.contains("\x1b[?1049h") && pty.seen.contains("\x1b[?25l"),
            "{how}"
        );
        if how == "key" {
            assert_ne!(pty.flags(), before);
            pty.master.write_all(b"q").unwrap();
        }
        // The cursor is shown after the screen is left.
        pty.expect("\x1b[?1049l\x1b[?25h");
        let limit = Instant::now() + Duration::from_secs(60);
        let ended = loop {
            if let Some(ended) = child.try_wait().unwrap() {
                break ended;
            }
            assert!(Instant::now() < limit, "{how}: it does not end");
            thread::sleep(Duration::from_millis(10));
        };
        assert_eq!(ended.code(), Some(status), "{how}");
        assert_eq!(pty.flags(), before, "{how}");
    }
}
