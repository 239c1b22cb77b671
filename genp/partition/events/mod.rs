// SPDX-License-Identifier: GPL-2.0

//! Events: what a partition announces, and how poll(), read() and an eventfd learn of it.
//!
//! Lock order: `readers` before `ring`. `listener` is taken with none of the others held.

#[cfg(GENP_KUNIT)]
mod kunit;
mod ring;

use kernel::{
    fs::File,
    new_mutex, new_poll_condvar,
    page::PAGE_SHIFT,
    prelude::*,
    sync::{
        atomic::{Atomic, Relaxed},
        poll::PollTable,
        Mutex,
    },
};

use crate::genp::{
    core::{count::Count, watermarks::Watermarks},
    pool::{account::PoolAccount, lending::Budget},
    sys::{
        abi,
        cpu::PreemptGuard,
        eventfd::EventFd,
        lock::{new_raw_lock, RawLock},
        poll::PollQueue,
        time,
    },
};
use ring::{EventRing, RECORDS};

/// The eventfd that is signalled, and for which events.
struct EventFdListener {
    eventfd: Option<EventFd>,
    mask: u32,
}

impl EventFdListener {
    const NONE: Self = Self {
        eventfd: None,
        mask: 0,
    };
}

const ALL_EVENTS: u32 = 1 << abi::GENP_EVENT_RECALLED
    | 1 << abi::GENP_EVENT_REVOKED
    | 1 << abi::GENP_EVENT_BUDGET_LOW
    | 1 << abi::GENP_EVENT_DYING
    | 1 << abi::GENP_EVENT_STOCK_LOW
    | 1 << abi::GENP_EVENT_MEMORY_ERROR;

/// The most who wait for events of a partition, by poll(), epoll or read(), and whom
/// genp_notify wakes: meanwhile it tells of no other partition's. Those who come when there
/// are so many are woken by a thread of ordinary priority. So are those who wait for the
/// eventfd: nobody knows how many they are.
const MAX_LISTENERS: u32 = 64;

/// The events of a partition.
#[pin_data]
pub(crate) struct Events {
    account: PoolAccount,
    #[pin]
    ring: RawLock<EventRing>,
    /// Whether the budget was low when it was last checked.
    budget_low: Atomic<u32>,
    /// ... and the stock.
    stock_low: Atomic<u32>,
    /// Held by a reader until it sleeps.
    #[pin]
    readers: Mutex<()>,
    #[pin]
    readers_queue: PollQueue,
    /// Those beyond [`MAX_LISTENERS`], and those without the right to events: they take no
    /// place from the others, and nobody is charged for them.
    #[pin]
    crowd: PollQueue,
    /// Held by who joins the queue by poll(), from when he is counted.
    #[pin]
    joining: Mutex<()>,
    /// Held while the eventfd is signalled, which takes as long as there are listeners.
    #[pin]
    listener: Mutex<EventFdListener>,
    /// The mask of the listener for who must not wait for its lock; 0 without an eventfd.
    listens_for: Atomic<u32>,
}

impl Events {
    pub(super) fn new(account: PoolAccount) -> impl PinInit<Self> {
        pin_init!(Self {
            account,
            ring <- new_raw_lock!(EventRing::new(), "genp_events"),
            budget_low: Atomic::new(0),
            stock_low: Atomic::new(0),
            readers <- new_mutex!((), "genp_readers"),
            readers_queue <- PollQueue::new(new_poll_condvar!("genp_news")),
            crowd <- PollQueue::new(new_poll_condvar!("genp_crowd")),
            joining <- new_mutex!((), "genp_joining"),
            listener <- new_mutex!(EventFdListener::NONE, "genp_listener"),
            listens_for: Atomic::new(0),
        })
    }

    /// Writes a record. O(1). Context: any but NMI.
    fn put(&self, type_: u32, handle: u64, value: u64) {
        let record = abi::genp_event {
            type_,
            lost: 0,
            time: time::now(),
            handle,
            value,
        };
        self.ring.lock().put(record);
    }

