// SPDX-License-Identifier: GPL-2.0

//! Each error of the books has the errno that `Documentation/abi.rst` says.

use crate::genp::{
    core::books::Error,
    sys::errno::{E2BIG, EDQUOT, EIDRM, ENOSPC, ESTALE},
};
use kernel::prelude::*;

/// The errno by the documentation. Without a wildcard, so that no error is added
/// without one.
fn documented(error: Error) -> kernel::error::Error {
    match error {
        // GENP_CREATE, GENP_RESIZE: admission.
        Error::NoSpace => ENOSPC,
        Error::Ceiling => ENOSPC,
        Error::NoPartitionSlot => ENOSPC,
        // GENP_BORROW, GENP_RENEW.
        Error::Empty => EINVAL,
        Error::TooBig => E2BIG,
        Error::Term => EINVAL,
        Error::Dying => EIDRM,
        Error::Quota => EDQUOT,
        Error::LeaseTable => EBUSY,
        Error::WaiterTable => EBUSY,
        Error::WouldBlock => EAGAIN,
        Error::Waited => EAGAIN,
        Error::Stale => ESTALE,
        Error::Foreign => EINVAL,
        // Never told to a caller.
        Error::Busy => EINVAL,
    }
}

#[kunit_tests(genp_lending)]
mod tests {
    use super::*;
    use crate::genp::pool::lending::errno;

    #[test]
    fn errors_have_their_errno() {
        for error in [
            Error::NoSpace,
            Error::Ceiling,
            Error::NoPartitionSlot,
            Error::Empty,
            Error::TooBig,
            Error::Term,
            Error::Dying,
            Error::Quota,
            Error::LeaseTable,
            Error::WaiterTable,
            Error::WouldBlock,
            Error::Waited,
            Error::Stale,
            Error::Foreign,
            Error::Busy,
        ] {
            assert_eq!(errno(error), documented(error));
        }
    }

    /// They are made by hand in `sys/errno.rs`.
    #[test]
    fn errno_have_the_kernels_numbers() {
        use crate::genp::sys::errno::*;
        use kernel::bindings as c;

        for (error, number) in [
            (E2BIG, c::E2BIG),
            (EDQUOT, c::EDQUOT),
            (EIDRM, c::EIDRM),
            (ENOSPC, c::ENOSPC),
            (ENOTTY, c::ENOTTY),
            (EPERM, c::EPERM),
            (ESTALE, c::ESTALE),
            (ETIMEDOUT, c::ETIMEDOUT),
        ] {
            assert_eq!(error.to_errno(), -(number as i32));
        }
    }
}
