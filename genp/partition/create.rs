// SPDX-License-Identifier: GPL-2.0

//! `GENP_CREATE`: from a checked request to a partition and its file.

use kernel::{
    prelude::*,
    str::CString,
    sync::{atomic::Atomic, Arc, SetOnce},
};

use super::{
    blocks::PartitionBlocks,
    close::LastClose,
    create_request::{CreateRequest, Sizes},
    driver_leases::DriverLeases,
    errors::ErrorCounters,
    events::Events,
    leases::Leases,
    regions::Regions,
    reserve::Reserve,
    stock::PartitionStock,
    timing::Timing,
    File, Partition,
};
use crate::genp::{
    core::accounting::{PartitionId, UserLimits},
    pool::{account::PoolAccount, lending, Pool},
    sys::{
        abi, alloc_flags::CREATE_FLAGS, atomic::InlineAtomic, errno::EOPNOTSUPP, file::LeaseFile,
        genalloc::Source, headroom, task, trace,
    },
};

/// More than the kernel needs for the two files of a partition: themselves, their names and
/// inodes.
pub(super) const FILE_HEADROOM: usize = 64 << 10;

/// The most frames that the caller's user may have committed. Context: thread.
pub(super) fn ceiling(pool: &Pool) -> u32 {
    if pool.config.uid_ceiling == u32::MAX || task::may_exceed() {
        u32::MAX
    } else {
        pool.config.uid_ceiling
    }
}

/// Whether the other ceilings of its user do not bind a partition that the caller makes,
/// nor those who wait for its leases later. Context: thread.
fn is_exempt(pool: &Pool) -> bool {
    pool.config.user_limits == UserLimits::NONE || task::may_exceed()
}

/// An account that is closed again unless a partition takes it over.
struct Admission<'a> {
    pool: &'a Pool,
    id: PartitionId,
}

impl<'a> Admission<'a> {
    /// Opens an account for the request: ENOSPC, EUSERS, EAGAIN. Context: thread.
    fn open(pool: &'a Pool, request: &CreateRequest, source: Option<&Source>) -> Result<Self> {
        let (ceiling, exempt) = (ceiling(pool), is_exempt(pool));
        let (uid, limit) = (request.attributes.uid, request.sizes.limit);
        // Who cannot borrow has no leases.
        let leases = if limit == 0 { 0 } else { request.max_leases };
        let id = pool
            .lending
            .with_time(|state, now| {
                let accounting = &mut state.accounting;
                let share = request.share();
                let id = match request.parent {
                    Some(parent) => {
                        if !exempt {
                            accounting.check_user_of(parent, leases)?;
                        }
                        accounting.admit_child(parent, &share)?
                    }
                    None => {
                        if !exempt {
                            accounting.check_user(uid, leases, share.children)?;
                        }
                        accounting.admit_with(uid, ceiling, &share)?
                    }
                };
                accounting.promise_leases(id, leases, exempt);
                accounting.check_new(id, now)?;
                Ok(id)
            })
            .inspect_err(|_| pool.need_ends())
            .map_err(lending::errno)?;
        let admission = Self { pool, id };
        let in_range = match source {
            Some(Source::Range(_)) => request.sizes.reserve,
            _ => 0,
        };
        let external = in_range.saturating_add(request.sizes.block_pages);
        if external > 0 {
            pool.lending
                .with(|state| state.accounting.charge_external(id, external, ceiling))
                .map_err(lending::errno)?;
        }
        Ok(admission)
    }

    /// Leaves the account to a partition and its close.
    fn hand_over(self) {
        ::core::mem::forget(self);
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        self.pool.lending.with(|state| {
            state.set_payer(self.id);
            // Refused only for an account with leases, and this one has none.
            let _ = state.accounting.close(self.id, 0);
        });
        self.pool.serve();
    }
}

