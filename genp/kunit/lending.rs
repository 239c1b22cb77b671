// SPDX-License-Identifier: GPL-2.0

//! Each error of the accounting has the errno that `Documentation/abi.rst` says.

use crate::genp::{
    core::accounting::{AccountingError, WaitReasons},
    sys::{
        errno::{EDQUOT, EIDRM, ESTALE, EUSERS},
        time,
    },
};
use kernel::prelude::*;

/// The errno by the documentation. Without a wildcard, so that no error is added
/// without one.
fn documented(error: AccountingError) -> kernel::error::Error {
    match error {
        // GENP_CREATE, GENP_RESIZE: admission.
        AccountingError::NoSpace => ENOSPC,
        AccountingError::Ceiling => ENOSPC,
        AccountingError::NoPartitionSlot => ENOSPC,
        AccountingError::UserPartitions => EUSERS,
        AccountingError::UserLeases => EUSERS,
        AccountingError::InUse => EBUSY,
        // GENP_BORROW, GENP_RENEW.
        AccountingError::Empty => EINVAL,
        AccountingError::TooBig => E2BIG,
        AccountingError::Term => EINVAL,
        AccountingError::Dying => EIDRM,
        AccountingError::Quota => EDQUOT,
        AccountingError::LeaseTable => EBUSY,
        AccountingError::WaiterTable => EBUSY,
        AccountingError::UserWaiters => EUSERS,
        AccountingError::WouldBlock => EAGAIN,
        AccountingError::Waited => EAGAIN,
        AccountingError::Pace => EAGAIN,
        AccountingError::Stale => ESTALE,
        AccountingError::Foreign => EINVAL,
        // Never returned to a caller.
        AccountingError::Busy => EINVAL,
    }
}

#[kunit_tests(genp_lending)]
mod tests {
    use super::*;
    use crate::genp::{kunit::registry, pool::lending::errno};

    #[test]
    fn errors_have_their_errno() {
        for error in [
            AccountingError::NoSpace,
            AccountingError::Ceiling,
            AccountingError::NoPartitionSlot,
            AccountingError::UserPartitions,
            AccountingError::UserLeases,
            AccountingError::InUse,
            AccountingError::UserWaiters,
            AccountingError::Pace,
            AccountingError::Empty,
            AccountingError::TooBig,
            AccountingError::Term,
            AccountingError::Dying,
            AccountingError::Quota,
            AccountingError::LeaseTable,
            AccountingError::WaiterTable,
            AccountingError::WouldBlock,
            AccountingError::Waited,
            AccountingError::Stale,
            AccountingError::Foreign,
            AccountingError::Busy,
        ] {
            assert_eq!(errno(error), documented(error));
        }
    }

    /// Who frees a frame while a stock could not be refilled has the refill thread woken,
    /// and pays for it: otherwise creating and closing in a loop would cost others time.
    #[test]
    fn a_wake_up_of_the_refill_thread_is_charged() -> Result {
        let registry = registry()?;
        let lending = &registry.pool().lending;
        let admit = || {
            lending
                .with(|state| state.accounting.admit(0, u32::MAX, 1, 0, 1))
                .map_err(errno)
        };
        let (starved, payer) = (admit()?, admit()?);
        let capacity = registry.pool().config.capacity;
        assert!(!lending.with(|state| state.commit_spare(starved, capacity)));
        let free = || {
            lending.with(|state| {
                state.set_payer(payer);
                state.accounting.close(payer, 0)
            })
        };
        free().map_err(errno)?;
        // Whatever was charged is ahead of a clock that begins now.
        let charged = |id| lending.with(|state| state.accounting.check_new(id, 0).is_err());
        assert!(charged(payer));
        assert!(!charged(starved));
        assert!(lending.with(|state| state.take_rearmed()));
        Ok(())
    }

    /// Who waits and can be served is charged for the wake-up that has him served, and not for
    /// what others do until he is.
    #[test]
    fn who_waits_is_charged_once_until_it_is_served() -> Result {
        const MANY: usize = 100_000;

        let registry = registry()?;
        let lending = &registry.pool().lending;
        let id = lending
            .with(|state| state.accounting.admit(0, u32::MAX, 0, 8, 4))
            .map_err(errno)?;
        let reasons = WaitReasons {
            budget: true,
            pool: true,
        };
        let mut borrow = |pages| {
            lending.with_time(|state, now| {
                state
                    .accounting
                    .borrow(id, pages, 0, reasons, true, now, 1_000_000_000)
            })
        };
        assert!(borrow(8).map_err(errno)?.granted.is_some());
        assert!(borrow(1).map_err(errno)?.granted.is_none());
        lending.with(|state| {
            state.accounting.set_limit(id, 16).map_err(errno)?;
            assert!(state.accounting.can_serve());
            Ok::<_, Error>(())
        })?;
        for _ in 0..MANY {
            lending.with(|_| ());
        }
        // Of a few wake-ups and two leases nothing is left in a second.
        let charged = |now| lending.with(|state| state.accounting.check_new(id, now).is_err());
        let later = time::now().saturating_add(1_000_000_000);
        assert!(!charged(later));
        Ok(())
    }

    /// Those that `sys/errno.rs` makes.
    #[test]
    fn errno_have_the_kernels_numbers() {
        use crate::genp::sys::errno::*;
        use kernel::bindings as c;

        for (error, number) in [
            (EDQUOT, c::EDQUOT),
            (EIDRM, c::EIDRM),
            (EOPNOTSUPP, c::EOPNOTSUPP),
            (ESTALE, c::ESTALE),
            (EUSERS, c::EUSERS),
        ] {
            assert_eq!(error.to_errno(), -(number as i32));
        }
    }
}
