// SPDX-License-Identifier: GPL-2.0

//! The KUnit tests of a partition: its regions, from a hard interrupt too, and
//! its windows in an address space.

use super::{
    leases::LEASE_OFFSET, regions, reserve::RESERVE_OFFSET, BorrowRequest, File, Grant, Partition,
};
use crate::genp::core::owner::Owner;
use crate::genp::{
    core::{accounting::WaitReasons, tlsf::TlsfError},
    kunit::{names, params, registry, registry_of},
    pool::config::Params,
    registry::Registry,
    sys::{
        errno::{EIDRM, ESTALE},
        kunit::{in_hard_interrupt, UserMap, PROT_EXEC, PROT_READ, PROT_WRITE},
    },
};
use core::cell::Cell;
use kernel::{page::PAGE_SIZE, prelude::*, sync::Arc};

const RW: u32 = PROT_READ | PROT_WRITE;

/// A pool of its own and a partition of one page in it, with budget for eight.
struct Fixture {
    registry: Arc<Registry>,
    partition: Arc<Partition>,
    file: File,
}

impl Fixture {
    fn new() -> Result<Self> {
        Self::with_limit(registry()?, 8)
    }

    /// With budget for `limit` pages.
    fn with_limit(registry: Arc<Registry>, limit: u32) -> Result<Self> {
        let (partition, file) = names::create_with(&registry, b"", limit)?;
        Ok(Self {
            registry,
            partition,
            file,
        })
    }

    /// How many pieces a look for memory errors has. Between any two of them a lease comes and
    /// goes, because nobody holds the lock of the window: `None` if not.
    fn pieces(&self) -> Option<u32> {
        let (pieces, returned) = (Cell::new(0), Cell::new(0));
        self.partition.find_memory_errors(|| {
            pieces.set(pieces.get() + 1);
            let lease = self.borrow(1);
            let given = lease.and_then(|lease| self.partition.return_lease(lease.handle));
            returned.set(returned.get() + u32::from(given.is_ok()));
        });
        (returned == pieces).then_some(pieces.get())
    }

    fn borrow(&self, pages: u32) -> Result<Grant> {
        self.partition.borrow(&BorrowRequest {
            owner: Owner::Process,
            pages,
            deadline: 0,
            term: self.registry.pool().config.max_lease_ns,
            reasons: WaitReasons {
                budget: true,
                pool: true,
            },
        })
    }

    fn map_window(&self) -> core::result::Result<UserMap, i32> {
        let length = self.partition.windows().lease_length;
        UserMap::new(&self.file, LEASE_OFFSET, length, RW, true)
    }

    /// Closes it all; whether the pool is empty then.
    fn close(self) -> bool {
        names::close(self.file);
        let totals = self.registry.pool().totals();
        totals.committed == 0 && totals.lent == 0 && totals.free == totals.capacity
    }
}

/// The errno by the documentation. Without a wildcard, so that no error is added
/// without one.
fn documented(error: TlsfError) -> Error {
    match error {
        TlsfError::Empty | TlsfError::BadAlign | TlsfError::Foreign => EINVAL,
        TlsfError::TooLarge => E2BIG,
        TlsfError::NoBlock | TlsfError::NoNode => ENOMEM,
        TlsfError::Stale => ESTALE,
        TlsfError::Busy => EBUSY,
    }
}

#[kunit_tests(genp_regions)]
mod region_tests {
    use super::*;

    #[test]
    fn errors_have_their_errno() {
        for error in [
            TlsfError::Empty,
            TlsfError::BadAlign,
            TlsfError::TooLarge,
            TlsfError::NoBlock,
            TlsfError::NoNode,
            TlsfError::Stale,
            TlsfError::Foreign,
            TlsfError::Busy,
        ] {
            assert_eq!(regions::errno(error), documented(error));
        }
    }

