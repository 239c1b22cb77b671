// SPDX-License-Identifier: GPL-2.0

//! What is counted: instructions if the machine's clock counts them, otherwise
//! nanoseconds.

use std::arch::asm;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::_rdtsc;

use harness::machine;

/// The kind of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// An emulator whose clock counts instructions.
    Icount,
    /// An emulator.
    Tcg,
    /// User Mode Linux with this many processors.
    Um(usize),
}

impl Machine {
    /// Its name in a figure.
    pub fn name(self) -> String {
        match self {
            Self::Icount => "icount".into(),
            Self::Tcg => "tcg".into(),
            Self::Um(processors) => format!("um{processors}"),
        }
    }
}

/// The meter of this machine.
#[derive(Clone, Copy, Debug)]
pub struct Meter(Machine);

impl Meter {
    /// Detects the kind of machine.
    pub fn find() -> Self {
        Self(if machine::is_user_mode() {
            Machine::Um(machine::processors())
        } else if counts_instructions() {
            Machine::Icount
        } else {
            Machine::Tcg
        })
    }

    /// The kind of machine.
    pub fn machine(&self) -> Machine {
        self.0
    }

    /// The unit of [`Self::read`].
    pub fn unit(&self) -> &'static str {
        match self.0 {
            Machine::Icount => "instructions",
            _ => "ns",
        }
    }

    /// Reads the meter. The difference of two readings is the cost between them.
    #[inline]
    pub fn read(&self) -> u64 {
        match self.0 {
            Machine::Icount => ticks(),
            _ => harness::now(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn ticks() -> u64 {
    // SAFETY: every x86_64 processor has RDTSC, and Linux lets programs use it.
    unsafe { _rdtsc() }
}

/// Where the emulator counts instructions its counter runs at 1 GHz.
#[cfg(target_arch = "aarch64")]
fn ticks() -> u64 {
    let ticks;
    // SAFETY: Linux lets programs read the virtual counter. The barriers order the read with
    // all other instructions.
    unsafe {
        asm!("isb", "mrs {ticks}, cntvct_el0", "isb", ticks = out(reg) ticks, options(nostack))
    }
    ticks
}

/// The ticks of an undisturbed loop with 2 instructions per turn.
fn ticks_of_turns(turns: u64) -> u64 {
    let once = || {
        let begin = ticks();
        // SAFETY: counts a register down and touches nothing else.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            asm!("2: dec {turns}", "jnz 2b", turns = inout(reg) turns => _, options(nomem, nostack));
        }
        // SAFETY: likewise.
        #[cfg(target_arch = "aarch64")]
        unsafe {
            asm!("2: subs {turns}, {turns}, #1", "b.ne 2b", turns = inout(reg) turns => _, options(nomem, nostack));
        }
        ticks() - begin
    };
    (0..16).map(|_| once()).min().unwrap_or(0)
}

/// Whether a tick is an instruction: then the ticks grow exactly with the instructions
/// of the loop, each time. A clock that counts time does not.
fn counts_instructions() -> bool {
    let base = ticks_of_turns(1_000);
    [2_000, 3_000, 5_000, 8_000].iter().all(|&turns| {
        let more = ticks_of_turns(turns).saturating_sub(base);
        more == 2 * (turns - 1_000)
    })
}
