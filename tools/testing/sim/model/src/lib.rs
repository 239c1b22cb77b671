// SPDX-License-Identifier: GPL-2.0

//! The steps, the programs and the model of the ioctl fuzzer: the same files, on the clock
//! of the simulation.

#![allow(dead_code)] // The parts for a kernel.

// What the fuzzer has of the crate of that name is below.
extern crate self as harness;

#[path = "../../../fuzz-ioctl/src/late.rs"]
pub mod late;
#[path = "../../../fuzz-ioctl/src/model/mod.rs"]
pub mod model;
#[path = "../../../fuzz-ioctl/src/program.rs"]
pub mod program;
#[path = "../../../fuzz-ioctl/src/request.rs"]
pub mod request;
#[path = "../../../../harness/src/rng.rs"]
pub mod rng;
#[path = "../../../fuzz-ioctl/src/step.rs"]
pub mod step;
#[path = "../../../fuzz-ioctl/src/world.rs"]
pub mod world;

/// The ABI.
#[allow(missing_docs, non_camel_case_types, clippy::all)]
pub mod abi {
    include!(concat!(env!("OUT_DIR"), "/abi.rs"));
}

/// Bytes of a page.
pub fn page_bytes() -> u64 {
    4096
}

/// Nanoseconds of a millisecond.
pub const MSEC: u64 = 1_000_000;
/// Nanoseconds of a second.
pub const SEC: u64 = 1_000_000_000;
/// A positive error number.
pub type Errno = i32;

/// The clock of the simulation.
pub fn now() -> u64 {
    kernel::sim::machine().now()
}

/// Arguments of calls.
pub mod calls {
    use crate::abi;

    /// As the ABI has it.
    pub fn size_of<T>() -> u32 {
        std::mem::size_of::<T>() as u32
    }

    /// What a number is called.
    pub fn errno_name(errno: i32) -> String {
        std::io::Error::from_raw_os_error(errno).to_string()
    }

    /// The least that creates a partition.
    pub fn create_request(reserve: u64, borrow_limit: u64) -> abi::genp_create {
        abi::genp_create {
            size: size_of::<abi::genp_create>(),
            reserve,
            borrow_limit,
            node: abi::GENP_ANY_NODE,
            ..Default::default()
        }
    }
}

/// Patterns in memory, which the simulation does not write.
pub mod memory {
    /// None.
    pub struct Pattern;

    impl Pattern {
        /// As the fuzzer's.
        pub fn of(_owner: u64) -> Self {
            Self
        }

        /// As the fuzzer's: nothing is written.
        pub fn write(self, _at: usize, _words: usize) -> bool {
            false
        }

        /// As the fuzzer's.
        pub fn has(self, _word: u64, _words: u64) -> bool {
            false
        }
    }
}

/// Checks of the pool.
pub mod pool {
    use crate::abi::genp_info;

    /// What is inconsistent, if anything.
    pub fn inconsistency(info: &genp_info) -> Option<String> {
        let sum = info.committed + info.lent + info.overdue + info.free;
        (sum != info.capacity).then(|| {
            format!(
                "committed {} + lent {} + overdue {} + free {} is not the capacity {}",
                info.committed, info.lent, info.overdue, info.free, info.capacity
            )
        })
    }
}