    #[test]
    fn a_region_is_freed_once() -> Result {
        let fixture = Fixture::new()?;
        let partition = &fixture.partition;
        let region = partition.regions().alloc(Owner::Process, 100, 0)?;
        assert_eq!(
            partition.regions().free(Owner::Process, region.handle),
            Ok(())
        );
        assert_eq!(
            partition.regions().free(Owner::Process, region.handle),
            Err(ESTALE)
        );
        assert_eq!(
            partition.regions().free(Owner::Process, u64::MAX),
            Err(EINVAL)
        );
        assert_eq!(partition.regions().free(Owner::Process, 0), Err(EINVAL));
        // All of it, and not a byte more.
        let all = partition
            .regions()
            .alloc(Owner::Process, PAGE_SIZE as u64, 0)?;
        assert_eq!(
            partition.regions().alloc(Owner::Process, 1, 0).err(),
            Some(ENOMEM)
        );
        assert_eq!(
            partition
                .regions()
                .alloc(Owner::Process, PAGE_SIZE as u64 + 1, 0)
                .err(),
            Some(E2BIG)
        );
        assert_eq!(
            partition.regions().alloc(Owner::Process, u64::MAX, 0).err(),
            Some(E2BIG)
        );
        partition.regions().free(Owner::Process, all.handle)?;
        assert!(fixture.close());
        Ok(())
    }

    #[test]
    fn a_process_cannot_free_what_a_driver_has() -> Result {
        let fixture = Fixture::new()?;
        let partition = &fixture.partition;
        let (mine, theirs) = (
            partition.regions().alloc(Owner::Process, 64, 0)?.handle,
            partition.regions().alloc(Owner::Driver, 64, 0)?.handle,
        );
        assert!(partition.regions().free(Owner::Process, theirs).is_err());
        assert!(partition.regions().free(Owner::Driver, mine).is_err());
        assert_eq!(partition.stat().regions, 2);
        partition.regions().free(Owner::Process, mine)?;
        partition.regions().free(Owner::Driver, theirs)?;
        assert!(fixture.close());
        Ok(())
    }

    #[test]
    fn a_driver_keeps_the_length_of_the_reserve() -> Result {
        let fixture = Fixture::new()?;
        let partition = &fixture.partition;
        let page = PAGE_SIZE as u64;
        for pages in 0..3 {
            partition.resize(pages * page, 8 * page, None)?;
            partition.reserve().admit_driver()?;
            assert_eq!(partition.resize(3 * page, 8 * page, None), Err(EBUSY));
            let region = partition.alloc_for_driver(64, 0).ok();
            assert_eq!(region.is_some(), pages > 0);
            if let Some((_, handle)) = region {
                partition.regions().free(Owner::Driver, handle)?;
            }
            partition.reserve().dismiss_driver(|| false)?;
        }
        assert!(fixture.close());
        Ok(())
    }

    #[test]
    fn a_hard_interrupt_may_allocate_and_free() -> Result {
        let fixture = Fixture::new()?;
        let partition = &fixture.partition;
        let done = in_hard_interrupt(|| {
            let region = partition.regions().alloc(Owner::Process, 64, 64)?;
            partition.regions().free(Owner::Process, region.handle)
        });
        assert_eq!(done, Some(Ok(())));
        assert_eq!(partition.stat().allocs, 1);
        assert_eq!(partition.stat().frees, 1);
        assert_eq!(partition.stat().used, 0);
        assert!(fixture.close());
        Ok(())
    }
}

#[kunit_tests(genp_windows)]
mod window_tests {
    use super::*;

    #[test]
    fn the_reserve_is_mapped_and_zero() -> Result {
        let fixture = Fixture::new()?;
        let length = PAGE_SIZE as u64;
        {
            let map = UserMap::new(&fixture.file, RESERVE_OFFSET, length, RW, true)
                .map_err(Error::from_errno)?;
            assert!((0..PAGE_SIZE).all(|at| map.peek(at) == Some(0)));
            assert!(map.poke(1, 7));
            let again = UserMap::new(&fixture.file, RESERVE_OFFSET, length, PROT_READ, true)
                .map_err(Error::from_errno)?;
            assert_eq!(again.peek(1), Some(7));
            assert!(!again.poke(1, 8));
        }
        assert!(fixture.close());
        Ok(())
    }

    #[test]
    fn what_is_no_window_is_refused() -> Result {
        let fixture = Fixture::new()?;
        let page = PAGE_SIZE as u64;
        let refused = |offset, length, prot, shared| {
            UserMap::new(&fixture.file, offset, length, prot, shared).err()
        };
        for (offset, length) in [
            (RESERVE_OFFSET, 2 * page),
            (RESERVE_OFFSET + page, page),
            (LEASE_OFFSET, page),
            (LEASE_OFFSET + page, 8 * page),
        ] {
            assert_eq!(refused(offset, length, RW, true), Some(EINVAL.to_errno()));
        }
        assert_eq!(
            refused(RESERVE_OFFSET, page, RW, false),
            Some(EINVAL.to_errno())
        );
        assert_eq!(
            refused(RESERVE_OFFSET, page, RW | PROT_EXEC, true),
            Some(EPERM.to_errno())
        );
        assert!(fixture.close());
        Ok(())
    }

