// SPDX-License-Identifier: MIT OR Apache-2.0

//! How the library is linked.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Its constructor comes before those of all other libraries, so that what they
    // allocate is in the partition.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,initfirst");
    // Its code is called by threads at their end.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    // Its own copy of libgenp is nobody else's.
    println!("cargo:rustc-cdylib-link-arg=-Wl,--exclude-libs,ALL");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,relro,-z,now");
}
