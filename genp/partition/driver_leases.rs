// SPDX-License-Identifier: GPL-2.0

//! Leases of drivers, and how drivers are asked to return them.

use kernel::{prelude::*, sync::lock::Guard};
use pin_init::init_array_from_fn;

use super::{BorrowRequest, Grant, Partition};
use crate::genp::{
    core::{
        accounting::{LeaseState, MAX_LEASES_PER_PARTITION},
        count::Count,
        owner::Owner,
    },
    pool::account::PoolAccount,
    sys::{
        callback::Callback,
        lock::{new_pi_mutex, new_raw_lock, Pi, PiMutex, RawLock},
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
    account: PoolAccount,
    #[pin]
    calling: PiMutex<()>,
    /// By slice.
    #[pin]
    recalls: RawLock<[Option<Recall>; MAX_LEASES_PER_PARTITION as usize]>,
}

impl DriverLeases {
    pub(super) fn new(account: PoolAccount) -> impl PinInit<Self> {
        pin_init!(Self {
            account,
            calling <- new_pi_mutex!((), "genp_calling"),
            // In place: too large for the stack.
            recalls <- new_raw_lock!(init_array_from_fn(|_| None), "genp_recalls"),
        })
    }

    /// Leases of drivers. At most as many steps as a partition can have leases.
    pub(crate) fn count(&self) -> u32 {
        let recalls = self.recalls.lock();
        // loop-bound: MAX_LEASES_PER_PARTITION
        recalls.iter().flatten().fold(0u32, |sum, _| sum.plus(1))
    }

    /// Makes `recall` the entry of the lease in a slice.
    fn set(&self, slice: u32, recall: Recall) {
        if let Some(entry) = self.recalls.lock().get_mut(slice as usize) {
            *entry = Some(recall);
        }
    }

    /// Changes the entry of a lease. At most as many steps as a partition can have
    /// leases.
    fn change<R>(&self, handle: u64, work: impl FnOnce(&mut Option<Recall>) -> R) -> Option<R> {
        let mut recalls = self.recalls.lock();
        // loop-bound: MAX_LEASES_PER_PARTITION
        let entry = recalls
            .iter_mut()
            .find(|entry| entry.is_some_and(|recall| recall.handle == handle))?;
        Some(work(entry))
    }

    /// Puts back the entry of a lease that could not be returned.
    fn restore(&self, recall: Recall) {
        let slice = self.account.with_lending(|state, id| {
            let lease = state.accounting.find(id, recall.handle).ok()?;
            Some(state.accounting.lease(lease).slice())
        });
        if let Some(slice) = slice {
            self.set(slice, recall);
        }
    }

    /// Whether a lease no longer runs undisturbed: its end was announced, or more.
    fn is_recalled(&self, handle: u64) -> bool {
        let recalled = self.account.with_lending(|state, id| {
            let lease = state.accounting.find(id, handle).ok()?;
            Some(state.accounting.lease(lease).state() != LeaseState::Active)
        });
        recalled == Some(true)
    }

    /// Records that it is time to ask for a lease, if it is a driver's and was not asked
    /// for in this term. Context: any but NMI.
    pub(super) fn mark_recall_due(&self, handle: u64, expires: u64) {
        self.change(handle, |entry| {
            if let Some(recall) = entry {
                // Another term: we are here before the renewal recorded it.
                if recall.state == RecallState::NotYet || recall.expires != expires {
                    recall.state = RecallState::Due;
                    recall.expires = expires;
                }
            }
        });
    }

    /// Records another term of a lease. Context: any but NMI.
    fn mark_renewed(&self, handle: u64, expires: u64) {
        self.change(handle, |entry| {
            if let Some(recall) = entry {
                // Unless it was recalled already, which a short term can do.
                if recall.expires != expires {
                    recall.state = RecallState::NotYet;
                    recall.expires = expires;
                }
            }
        });
    }

    /// The next lease that is due to be asked for. At most as many steps as a partition can
    /// have leases.
    fn next_due(&self) -> Option<Recall> {
        let mut recalls = self.recalls.lock();
        let due = |recall: &&mut Recall| recall.state == RecallState::Due;
        let recall = recalls.iter_mut().flatten().find(due)?;
        recall.state = RecallState::Done;
        Some(*recall)
    }

    /// Asks drivers for what is due. Context: the notify thread; runs drivers' code.
    pub(super) fn call(&self) {
        for _ in 0..MAX_LEASES_PER_PARTITION {
            // Before the entry is read: whoever removes it after that waits for this call.
            let _calling = self.calling.lock();
            let Some(recall) = self.next_due() else {
                return;
            };
            if let Some(call) = recall.call {
                call.run(recall.handle, recall.expires);
            }
        }
    }

    /// Keeps callbacks from running. `None` within a callback, whose thread has the lock
    /// already. Context: thread, may sleep while one runs.
    fn hold_callbacks(&self) -> Option<Guard<'_, (), Pi>> {
        let own = self.account.pool().wakers.notify.is_own();
        (!own).then(|| self.calling.lock())
    }

    /// Waits until no callback of this partition's runs, unless this is called from one.
    /// Context: thread, may sleep.
    pub(crate) fn await_callback(&self) {
        drop(self.hold_callbacks());
    }
}

impl Partition {
    /// Borrows for a driver, with the errors of [`Self::borrow`]. Calls `give` with each
    /// frame in order. Context: thread, may sleep.
    pub(crate) fn borrow_for_driver(
        &self,
        request: &BorrowRequest,
        call: Option<Callback>,
        give: impl FnMut(u32),
    ) -> Result<Grant> {
        let grant = self.borrow(request)?;
        self.driver_leases.set(
            grant.slice,
            Recall {
                handle: grant.handle,
                expires: grant.expires,
                call,
                state: RecallState::NotYet,
            },
        );
        // Recalled before it was recorded, which a short term can do.
        if self.driver_leases.is_recalled(grant.handle) {
            self.driver_leases
                .mark_recall_due(grant.handle, grant.expires);
            self.request_driver_recalls();
        }
        // loop-bound: lease_pages / PIECE + 2
        self.leases.each_frame(grant.slice, grant.handle, give);
        Ok(grant)
    }

    /// Returns a driver's lease: EINVAL, ESTALE, EBUSY. Its callback no longer runs
    /// afterwards. Context: thread, may sleep.
    pub(crate) fn return_for_driver(&self, handle: u64) -> Result {
        let calling = self.driver_leases.hold_callbacks();
        let recall = self.driver_leases.change(handle, Option::take).flatten();
        let ended = self.end_driver_lease(handle);
        if let (Err(error), Some(recall)) = (&ended, recall) {
            if *error == EBUSY {
                self.driver_leases.restore(recall);
            }
        }
        drop(calling);
        ended
    }

    /// Lets a driver's lease run for another term: EAGAIN, EINVAL, ESTALE. It is asked
    /// for anew then. Context: thread.
    pub(crate) fn renew_for_driver(&self, handle: u64, term: u64) -> Result<u64> {
        let expires = self.leases.renew(handle, term, Owner::Driver)?;
        self.driver_leases.mark_renewed(handle, expires);
        Ok(expires)
    }
}
