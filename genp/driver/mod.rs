// SPDX-License-Identifier: GPL-2.0

//! What drivers get: partitions, and on them leases, object caches and element pools.
//!
//! A driver has a partition through a reference to its file, as a process has, so the
//! partition lives as long as either of them wants it to. `entry::capi` is where drivers
//! call in; `include/linux/genp.h` says what each call promises.

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
    let place = field.get_mut(..name.len()).ok_or(EINVAL)?;
    place.copy_from_slice(name);
    // With the zero behind it, and of nothing but what a name may have.
    name_of(&field)?;
    Ok(field)
}

/// Creates a partition for a driver, as `args` says but for its name, and keeps its
/// file. Context: thread, may sleep.
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

/// What drivers have of a partition. Context: thread.
pub(crate) fn outstanding(partition: &Partition) -> genp_outstanding {
    genp_outstanding {
        regions: partition.regions().driver_regions(),
        pages: partition.stock().pages_out(),
        leases: partition.driver_leases().count(),
        users: 0,
    }
}

/// Who gives a partition up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum DriverRole {
    /// Who created it: what it is in may go afterwards.
    Creator,
    /// Who found it.
    Finder,
}

/// Lets a driver go: EBUSY with what is outstanding. Its file is to be given up after
/// that, and its code may go: no callback that returned its lease is still running.
/// Context: thread, may sleep.
///
/// The creator of one in a driver's memory is the last to go, so that the memory is back
/// when it has gone. Nobody can find the partition any longer then.
pub(crate) fn leave(
    registry: &Registry,
    partition: &Partition,
    how: DriverRole,
    left: &mut genp_outstanding,
) -> Result {
    if how == DriverRole::Finder || !partition.reserve().is_in_driver_memory() {
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
        left.regions != 0 || left.pages != 0 || left.leases != 0
    })
}
