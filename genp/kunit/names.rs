// SPDX-License-Identifier: GPL-2.0

//! Names: which are valid, and that each has one partition. The partitions are real ones,
//! with files, in a pool of the test.

use super::registry;
use crate::genp::{
    partition::{name_of, CreateRequest, File, Partition},
    registry::Registry,
    sys::{abi, kunit::flush_fput},
};
use kernel::{page::PAGE_SIZE, prelude::*, sync::Arc};

const SIZE: usize = abi::GENP_NAME_SIZE as usize;

fn field(name: &[u8]) -> [u8; SIZE] {
    let mut field = [0; SIZE];
    for (to, from) in field.iter_mut().zip(name) {
        *to = *from;
    }
    field
}

/// A partition of one page with this name, and budget for eight.
pub(crate) fn create(registry: &Arc<Registry>, name: &[u8]) -> Result<(Arc<Partition>, File)> {
    create_with(registry, name, 8)
}

/// As [`create`], with budget for `limit` pages.
pub(crate) fn create_with(
    registry: &Arc<Registry>,
    name: &[u8],
    limit: u32,
) -> Result<(Arc<Partition>, File)> {
    let args = abi::genp_create {
        flags: abi::GENP_CREATE_MULTIMAP,
        name: field(name),
        reserve: PAGE_SIZE as u64,
        borrow_limit: u64::from(limit) * PAGE_SIZE as u64,
        node: abi::GENP_ANY_NODE,
        ..Default::default()
    };
    registry.create(CreateRequest::check(registry.pool(), &args, false)?, None)
}

/// Closes a file and waits for its release.
pub(crate) fn close(file: File) {
    drop(file);
    flush_fput();
}

#[kunit_tests(genp_names)]
mod tests {
    use super::*;

    #[test]
    fn letters_digits_and_three_others_are_names() {
        for byte in 1..=u8::MAX {
            let sound =
                matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-');
            let name = field(&[b'x', byte]);
            assert_eq!(name_of(&name).is_ok(), sound);
            assert_eq!(name_of(&name).err(), (!sound).then_some(EINVAL));
        }
    }

    #[test]
    fn a_name_ends_at_its_zero() {
        assert_eq!(name_of(&field(b"")).map(|name| name.len()), Ok(0));
        assert_eq!(name_of(&field(b"ab\0/")).map(|name| name.len()), Ok(2));
        let longest = field(&[b'y'; SIZE - 1]);
        assert_eq!(name_of(&longest).map(|name| name.len()), Ok(SIZE - 1));
        let unended = [b'y'; SIZE];
        assert_eq!(name_of(&unended).err(), Some(EINVAL));
    }

    #[test]
    fn a_name_has_one_partition() -> Result {
        let registry = registry()?;
        let (partition, file) = create(&registry, b"one")?;
        assert!(registry.has(b"one"));
        assert!(!registry.has(b"on") && !registry.has(b"ones") && !registry.has(b""));
        assert_eq!(create(&registry, b"one").err(), Some(EEXIST));
        let opened = registry.open(b"one", |_| true)?;
        assert!(core::ptr::eq(&*opened.0, &*partition));
        assert_eq!(registry.open(b"two", |_| true).err(), Some(ENOENT));
        assert_eq!(registry.open(b"", |_| true).err(), Some(ENOENT));
        assert_eq!(registry.open(b"one", |_| false).err(), Some(EACCES));
        drop(opened);
        close(file);
        assert!(!registry.has(b"one"));
        assert_eq!(registry.open(b"one", |_| true).err(), Some(ENOENT));
        assert_eq!(registry.pool().totals().partitions, 0);
        assert_eq!(registry.pool().totals().committed, 0);
        // The name is free again.
        close(create(&registry, b"one")?.1);
        Ok(())
    }

    #[test]
    fn without_a_name_there_may_be_several() -> Result {
        let registry = registry()?;
        let (first, second) = (create(&registry, b"")?, create(&registry, b"")?);
        assert_eq!(registry.iter().count(), 2);
        assert!(first.0.id() != second.0.id());
        close(first.1);
        assert_eq!(registry.iter().count(), 1);
        close(second.1);
        assert_eq!(registry.iter().count(), 0);
        Ok(())
    }

    #[test]
    fn a_refused_create_gives_everything_back() -> Result {
        let registry = registry()?;
        let before = registry.pool().totals();
        let kept = create(&registry, b"kept")?;
        for _ in 0..8 {
            assert_eq!(create(&registry, b"kept").err(), Some(EEXIST));
        }
        // The existing one is unchanged.
        assert!(registry.get(kept.0.id()).is_some());
        close(kept.1);
        let after = registry.pool().totals();
        assert_eq!(after.free, before.free);
        assert_eq!(after.partitions, before.partitions);
        Ok(())
    }
}
