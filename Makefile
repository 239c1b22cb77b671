# SPDX-License-Identifier: GPL-2.0
#
# GenP, for people: 'make help' lists the targets. The kernel's build system reads Kbuild.

# ARCH=arm64: cross-built, and emulated. A kernel's own makefiles know more names.
ifneq ($(filter arm64,$(ARCH)),)
KERNEL ?= rt-arm64
ifeq ($(KDIR)$(filter %-arm64 arm64-%,$(KERNEL)),)
$(error genp: KERNEL=$(KERNEL) is not of arm64; ARCH=arm64 has KERNEL=rt-arm64 and arm64-16k)
endif
endif
KERNEL ?= rt
DEMO ?= all
# Upstream changed what GenP uses, which was said: scripts/internal/newest.sh.
newer = $(if $(filter newest,$(KERNEL)),|| [ $$? = 77 ])

.PHONY: help demo check check-host check-models check-um check-rt check-guard check-debug \
	check-installed check-debian-stable check-arm64 check-packages deb lint setup modules \
	modules_install rust-analyzer shell vng bench bench-compare bench-page \
	bench-guard-update coverage coverage-page kernels-page mutants generated-mutants fuzz \
	simulate torture third-party clean distclean

help:
	@echo 'make demo             see GenP at work on the distribution'"'"'s PREEMPT_RT kernel'
	@echo 'make check            run every test; ends with "N passed, N failed, N skipped"'
	@echo '     SKIP="arm64 debug"   ... without these suites'
	@echo '     JOBS=1               ... one after another'
	@echo
	@echo 'make setup            make the build root and all kernels ahead of time'
	@echo 'make modules          build genp.ko for KERNEL'
	@echo '     KDIR=DIR         ... for the kernel whose build directory that is'
	@echo 'make modules_install KDIR=DIR   install it there'
	@echo 'make user             build libgenp, its preload library and genpctl with this machine'"'"'s compilers'
	@echo 'make install          ... and install them; DESTDIR=DIR prefix=/usr/local libdir=... mandir=...'
	@echo 'make uninstall        remove what that installed; with the same variables'
	@echo 'make rust-analyzer    write rust-project.json for editors'
	@echo 'make shell            a shell in a guest with the module loaded'
	@echo 'make vng              the sample under virtme-ng'
	@echo 'make check-host, check-models, check-um, check-rt, check-guard, check-debug,'
	@echo '     check-installed, check-packages: one suite'
	@echo 'make check-debian-stable    all self-tests on Debian 13'"'"'s own kernel, which has no CONFIG_RUST'
	@echo 'make check-arm64      all self-tests on the distribution'"'"'s PREEMPT_RT kernel for arm64'
	@echo 'make deb              build the Debian packages, in build/deb'
	@echo 'make lint             formats, rules, documents; GATE=NAME: one gate'
	@echo 'make bench            measure everything; BENCH=kernel, user, borrow, recall, scale,'
	@echo '                      programs: one group;'
	@echo '                      BENCH=quick: what GenP costs, in a minute'
	@echo 'make bench-compare OLD=FILE NEW=FILE   what changed between two results'
	@echo 'make bench-page       write Documentation/performance from the results;'
	@echo '                      RESULTS=FILE: those of another run'
	@echo 'make bench-guard-update   write what calls cost now into the table that check-guard reads'
	@echo 'make coverage         what tests on the host execute of the module; fails on what has no reason;'
	@echo '                      KERNEL=debug: what the ioctl fuzzer reaches there in SECONDS=N'
	@echo 'make coverage-page    ... and write that into Documentation/coverage.rst'
	@echo 'make kernels-page     write the table of kernels in README.md from the runs of make check'
	@echo 'make mutants          plant bugs and see each caught; MUTANT=NAME: one of them'
	@echo 'make generated-mutants    ... many that cargo-mutants makes, in genp/core alone, for hours;'
	@echo '                      PART=accounting, labyrinth, tlsf or rest: one part'
	@echo 'make fuzz SECONDS=N SEED=N KERNEL=...   look for ioctls with wrong answers'
	@echo 'make fuzz TARGET=core SECONDS=N SEED=N  ... or for cases that break genp/core, on the host'
	@echo 'make simulate MINUTES=N SEED=N          ... or for orders of events that break the module, on the host'
	@echo 'make torture SECONDS=N KERNEL=...       processes that die and wait;'
	@echo '                      TORTURE=deaths, waits, drivers: one kind'
	@echo 'make third-party SECONDS=N KERNEL=...   stress-ng and cyclictest beside GenP'
	@echo 'make clean            remove build/; with KDIR=DIR also what was built with it'
	@echo 'make distclean        ... and the cache, $${GENP_CACHE:-~/.cache/genp}'
	@echo
	@echo 'KERNEL=rt (default), rt-prev, newest, stock, debian-stable, rt-arm64, arm64-16k:'
	@echo '     the distribution'"'"'s; debug, um: built here'
	@echo 'ARCH=arm64: the same as KERNEL=rt-arm64, in demo, check, modules, shell, fuzz, torture'
	@echo 'DEMO=first_flight, revocation, atomic: one of the samples; DEMO=redis: an unchanged'
	@echo '     redis-server in a partition, some minutes'

