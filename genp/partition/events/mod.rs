// SPDX-License-Identifier: GPL-2.0

//! Events: a ring of records for read(), and who is told of them.

#[cfg(GENP_KUNIT)]
mod kunit;

use kernel::{
    fs::File,
    page::PAGE_SHIFT,
    prelude::*,
    sync::{atomic::Relaxed, poll::PollTable},
};

use super::{
    super::{
        pool::lending::Budget,
        sys::{abi, eventfd::EventFd, time},
    },
    Partition,
};

/// Records a ring holds.
const RECORDS: usize = 64;

/// The newest records. The oldest one makes room for a new one.
pub(crate) struct EventRing {
    records: [abi::genp_event; RECORDS],
    first: usize,
    len: usize,
    /// Records that made room since one was read.
    lost: u32,
    pub(super) lost_ever: u64,
    /// Whether the partition's end was announced.
    closed: bool,
}

impl EventRing {
    pub(super) const fn new() -> Self {
        const NONE: abi::genp_event = abi::genp_event {
            type_: 0,
            lost: 0,
            time: 0,
            handle: 0,
            value: 0,
        };
        Self {
            records: [NONE; RECORDS],
            first: 0,
            len: 0,
            lost: 0,
            lost_ever: 0,
            closed: false,
        }
    }

    fn put(&mut self, record: abi::genp_event) {
        if self.len == RECORDS {
            self.first = (self.first + 1) % RECORDS;
            self.len -= 1;
            self.lost = self.lost.saturating_add(1);
            self.lost_ever += 1;
        }
        let at = (self.first + self.len) % RECORDS;
        if let Some(place) = self.records.get_mut(at) {
            *place = record;
            self.len += 1;
        }
        self.closed |= record.type_ == abi::GENP_EVENT_DYING;
    }

    fn take(&mut self) -> Option<abi::genp_event> {
        if self.len == 0 {
            return None;
        }
        let mut record = *self.records.get(self.first)?;
        self.first = (self.first + 1) % RECORDS;
        self.len -= 1;
        record.lost = ::core::mem::take(&mut self.lost);
        Some(record)
    }

    /// Puts back a record that could not be delivered, if there is room still.
    fn untake(&mut self, record: abi::genp_event) {
        if self.len == RECORDS {
            self.lost = self.lost.saturating_add(record.lost).saturating_add(1);
            self.lost_ever += 1;
            return;
        }
        self.first = (self.first + RECORDS - 1) % RECORDS;
        self.len += 1;
        self.lost = record.lost;
        if let Some(place) = self.records.get_mut(self.first) {
            *place = record;
        }
    }
}

/// The eventfd that wants to know.
pub(crate) struct EventFdListener {
    eventfd: Option<EventFd>,
    mask: u32,
}

impl EventFdListener {
    pub(super) const NONE: Self = Self {
        eventfd: None,
        mask: 0,
    };
}

const ALL_EVENTS: u32 = 1 << abi::GENP_EVENT_RECALLED
    | 1 << abi::GENP_EVENT_REVOKED
    | 1 << abi::GENP_EVENT_BUDGET_LOW
    | 1 << abi::GENP_EVENT_DYING
    | 1 << abi::GENP_EVENT_STOCK_LOW;

impl Partition {
    /// Writes a record and has the post tell of it. O(1). Context: any but NMI.
    fn announce(&self, type_: u32, handle: u64, value: u64) {
        let record = abi::genp_event {
            type_,
            lost: 0,
            time: time::now(),
            handle,
            value,
        };
        self.events.lock().put(record);
        self.account.notify(1 << type_);
    }

    pub(crate) fn announce_recall(&self, handle: u64, expires: u64) {
        self.driver_leases.mark_recall_due(handle, expires);
        self.announce(abi::GENP_EVENT_RECALLED, handle, expires);
    }

    /// A driver's lease is overdue. If there was no time to recall it, it is asked for
    /// now. Context: any but NMI.
    pub(crate) fn announce_overdue(&self, handle: u64, expires: u64) {
        self.driver_leases.mark_recall_due(handle, expires);
        self.request_driver_recalls();
    }

    /// Has the post ask drivers for leases that are due already. Context: any but NMI.
    pub(crate) fn request_driver_recalls(&self) {
        self.account.notify(1 << abi::GENP_EVENT_RECALLED);
    }

