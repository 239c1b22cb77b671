// SPDX-License-Identifier: GPL-2.0

//! Compares waits with the bound, from the records of the borrowers.
//!
//! The time of a grant is exact: the deadline of the lease minus its term. The time at
//! which the request was queued is only known to lie between two times, because a
//! borrower may be preempted just before and just after its call. So each wait has a
//! minimum and a maximum length. Only the minimum proves a violation; the maximum
//! tells how near the bound was.

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was granted at [`Note::until`].
    Granted,
    /// It was granted, but the lease was over before its borrower ran again; not
    /// later than [`Note::until`].
    Unseen,
    /// It timed out at its deadline, [`Note::until`].
    Deadline,
    /// It was granted, but its borrower was not woken until its deadline.
    Forgotten,
}

/// The record of a request by its borrower. Times in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Note {
    /// Before the call.
    pub asked: u64,
    /// Not earlier than when it was queued.
    pub joined: u64,
    /// How long it waited, until its thread ran again; 0 if it did not wait.
    pub waited: u64,
    /// The end of its wait.
    pub until: u64,
    /// Its priority: more is more urgent.
    pub urgency: u64,
    /// How it ended.
    pub end: End,
}

/// The result of a phase.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Judged {
    /// Requests granted.
    pub granted: u64,
    /// Waits with a known time at the head of the queue.
    pub waits: u64,
    /// The longest of these.
    pub longest: u64,
    /// Waits that may or may not have been longer than the bound: their borrower was
    /// preempted.
    pub undecided: u64,
    /// The first wait that was certainly longer.
    pub broken: Option<u64>,
}

impl Judged {
    /// Adds the result of another phase.
    pub fn add(&mut self, other: &Self) {
        self.granted += other.granted;
        self.waits += other.waits;
        self.longest = self.longest.max(other.longest);
        self.undecided += other.undecided;
        self.broken = self.broken.or(other.broken);
    }
}

/// The time from which on `note` was at the head of the queue, at the latest: the last
/// grant to a request before it.
fn turn(notes: &[Note], note: &Note) -> u64 {
    let before = |other: &&Note| match other.end {
        End::Deadline => false,
        // At any time until then.
        End::Unseen | End::Forgotten => other.asked < note.until,
        // A request that did not wait overtook only less urgent ones.
        End::Granted => {
            other.until < note.until && (other.waited > 0 || other.urgency > note.urgency)
        }
    };
    let others = notes.iter().filter(before);
    let last = others.map(|other| other.until.min(note.until)).max();
    last.unwrap_or(0)
}

/// Judges all waits. `bound` is what the module reports after the last of them.
pub fn judge(notes: &[Note], bound: u64) -> Judged {
    let mut judged = Judged::default();
    for note in notes {
        judged.granted += u64::from(note.end != End::Deadline);
        if note.end == End::Forgotten {
            judged.broken = judged.broken.or(Some(note.waited));
        }
        if note.waited == 0 || matches!(note.end, End::Unseen | End::Forgotten) {
            continue;
        }
        let turn = turn(notes, note);
        let least = note.until.saturating_sub(note.joined.max(turn));
        let most = note.until.saturating_sub(note.asked.max(turn));
        let most = most.min(note.waited).max(least);
        judged.waits += 1;
        if least > bound {
            judged.broken = judged.broken.or(Some(least));
        } else if most > bound {
            judged.undecided += 1;
        } else {
            judged.longest = judged.longest.max(most);
        }
    }
    judged
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Granted at `until`, after a wait since `asked`.
    fn waited(asked: u64, until: u64) -> Note {
        Note {
            asked,
            joined: asked + 1,
            waited: until - asked,
            until,
            urgency: 0,
            end: End::Granted,
        }
    }

    #[test]
    fn the_first_one_has_one_bound() {
        let judged = judge(&[waited(100, 199)], 100);
        assert_eq!((judged.waits, judged.longest), (1, 99));
        assert_eq!((judged.undecided, judged.broken), (0, None));
        assert_eq!(judge(&[waited(100, 203)], 100).broken, Some(102));
    }

    #[test]
    fn the_next_one_has_a_bound_of_its_own() {
        let notes = [waited(100, 190), waited(110, 280)];
        assert_eq!(judge(&notes, 100).broken, None);
        let notes = [waited(100, 190), waited(110, 292)];
        assert_eq!(judge(&notes, 100).broken, Some(102));
    }

    #[test]
    fn who_did_not_wait_is_no_turn_unless_more_urgent() {
        let mut passed = waited(150, 150);
        let notes = [waited(100, 240), passed];
        assert_eq!(judge(&notes, 100).broken, Some(139));
        passed.urgency = 1;
        assert_eq!(judge(&[waited(100, 240), passed], 100).broken, None);
    }

    #[test]
    fn who_was_kept_from_running_convicts_nobody() {
        let mut note = waited(100, 250);
        note.joined = 240;
        let judged = judge(&[note], 100);
        assert_eq!((judged.undecided, judged.broken), (1, None));
        // It ran again late, but the wait itself was short.
        note.waited = 20;
        assert_eq!(judge(&[note], 100).longest, 20);
    }

    #[test]
    fn waiting_in_vain_counts() {
        let mut note = waited(100, 900);
        note.end = End::Deadline;
        assert_eq!(judge(&[note], 100).broken, Some(799));
        assert_eq!(judge(&[note], 100).granted, 0);
    }

    #[test]
    fn who_is_not_woken_waited_too_long() {
        let mut note = waited(100, 150);
        (note.end, note.waited) = (End::Forgotten, 900);
        assert_eq!(judge(&[note], 1000).broken, Some(900));
    }

    #[test]
    fn a_grant_nobody_saw_may_have_been_any_time() {
        let mut unseen = waited(100, 700);
        unseen.end = End::Unseen;
        assert_eq!(judge(&[waited(200, 450), unseen], 100).broken, None);
    }
}
