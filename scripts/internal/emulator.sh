# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What is known of emulated machines and of the kernels in them. Sourced after lib.sh, never run.

# Whether KVM works here. The device node alone does not show it, and some machines hang
# when it is tried.
can_accelerate() {
	[ "$GENP_ARCH" = amd64 ] && [ -w /dev/kvm ] && grep -qE '^flags.* (vmx|svm)( |$)' /proc/cpuinfo &&
		timeout 10 "$TOP/scripts/in-root" qemu-system-x86_64 -accel kvm -machine none \
			-display none -monitor none -S -daemonize -pidfile /dev/null >/dev/null 2>&1
}

# What a kernel prints when something is wrong with it.
# shellcheck disable=SC2034  # for those who source this
COMPLAINTS='BUG:|WARNING:|KASAN:|UBSAN:|Oops|kernel panic|possible (circular|recursive) locking|possible irq lock inversion|inconsistent lock state|Invalid wait context|suspicious RCU usage|sleeping function called|scheduling while atomic|held lock freed|unreferenced object|INFO: task .* blocked|detected stall|self-detected stall|ODEBUG|rust_kernel: panicked|Call [Tt]race|Internal error|Unable to handle kernel|synchronous external abort'
