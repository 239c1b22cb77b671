#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""port.py DIR: ports a copy of rust/ of Linux 7.3 to Linux 6.12.

What GenP uses of the kernel crate stays, the rest goes; and what 6.12 does not have is
written with what it has. Each change has its reason. One that does not match the source
is an error, so that a new source is looked at before it is used.
"""

import re
import sys
from pathlib import Path

# The modules of the kernel crate that GenP uses, and what these use.
MODULES = """
    alloc bits bug build_assert cred debugfs error fmt fs impl_flags init ioctl iov list mm
    module module_param num page pid_namespace prelude print processor ptr safety seq_file
    sizes std_vendor str sync task time transmute types uaccess
""".split()

# The helpers, in C, of these modules.
HELPERS = """
    atomic atomic_ext barrier bug build_assert build_bug completion cred err fs list mm mutex
    page pid_namespace poll processor rcu refcount signal slab spinlock string sync task time
    uaccess vmalloc wait
""".split()

TEXT_FOR_PRINTK = """\
/// The longest message, with the byte that ends it.
const TEXT_BYTES: usize = 256;

/// A message, formatted here; what is longer is cut off.
struct Text([u8; TEXT_BYTES]);

impl Text {
    fn new(args: fmt::Arguments<'_>) -> Self {
        use fmt::Write;
        let mut text = Text([0; TEXT_BYTES]);
        let start = text.0.as_mut_ptr();
        // SAFETY: all between the pointers is of the array; its last byte stays 0.
        let mut writer = unsafe { RawFormatter::from_ptrs(start, start.add(TEXT_BYTES - 1)) };
        let _ = writer.write_fmt(args);
        text
    }
}

/// Prints a message via the kernel's [`_printk`].
"""

WRITE_TO_SEQ_FILE = """\
        struct Writer<'a>(&'a SeqFile);
        impl fmt::Write for Writer<'_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                // SAFETY: the seq_file is valid, and so is the text.
                unsafe { bindings::seq_write(self.0.inner.get(), text.as_ptr().cast(), text.len()) };
                Ok(())
            }
        }
        use fmt::Write;
        let _ = Writer(self).write_fmt(args);
    }
}
"""

HRTIMER_SETUP = """
#include <linux/hrtimer.h>

