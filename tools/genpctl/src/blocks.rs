// SPDX-License-Identifier: GPL-2.0

//! Contiguous blocks, as they are written, `ORDER:COUNT,...`, and as they are shown.

use genp_core::block_counts::{BlockCounts, BlocksError, MAX_BLOCK_PAGES, MAX_ORDER, ORDERS};

use crate::table::Table;

/// Reads numbers of blocks by order.
pub fn parse(text: &str) -> Result<BlockCounts, String> {
    BlockCounts::parse(text.as_bytes()).map_err(|error| match error {
        BlocksError::Malformed => "give ORDER:COUNT,..., as in 9:2,4:16".to_owned(),
        BlocksError::Order => format!("orders of blocks are 1 to {MAX_ORDER}"),
        BlocksError::Twice => "an order of blocks is there twice".to_owned(),
        BlocksError::TooMany => format!("blocks have at most {MAX_BLOCK_PAGES} pages"),
    })
}

/// The orders of which there are some, each with its number.
fn there(counts: &[u32; ORDERS]) -> impl Iterator<Item = (usize, u32)> + '_ {
    let each = counts.iter().copied().enumerate();
    each.filter(|(_, count)| *count != 0)
}

/// The numbers as a text that [`parse`] reads; empty for none.
pub fn show(counts: &[u32; ORDERS]) -> String {
    let each = there(counts).map(|(order, count)| format!("{order}:{count}"));
    each.collect::<Vec<_>>().join(",")
}

/// A row for each order of which there are some: those that are free, of all.
pub fn rows(free: &[u32; ORDERS], all: &[u32; ORDERS], table: &mut Table) {
    for (order, count) in there(all) {
        let label = format!("blocks of order {order} free");
        table.row([label, free[order].to_string(), count.to_string()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_again() {
        for text in ["", "4:16", "1:3,4:16,10:1"] {
            assert_eq!(show(&parse(text).unwrap().by_order()), text);
        }
        assert_eq!(show(&parse("9:2,4:16,3:0").unwrap().by_order()), "4:16,9:2");
    }

    #[test]
    fn nonsense_is_told_from_too_much() {
        let why = |text| parse(text).unwrap_err();
        assert!(why("4").contains("ORDER:COUNT"));
        assert!(why("11:1").contains("1 to 10"));
        assert!(why("4:1,4:2").contains("twice"));
        assert!(why("10:5000").contains("at most"));
    }
}
