// SPDX-License-Identifier: GPL-2.0

//! What is counted: instructions where the machine's clock counts them, else
//! nanoseconds.

use std::arch::{asm, x86_64::_rdtsc};

use harness::machine;

/// What a figure was taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// An emulator whose clock counts instructions.
    Icount,
    /// An emulator.
    Tcg,
    /// User mode Linux with this many processors.
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
    /// Finds out what this machine is.
    pub fn find() -> Self {
        Self(if machine::is_user_mode() {
            Machine::Um(machine::processors())
        } else if counts_instructions() {
            Machine::Icount
        } else {
            Machine::Tcg
        })
    }

    /// What it found.
    pub fn machine(&self) -> Machine {
        self.0
    }

    /// What [`Self::read`] is in.
    pub fn unit(&self) -> &'static str {
        match self.0 {
            Machine::Icount => "instructions",
            _ => "ns",
        }
    }

    /// Reads it. The difference of two readings is what came between.
    #[inline]
    pub fn read(&self) -> u64 {
        match self.0 {
            Machine::Icount => ticks(),
            _ => harness::now(),
        }
    }
}

fn ticks() -> u64 {
    // SAFETY: every x86_64 has it, and Linux lets programs use it.
    unsafe { _rdtsc() }
}

/// Ticks that a loop of 2 instructions a turn takes when nothing disturbs it.
fn ticks_of_turns(turns: u64) -> u64 {
    let once = || {
        let begin = ticks();
        // SAFETY: counts a register down and touches nothing else.
        unsafe {
            asm!("2: dec {turns}", "jnz 2b", turns = inout(reg) turns => _, options(nomem, nostack));
        }
        ticks() - begin
    };
    (0..16).map(|_| once()).min().unwrap_or(0)
}

/// Whether a tick is an instruction: then more turns take exactly as many more ticks
/// as they have instructions, each time. A clock that counts time does not.
fn counts_instructions() -> bool {
    let base = ticks_of_turns(1_000);
    [2_000, 3_000, 5_000, 8_000].iter().all(|&turns| {
        let more = ticks_of_turns(turns).saturating_sub(base);
        more == 2 * (turns - 1_000)
    })
}