    pub(crate) fn announce_revocation(&self, handle: u64, expires: u64, bytes: u64) {
        let now = time::now();
        // One that was ended before its time was not late.
        if now >= expires {
            self.timing
                .record(super::timing::Operation::Revoke, now - expires);
        }
        self.announce(abi::GENP_EVENT_REVOKED, handle, bytes);
    }

    pub(super) fn announce_stock(&self, free: u32) {
        self.announce(abi::GENP_EVENT_STOCK_LOW, 0, free.into());
    }

    pub(super) fn announce_end(&self) {
        self.announce(abi::GENP_EVENT_DYING, 0, 0);
    }

    /// Tells once when less than an eighth of the budget is left.
    pub(super) fn check_budget(&self, budget: Budget) {
        let Budget { limit, lent } = budget;
        let left = limit.saturating_sub(lent);
        let low = u32::from(left < limit.div_ceil(8));
        if self.budget_low.xchg(low, Relaxed) == 0 && low == 1 {
            self.announce(abi::GENP_EVENT_BUDGET_LOW, 0, u64::from(left) << PAGE_SHIFT);
        }
    }

    /// Wakes pollers and readers and signals the eventfd, for events of the
    /// types in `news`. Context: the post's thread.
    pub(crate) fn deliver(&self, types: u32) {
        // Who found no record is asleep before this lock is to be had.
        drop(self.readers.lock());
        self.readers_queue.notify_all();
        let listener = self.listener.lock();
        if let Some(eventfd) = &listener.eventfd {
            if listener.mask & types != 0 {
                eventfd.signal();
            }
        }
        drop(listener);
        if types & (1 << abi::GENP_EVENT_RECALLED) != 0 {
            self.driver_leases.call();
        }
    }

    /// `GENP_SET_EVENTFD`. EBADF, EINVAL. Context: thread.
    pub(crate) fn listen(&self, fd: i32, mask: u32) -> Result {
        let eventfd = match fd {
            -1 => None,
            _ if mask == 0 => return Err(EINVAL),
            fd => Some(EventFd::from_fd(fd)?),
        };
        if mask & !ALL_EVENTS != 0 {
            return Err(EINVAL);
        }
        let old = {
            let mut listener = self.listener.lock();
            listener.mask = mask;
            ::core::mem::replace(&mut listener.eventfd, eventfd)
        };
        drop(old);
        Ok(())
    }

    /// The bits for poll().
    pub(crate) fn poll_events(&self, file: &File, table: PollTable<'_>) -> u32 {
        use kernel::bindings::{POLLHUP, POLLIN, POLLPRI, POLLRDNORM};

        table.register_wait(file, &self.readers_queue);
        let wake = self.events.lock();
        let mut mask = 0;
        if wake.len > 0 {
            mask |= POLLIN | POLLRDNORM | POLLPRI;
        }
        if wake.closed {
            mask |= POLLHUP;
        }
        mask
    }

    /// Waits for a record: none if there will never be another. EAGAIN if the
    /// caller does not want to wait, ERESTARTSYS for a signal.
    fn next_event(&self, nonblock: bool) -> Result<Option<abi::genp_event>> {
        let mut readers = self.readers.lock();
        loop {
            {
                let mut wake = self.events.lock();
                if let Some(record) = wake.take() {
                    return Ok(Some(record));
                }
                if wake.closed {
                    return Ok(None);
                }
            }
            if nonblock {
                return Err(EAGAIN);
            }
            if self.readers_queue.wait_interruptible(&mut readers) {
                return Err(ERESTARTSYS);
            }
        }
    }

    /// read(): as many whole records as fit, at least one. `write` gives one to
    /// the user. Context: thread, may sleep.
    pub(crate) fn read_events(
        &self,
        room: usize,
        nonblock: bool,
        mut write: impl FnMut(&abi::genp_event) -> Result,
    ) -> Result<usize> {
        let size = ::core::mem::size_of::<abi::genp_event>();
        let most = (room / size).min(RECORDS);
        if most == 0 {
            return Err(EINVAL);
        }
        let mut done = 0;
        while done < most {
            let record = match self.next_event(nonblock || done > 0) {
                Ok(Some(record)) => record,
                Ok(None) => break,
                Err(error) if done == 0 => return Err(error),
                Err(_) => break,
            };
            if let Err(error) = write(&record) {
                self.events.lock().untake(record);
                if done == 0 {
                    return Err(error);
                }
                break;
            }
            done += 1;
        }
        Ok(done * size)
    }
}
