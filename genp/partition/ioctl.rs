// SPDX-License-Identifier: GPL-2.0

//! The commands of a partition: from argument structures to calls and back.

use kernel::{page::PAGE_SIZE, prelude::*};

use super::{
    super::{
        core::books::Reasons,
        sys::{
            abi,
            errno::{E2BIG, ENOTTY},
            time,
            user::UserArg,
        },
    },
    borrow::{Ask, Borrower},
    regions::Tenant,
    timing::Op,
    Partition,
};

/// EINVAL unless all of these are zero.
fn none_of(fields: &[u32]) -> Result {
    if fields.iter().any(|&field| field != 0) {
        return Err(EINVAL);
    }
    Ok(())
}

/// What a borrower waits for, by `GENP_WAIT_*`, 0 for everything: EINVAL for other
/// bits.
pub(crate) fn reasons_of(bits: u32) -> Result<Reasons> {
    const KNOWN: u32 = abi::GENP_WAIT_BUDGET | abi::GENP_WAIT_POOL;

    none_of(&[bits & !KNOWN])?;
    let bits = if bits == 0 { KNOWN } else { bits };
    Ok(Reasons {
        budget: bits & abi::GENP_WAIT_BUDGET != 0,
        pool: bits & abi::GENP_WAIT_POOL != 0,
    })
}

impl Partition {
    /// Carries out the command `nr`. ENOTTY if there is none. Context: thread,
    /// may sleep.
    pub(super) fn command(&self, nr: u32, arg: &UserArg) -> Result {
        match nr {
            abi::GENP_NR_ALLOC => self.timed(Op::Alloc, || self.ioctl_alloc(arg)),
            abi::GENP_NR_FREE => self.timed(Op::Free, || self.ioctl_free(arg)),
            abi::GENP_NR_BORROW => self.ioctl_borrow(arg),
            abi::GENP_NR_RETURN => self.timed(Op::Return, || self.ioctl_return(arg)),
            abi::GENP_NR_RENEW => self.timed(Op::Renew, || self.ioctl_renew(arg)),
            abi::GENP_NR_RESIZE => self.ioctl_resize(arg),
            abi::GENP_NR_GET_STAT => self.ioctl_stat(arg),
            abi::GENP_NR_GET_BOUNDS => self.ioctl_bounds(arg),
            abi::GENP_NR_GET_HISTOGRAM => self.ioctl_histogram(arg),
            abi::GENP_NR_SET_EVENTFD => self.ioctl_eventfd(arg),
            abi::GENP_NR_DESTROY => self.ioctl_destroy(arg),
            _ => Err(ENOTTY),
        }
    }

    /// Notes how long `work` took, whether it succeeded or not.
    fn timed(&self, op: Op, work: impl FnOnce() -> Result) -> Result {
        let begin = time::now();
        let answer = work();
        self.note(op, time::now().saturating_sub(begin));
        answer
    }

    fn ioctl_alloc(&self, arg: &UserArg) -> Result {
        let mut ask = arg.read::<abi::genp_alloc>()?;
        none_of(&[ask.flags])?;
        self.alive()?;
        let region = self.alloc_region(Tenant::User, ask.length, ask.align)?;
        ask.offset = region.offset;
        ask.handle = region.handle;
        arg.write(&ask, ask.size).inspect_err(|_| {
            // The caller cannot name what it did not learn of.
            let _ = self.free_region(Tenant::User, region.handle);
        })
    }

    fn ioctl_free(&self, arg: &UserArg) -> Result {
        let ask = arg.read::<abi::genp_handle>()?;
        none_of(&[ask.flags])?;
        self.alive()?;
        self.free_region(Tenant::User, ask.handle)
    }

    /// The term asked for, or the partition's.
    pub(crate) fn term(&self, lease_ns: u64) -> Result<u64> {
        match lease_ns {
            0 => Ok(self.shape.term_ns),
            term if term <= self.pool.config.max_lease_ns => Ok(term),
            _ => Err(EINVAL),
        }
    }

