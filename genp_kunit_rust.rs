// SPDX-License-Identifier: GPL-2.0

#![crate_name = "genp_kunit"]
// What starts the module is not here, and is all that uses some of its parts.
#![allow(dead_code)]

//! The parts of GenP under KUnit, as a module of its own.
//!
//! Not for use: load it on a test kernel, without genp.ko, with `kunit.enable=1
//! kunit.autorun=1`. The tests stand in `genp/kunit/`, and beside what they test
//! where that is private.

use kernel::prelude::*;

mod genp;

module! {
    type: GenpKunit,
    name: "genp_kunit",
    authors: ["GenP developers"],
    description: "The KUnit tests of genp",
    license: "GPL",
    imports_ns: ["EXPORTED_FOR_KUNIT_TESTING"],
}

/// Nothing: KUnit finds the tests by itself.
struct GenpKunit;

impl kernel::Module for GenpKunit {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self)
    }
}
