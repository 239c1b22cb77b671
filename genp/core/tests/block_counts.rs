// SPDX-License-Identifier: GPL-2.0

//! The numbers of contiguous blocks: what a text says, and where each block is.

use genp_core::block_counts::{BlockCounts, BlocksError, MAX_BLOCK_PAGES, MAX_ORDER, ORDERS};
use genp_core::shape::{Shape, ShapeError};
use proptest::{prelude::*, test_runner::RngSeed};

fn parse(text: &str) -> Result<BlockCounts, BlocksError> {
    BlockCounts::parse(text.as_bytes())
}

#[test]
fn a_text_names_orders_and_counts() {
    let counts = parse("4:16,9:2,1:0").unwrap();
    let listed: Vec<_> = (0..=12).map(|order| counts.of(order)).collect();
    assert_eq!(listed, [0, 0, 0, 0, 16, 0, 0, 0, 0, 2, 0, 0, 0]);
    assert_eq!(counts.pages(), Some(16 * 16 + 2 * 512));
    assert!(parse("").unwrap().is_none());
    assert!(parse("3:0").unwrap().is_none());
    assert!(!counts.is_none());
    // All of them, as many pages as there may be.
    assert!(parse("10:4096").is_ok());
    assert!(parse("1:2097152").is_ok());
}

#[test]
fn nonsense_is_refused() {
    for text in [
        ",",
        "4:1,",
        ",4:1",
        "4",
        "4:",
        ":4",
        "4:1:1",
        "4:-1",
        "4: 1",
        "+4:1",
        "4:0x1",
        "4:1\n",
        "a:b",
        "4;1",
        "\u{660}:1",
    ] {
        assert_eq!(parse(text), Err(BlocksError::Malformed), "{text}");
    }
    for text in [
        "0:1",
        "0:0",
        "11:1",
        "4294967300:1",
        "99999999999999999999:1",
    ] {
        assert_eq!(parse(text), Err(BlocksError::Order), "{text}");
    }
    for text in ["4:1,4:1", "4:0,4:1", "04:1,4:1"] {
        assert_eq!(parse(text), Err(BlocksError::Twice), "{text}");
    }
    for text in [
        "10:4097",
        "1:2097153",
        "1:4294967295",
        "10:4294967295",
        "1:99999999999999999999",
        "10:4096,1:1",
        "9:8388608",
        "5:134217728",
    ] {
        assert_eq!(parse(text), Err(BlocksError::TooMany), "{text}");
    }
}

#[test]
fn order_0_is_not_of_blocks() {
    let mut counts = [0; ORDERS];
    counts[0] = 1;
    assert_eq!(BlockCounts::new(counts), None);
    counts[0] = 0;
    assert_eq!(BlockCounts::new(counts), Some(BlockCounts::NONE));
}

#[test]
fn counts_that_are_too_large_have_no_pages() {
    let mut counts = [0; ORDERS];
    counts[10] = 1 << 22;
    assert_eq!(BlockCounts::new(counts).unwrap().pages(), None);
    counts = [u32::MAX; ORDERS];
    counts[0] = 0;
    assert_eq!(BlockCounts::new(counts).unwrap().pages(), None);
}

#[test]
fn blocks_alone_make_a_partition() {
    let blocks = Shape {
        block_pages: 2,
        ..Shape::default()
    };
    assert_eq!(blocks.check(1).map(|shape| shape.committed), Ok(0));
    assert_eq!(Shape::default().check(1), Err(ShapeError::Empty));
}

fn some_counts() -> impl Strategy<Value = BlockCounts> {
    prop::array::uniform11(0u32..20).prop_map(|mut counts| {
        counts[0] = 0;
        BlockCounts::new(counts).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        rng_seed: RngSeed::Fixed(20_261_130),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Each page is in one block, and each block begins at a multiple of its size.
    #[test]
    fn blocks_are_side_by_side(counts in some_counts()) {
        let (mut page, mut block) = (0, 0);
        for class in counts.classes() {
            prop_assert_eq!(class.count, counts.of(class.order));
            prop_assert_eq!(counts.class(class.order), Some(class));
            prop_assert_eq!(class.page_of(class.end()), None);
            for number in class.first..class.end() {
                prop_assert_eq!(number, block);
                prop_assert_eq!(class.page_of(number), Some(page));
                prop_assert_eq!(class.block_at(page), Some(number));
                prop_assert_eq!(class.block_at(page + 1), None);
                prop_assert_eq!(page % class.block_pages(), 0);
                (page, block) = (page + class.block_pages(), block + 1);
            }
            prop_assert_eq!(class.block_at(page), None);
        }
        prop_assert_eq!(counts.pages(), Some(page));
        prop_assert!(page <= MAX_BLOCK_PAGES);
    }

    #[test]
    fn what_is_covered_can_be_taken(all in some_counts(), some in some_counts()) {
        let each = (0..=MAX_ORDER).all(|order| some.of(order) <= all.of(order));
        prop_assert_eq!(all.covers(&some), each);
        let mut one_less = all;
        for order in (0..=MAX_ORDER).filter(|&order| all.of(order) > 0) {
            one_less.lower(order, 1);
            prop_assert!(all.covers(&one_less) && !one_less.covers(&all));
            one_less.raise(order, 1);
        }
        prop_assert_eq!(one_less, all);
        prop_assert_eq!(BlockCounts::new(all.by_order()), Some(all));
    }
}
