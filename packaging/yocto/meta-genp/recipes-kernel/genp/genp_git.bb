# nooelint: oelint.var.mandatoryvar.HOMEPAGE,oelint.var.suggestedvar.BUGTRACKER,oelint.var.bbclassextend - it has none
# SPDX-License-Identifier: GPL-2.0
SUMMARY = "Memory with a contract for real-time programs: the kernel module"
DESCRIPTION = "Gives processes and drivers memory in a constant number of steps: partitions \
               with a reserve that is present from the start, a budget, and leases of more memory from a \
               common pool until a deadline. It is meant for PREEMPT_RT kernels."
SECTION = "kernel/modules"
LICENSE = "GPL-2.0-only"

require genp.inc

# What it is built with besides the kernel's own compilers: its C interface becomes Rust by bindgen.
DEPENDS += "bindgen-cli-native clang-native"

inherit module features_check

# The kernel has CONFIG_RUST, and what modules in Rust are built with is there.
REQUIRED_DISTRO_FEATURES = "rust-kernel"

# The makefile at the top is for people; Kbuild is what the kernel reads.
EXTRA_OEMAKE += "-C ${STAGING_KERNEL_DIR} M=${S}"
# nooelint: oelint.vars.mispell.unknown - of the class module
MAKE_TARGETS = "modules"

# What drivers are built with: beside Module.symvers, which the class installs.
do_install:append() {
    install -d ${D}${includedir}/${BPN}/linux ${D}${includedir}/${BPN}/uapi/linux
    install -m 0644 ${S}/include/linux/*.h ${D}${includedir}/${BPN}/linux/
    install -m 0644 ${S}/include/uapi/linux/genp.h ${D}${includedir}/${BPN}/uapi/linux/
}

RPROVIDES:${PN} += "kernel-module-genp"
