// SPDX-License-Identifier: GPL-2.0

//! However many give one object back at once, one succeeds, the others are told so and
//! counted, and each object has one owner afterwards.

#[test]
fn an_object_is_taken_back_once() {
    for seed in 1..200 {
        genp_sim::double_frees::run(seed);
    }
}