    fn ioctl_borrow(&self, arg: &UserArg) -> Result {
        let mut ask = arg.read::<abi::genp_borrow>()?;
        none_of(&[ask.flags, ask.reserved])?;
        self.alive()?;
        let pages = ask.length.div_ceil(PAGE_SIZE as u64);
        let borrowed = self.borrow(&Ask {
            pages: u32::try_from(pages).map_err(|_| E2BIG)?,
            deadline: ask.deadline,
            term: self.term(ask.lease_ns)?,
            reasons: reasons_of(ask.reasons)?,
            borrower: Borrower::Process,
        })?;
        ask.offset = borrowed.offset;
        ask.handle = borrowed.handle;
        ask.expires = borrowed.expires;
        arg.write(&ask, ask.size).inspect_err(|_| {
            // The caller cannot name what it did not learn of.
            let _ = self.give_back(borrowed.handle);
        })
    }

    fn ioctl_return(&self, arg: &UserArg) -> Result {
        let ask = arg.read::<abi::genp_handle>()?;
        none_of(&[ask.flags])?;
        self.give_back(ask.handle)
    }

    fn ioctl_renew(&self, arg: &UserArg) -> Result {
        let mut ask = arg.read::<abi::genp_renew>()?;
        none_of(&[ask.flags])?;
        self.alive()?;
        ask.expires = self.renew(ask.handle, self.term(ask.lease_ns)?, Borrower::Process)?;
        arg.write(&ask, ask.size)
    }

    fn ioctl_resize(&self, arg: &UserArg) -> Result {
        let mut ask = arg.read::<abi::genp_resize>()?;
        none_of(&[ask.flags])?;
        self.alive()?;
        self.resize(ask.reserve, ask.borrow_limit)?;
        ask.windows = self.places();
        arg.write(&ask, ask.size)
    }

    fn ioctl_stat(&self, arg: &UserArg) -> Result {
        let ask = arg.read::<abi::genp_stat>()?;
        none_of(&[ask.flags & !abi::GENP_STAT_RESET_PEAKS])?;
        let mut stat = self.stat();
        stat.size = ask.size;
        stat.flags = ask.flags;
        arg.write(&stat, ask.size)?;
        if ask.flags & abi::GENP_STAT_RESET_PEAKS != 0 {
            self.reset_peaks();
        }
        Ok(())
    }

    fn ioctl_bounds(&self, arg: &UserArg) -> Result {
        let mut ask = arg.read::<abi::genp_bounds>()?;
        none_of(&[ask.flags & !abi::GENP_BOUNDS_RESET])?;
        self.bounds(&mut ask)?;
        arg.write(&ask, ask.size)?;
        if ask.flags & abi::GENP_BOUNDS_RESET != 0 {
            self.reset_longest();
        }
        Ok(())
    }

    fn ioctl_histogram(&self, arg: &UserArg) -> Result {
        let mut ask = arg.read::<abi::genp_histogram>()?;
        none_of(&[ask.flags & !abi::GENP_BOUNDS_RESET, ask.reserved])?;
        ask.count = self.histogram(ask.op)?;
        arg.write(&ask, ask.size)?;
        if ask.flags & abi::GENP_BOUNDS_RESET != 0 {
            self.reset_histogram(ask.op);
        }
        Ok(())
    }

    fn ioctl_eventfd(&self, arg: &UserArg) -> Result {
        let ask = arg.read::<abi::genp_eventfd>()?;
        none_of(&[ask.flags])?;
        self.alive()?;
        self.listen(ask.fd, ask.mask)
    }

    fn ioctl_destroy(&self, arg: &UserArg) -> Result {
        let ask = arg.read::<abi::genp_destroy>()?;
        none_of(&[ask.flags])?;
        self.destroy()
    }
}
