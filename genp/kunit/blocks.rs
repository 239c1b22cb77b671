// SPDX-License-Identifier: GPL-2.0

//! Contiguous blocks go to one partition each, all that it wants or none, and come back.

use super::{params, registry_of, Params};
use crate::genp::{
    core::block_counts::{BlockCounts, ORDERS},
    pool::Pool,
    registry::Registry,
};
use kernel::{prelude::*, sync::Arc};

/// A pool of three blocks of order 1 and one of order 3.
fn registry() -> Result<Arc<Registry>> {
    registry_of(&Params {
        blocks: b"1:3,3:1",
        ..params()
    })
}

fn counts(of_1: u32, of_3: u32) -> Result<BlockCounts> {
    let mut counts = [0; ORDERS];
    (counts[1], counts[3]) = (of_1, of_3);
    BlockCounts::new(counts).ok_or(EINVAL)
}

fn promise(pool: &Pool, of_1: u32, of_3: u32) -> Result {
    pool.blocks
        .promise(&counts(of_1, of_3)?, pool.free_frames.frames())
}

fn give(pool: &Pool, order: u32, first: u32) {
    pool.blocks.give(order, first, pool.free_frames.frames());
}

#[kunit_tests(genp_blocks)]
mod tests {
    use super::*;

    #[test]
    fn all_are_promised_or_none() -> Result {
        let registry = registry()?;
        let pool = registry.pool();
        assert!(*pool.blocks.counts() == counts(3, 1)?);
        assert_eq!(promise(pool, 4, 0), Err(ENOSPC));
        assert_eq!(promise(pool, 3, 2), Err(ENOSPC));
        promise(pool, 2, 1)?;
        assert_eq!(promise(pool, 2, 0), Err(ENOSPC));
        assert_eq!(promise(pool, 1, 1), Err(ENOSPC));
        assert!(pool.blocks.free() == counts(1, 0)?);
        promise(pool, 1, 0)?;
        assert!(pool.blocks.free().is_none());
        Ok(())
    }

    #[test]
    fn each_is_there_once_and_comes_back() -> Result {
        let registry = registry()?;
        let pool = registry.pool();
        for _ in 0..3 {
            promise(pool, 3, 1)?;
            let mut taken = [u32::MAX; 3];
            for place in &mut taken {
                *place = pool.blocks.take_promised(1, 0).ok_or(ENOMEM)?;
            }
            let large = pool.blocks.take_promised(3, 0).ok_or(ENOMEM)?;
            assert!(pool.blocks.take_promised(1, 0).is_none());
            assert!(pool.blocks.take_promised(3, 0).is_none());
            // The largest come first, then the others, none within another one.
            assert_eq!(large, 0);
            taken.sort_unstable();
            assert_eq!(taken, [8, 10, 12]);
            for first in taken {
                give(pool, 1, first);
            }
            give(pool, 3, large);
            assert!(pool.blocks.free() == counts(3, 1)?);
        }
        Ok(())
    }

    #[test]
    fn what_is_no_block_is_not_taken_back() -> Result {
        let registry = registry()?;
        let pool = registry.pool();
        promise(pool, 1, 0)?;
        let first = pool.blocks.take_promised(1, 0).ok_or(ENOMEM)?;
        for (order, first) in [(1, first + 1), (3, first), (2, 0), (1, 0), (1, 14), (40, 0)] {
            give(pool, order, first);
        }
        assert!(pool.blocks.free() == counts(2, 1)?);
        give(pool, 1, first);
        assert!(pool.blocks.free() == counts(3, 1)?);
        Ok(())
    }

    #[test]
    fn one_that_is_pinned_waits() -> Result {
        let registry = registry()?;
        let pool = registry.pool();
        promise(pool, 0, 1)?;
        let first = pool.blocks.take_promised(3, 0).ok_or(ENOMEM)?;
        pool.free_frames.frames().pin(first + 7);
        give(pool, 3, first);
        assert_eq!(promise(pool, 0, 1), Err(ENOSPC));
        pool.free_frames.frames().unpin(first + 7);
        promise(pool, 0, 1)?;
        assert_eq!(pool.blocks.take_promised(3, 0), Some(first));
        Ok(())
    }

    #[test]
    fn they_are_no_part_of_the_pool() -> Result {
        let registry = registry()?;
        let pool = registry.pool();
        let frames = pool.free_frames.frames();
        assert_eq!(frames.first_single(), 14);
        let mut left = pool.config.capacity;
        while left > 0 {
            let mut list = pool.free_frames.take(left, 0, false).list;
            while let Some(frame) = pool.free_frames.pop(&mut list) {
                assert!(frame >= 14);
                left -= 1;
            }
        }
        Ok(())
    }

    #[test]
    fn texts_that_name_no_blocks_are_refused() {
        for text in ["1:1,", "0:1", "11:1", "1:1,1:1", "10:4097", "1:4294967295"] {
            let params = Params {
                blocks: text.as_bytes(),
                ..params()
            };
            assert!(crate::genp::pool::config::Config::check(&params).is_err());
        }
    }
}