    /// Writes a record and has the notify thread tell of it. O(1). Context: any but NMI.
    fn announce(&self, type_: u32, handle: u64, value: u64) {
        self.put(type_, handle, value);
        self.account.notify(1 << type_);
    }

    /// Announces that a lease is recalled, which expires at `expires`. O(1). Context: any
    /// but NMI.
    pub(super) fn announce_recall(&self, handle: u64, expires: u64) {
        self.announce(abi::GENP_EVENT_RECALLED, handle, expires);
    }

    /// Announces that a lease of `bytes` bytes was revoked. O(1). Context: any but NMI.
    pub(super) fn announce_revocation(&self, handle: u64, bytes: u64) {
        self.announce(abi::GENP_EVENT_REVOKED, handle, bytes);
    }

    /// Announces a memory error at this offset of the file, in a lease if there is a
    /// handle. O(1). Context: any but NMI.
    pub(super) fn announce_error(&self, handle: u64, offset: u64) {
        self.announce(abi::GENP_EVENT_MEMORY_ERROR, handle, offset);
    }

    /// Announces the end of the partition, the last event, and tells of it here: however
    /// many partitions somebody destroys, it is his own time. Linear in the listeners.
    /// Context: thread, may sleep.
    pub(super) fn announce_end(&self) {
        self.put(abi::GENP_EVENT_DYING, 0, 0);
        self.tell_all(1 << abi::GENP_EVENT_DYING);
    }

    /// Announces once that less than an eighth of the budget is left. O(1). Context: any
    /// but NMI.
    pub(super) fn check_budget(&self, budget: Budget) {
        let Budget { limit, lent } = budget;
        let left = limit.saturating_sub(lent);
        let low = u32::from(left < limit.div_ceil(8));
        // Who finds the flag set leaves it to whoever set it, who is not preempted before
        // it was announced.
        let _here = PreemptGuard::begin();
        if self.budget_low.xchg(low, Relaxed) == 0 && low == 1 {
            let now = time::now();
            self.account
                .with_lending(|state, id| state.accounting.charge_wake(id, now));
            self.announce(abi::GENP_EVENT_BUDGET_LOW, 0, u64::from(left) << PAGE_SHIFT);
        }
    }

    /// Announces that the stock fell below its low watermark: once, until it was
    /// refilled. For one that cannot be refilled, each time it does. O(1). Context: any
    /// but NMI.
    pub(super) fn check_stock(&self, watermarks: &Watermarks, free: u32) {
        let is_low = u32::from(free < watermarks.low());
        let was_low = self.stock_low.xchg(is_low, Relaxed) == 1 && watermarks.grows();
        if is_low == 1 && !was_low {
            self.announce(abi::GENP_EVENT_STOCK_LOW, 0, free.into());
        }
    }

    /// Forgets that the stock was low, if it no longer is. O(1). Context: any.
    pub(super) fn forget_low_stock(&self, watermarks: &Watermarks, free: u32) {
        if free >= watermarks.low() {
            self.stock_low.store(0, Relaxed);
        }
    }

    /// Records that were lost because nobody read them.
    pub(super) fn lost(&self) -> u64 {
        self.ring.lock().lost_ever()
    }

    /// Wakes pollers and readers, for events of the types in `types`; returns whether there
    /// are more to be told, by [`Self::tell_crowd`]. At most [`MAX_LISTENERS`] steps, and no
    /// lock that is held for more. Context: thread, may sleep: the notify thread, and the
    /// callers of [`Self::tell_all`].
    pub(super) fn deliver(&self, types: u32) -> bool {
        // A reader that found no record is asleep before this lock is free.
        drop(self.readers.lock());
        self.readers_queue.notify_all();
        // ORDERING: pairs with genp_events for who polls, who looks at the ring after he has
        // joined, and with genp_readers for who reads, who has joined before he releases it:
        // if either found no record, he is seen here.
        self.crowd.has_any() || self.listens_for.load(Relaxed) & types != 0
    }

    /// Tells all who want to know of events of the types in `types`. Linear in them: it is the
    /// time of who destroys the partition, or could not take a record. Context: thread, may
    /// sleep.
    #[cold]
    #[inline(never)]
    fn tell_all(&self, types: u32) {
        if self.deliver(types) {
            self.tell_crowd(types);
        }
    }

