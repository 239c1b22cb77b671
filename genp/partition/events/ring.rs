// SPDX-License-Identifier: GPL-2.0

//! The ring of the newest events.

use kernel::prelude::*;
use pin_init::init_array_from_fn;

use crate::genp::{core::count::Count, sys::abi};

/// Records that the ring holds.
pub(super) const RECORDS: usize = 64;

/// The newest records. The oldest one makes room for a new one.
pub(super) struct EventRing {
    records: [abi::genp_event; RECORDS],
    first: usize,
    len: usize,
    /// Records that made room since one was read.
    lost: u32,
    /// Records that made room since the partition was created.
    lost_ever: u64,
    /// Whether the partition's end was announced.
    closed: bool,
}

impl EventRing {
    /// Made in place: too large for the stack.
    pub(super) fn new() -> impl PinInit<Self> {
        const NONE: abi::genp_event = abi::genp_event {
            type_: 0,
            lost: 0,
            time: 0,
            handle: 0,
            value: 0,
        };
        init!(Self {
            records <- init_array_from_fn(|_| NONE),
            first: 0,
            len: 0,
            lost: 0,
            lost_ever: 0,
            closed: false,
        })
    }

    /// Adds a record. O(1).
    pub(super) fn put(&mut self, record: abi::genp_event) {
        if self.len >= RECORDS {
            self.advance();
            self.lose(1);
        }
        let at = self.first.plus(self.len) % RECORDS;
        if let Some(entry) = self.records.get_mut(at) {
            *entry = record;
            self.len.raise(1);
        }
        self.closed |= record.type_ == abi::GENP_EVENT_DYING;
    }

    /// Takes the oldest record, with the number of those that were lost before it.
    pub(super) fn take(&mut self) -> Option<abi::genp_event> {
        if self.len == 0 {
            return None;
        }
        let mut record = *self.records.get(self.first)?;
        self.advance();
        record.lost = ::core::mem::take(&mut self.lost);
        Some(record)
    }

    /// Puts back a record that could not be delivered, if there is still room.
    pub(super) fn untake(&mut self, record: abi::genp_event) {
        if self.len >= RECORDS {
            self.lose(record.lost.saturating_add(1));
            return;
        }
        self.first = self.first.plus(RECORDS - 1) % RECORDS;
        self.len.raise(1);
        self.lost = record.lost;
        if let Some(entry) = self.records.get_mut(self.first) {
            *entry = record;
        }
    }

    /// Removes the oldest record.
    fn advance(&mut self) {
        self.first = self.first.plus(1) % RECORDS;
        self.len.lower(1);
    }

    /// Counts one record that is lost, and `unread` that the next reader is told of.
    fn lose(&mut self, unread: u32) {
        self.lost = self.lost.saturating_add(unread);
        self.lost_ever = self.lost_ever.saturating_add(1);
    }

    /// Whether it has no record.
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the partition's end was announced: no record will come.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Records that were lost since the partition was created.
    pub(super) fn lost_ever(&self) -> u64 {
        self.lost_ever
    }
}
