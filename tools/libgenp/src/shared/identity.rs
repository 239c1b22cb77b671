// SPDX-License-Identifier: MIT OR Apache-2.0

//! Who a process is, and whether it has ended. All that share a heap are of one namespace of
//! process numbers: the lock has the number of its holder, and so has a member. Only what is
//! certain counts as an end: a number that nobody has, a process that is dead as /proc of that
//! namespace says, or another process of this number. Whoever cannot tell takes it for alive.

use std::{fs, io, os::unix::fs::MetadataExt, process};

/// It closed the heap, and left blocks.
pub(super) const LEFT: u64 = u64::MAX;
/// Nobody knows when it began.
const UNKNOWN: u64 = 0;

/// The namespace of a kernel that has a single one.
const SINGLE: u64 = 1;

/// A birth later than this, in clock ticks, is one before the clock's own beginning.
const LATEST: u64 = 1 << 39;

/// A process: its number, and when it began, in clock ticks of no time namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) pid: u64,
    pub(super) born: u64,
}

/// What the kernel says of a process.
struct Seen {
    /// None if it cannot be told.
    born: Option<u64>,
    ended: bool,
}

fn read(path: &str) -> io::Result<String> {
    // The names of programs have any bytes.
    Ok(String::from_utf8_lossy(&fs::read(path)?).into_owned())
}

/// Whether /proc tells of the namespace that we are in: for who lives in an inner one than that,
/// there is a number for each.
fn proc_is_ours() -> bool {
    let Ok(status) = read("/proc/self/status") else {
        return false;
    };
    let value = |name| status.lines().find_map(|line| line.strip_prefix(name));
    // A kernel with a single namespace does not say the former.
    let numbers = value("NSpid:").or_else(|| value("Pid:"));
    numbers.is_some_and(|numbers| numbers.trim() == process::id().to_string())
}

/// The namespace of process numbers that we are in: EXDEV if nobody tells, as there is no
/// /proc or that of another one.
pub(super) fn namespace() -> io::Result<u64> {
    let namespace = match fs::metadata("/proc/self/ns/pid") {
        Ok(file) => (file.dev() << 32) | (file.ino() & 0xffff_ffff),
        Err(error) if error.kind() == io::ErrorKind::NotFound => SINGLE,
        Err(_) => return Err(super::error(libc::EXDEV)),
    };
    let told = proc_is_ours().then_some(namespace);
    told.ok_or_else(|| super::error(libc::EXDEV))
}

/// How far the clock of our time namespace is ahead, in ticks; None if nobody tells.
fn ahead() -> Option<i64> {
    let inode = |name: &str| fs::metadata(name).map(|file| file.ino()).ok();
    let ours = inode("/proc/self/ns/time");
    // The offsets that can be read are those of children to come.
    if ours != inode("/proc/self/ns/time_for_children") {
        return None;
    }
    if ours.is_none() {
        return Some(0);
    }
    // SAFETY: has no precondition.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) } as i64;
    ahead_of(&read("/proc/self/timens_offsets").ok()?, ticks)
}

/// The same from the text: whole ticks, of which there are so many in a second.
fn ahead_of(offsets: &str, ticks: i64) -> Option<i64> {
    let line = offsets
        .lines()
        .find_map(|line| line.strip_prefix("boottime"))?;
    let mut numbers = line.split_whitespace().map(str::parse::<i64>);
    let (seconds, nanos) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    let rest = nanos.checked_mul(ticks)?.div_euclid(1_000_000_000);
    seconds.checked_mul(ticks)?.checked_add(rest)
}

/// proc(5): the state is the first field behind the name, the number of threads the 18th, the
/// time of birth the 20th. A process has not ended while it has threads.
fn see(pid: u32) -> Option<Seen> {
    let text = read(&format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let threads: u64 = fields.get(17)?.parse().ok()?;
    let born: u64 = fields.get(19)?.parse().ok()?;
    let told = ahead().filter(|_| born < LATEST);
    Some(Seen {
        born: told.and_then(|ahead| born.checked_add_signed(ahead.checked_neg()?)),
        ended: matches!(fields[0], "Z" | "X") && threads <= 1,
    })
}

/// Whether a process has ended for certain: `may_be` says of a birth whether it may be its.
fn has_ended(pid: u64, may_be: impl Fn(u64) -> bool) -> bool {
    let Some((number, pid)) = u32::try_from(pid)
        .ok()
        .and_then(|pid| Some((libc::pid_t::try_from(pid).ok().filter(|pid| *pid > 0)?, pid)))
    else {
        return false;
    };
    // SAFETY: no signal is sent.
    let answer = unsafe { libc::kill(number, 0) };
    if answer != 0 && io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH) {
        return true;
    }
    let ended = |seen: Seen| seen.ended || seen.born.is_some_and(|born| !may_be(born));
    // Another /proc may have been mounted meanwhile.
    see(pid).is_some_and(ended) && proc_is_ours()
}