__rust_helper void rust_helper_hrtimer_setup(struct hrtimer *timer,
					     enum hrtimer_restart (*function)(struct hrtimer *),
					     clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
"""

# File, reason, pattern, replacement, and how often it matches if not once. Dots match
# newlines as well.
CHANGES = [
    ("kernel/lib.rs", "CONFIG_RUST is off in the kernel this is made for",
     r"#\[cfg\(not\(CONFIG_RUST\)\)\]\ncompile_error!\([^;]*;\n", ""),

    ("kernel/print.rs", "printk has no %pA there: messages are formatted here, and %s prints them",
     r"// Called from `vsprintf`.*?\n}\n\n/// Format strings\.", "/// Format strings."),
    ("kernel/print.rs", "the same", r'b"%pA\\0\\0\\0\\0\\0"', r'b"%s\\0\\0\\0\\0\\0\\0"'),
    ("kernel/print.rs", "the same", r'b"%s: %pA\\0"', r'b"%s: %s\\0\\0"'),
    ("kernel/print.rs", "the same",
     r"format_string\.as_ptr\(\),\n( *)module_name\.as_ptr\(\),\n *core::ptr::from_ref\(&args\)\.cast::<c_void>\(\),",
     r"format_string.as_ptr(),\n\1module_name.as_ptr(),\n\1Text::new(args).0.as_ptr(),"),
    ("kernel/print.rs", "the same",
     r"CONT\.as_ptr\(\),\n( *)core::ptr::from_ref\(&args\)\.cast::<c_void>\(\),",
     r"CONT.as_ptr(),\n\1Text::new(args).0.as_ptr(),"),
    ("kernel/print.rs", "the same", r"/// Prints a message via the kernel's \[`_printk`\]\.\n", TEXT_FOR_PRINTK),
    ("kernel/print.rs", "the same", r"ffi::\{c_char, c_void\},\n    ", ""),
    ("kernel/seq_file.rs", "seq_printf() has no %pA there either",
     r"        // SAFETY: Passing a void pointer to `Arguments`.*?\n    }\n}\n", WRITE_TO_SEQ_FILE),
    ("kernel/seq_file.rs", "the same", r"str::CStrExt as _, ", ""),

    ("kernel/debugfs/entry.rs", "debugfs_create_file_full() is not there; it passes one pointer more, which is null",
     r"debugfs_create_file_full\((.*?)core::ptr::null\(\),\n\s*", r"debugfs_create_file(\1", 2),
    ("kernel/sync/poll.rs", "kvfree_rcu_head is not there; what kvfree_rcu() takes there is an rcu_head",
     r"kvfree_rcu_head", "callback_head"),
    ("kernel/error.rs", "these errors have no number there",
     r"    declare_err!\((EFSBADCRC|EFSCORRUPTED|EFTYPE),[^\n]*\n", "", 3),
    ("kernel/mm/virt.rs", "zap_vma_range() is not there; GenP has no use for it",
     r"\n(    ///[^\n]*\n)*    #\[inline\]\n    pub fn zap_vma_range.*?\n    }\n", "\n"),

    ("kernel/sync/lock/spinlock.rs", "local_interrupt_disable() is not there; GenP has no use for it",
     r"/// Creates a \[`SpinLockIrq`\].*\Z", ""),
    ("kernel/sync/lock/spinlock.rs", "the same", r"    interrupt::LocalInterruptDisabled,\n", ""),
    ("kernel/sync.rs", "the same", r"    (new_spinlock_irq|SpinLockIrq|SpinLockIrqGuard),( //)?\n", "", 3),
    ("helpers/spinlock.c", "the same",
     r"\n__rust_helper (void|int) rust_helper_spin_(lock_irq_disable|unlock_irq_enable|trylock_irq_disable)\([^}]*}\n", "", 3),
    ("kernel/sync.rs", "srcu_readers_active() is not declared there; GenP does not use SRCU",
     r"pub mod srcu;\n", ""),
    ("kernel/sync.rs", "the same", r"pub use srcu::Srcu;\n", ""),

    ("kernel/prelude.rs", "the modules with devices and DMA are left out",
     r"    dev_(alert|crit|dbg|emerg|err|info|notice|warn),\n", "", 8),
    ("kernel/uaccess.rs", "the same", r"    dma::Coherent,\n", ""),
    ("kernel/uaccess.rs", "the same", r"    ptr::KnownSize,\n", ""),
    ("kernel/uaccess.rs", "the same",
     r"\n    ///[^\n]*\n(    ///[^\n]*\n)*    pub fn write_dma.*?\n    }\n", ""),

    ("helpers/slab.c", "krealloc() and kvrealloc() take no alignment and no node there; Kmalloc asks for sizes"
     " that slab aligns by themselves", r"return (kv?realloc)_node_align\((\w+), (\w+), align, flags, node\)",
     r"return \1(\2, \3, flags)", 2),
    ("helpers/vmalloc.c", "vrealloc() is not exported there; kvrealloc() takes what vmalloc() gave",
     r"return vrealloc_node_align\(p, size, align, flags, node\)", "return kvrealloc(p, size, flags)"),
    ("helpers/time.c", "hrtimer_setup() is not there", r"\Z", HRTIMER_SETUP),

    ("bindings/bindings_helper.h", "these headers are not there",
     r"#include <(linux/device/faux\.h|linux/fwctl\.h|trace/events/rust_sample\.h|"
     r"\.\./\.\./drivers/base/base\.h)>\n", "", 4),
    ("uapi/uapi_helper.h", "the same",
     r"#include <uapi/(drm/nova_drm\.h|linux/android/binder_netlink\.h)>\n", "", 2),
]


def keep_modules(root: Path) -> None:
    """Leaves MODULES in the kernel crate and HELPERS in what the helpers are made of."""
    lib = root / "kernel/lib.rs"
    text = lib.read_text()
    found = re.findall(r"^pub mod (\w+);$", text, re.M)
    if missing := set(MODULES) - set(found):
        sys.exit(f"port.py: kernel/lib.rs has no module {', '.join(sorted(missing))}")
    for module in set(found) - set(MODULES):
        text = re.sub(rf"((#\[[^\n]*\]\n)*)^pub mod {module};\n", "", text, flags=re.M)
    lib.write_text(text)

    helpers = root / "helpers/helpers.c"
    text = helpers.read_text()
    found = re.findall(r'^#include "([\w/-]+)\.c"$', text, re.M)
    if missing := set(HELPERS) - set(found):
        sys.exit(f"port.py: helpers/helpers.c does not include {', '.join(sorted(missing))}")
    for helper in set(found) - set(HELPERS):
        text = text.replace(f'#include "{helper}.c"\n', "")
    helpers.write_text(text)


def main() -> None:
    """Ports the copy that the command names."""
    root = Path(sys.argv[1])
    keep_modules(root)
    for name, reason, pattern, replacement, *often in CHANGES:
        file = root / name
        expected = often[0] if often else 1
        text, count = re.subn(pattern, replacement, file.read_text(), flags=re.S)
        if count != expected:
            sys.exit(f"port.py: {name} has {pattern!r} {count} times, not {expected} (the change: {reason})")
        file.write_text(text)


if __name__ == "__main__":
    main()
