// SPDX-License-Identifier: GPL-2.0

//! The services for drivers: partitions, and on them leases, object caches and element
//! pools.
//!
//! A driver has a partition by a reference to its file, as a process has, so the partition
//! lives as long as either of them keeps it. Drivers call `entry::capi`;
//! `include/linux/genp.h` specifies each call.

pub(crate) mod cache;
pub(crate) mod elements;

use kernel::{prelude::*, sync::Arc};

use crate::genp::{
    partition::{name_of, CreateRequest, Partition},
    registry::Registry,
    sys::{
        abi::{genp_create, genp_outstanding, GENP_NAME_SIZE},
        genalloc::Source,
    },
};

/// Copies a name into its field: EINVAL for one that is too long.
fn name_field(name: &[u8]) -> Result<[u8; GENP_NAME_SIZE as usize]> {
    let mut field = [0; GENP_NAME_SIZE as usize];
    let bytes = field.get_mut(..name.len()).ok_or(EINVAL)?;
    bytes.copy_from_slice(name);
    // Checks the terminating zero and the characters.
    name_of(&field)?;
    Ok(field)
}

/// Creates a partition for a driver, by `args` and with this name, and keeps its file.
/// Context: thread, may sleep.
pub(crate) fn create(
    registry: &Arc<Registry>,
    name: &[u8],
    mut args: genp_create,
    source: Option<Source>,
) -> Result<Arc<Partition>> {
    args.name = name_field(name)?;
    let request = CreateRequest::check(registry.pool(), &args, source.is_some())?;
    let (partition, file) = registry.create(request, source)?;
    partition.reserve().admit_driver()?;
    file.keep();
    Ok(partition)
}

/// Finds a partition by its name for a driver and keeps its file. Context: thread, may
/// sleep.
pub(crate) fn find(registry: &Registry, name: &[u8]) -> Result<Arc<Partition>> {
    if name.is_empty() {
        return Err(EINVAL);
    }
    let (partition, file) = registry.open(name, |_| true)?;
    partition.reserve().admit_driver()?;
    file.keep();
    Ok(partition)
}

/// What drivers have allocated or borrowed of a partition. Context: thread.
pub(crate) fn outstanding(partition: &Partition) -> genp_outstanding {
    genp_outstanding {
        regions: partition.regions().driver_regions(),
        pages: partition.stock().pages_out(),
        leases: partition.driver_leases().count(),
        users: 0,
        blocks: partition.blocks().blocks_out(),
    }
}

/// How the driver that gives a partition up got it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum DriverRole {
    /// It created it: the memory that the partition is in may be removed afterwards.
    Creator,
    /// It found it.
    Finder,
}

/// Ends a driver's use of a partition: EBUSY, with `left` filled in, while anything is
/// outstanding. The caller gives the file up after that. The driver's code may be unloaded
/// then: no callback that returned its lease is still running. Context: thread, may sleep.
///
/// The creator of a partition in a driver's memory must be its last user, so that the
/// memory is back afterwards. From then on nobody can find the partition.
pub(crate) fn leave(
    registry: &Registry,
    partition: &Partition,
    role: DriverRole,
    left: &mut genp_outstanding,
) -> Result {
    if role == DriverRole::Finder || !partition.reserve().is_in_driver_memory() {
        dismiss(partition, left)?;
    } else {
        registry.withdraw(partition, |users| {
            if users == 0 {
                return dismiss(partition, left);
            }
            *left = outstanding(partition);
            left.users = users;
            Err(EBUSY)
        })?;
    }
    partition.driver_leases().await_callback();
    Ok(())
}

fn dismiss(partition: &Partition, left: &mut genp_outstanding) -> Result {
    partition.reserve().dismiss_driver(|| {
        *left = outstanding(partition);
        [left.regions, left.pages, left.leases, left.blocks] != [0; 4]
    })
}
