// SPDX-License-Identifier: GPL-2.0

//! Judges waits against the bound, from what each borrower noted.
//!
//! When a request was granted is exact: the deadline of its lease minus its term.
//! When it came into the queue is only known to lie between two times, for a
//! borrower may be kept from running just before and just after its call. So each
//! wait has a least and a greatest length. Only the least one convicts, and the
//! greatest one says how near the bound was.

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was granted at [`Note::until`].
    Granted,
    /// It was granted, but the lease was over before its borrower ran again; not
    /// later than [`Note::until`].
    Unseen,
    /// It waited in vain until its deadline, [`Note::until`].
    Deadline,
    /// It was granted, and its borrower slept on until its deadline all the same.
    Forgotten,
}

/// A request, as its borrower saw it. Times in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Note {
    /// Before the call.
    pub asked: u64,
    /// Not before it had come into the queue.
    pub joined: u64,
    /// How long it waited, until its thread ran again; 0 if it did not wait.
    pub waited: u64,
    /// When its wait was over.
    pub until: u64,
    /// Its place in the order of priorities: more is more urgent.
    pub urgency: u64,
    /// How it ended.
    pub end: End,
}

/// What the notes of a phase amount to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Judged {
    /// Requests granted.
    pub granted: u64,
    /// Waits of which is known how long they were first in the queue.
    pub waits: u64,
    /// The longest of these.
    pub longest: u64,
    /// Waits that may have been longer than the bound, or not: their borrower was
    /// kept from running.
    pub undecided: u64,
    /// The first wait that was longer for certain.
    pub broken: Option<u64>,
}

impl Judged {
    /// Adds those of another phase.
    pub fn add(&mut self, other: &Self) {
        self.granted += other.granted;
        self.waits += other.waits;
        self.longest = self.longest.max(other.longest);
        self.undecided += other.undecided;
        self.broken = self.broken.or(other.broken);
    }
}

/// From when on `note` was first in the queue at the latest, as far as others tell:
/// the last grant to somebody who stood before it.
fn turn(notes: &[Note], note: &Note) -> u64 {
    let before = |other: &&Note| match other.end {
        End::Deadline => false,
        // Somewhere until then.
        End::Unseen | End::Forgotten => other.asked < note.until,
        // Who did not wait passed only those that are less urgent.
        End::Granted => {
            other.until < note.until && (other.waited > 0 || other.urgency > note.urgency)
        }
    };
    let others = notes.iter().filter(before);
    let last = others.map(|other| other.until.min(note.until)).max();
    last.unwrap_or(0)
}

/// Judges all waits. `bound` is what the module says after the last of them.
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
        // It ran again late, but the wait itself is known to have been short.
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
