################################################################################
#
# genp-tools
#
################################################################################

# SPDX-License-Identifier: GPL-2.0

# The checkout that this tree lies in; GENP_TOOLS_OVERRIDE_SRCDIR names another
# one.
GENP_TOOLS_VERSION = 0.2.0
GENP_TOOLS_SITE = $(BR2_EXTERNAL_GENP_PATH)/../..
GENP_TOOLS_SITE_METHOD = local
GENP_TOOLS_OVERRIDE_SRCDIR_RSYNC_EXCLUSIONS = \
	--exclude /build --exclude /tools/target
GENP_TOOLS_LICENSE = GPL-2.0 (genpctl), MIT or Apache-2.0 (libgenp, preload)
GENP_TOOLS_LICENSE_FILES = \
	COPYING \
	LICENSES/dual/Apache-2.0 \
	LICENSES/preferred/GPL-2.0 \
	LICENSES/preferred/MIT
GENP_TOOLS_SUBDIR = tools
GENP_TOOLS_INSTALL_STAGING = YES
GENP_TOOLS_CARGO_BUILD_OPTS = \
	--package genpctl \
	--package genp-preload \
	--package libgenp
GENP_TOOLS_BUILT = \
	$(@D)/tools/target/$(RUSTC_TARGET_NAME)/$(if $(BR2_ENABLE_DEBUG),debug,release)

# Crates are vendored after a download, and a local site has none. This step
# uses the network, unless the checkout has tools/VENDOR.
define GENP_TOOLS_VENDOR
	mkdir -p $(@D)/tools/.cargo
	cd $(@D)/tools && { test -d VENDOR || \
		$(HOST_MAKE_ENV) CARGO_HOME=$(BR_CARGO_HOME) \
		cargo vendor --locked VENDOR; }
	printf '%s\n' '[source.crates-io]' 'replace-with = "vendored"' \
		'[source.vendored]' 'directory = "VENDOR"' \
		>$(@D)/tools/.cargo/config.toml
endef
GENP_TOOLS_PRE_CONFIGURE_HOOKS += GENP_TOOLS_VENDOR

define GENP_TOOLS_INSTALL_STAGING_CMDS
	$(INSTALL) -D -m 0644 $(GENP_TOOLS_BUILT)/libgenp.a \
		$(STAGING_DIR)/usr/lib/libgenp.a
	mkdir -p $(STAGING_DIR)/usr/include/genp $(STAGING_DIR)/usr/lib/pkgconfig
	$(INSTALL) -m 0644 $(@D)/tools/libgenp/include/genp.h* \
		$(STAGING_DIR)/usr/include/
	$(INSTALL) -m 0644 $(@D)/tools/libgenp/include/genp/*.h \
		$(STAGING_DIR)/usr/include/genp/
	$(INSTALL) -D -m 0644 $(@D)/include/uapi/linux/genp.h \
		$(STAGING_DIR)/usr/include/linux/genp.h
	sed -e 's|@prefix@|/usr|;s|@libdir@|/usr/lib|' \
		-e 's|@includedir@|/usr/include|;s|@version@|$(GENP_TOOLS_VERSION)|' \
		$(@D)/tools/libgenp/genp.pc.in \
		>$(STAGING_DIR)/usr/lib/pkgconfig/genp.pc
endef

# genpctl looks for its library in ../lib/genp.
define GENP_TOOLS_INSTALL_TARGET_CMDS
	$(INSTALL) -D -m 0755 $(GENP_TOOLS_BUILT)/genpctl \
		$(TARGET_DIR)/usr/bin/genpctl
	$(INSTALL) -D -m 0755 $(GENP_TOOLS_BUILT)/libgenp_preload.so \
		$(TARGET_DIR)/usr/lib/genp/libgenp-preload.so
	$(INSTALL) -D -m 0644 $(@D)/debian/genp-dkms.genp.udev \
		$(TARGET_DIR)/usr/lib/udev/rules.d/60-genp.rules
endef

define GENP_TOOLS_INSTALL_INIT_SYSTEMD
	$(INSTALL) -D -m 0644 $(@D)/debian/genp-tools.genp.service \
		$(TARGET_DIR)/usr/lib/systemd/system/genp.service
endef

define GENP_TOOLS_USERS
	- -1 genp -1 * - - - GenP
endef

$(eval $(cargo-package))