impl Identity {
    pub(super) fn of_process() -> Self {
        let pid = process::id();
        Self {
            pid: u64::from(pid),
            born: see(pid).and_then(|seen| seen.born).unwrap_or(UNKNOWN),
        }
    }

    /// Whether it has ended for certain, or left the heap.
    pub(super) fn is_gone(self) -> bool {
        // Offsets of clocks are no whole ticks.
        let may_be = |born: u64| self.born == UNKNOWN || born.abs_diff(self.born) <= 1;
        self.born == LEFT || has_ended(self.pid, may_be)
    }
}

/// Who is going to make a heap, in a word: the inode of its namespace, so much of its birth as
/// there is room for, and its number. Anything else is that of nobody we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim(pub(super) u64);

/// The bits of process numbers: PID_MAX_LIMIT is 4 Mi.
const PID: u32 = 22;
/// Births are counted modulo this; more is one that nobody knows.
const BIRTHS: u64 = 1023;

impl Claim {
    fn new(namespace: u64, born: u64, pid: u64) -> Self {
        Self((namespace << 32) | (born << PID) | pid)
    }

    pub(super) fn of_process(namespace: u64) -> Self {
        let Identity { pid, born } = Identity::of_process();
        let born = if born == UNKNOWN {
            BIRTHS
        } else {
            born % BIRTHS
        };
        Self::new(namespace, born, pid)
    }

    /// The claim of one that gave up.
    pub(super) fn nobodys(namespace: u64) -> Self {
        Self::new(namespace, BIRTHS, 0)
    }

    /// Whether who made it is gone for certain; None if it is no claim in our namespace.
    pub(super) fn is_left(self, namespace: u64) -> Option<bool> {
        if self.0 >> 32 != namespace & 0xffff_ffff {
            return None;
        }
        let pid = self.0 & ((1 << PID) - 1);
        let born = (self.0 >> PID) & BIRTHS;
        let apart = |other: u64| (other % BIRTHS + BIRTHS - born) % BIRTHS;
        let may_be = |other: u64| born == BIRTHS || [0, 1, BIRTHS - 1].contains(&apart(other));
        Some(pid == 0 || has_ended(pid, may_be))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_a_namespace_is_ahead_by_whole_ticks() {
        let text = |offset: &str| format!("monotonic           7         0\nboottime {offset}\n");
        for (offset, ahead) in [
            ("0 0", Some(0)),
            ("100000 0", Some(10_000_000)),
            ("-3 0", Some(-300)),
            ("1 19999999", Some(101)),
            ("-1 990000000", Some(-1)),
            ("9223372036854775807 0", None),
            ("x 0", None),
            ("5", None),
        ] {
            assert_eq!(ahead_of(&text(offset), 100), ahead, "{offset}");
        }
        assert_eq!(ahead_of("monotonic 0 0\n", 100), None);
    }

    #[test]
    fn who_cannot_be_told_to_have_ended_lives() {
        let me = Identity::of_process();
        assert!(!me.is_gone());
        let with = |born: u64| Identity { born, ..me };
        assert!(with(LEFT).is_gone());
        assert!(!with(UNKNOWN).is_gone());
        assert!(!with(me.born + 1).is_gone() && !with(me.born - 1).is_gone());
        assert!(with(me.born + 2).is_gone() && with(me.born - 2).is_gone());
        for pid in [0, u64::from(u32::MAX), 1 << 40] {
            assert!(!Identity { pid, born: 1 }.is_gone(), "{pid}");
        }
        // More than there can be.
        assert!(Identity {
            pid: 1 << 23,
            born: 1
        }
        .is_gone());
        assert_ne!(namespace().unwrap(), 0);
    }

    #[test]
    fn a_claim_is_of_one_namespace_and_left_by_who_has_ended() {
        let (here, elsewhere) = (namespace().unwrap(), namespace().unwrap() ^ 1);
        let (me, mine) = (Identity::of_process(), Claim::of_process(here));
        assert_eq!(mine.is_left(here), Some(false));
        assert_eq!(mine.is_left(elsewhere), None);
        assert_eq!(Claim(0).is_left(here), None);
        assert_eq!(Claim::nobodys(here).is_left(here), Some(true));
        let born = |born: u64| Claim::new(here, born % BIRTHS, me.pid).is_left(here);
        for near in [me.born - 1, me.born + 1, me.born + BIRTHS] {
            assert_eq!(born(near), Some(false));
        }
        for other in [me.born - 2, me.born + 2, me.born + 500] {
            assert_eq!(born(other), Some(true));
        }
        assert_eq!(Claim::new(here, BIRTHS, me.pid).is_left(here), Some(false));
        // More than there can be.
        assert_eq!(
            Claim::new(here, 1, (1 << PID) - 1).is_left(here),
            Some(true)
        );
    }
}
