################################################################################
#
# genp
#
################################################################################

# SPDX-License-Identifier: GPL-2.0

# The checkout that this tree lies in; GENP_OVERRIDE_SRCDIR names another one.
GENP_VERSION = 0.2.0
GENP_SITE = $(BR2_EXTERNAL_GENP_PATH)/../..
GENP_SITE_METHOD = local
GENP_OVERRIDE_SRCDIR_RSYNC_EXCLUSIONS = --exclude /build --exclude /tools/target
GENP_LICENSE = GPL-2.0
GENP_LICENSE_FILES = COPYING LICENSES/preferred/GPL-2.0
GENP_DEPENDENCIES = host-clang host-rust-bindgen host-rustc

define GENP_LINUX_CONFIG_FIXUPS
	$(call KCONFIG_ENABLE_OPT,CONFIG_RUST)
endef

# A kernel without what CONFIG_RUST depends on loses it without a word.
define GENP_CHECK_RUST
	@if ! grep -Fqx 'CONFIG_RUST=y' $(LINUX_DIR)/.config; then \
		echo "ERROR: genp needs a kernel with CONFIG_RUST=y."; \
		echo "'make -C $(LINUX_DIR) rustavailable' says what is missing."; \
		exit 1; \
	fi
endef
GENP_PRE_BUILD_HOOKS += GENP_CHECK_RUST

$(eval $(kernel-module))
$(eval $(generic-package))