demo:
	@scripts/demo $(KERNEL) $(DEMO) $(newer)

check:
	@scripts/check $(if $(filter arm64,$(ARCH)),arm64-whole)

check-host:
	@scripts/check host

check-models:
	@scripts/check models

check-um:
	@scripts/check um

check-rt:
	@scripts/check rt

check-guard:
	@KERNEL=$(KERNEL) scripts/check guard

check-installed:
	@scripts/check installed

check-arm64:
	@scripts/check arm64-whole

check-debug:
	@scripts/check debug

check-debian-stable:
	@scripts/check debian-stable-whole

check-packages:
	@scripts/check packages

deb:
	@scripts/deb

lint:
	@scripts/lint $(GATE)

fuzz:
	@KERNEL=$(KERNEL) scripts/fuzz-$(or $(TARGET),ioctl) $(newer)

simulate:
	@scripts/simulate

torture:
	@KERNEL=$(KERNEL) scripts/torture $(TORTURE) $(newer)

bench:
	@KERNEL=$(KERNEL) scripts/bench $(BENCH)

bench-compare:
	@scripts/internal/bench-report compare $(OLD) $(NEW)

bench-page:
	@scripts/internal/bench-report page $(or $(RESULTS),build/bench/results.json) --out Documentation/performance

bench-guard-update:
	@KERNEL=$(KERNEL) scripts/guard update

third-party:
	@KERNEL=$(KERNEL) scripts/third-party $(newer)

setup:
	@for kernel in rt um rt-prev stock debian-stable rt-arm64 debug; do scripts/kernel $$kernel >/dev/null || exit; done
	@scripts/kernel newest >/dev/null || [ $$? = 77 ]

ifdef KDIR
modules modules_install:
	@scripts/internal/check-kdir $(KDIR)
	@crates=$$(scripts/rust-for-older-kernels/crates-for $(KDIR)) && \
		$(MAKE) -C $(KDIR) M=$(CURDIR) $$crates $@
else
modules:
	@scripts/modules $(KERNEL) $(newer)

modules_install:
	@echo 'genp: say for which kernel: make modules_install KDIR=/lib/modules/$$(uname -r)/build' >&2
	@exit 1
endif

include tools/install.mk

rust-analyzer:
	@scripts/rust-analyzer $(KERNEL) $(newer)

shell:
	@scripts/build-user $(KERNEL)
	@scripts/run -i $(KERNEL) $(newer)

vng:
	@scripts/vng

coverage:
	@scripts/coverage $(if $(filter debug,$(KERNEL)),kernel)

coverage-page:
	@scripts/coverage $(if $(filter debug,$(KERNEL)),kernel) page

kernels-page:
	@scripts/tested-kernels

mutants:
	@scripts/mutants $(MUTANT)

generated-mutants:
	@scripts/generated-mutants $(PART)

clean:
	rm -rf build
	$(if $(KDIR),$(MAKE) -C $(KDIR) M=$(CURDIR) clean)

distclean: clean
	@scripts/internal/distclean
