// SPDX-License-Identifier: GPL-2.0

//! Each error of the accounting has the errno that `Documentation/abi.rst` says.

use crate::genp::{
    core::accounting::AccountingError,
    sys::errno::{EDQUOT, EIDRM, ESTALE},
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
        // GENP_BORROW, GENP_RENEW.
        AccountingError::Empty => EINVAL,
        AccountingError::TooBig => E2BIG,
        AccountingError::Term => EINVAL,
        AccountingError::Dying => EIDRM,
        AccountingError::Quota => EDQUOT,
        AccountingError::LeaseTable => EBUSY,
        AccountingError::WaiterTable => EBUSY,
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
    use crate::genp::pool::lending::errno;

    #[test]
    fn errors_have_their_errno() {
        for error in [
            AccountingError::NoSpace,
            AccountingError::Ceiling,
            AccountingError::NoPartitionSlot,
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
        ] {
            assert_eq!(error.to_errno(), -(number as i32));
        }
    }
}
