// SPDX-License-Identifier: GPL-2.0

//! The table of partitions, by number and by name: how one is created, opened and
//! forgotten.

pub(crate) mod calibration;
mod in_use;

use kernel::{
    new_mutex,
    prelude::*,
    sync::{Arc, Mutex},
    time::{delay::fsleep, Delta},
};

use crate::genp::{
    core::accounting::PartitionId,
    partition::{CreateRequest, File, LastClose, Partition},
    pool::Pool,
    sys::{
        alloc_flags::SETUP_FLAGS,
        genalloc::Source,
        lock::{new_raw_lock, RawLock},
        table,
    },
};

use in_use::InUseMarker;

/// A thread that uses partitions outside of any call from user space.
#[derive(Clone, Copy)]
pub(crate) enum Visitor {
    /// The one that announces the end of leases.
    Recall,
    /// The one that ends them.
    Revoke,
    /// The one that refills stocks.
    Refill,
}

/// The table of partitions.
///
/// Lock order: `names` before `partitions`. A partition is in the table from before its
/// file can be opened by name until its last close.
#[pin_data]
pub(crate) struct Registry {
    pool: Arc<Pool>,
    #[pin]
    names: Mutex<()>,
    #[pin]
    partitions: RawLock<KVVec<Option<Arc<Partition>>>>,
    /// By [`Visitor`].
    in_use: [InUseMarker; 3],
}

impl Registry {
    /// An empty table for as many partitions as `pool` can have. Context: thread, may
    /// sleep.
    pub(crate) fn new(pool: Arc<Pool>) -> Result<Arc<Self>> {
        let partitions = (0..pool.config.max_partitions).map(|_| None);
        let partitions = table::collect(partitions, SETUP_FLAGS)?;
        Arc::pin_init(
            pin_init!(Self {
                pool,
                names <- new_mutex!((), "genp_names"),
                partitions <- new_raw_lock!(partitions, "genp_partitions"),
                in_use: ::core::array::from_fn(|_| InUseMarker::new()),
            }),
            GFP_KERNEL,
        )
    }

    /// The pool of these partitions.
    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// The partition with this number. O(1). Context: thread.
    pub(crate) fn get(&self, id: PartitionId) -> Option<Arc<Partition>> {
        self.partitions.lock().get(id.0 as usize)?.clone()
    }

    /// Does `work` with the partition with this number, if there is one, for a thread
    /// that must not drop the last reference, because that sleeps: the last close waits
    /// until the in-use marker is cleared, which is after the reference was dropped.
    /// Context: the visitor's thread.
    pub(crate) fn visit(
        &self,
        visitor: Visitor,
        id: PartitionId,
        work: impl FnOnce(&Arc<Partition>),
    ) {
        let _in_use = self.marker(visitor).begin(id);
        if let Some(partition) = self.get(id) {
            work(&partition);
        }
    }

    fn marker(&self, visitor: Visitor) -> &InUseMarker {
        let [recall, revoke, refill] = &self.in_use;
        match visitor {
            Visitor::Recall => recall,
            Visitor::Revoke => revoke,
            Visitor::Refill => refill,
        }
    }

    /// What `tell` says of the first partition from number `from` on of which it says
    /// anything. It is what holds for that partition: the account of one that left the table
    /// meanwhile may be another's, and it does not count. As many look-ups as there can be
    /// partitions, twice, at most. Context: thread, may sleep.
    pub(crate) fn first_from<R>(
        &self,
        from: u32,
        tell: impl Fn(&Partition) -> Option<R>,
    ) -> Option<R> {
        // loop-bound: partitions
        (from..self.pool.config.max_partitions).find_map(|id| {
            let partition = self.get(PartitionId(id))?;
            let told = tell(&partition)?;
            // Its account is closed after it has left the table.
            let still = self.get(PartitionId(id))?;
            ::core::ptr::eq(&*partition, &*still).then_some(told)
        })
    }

    /// All partitions, one at a time. Context: thread.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Arc<Partition>> + '_ {
        (0..self.pool.config.max_partitions).filter_map(|id| self.get(PartitionId(id)))
    }

    /// The live partition of this name. The caller holds `names`.
    fn named(&self, name: &[u8]) -> Option<Arc<Partition>> {
        // loop-bound: partitions
        self.iter()
            .find(|partition| partition.name() == name && !partition.is_dying())
    }

    /// Whether a live partition has this name. Context: thread.
    pub(crate) fn has(&self, name: &[u8]) -> bool {
        let _names = self.names.lock();
        !name.is_empty() && self.named(name).is_some()
    }
}

