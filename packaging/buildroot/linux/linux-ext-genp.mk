################################################################################
#
# What a kernel with CONFIG_RUST is built with
#
################################################################################

# SPDX-License-Identifier: GPL-2.0

# Here, since external.mk is read when the kernel's dependencies are fixed.
ifeq ($(BR2_PACKAGE_GENP),y)
# check-package TypoInPackageVariable
LINUX_DEPENDENCIES += host-clang host-rust-bindgen host-rustc
endif