impl Partition {
    /// Builds the object around an admitted account. Its tables count for the
    /// caller's memory control group. E2BIG, EINVAL, ENOMEM.
    #[inline(never)] // What it has on the stack is gone when the reserve is populated.
    fn build(
        account: PoolAccount,
        registry: Arc<dyn LastClose>,
        request: CreateRequest,
    ) -> Result<Arc<Self>> {
        let errors_looked_for = account.pool().errors.handled();
        let blocks = PartitionBlocks::new(account.clone(), &request.sizes.blocks)?;
        let CreateRequest {
            attributes,
            sizes: Sizes {
                limit, watermarks, ..
            },
            order,
            max_regions,
            max_leases,
            multimap,
            term_ns,
            ..
        } = request;
        let stock = PartitionStock::new(account.clone(), watermarks)?;
        let regions = Regions::new(account.id(), order, max_regions)?;
        Arc::pin_init(
            try_pin_init!(Self {
                registry,
                file: SetOnce::new(),
                dying: Atomic::new(0),
                reserve <- Reserve::new(account.clone()),
                leases <- Leases::new(account.clone(), term_ns, max_leases, limit, multimap),
                regions <- regions,
                stock,
                blocks,
                driver_leases <- DriverLeases::new(account.clone()),
                events <- Events::new(account.clone()),
                timing <- Timing::new(),
                account,
                attributes,
                errors: ErrorCounters::new(),
                memory_errors: InlineAtomic::new(0),
                errors_looked_for,
            }),
            CREATE_FLAGS,
        )
    }
}

impl Partition {
    /// Takes the memory of the reserve and opens it for regions: E2BIG, ENOMEM, and with a
    /// source ENOSPC, EOPNOTSUPP, EINVAL. Context: thread, may sleep; zeroes the memory.
    fn populate_reserve(&self, pages: u32, source: Option<Source>) -> Result {
        let mut frames = self.reserve.lock();
        self.reserve.populate(&mut frames, pages, source)?;
        self.reserve.settle(&frames);
        self.regions.open(self.regions.units_in(pages)?)
    }

    /// What its mappings are called in /proc. ENOMEM. Context: thread, may sleep.
    fn file_name(&self) -> Result<CString> {
        match ::core::str::from_utf8(self.name()) {
            Ok("") | Err(_) => CString::try_from_fmt(fmt!("[genp]")),
            Ok(name) => CString::try_from_fmt(fmt!("[genp:{name}]")),
        }
    }

    /// Makes the file, named after the partition. ENFILE, ENOMEM. Context: thread, may
    /// sleep.
    fn open_file(self: &Arc<Self>) -> Result<File> {
        headroom::check(FILE_HEADROOM)?;
        File::create(&self.file_name()?, self.clone())
    }
}

/// Where the reserve of a partition of user space comes from; `None` is the pool. EINVAL
/// for an unknown source, EOPNOTSUPP for the physical range if none was given at load.
pub(crate) fn source_of(pool: &Pool, args: &abi::genp_create) -> Result<Option<Source>> {
    match args.source {
        abi::GENP_SOURCE_POOL => Ok(None),
        abi::GENP_SOURCE_RANGE => match &pool.range {
            Some(range) => Ok(Some(Source::Range(range.clone()))),
            None => Err(EOPNOTSUPP),
        },
        _ => Err(EINVAL),
    }
}

impl Partition {
    /// Creates a partition and its file. Nothing of either is left on error: ENOSPC,
    /// ENOMEM, E2BIG, ENFILE, and with a source EOPNOTSUPP, EINVAL. Context: thread, may
    /// sleep; zeroes the reserve.
    pub(crate) fn create(
        pool: Arc<Pool>,
        registry: Arc<dyn LastClose>,
        request: CreateRequest,
        source: Option<Source>,
    ) -> Result<(Arc<Self>, File)> {
        let (reserve, limit) = (request.sizes.reserve, request.sizes.limit);
        let admission = Admission::open(&pool, &request, source.as_ref())?;
        let account = PoolAccount::new(pool.clone(), admission.id, request.node);
        let partition = Self::build(account, registry, request)?;
        admission.hand_over();
        trace::create(partition.id().0, reserve, limit);
        // Once the file exists, its release closes the partition.
        let file = match partition
            .populate_reserve(reserve, source)
            .and_then(|()| partition.stock.populate())
            .and_then(|()| partition.blocks.populate())
            .and_then(|()| partition.open_file())
        {
            Ok(file) => file,
            Err(error) => {
                partition.close();
                return Err(error);
            }
        };
        let leases = LeaseFile::create(&partition.file_name()?, &file)?;
        partition.reserve.set_file(file.mapping());
        partition.leases.window().set_file(leases);
        partition.file.populate(file.weak());
        Ok((partition, file))
    }
}