impl Registry {
    /// Creates a partition and its file, see `GENP_CREATE` in `Documentation/abi.rst`:
    /// EEXIST for a name that is taken, and the errors of [`Partition::create`]. On error
    /// neither is left behind. Context: thread, may sleep; zeroes the reserve.
    pub(crate) fn create(
        self: &Arc<Self>,
        request: CreateRequest,
        source: Option<Source>,
    ) -> Result<(Arc<Partition>, File)> {
        if self.has(request.name()) {
            return Err(EEXIST);
        }
        let (partition, file) =
            Partition::create(self.pool.clone(), self.clone(), request, source)?;
        // If this fails the file is dropped, and with it the partition.
        self.enter(partition.clone())?;
        Ok((partition, file))
    }

    /// Adds a partition, unless its name is taken: EEXIST. Context: thread.
    fn add(&self, partition: Arc<Partition>) -> Result {
        let _names = self.names.lock();
        if !partition.name().is_empty() && self.named(partition.name()).is_some() {
            return Err(EEXIST);
        }
        let id = partition.id().0 as usize;
        if let Some(entry) = self.partitions.lock().get_mut(id) {
            *entry = Some(partition);
        }
        Ok(())
    }

    /// Opens the partition of this name if `may` allows it: ENOENT, EACCES.
    /// Context: thread.
    pub(crate) fn open(
        &self,
        name: &[u8],
        may: impl FnOnce(&Partition) -> bool,
    ) -> Result<(Arc<Partition>, File)> {
        let _names = self.names.lock();
        let partition = self.named(name).ok_or(ENOENT)?;
        if !may(&partition) {
            return Err(EACCES);
        }
        // The partition cannot be forgotten while `names` is held, so its file is open, or
        // being released, which gives `None` here.
        let file = partition.file().ok_or(ENOENT)?;
        Ok((partition, file))
    }

    /// Takes a partition out of the table if `dismiss`, called with the number of other
    /// references to its file, returns Ok. Meanwhile nobody can open it by its name. The
    /// caller has a reference to the file. Context: thread.
    pub(crate) fn withdraw(
        &self,
        partition: &Partition,
        dismiss: impl FnOnce(u32) -> Result,
    ) -> Result {
        let _names = self.names.lock();
        dismiss(partition.other_users())?;
        drop(self.take_out(partition));
        Ok(())
    }

    /// The partition with this number and its file, so that it is not closed meanwhile, if it
    /// is part of `of`. One that is being closed ends anyway.
    fn part(&self, id: PartitionId, of: &Partition) -> Option<(Arc<Partition>, File)> {
        let _names = self.names.lock();
        // It is in the table, and its account is its own as long as it is.
        let part = self.get(id).filter(|_| of.has_part(id))?;
        let file = part.file()?;
        Some((part, file))
    }

    fn take_out(&self, partition: &Partition) -> Option<Arc<Partition>> {
        let id = partition.id().0 as usize;
        let mut partitions = self.partitions.lock();
        match partitions.get_mut(id) {
            // A partition that was never added must not remove another one.
            Some(entry)
                if entry
                    .as_ref()
                    .is_some_and(|other| ::core::ptr::eq(&**other, partition)) =>
            {
                entry.take()
            }
            _ => None,
        }
    }
}

impl LastClose for Registry {
    fn enter(&self, partition: Arc<Partition>) -> Result {
        let looked_for = partition.errors_looked_for();
        self.add(partition)?;
        // What it took was in no table meanwhile, where memory errors would be looked for.
        self.pool.errors.report_since(looked_for);
        Ok(())
    }

    fn end_parts(&self, partition: &Partition) {
        // loop-bound: partitions
        for id in 0..self.pool.config.max_partitions {
            if let Some((part, _file)) = self.part(PartitionId(id), partition) {
                // EIDRM: it was ended before.
                let _ = part.end();
            }
        }
    }

    fn forget(&self, partition: &Partition) {
        {
            let _names = self.names.lock();
            // Dropped here, where dropping a last reference may sleep.
            drop(self.take_out(partition));
        }
        // A visitor, whose priority may be above ours, may still be using it; the one that
        // ends leases gets ours.
        // loop-bound: wakeups
        while self
            .in_use
            .iter()
            .any(|marker| marker.is_at(partition.id()))
        {
            self.pool.need_ends();
            fsleep(Delta::from_millis(1));
        }
    }
}
