// SPDX-License-Identifier: GPL-2.0

//! Leases of drivers, and how drivers are asked to return them.

use kernel::prelude::*;

use super::{BorrowRequest, Grant, Partition};
use crate::genp::core::owner::Owner;
use crate::genp::{
    core::books::{State, MAX_SLICES},
    sys::{
        callback::Callback,
        lock::{new_pi_mutex, new_raw_lock, PiMutex, RawLock},
    },
};

/// How to ask for one lease.
#[derive(Clone, Copy)]
struct Recall {
    handle: u64,
    expires: u64,
    call: Option<Callback>,
    state: RecallState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RecallState {
    NotYet,
    /// It is time.
    Due,
    Done,
}

/// What drivers have on lease of a partition.
///
/// Lock order: `calling` is taken with no other lock of GenP's held and is held while a
/// driver's callback runs, which may call in again; `recalls` last of all.
#[pin_data]
pub(crate) struct DriverLeases {
    #[pin]
    calling: PiMutex<()>,
    #[pin]
    recalls: RawLock<[Option<Recall>; MAX_SLICES as usize]>,
}

impl DriverLeases {
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            calling <- new_pi_mutex!((), "genp_calling"),
            recalls <- new_raw_lock!([None; MAX_SLICES as usize], "genp_recalls"),
        })
    }

    /// Leases of drivers. At most as many steps as a partition can have leases.
    pub(crate) fn count(&self) -> u32 {
        self.recalls.lock().iter().flatten().count() as u32
    }

    /// Changes the entry of a lease. At most as many steps as a partition can have
    /// leases.
    fn change<R>(&self, handle: u64, how: impl FnOnce(&mut Option<Recall>) -> R) -> Option<R> {
        let mut recalls = self.recalls.lock();
        let entry = recalls
            .iter_mut()
            .find(|entry| entry.is_some_and(|recall| recall.handle == handle))?;
        Some(how(entry))
    }

    /// Notes that it is time to ask for a lease, if it is a driver's and was not asked
    /// for in this term. Context: any but NMI.
    pub(crate) fn mark_recall_due(&self, handle: u64, expires: u64) {
        self.change(handle, |entry| {
            if let Some(recall) = entry {
                // Another term: we are here before renew_for_driver().
                if recall.state == RecallState::NotYet || recall.expires != expires {
                    recall.state = RecallState::Due;
                    recall.expires = expires;
                }
            }
        });
    }

    /// The next lease that is to be asked for.
    fn next_due(&self) -> Option<Recall> {
        let mut recalls = self.recalls.lock();
        let due = |recall: &&mut Recall| recall.state == RecallState::Due;
        let recall = recalls.iter_mut().flatten().find(due)?;
        recall.state = RecallState::Done;
        Some(*recall)
    }

    /// Asks drivers for what is due. Context: the post's thread; runs drivers' code.
    pub(crate) fn call(&self) {
        for _ in 0..MAX_SLICES {
            // Before the entry is read: who takes it out after that waits for us.
            let _calling = self.calling.lock();
            let Some(recall) = self.next_due() else {
                return;
            };
            if let Some(call) = recall.call {
                call.run(recall.handle, recall.expires);
            }
        }
    }
}

impl Partition {
    /// Borrows for a driver; `give` gets each frame in turn. Context: thread, may sleep.
    pub(crate) fn borrow_for_driver(
        &self,
        request: &BorrowRequest,
        call: Option<Callback>,
        give: impl FnMut(u32),
    ) -> Result<Grant> {
        let borrowed = self.borrow(request)?;
        let recall = Recall {
            handle: borrowed.handle,
            expires: borrowed.expires,
            call,
            state: RecallState::NotYet,
        };
        if let Some(place) = self
            .driver_leases()
            .recalls
            .lock()
            .get_mut(borrowed.slice as usize)
        {
            *place = Some(recall);
        }
        // Recalled before it stood there, which a short term can do.
        let late = self.account.with_lending(|state, id| {
            let lease = state.books.find(id, borrowed.handle).ok()?;
            Some(state.books.lease(lease).state() != State::Active)
        });
        if late == Some(true) {
            self.driver_leases()
                .mark_recall_due(borrowed.handle, borrowed.expires);
            self.request_driver_recalls();
        }
        self.each_frame(&borrowed, give);
        Ok(borrowed)
    }

    /// Returns a driver's lease: EINVAL, ESTALE, EBUSY. Its callback does not run any
    /// longer afterwards. Context: thread, may sleep.
    pub(crate) fn return_for_driver(&self, handle: u64) -> Result {
        let driver_leases = self.driver_leases();
        // From within the callback the lock is ours already.
        let own = self.pool().wakers.post.is_own();
        let calling = (!own).then(|| driver_leases.calling.lock());
        let recall = driver_leases.change(handle, Option::take).flatten();
        let ended = self.end_driver_lease(handle);
        if let (Err(error), Some(recall)) = (&ended, recall) {
            if *error == EBUSY {
                self.restore(recall);
            }
        }
        drop(calling);
        ended
    }

    /// Waits until no callback of this partition's runs, unless this is called from one.
    /// Context: thread, may sleep.
    pub(crate) fn await_callback(&self) {
        if !self.pool().wakers.post.is_own() {
            drop(self.driver_leases().calling.lock());
        }
    }

    /// Lets a driver's lease run for another term: EAGAIN, EINVAL, ESTALE. It is asked
    /// for anew then. Context: thread.
    pub(crate) fn renew_for_driver(&self, handle: u64, term: u64) -> Result<u64> {
        let expires = self.renew(handle, term, Owner::Driver)?;
        self.driver_leases().change(handle, |entry| {
            if let Some(recall) = entry {
                // Unless it was recalled already, which a short term can do.
                if recall.expires != expires {
                    recall.state = RecallState::NotYet;
                    recall.expires = expires;
                }
            }
        });
        Ok(expires)
    }

    /// Puts back the entry of a lease that could not be returned.
    fn restore(&self, recall: Recall) {
        let slice = self.account.with_lending(|state, id| {
            let lease = state.books.find(id, recall.handle).ok()?;
            Some(state.books.lease(lease).slice())
        });
        let Some(slice) = slice else {
            return;
        };
        if let Some(place) = self.driver_leases().recalls.lock().get_mut(slice as usize) {
            *place = Some(recall);
        }
    }
}
