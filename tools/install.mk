# SPDX-License-Identifier: GPL-2.0
#
# 'make user' builds what programs and administrators use, with the compilers of the
# machine; 'make install' installs it. Included by the Makefile of the top.
#
# DESTDIR  goes before every path
# prefix, bindir, libdir, includedir, mandir, completionsdir: as of the GNU coding standards
# CARGO, CARGOFLAGS, PYTHON, CARGO_TARGET_DIR, CC, CFLAGS, LDFLAGS: the compilers, what they get, and where
#          cargo keeps what it builds

prefix ?= /usr/local
exec_prefix ?= $(prefix)
bindir ?= $(exec_prefix)/bin
libdir ?= $(exec_prefix)/lib
includedir ?= $(prefix)/include
datarootdir ?= $(prefix)/share
mandir ?= $(datarootdir)/man
pkgconfigdir ?= $(libdir)/pkgconfig
completionsdir ?= $(datarootdir)/bash-completion/completions
INSTALL ?= install
CARGO ?= cargo
CARGOFLAGS ?= --locked
PYTHON ?= python3

# The interface of the library: it changes if a program that was linked before would break.
SONAME := libgenp.so.1
USER_VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' tools/Cargo.toml)
USER_BUILD := build/user-install
CARGO_TARGET_DIR ?= $(CURDIR)/$(USER_BUILD)/cargo
USER_CARGO = $(CARGO_TARGET_DIR)/release

# What is installed where: relative to what is built, and absolute.
USER_PROGRAMS := $(USER_BUILD)/genpctl
USER_LIBRARIES := $(USER_BUILD)/$(SONAME) $(USER_BUILD)/libgenp-preload.so
USER_HEADERS := tools/libgenp/include/genp.h tools/libgenp/include/genp.hpp
USER_PARTS := $(wildcard tools/libgenp/include/genp/*.h)

.PHONY: user install uninstall

user:
	@mkdir -p $(USER_BUILD)
	CARGO_TARGET_DIR=$(CARGO_TARGET_DIR) $(CARGO) build --release $(CARGOFLAGS) \
		--manifest-path tools/Cargo.toml --package libgenp --package genp-preload --package genpctl
	cp $(USER_CARGO)/libgenp.a $(USER_CARGO)/genpctl $(USER_BUILD)/
	cp $(USER_CARGO)/libgenp_preload.so $(USER_BUILD)/libgenp-preload.so
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $(USER_BUILD)/$(SONAME) -Wl,-soname,$(SONAME) \
		-Wl,--version-script=tools/libgenp/libgenp.map -Wl,--gc-sections -Wl,-z,defs,-z,now,-z,relro,-z,nodelete \
		-Wl,--whole-archive $(USER_BUILD)/libgenp.a -Wl,--no-whole-archive -lpthread -ldl
	rm -rf $(USER_BUILD)/man && mkdir -p $(USER_BUILD)/man
	$(USER_BUILD)/genpctl man --dir $(USER_BUILD)/man
	$(PYTHON) tools/libgenp/pages.py $(USER_VERSION) $(USER_BUILD)/man $(filter %.h,$(USER_HEADERS)) $(USER_PARTS)
	$(USER_BUILD)/genpctl completion bash >$(USER_BUILD)/completion

install: user
	$(INSTALL) -d $(addprefix $(DESTDIR),$(bindir) $(libdir) $(pkgconfigdir) $(includedir)/linux $(includedir)/genp $(mandir)/man1 $(mandir)/man3 $(mandir)/man7 $(completionsdir))
	$(INSTALL) -m 755 $(USER_PROGRAMS) $(DESTDIR)$(bindir)/
	$(INSTALL) -m 755 $(USER_LIBRARIES) $(DESTDIR)$(libdir)/
	ln -sf $(SONAME) $(DESTDIR)$(libdir)/libgenp.so
	$(INSTALL) -m 644 $(USER_BUILD)/libgenp.a $(DESTDIR)$(libdir)/
	$(INSTALL) -m 644 $(USER_HEADERS) $(DESTDIR)$(includedir)/
	$(INSTALL) -m 644 $(USER_PARTS) $(DESTDIR)$(includedir)/genp/
	$(INSTALL) -m 644 include/uapi/linux/genp.h $(DESTDIR)$(includedir)/linux/
	$(INSTALL) -m 644 $(USER_BUILD)/man/*.1 $(DESTDIR)$(mandir)/man1/
	$(INSTALL) -m 644 $(USER_BUILD)/man/*.3 $(DESTDIR)$(mandir)/man3/
	$(INSTALL) -m 644 $(USER_BUILD)/man/*.7 $(DESTDIR)$(mandir)/man7/
	$(INSTALL) -m 644 $(USER_BUILD)/completion $(DESTDIR)$(completionsdir)/genpctl
	sed -e 's|@prefix@|$(prefix)|;s|@libdir@|$(libdir)|;s|@includedir@|$(includedir)|;s|@version@|$(USER_VERSION)|' \
		tools/libgenp/genp.pc.in >$(USER_BUILD)/genp.pc
	$(INSTALL) -m 644 $(USER_BUILD)/genp.pc $(DESTDIR)$(pkgconfigdir)/

# Of the files of the package, with the same variables; directories stay.
uninstall:
	rm -f $(addprefix $(DESTDIR)$(bindir)/,$(notdir $(USER_PROGRAMS))) \
		$(addprefix $(DESTDIR)$(libdir)/,$(notdir $(USER_LIBRARIES)) libgenp.so libgenp.a) \
		$(addprefix $(DESTDIR)$(includedir)/,$(notdir $(USER_HEADERS)) $(addprefix genp/,$(notdir $(USER_PARTS))) linux/genp.h) \
		$(DESTDIR)$(pkgconfigdir)/genp.pc $(DESTDIR)$(completionsdir)/genpctl \
		$(DESTDIR)$(mandir)/man1/genpctl.1 $(DESTDIR)$(mandir)/man1/genpctl-*.1 \
		$(DESTDIR)$(mandir)/man3/genp_*.3 $(DESTDIR)$(mandir)/man7/libgenp.7
