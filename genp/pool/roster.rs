// SPDX-License-Identifier: GPL-2.0

//! The partitions there are, by number and by name.

use kernel::{
    new_mutex,
    prelude::*,
    sync::{Arc, Mutex},
};

use super::super::{
    core::books::PartitionId,
    partition::Partition,
    sys::{
        file::FileRef,
        lock::{new_raw_lock, RawLock},
    },
};

/// The list of partitions.
///
/// Lock order: `naming` before `places`. A partition stands in a place from
/// before its file can be had until its last close.
#[pin_data]
pub(crate) struct Roster {
    #[pin]
    naming: Mutex<()>,
    #[pin]
    places: RawLock<KVVec<Option<Arc<Partition>>>>,
    count: usize,
}

impl Roster {
    /// Allocates `count` places. Context: thread, may sleep.
    pub(crate) fn new(count: u32) -> Result<impl PinInit<Self, Error>> {
        let mut places = KVVec::with_capacity(count as usize, GFP_KERNEL)?;
        for _ in 0..count {
            places.push(None, GFP_KERNEL)?;
        }
        Ok(try_pin_init!(Self {
            naming <- new_mutex!((), "genp_naming"),
            places <- new_raw_lock!(places, "genp_places"),
            count: count as usize,
        }))
    }

    /// The partition with this number. O(1). Context: thread.
    pub(crate) fn get(&self, id: PartitionId) -> Option<Arc<Partition>> {
        self.at(id.0 as usize)
    }

    fn at(&self, place: usize) -> Option<Arc<Partition>> {
        self.places.lock().get(place)?.clone()
    }

    /// Every partition there is, one at a time.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Arc<Partition>> + '_ {
        (0..self.count).filter_map(|place| self.at(place))
    }

    fn named(&self, name: &[u8]) -> Option<Arc<Partition>> {
        self.iter()
            .find(|partition| partition.name() == name && !partition.is_dying())
    }

    /// Adds a partition, unless its name is taken: EEXIST. Context: thread.
    pub(crate) fn add(&self, partition: Arc<Partition>) -> Result {
        let _naming = self.naming.lock();
        if !partition.name().is_empty() && self.named(partition.name()).is_some() {
            return Err(EEXIST);
        }
        let place = partition.id().0 as usize;
        if let Some(free) = self.places.lock().get_mut(place) {
            *free = Some(partition);
        }
        Ok(())
    }

    /// Whether a live partition has this name. Context: thread.
    pub(crate) fn has(&self, name: &[u8]) -> bool {
        let _naming = self.naming.lock();
        !name.is_empty() && self.named(name).is_some()
    }

    /// Takes a partition off the list, at its last close. Context: thread.
    pub(crate) fn remove(&self, partition: &Partition) {
        let _naming = self.naming.lock();
        // Dropped here, where a last reference may sleep.
        drop(self.take_out(partition));
    }

    /// Takes a partition off the list if `dismiss`, told how many others have its file,
    /// lets it go. Nobody can begin to have it meanwhile unless somebody has. The caller
    /// has a reference to the file. Context: thread.
    pub(crate) fn withdraw(
        &self,
        partition: &Partition,
        dismiss: impl FnOnce(u32) -> Result,
    ) -> Result {
        let _naming = self.naming.lock();
        dismiss(partition.other_users())?;
        drop(self.take_out(partition));
        Ok(())
    }

    fn take_out(&self, partition: &Partition) -> Option<Arc<Partition>> {
        let place = partition.id().0 as usize;
        let mut places = self.places.lock();
        match places.get_mut(place) {
            // A partition that never got a place must not take another's.
            Some(found)
                if found
                    .as_ref()
                    .is_some_and(|other| ::core::ptr::eq(&**other, partition)) =>
            {
                found.take()
            }
            _ => None,
        }
    }

    /// Opens the partition of this name if the caller may, by `may`: ENOENT, EACCES.
    /// Context: thread.
    pub(crate) fn open(
        &self,
        name: &[u8],
        may: impl FnOnce(&Partition) -> bool,
    ) -> Result<(Arc<Partition>, FileRef)> {
        let _naming = self.naming.lock();
        let partition = self.named(name).ok_or(ENOENT)?;
        if !may(&partition) {
            return Err(EACCES);
        }
        // The file cannot be released while `naming` is held, so this is either
        // alive or on its way out.
        let file = partition.file().ok_or(ENOENT)?;
        Ok((partition, file))
    }
}
