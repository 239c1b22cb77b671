// SPDX-License-Identifier: GPL-2.0

//! A process that borrows, waits, returns or keeps what it has, and records how long
//! each request took.

use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Relaxed, SeqCst},
};

use harness::{abi, calls, memory::Pattern, now, page_bytes, process, rng::Rng, Errno, MSEC};

use super::judge::{End, Note};

/// The most records of a borrower in a phase.
const ROOM: usize = 4096;

/// The records of a borrower, for its parent. Zeroes are an empty log.
pub struct Log {
    count: AtomicU32,
    wrong: AtomicU32,
    /// Waits ended by a signal.
    pub interrupted: AtomicU64,
    notes: [[AtomicU64; 6]; ROOM],
}

impl Log {
    fn add(&self, note: &Note) {
        let end = match note.end {
            End::Granted => 0,
            End::Unseen => 1,
            End::Deadline => 2,
            End::Forgotten => 3,
        };
        let words = [
            note.asked,
            note.joined,
            note.waited,
            note.until,
            note.urgency,
            end,
        ];
        let place = self.count.load(SeqCst);
        if let Some(words_there) = self.notes.get(place as usize) {
            for (there, word) in words_there.iter().zip(words) {
                there.store(word, Relaxed);
            }
            self.count.store(place + 1, SeqCst);
        }
    }

    fn is_full(&self) -> bool {
        self.count.load(SeqCst) as usize >= ROOM
    }

    /// Appends all records to `to` and clears the log. Returns the errno of an unexpected
    /// failure, if there was one.
    pub fn empty(&self, to: &mut Vec<Note>) -> Option<Errno> {
        let count = self.count.swap(0, SeqCst) as usize;
        for words in self.notes.iter().take(count) {
            let [asked, joined, waited, until, urgency, end] =
                [0, 1, 2, 3, 4, 5].map(|index: usize| words[index].load(Relaxed));
            let end =
                [End::Granted, End::Unseen, End::Deadline, End::Forgotten][end.min(3) as usize];
            to.push(Note {
                asked,
                joined,
                waited,
                until,
                urgency,
                end,
            });
        }
        match self.wrong.swap(0, SeqCst) {
            0 => None,
            errno => Some(errno as Errno),
        }
    }
}

/// What is the same for all borrowers.
#[derive(Clone, Copy)]
pub struct Rules {
    /// Pages that can be lent.
    pub pages: u64,
    /// The longest term.
    pub max_lease_ns: u64,
    /// The highest priority a borrower may have.
    pub highest: i32,
    /// The timeout of a request: far longer than the bound.
    pub patience_ns: u64,
}

/// A borrower.
pub struct BorrowerProcess<'a> {
    rules: Rules,
    log: &'a Log,
    stop: &'a AtomicU32,
    rng: Rng,
    part: abi::genp_create,
    window: usize,
    urgency: u64,
    borrows: u64,
}

extern "C" fn ignore(_: libc::c_int) {}

/// Makes a call that was interrupted by SIGSTOP fail with EINTR after SIGCONT, so that
/// each wait is a call of its own.
fn notice_stops() {
    // SAFETY: the handler does nothing; SA_RESTART is not set.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = ignore as extern "C" fn(libc::c_int) as usize;
        libc::sigaction(libc::SIGCONT, &action, std::ptr::null_mut());
    }
}

