// SPDX-License-Identifier: GPL-2.0

//! No memory error is forgotten because the page was on its way when all were looked for.

#[test]
fn a_page_on_its_way_into_a_partition_is_looked_at() {
    for seed in 1..1000 {
        genp_sim::errors_on_their_way::run(seed);
    }
}
