# nooelint: oelint.var.mandatoryvar.HOMEPAGE,oelint.var.suggestedvar.BUGTRACKER,oelint.var.bbclassextend - it has none
# SPDX-License-Identifier: GPL-2.0
SUMMARY = "Memory with a contract for real-time programs: tools and library"
DESCRIPTION = "genpctl shows, watches and creates partitions of GenP, and plans them; unchanged \
               programs have their malloc in one with its preload library. libgenp is what programs in C and \
               C++ are linked with. genp.service creates the partitions of the plans in /etc/genp at boot."
SECTION = "console/utils"
LICENSE = "GPL-2.0-only & (MIT | Apache-2.0)"

require genp.inc
require ${BPN}-crates.inc

LIC_FILES_CHKSUM += "file://LICENSES/preferred/MIT;md5=e8f57dd048e186199433be2c41bd3d6d \
                     file://LICENSES/dual/Apache-2.0;md5=db66a99884d6d2bdbd5f9e71e1bffec6"

inherit cargo cargo-update-recipe-crates systemd useradd

CARGO_SRC_DIR = "tools"
CARGO_LOCK_SRC_DIR = "${S}/tools"
CARGO_BUILD_FLAGS:append = " --package genpctl --package genp-preload --package libgenp"

# genpctl looks for its library in ../lib/genp.
do_install() {
    built=${B}/target/${CARGO_TARGET_SUBDIR}
    install -d ${D}${bindir} ${D}${nonarch_libdir}/genp ${D}${libdir}/pkgconfig
    install -m 0755 $built/genpctl ${D}${bindir}/
    install -m 0755 $built/libgenp_preload.so ${D}${nonarch_libdir}/genp/libgenp-preload.so

    install -m 0644 $built/libgenp.a ${D}${libdir}/
    install -d ${D}${includedir}/genp ${D}${includedir}/linux
    install -m 0644 ${S}/tools/libgenp/include/genp.h ${S}/tools/libgenp/include/genp.hpp ${D}${includedir}/
    install -m 0644 ${S}/tools/libgenp/include/genp/*.h ${D}${includedir}/genp/
    install -m 0644 ${S}/include/uapi/linux/genp.h ${D}${includedir}/linux/
    sed -e 's|@prefix@|${prefix}|;s|@libdir@|${libdir}|;s|@includedir@|${includedir}|;s|@version@|${PV}|' \
        ${S}/tools/libgenp/genp.pc.in >${D}${libdir}/pkgconfig/genp.pc

    install -D -m 0644 ${S}/debian/genp-dkms.genp.udev ${D}${nonarch_base_libdir}/udev/rules.d/60-genp.rules
    install -D -m 0644 ${S}/debian/genp-tools.genp.service ${D}${systemd_system_unitdir}/genp.service
    install -d ${D}${sysconfdir}/genp
}

FILES:${PN} += "${nonarch_base_libdir}/udev/rules.d/60-genp.rules \
                ${nonarch_libdir}/genp/libgenp-preload.so"

SYSTEMD_SERVICE:${PN} = "genp.service"
USERADD_PACKAGES = "${PN}"
GROUPADD_PARAM:${PN} = "--system genp"

RRECOMMENDS:${PN} += "kernel-module-genp"