    #[test]
    fn a_lease_comes_and_goes_in_its_slice() -> Result {
        let fixture = Fixture::new()?;
        let partition = &fixture.partition;
        {
            let map = fixture.map_window().map_err(Error::from_errno)?;
            assert_eq!(map.peek(0), None);
            let (first, second) = (fixture.borrow(3)?, fixture.borrow(2)?);
            for lease in [&first, &second] {
                let at = (lease.offset - LEASE_OFFSET) as usize;
                assert_eq!(map.peek(at), Some(0));
                assert!(map.poke(at, 9));
            }
            let at = (first.offset - LEASE_OFFSET) as usize;
            // Its last page, and the guard behind it.
            assert_eq!(map.peek(at + 3 * PAGE_SIZE - 1), Some(0));
            assert_eq!(map.peek(at + 3 * PAGE_SIZE), None);
            partition.return_lease(first.handle)?;
            assert_eq!(map.peek(at), None);
            assert_eq!(partition.return_lease(first.handle), Err(ESTALE));
            assert_eq!(map.peek((second.offset - LEASE_OFFSET) as usize), Some(9));
            partition.return_lease(second.handle)?;
        }
        assert!(fixture.close());
        Ok(())
    }

    #[test]
    fn a_look_for_memory_errors_is_in_pieces() -> Result {
        let params = Params {
            pool_mib: 8,
            ..params()
        };
        let fixture = Fixture::with_limit(registry_of(&params)?, 1500)?;
        let without = fixture.pieces().ok_or(EIO)?;
        let lease = fixture.borrow(1400)?;
        assert_eq!(fixture.pieces(), Some(without + 3));
        fixture.partition.return_lease(lease.handle)?;
        assert_eq!(fixture.pieces(), Some(without));
        assert!(fixture.close());
        Ok(())
    }

    #[test]
    fn a_window_mapped_later_has_the_lease_too() -> Result {
        let fixture = Fixture::new()?;
        let lease = fixture.borrow(2)?;
        let at = (lease.offset - LEASE_OFFSET) as usize;
        {
            let (one, two) = (
                fixture.map_window().map_err(Error::from_errno)?,
                fixture.map_window().map_err(Error::from_errno)?,
            );
            assert!(one.poke(at + PAGE_SIZE, 5));
            assert_eq!(two.peek(at + PAGE_SIZE), Some(5));
            fixture.partition.return_lease(lease.handle)?;
            assert_eq!(one.peek(at), None);
            assert_eq!(two.peek(at), None);
        }
        assert!(fixture.close());
        Ok(())
    }

    #[test]
    fn mappings_are_limited_and_come_back() -> Result {
        let fixture = Fixture::new()?;
        for _ in 0..2 {
            let mut maps = KVec::new();
            for _ in 0..16 {
                maps.push(fixture.map_window().map_err(Error::from_errno)?, GFP_KERNEL)?;
            }
            assert_eq!(fixture.map_window().err(), Some(EBUSY.to_errno()));
        }
        assert!(fixture.close());
        Ok(())
    }

    #[test]
    fn destroying_takes_the_leases_and_leaves_the_reserve() -> Result {
        let fixture = Fixture::new()?;
        {
            let window = fixture.map_window().map_err(Error::from_errno)?;
            let reserve = UserMap::new(&fixture.file, RESERVE_OFFSET, PAGE_SIZE as u64, RW, true)
                .map_err(Error::from_errno)?;
            let lease = fixture.borrow(1)?;
            let at = (lease.offset - LEASE_OFFSET) as usize;
            assert!(window.poke(at, 1));
            fixture.partition.destroy()?;
            assert_eq!(window.peek(at), None);
            assert!(reserve.poke(0, 1));
            assert_eq!(fixture.partition.destroy(), Err(EIDRM));
            assert_eq!(fixture.borrow(1).err(), Some(EIDRM));
            assert_eq!(fixture.registry.pool().totals().lent, 0);
        }
        assert!(fixture.close());
        Ok(())
    }
}