impl<'a> BorrowerProcess<'a> {
    /// A borrower with its own partition and lease window.
    pub fn new(rules: Rules, log: &'a Log, stop: &'a AtomicU32, rng: Rng) -> Result<Self, Errno> {
        harness::memory::catch_faults();
        notice_stops();
        let control = calls::open_control()?;
        // So large that it never waits for its own budget: a lease that it has not
        // returned yet counts.
        let mut part = calls::create_request(0, 8 * rules.pages * page_bytes());
        part.max_leases = 64;
        calls::call(control, abi::GENP_IOCTL_CREATE, &mut part)?;
        let windows = &part.windows;
        // SAFETY: a new mapping where the kernel likes.
        let window = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                windows.lease_length as usize,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                part.fd,
                windows.lease_offset as libc::off_t,
            )
        };
        if window == libc::MAP_FAILED {
            return Err(calls::errno());
        }
        Ok(Self {
            rules,
            log,
            stop,
            rng,
            part,
            window: window as usize,
            urgency: 0,
            borrows: 0,
        })
    }

    fn goes_on(&self) -> bool {
        self.stop.load(SeqCst) == 0
    }

    /// Sets a random priority: SCHED_OTHER half of the time.
    fn set_random_priority(&mut self) {
        let priority = match self.rng.below(2) {
            0 => 0,
            _ => 1 + self.rng.below(self.rules.highest as u64) as i32,
        };
        let policy = match priority {
            0 => libc::SCHED_OTHER,
            _ => libc::SCHED_FIFO,
        };
        let param = libc::sched_param {
            sched_priority: priority,
        };
        // SAFETY: `param` is there.
        if unsafe { libc::sched_setscheduler(0, policy, &param) } == 0 {
            self.urgency = priority as u64;
        }
    }

    /// How long the last call waited; 0 if it did not wait.
    fn waited(&self) -> u64 {
        let mut bounds = abi::genp_bounds {
            size: calls::size_of::<abi::genp_bounds>(),
            flags: abi::GENP_BOUNDS_RESET,
            ..Default::default()
        };
        match calls::call(self.part.fd, abi::GENP_IOCTL_GET_BOUNDS, &mut bounds) {
            Ok(()) => bounds.longest_ns[abi::GENP_OP_WAIT as usize],
            Err(_) => 0,
        }
    }

    /// Whether a lease was granted since the last call of this function.
    fn was_granted(&mut self) -> bool {
        let borrows = calls::stat(self.part.fd).map_or(self.borrows, |stat| stat.borrows);
        std::mem::replace(&mut self.borrows, borrows) != borrows
    }

    /// Requests a lease once and records the result.
    fn borrow_once(&mut self, pages: u64, term: u64) -> Option<abi::genp_borrow> {
        let asked = now();
        let mut request = abi::genp_borrow {
            size: calls::size_of::<abi::genp_borrow>(),
            length: pages * page_bytes(),
            deadline: asked + self.rules.patience_ns,
            lease_ns: term,
            reasons: abi::GENP_WAIT_POOL,
            ..Default::default()
        };
        let result = calls::call(self.part.fd, abi::GENP_IOCTL_BORROW, &mut request);
        let back = now();
        let waited = self.waited();
        let granted = self.was_granted();
        let (end, until) = match result {
            Ok(()) => (End::Granted, request.expires.saturating_sub(term)),
            // The timeout is far longer than any delay of a thread.
            Err(libc::ETIMEDOUT) if granted && back > request.deadline => {
                (End::Forgotten, back.saturating_sub(term))
            }
            Err(libc::ETIMEDOUT) if granted => (End::Unseen, back.saturating_sub(term)),
            Err(libc::ETIMEDOUT) => (End::Deadline, request.deadline),
            Err(libc::EINTR) => {
                self.log.interrupted.fetch_add(1, Relaxed);
                return None;
            }
            Err(errno) => {
                self.log.wrong.store(errno as u32, SeqCst);
                return None;
            }
        };
        let joined = match waited {
            0 => asked,
            waited => back.saturating_sub(waited),
        };
        self.log.add(&Note {
            asked,
            joined,
            waited,
            until,
            urgency: self.urgency,
            end,
        });
        result.is_ok().then_some(request)
    }

    /// Waits for the event that announces the end of a lease, as a program should.
    fn await_recall(&self, expires: u64) {
        let mut set = libc::pollfd {
            fd: self.part.fd,
            events: libc::POLLPRI,
            revents: 0,
        };
        let ms = expires.saturating_sub(now()) / MSEC + 1;
        let mut room = [0u8; 1024];
        // SAFETY: both are ours.
        unsafe {
            if libc::poll(&mut set, 1, ms as libc::c_int) == 1 {
                libc::read(self.part.fd, room.as_mut_ptr().cast(), room.len());
            }
        }
    }

    /// Renews a lease, which fails while there are waiters. Returns its deadline.
    fn renew(&self, lease: &abi::genp_borrow) -> u64 {
        let mut request = abi::genp_renew {
            size: calls::size_of::<abi::genp_renew>(),
            handle: lease.handle,
            ..Default::default()
        };
        match calls::call(self.part.fd, abi::GENP_IOCTL_RENEW, &mut request) {
            Ok(()) => request.expires,
            Err(_) => lease.expires,
        }
    }

    /// Uses a lease, and returns it early, when it is recalled, or never.
    fn hold(&mut self, lease: &abi::genp_borrow) {
        let at = self.window + (lease.offset - self.part.windows.lease_offset) as usize;
        Pattern::of(lease.handle).write(at, lease.length as usize / 8);
        match self.rng.below(8) {
            0 => {}
            1 => self.await_recall(lease.expires),
            2 => return process::pause_ns(self.renew(lease).saturating_sub(now())),
            _ => return process::pause_ns(lease.expires.saturating_sub(now())),
        }
        let _ = calls::give_back(self.part.fd, lease.handle);
    }

    /// Borrows again and again.
    pub fn live(&mut self) -> i32 {
        self.waited();
        while self.goes_on() && !self.log.is_full() {
            self.set_random_priority();
            // Mostly more than half of what can be lent: few leases fit at the same time.
            let pages = self.rules.pages - self.rng.below(self.rules.pages * 3 / 4);
            // The longest term or a short one, so that leases change often.
            let term = match self.rng.below(4) {
                0 => self.rules.max_lease_ns,
                _ => 1 + self.rng.below(self.rules.max_lease_ns / 8),
            };
            if let Some(lease) = self.borrow_once(pages, term) {
                if self.goes_on() {
                    self.hold(&lease);
                } else {
                    let _ = calls::give_back(self.part.fd, lease.handle);
                }
            }
        }
        0
    }
}