    /// Wakes the crowd, and signals the eventfd for events of the types in `types`. Linear in
    /// both kinds of listeners. Context: thread of ordinary priority, and the callers of
    /// [`Self::tell_all`]; may sleep.
    pub(super) fn tell_crowd(&self, types: u32) {
        self.crowd.wake_in_pieces();
        let listener = self.listener.lock();
        if let Some(eventfd) = &listener.eventfd {
            if listener.mask & types != 0 {
                eventfd.signal();
            }
        }
    }

    /// `GENP_SET_EVENTFD`: EBADF, or EINVAL for a file that is no eventfd, an empty mask
    /// and unknown events. Context: thread, may sleep.
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
            let heard = eventfd.as_ref().map_or(0, |_| mask);
            // An event that is being announced may miss a change, as if it came before.
            self.listens_for.store(heard, Relaxed);
            ::core::mem::replace(&mut listener.eventfd, eventfd)
        };
        drop(old);
        Ok(())
    }

    /// How many genp_notify wakes for an event. At most [`MAX_LISTENERS`] steps. Context:
    /// thread.
    pub(super) fn listeners(&self) -> u32 {
        self.readers_queue.len(MAX_LISTENERS)
    }

    /// Where to wait.
    fn queue(&self) -> &PollQueue {
        match self.listeners() < MAX_LISTENERS {
            true => &self.readers_queue,
            false => &self.crowd,
        }
    }

    /// Has the caller woken for events, among the `first` if there is a place. Context:
    /// thread, may sleep.
    pub(crate) fn join(&self, file: &File, table: PollTable<'_>, first: bool) {
        if !first {
            // Not counted. What the kernel allocates for it holds up nobody who is.
            return table.register_wait(file, &self.crowd);
        }
        let _joining = self.joining.lock();
        table.register_wait(file, self.queue());
    }

    /// The bits for poll(). Context: thread.
    pub(crate) fn poll(&self) -> u32 {
        use kernel::bindings::{POLLHUP, POLLIN, POLLPRI, POLLRDNORM};

        let ring = self.ring.lock();
        let mut mask = 0;
        if !ring.is_empty() {
            mask |= POLLIN | POLLRDNORM | POLLPRI;
        }
        if ring.is_closed() {
            mask |= POLLHUP;
        }
        mask
    }

    /// Waits for a record; `None` after the last one. EAGAIN if there is none and the
    /// caller does not want to wait, ERESTARTSYS for a signal. Context: thread, may
    /// sleep.
    fn next_event(&self, nonblock: bool) -> Result<Option<abi::genp_event>> {
        let mut readers = self.readers.lock();
        // loop-bound: wakeups + 1
        loop {
            {
                let mut ring = self.ring.lock();
                if let Some(record) = ring.take() {
                    return Ok(Some(record));
                }
                if ring.is_closed() {
                    return Ok(None);
                }
            }
            if nonblock {
                return Err(EAGAIN);
            }
            if self.queue().wait_interruptible(&mut readers) {
                return Err(ERESTARTSYS);
            }
        }
    }

    /// read(): as many whole records as fit into `room` bytes, at least one. `write` gives
    /// one to the user. EINVAL for less room than a record needs; EAGAIN, ERESTARTSYS and
    /// the errors of `write` only if no record was read. Context: thread, may sleep.
    pub(crate) fn read(
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
        let mut done = 0usize;
        // loop-bound: RECORDS
        while done < most {
            let record = match self.next_event(nonblock || done > 0) {
                Ok(Some(record)) => record,
                Ok(None) => break,
                Err(error) if done == 0 => return Err(error),
                Err(_) => break,
            };
            if let Err(error) = write(&record) {
                self.ring.lock().untake(record);
                // They may have looked while it was taken.
                self.tell_all(1u32.wrapping_shl(record.type_));
                if done == 0 {
                    return Err(error);
                }
                break;
            }
            done.raise(1);
        }
        Ok(done.times(size))
    }
}
