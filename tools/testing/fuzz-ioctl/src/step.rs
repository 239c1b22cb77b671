// SPDX-License-Identifier: GPL-2.0

//! Steps of a case, each by one actor and written as one line.

use std::{fmt, str::FromStr};

macro_rules! kinds {
    ($($kind:ident = $name:literal,)*) => {
        /// The kind of a step.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Kind {
            $(#[doc = $name] $kind,)*
        }

        /// All kinds.
        pub const KINDS: &[Kind] = &[$(Kind::$kind,)*];

        impl Kind {
            /// The name in the text of a case.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    Create = "create",
    Open = "open",
    Info = "info",
    List = "list",
    Alloc = "alloc",
    Largest = "largest",
    Free = "free",
    Borrow = "borrow",
    Return = "return",
    Renew = "renew",
    Resize = "resize",
    Stat = "stat",
    Bounds = "bounds",
    Histogram = "histogram",
    Eventfd = "eventfd",
    Destroy = "destroy",
    SetHeap = "set-heap",
    MapReserve = "map-reserve",
    MapWindow = "map-window",
    Unmap = "unmap",
    Remap = "remap",
    Protect = "protect",
    Advise = "advise",
    Touch = "touch",
    Look = "look",
    Fork = "fork",
    Dup = "dup",
    Close = "close",
    Pass = "pass",
    Receive = "receive",
    Kill = "kill",
    Trace = "trace",
    Signal = "signal",
    Poll = "poll",
    Read = "read",
    Nonblock = "nonblock",
    File = "file",
    Pin = "pin",
    Malformed = "malformed",
}

macro_rules! layouts {
    ($($layout:ident = $name:literal,)*) => {
        /// The layout of the argument structure in memory.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Layout {
            $(#[doc = $name] $layout,)*
        }

        /// All layouts.
        pub const LAYOUTS: &[Layout] = &[$(Layout::$layout,)*];

        impl Layout {
            fn name(self) -> &'static str {
                match self {
                    $(Self::$layout => $name,)*
                }
            }
        }
    };
}

layouts! {
    Exact = "exact",
    Grown = "grown",
    OtherSizeBits = "other-size-bits",
    Dirty = "dirty-tail",
    Tiny = "tiny",
    Huge = "huge",
    Nowhere = "nowhere",
    Edge = "edge",
    ReadOnly = "read-only",
    Flag = "flag",
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The kind of a step.
    pub kind: Kind,
    /// The actor.
    pub actor: u8,
    /// The slot of the actor's descriptor.
    pub slot: u8,
    /// The layout of the argument.
    pub layout: Layout,
    /// An argument, which depends on the kind.
    pub a: u64,
    /// An argument, which depends on the kind.
    pub b: u64,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {} {} {:#x} {:#x}",
            self.kind.name(),
            self.actor,
            self.slot,
            self.layout.name(),
            self.a,
            self.b
        )
    }
}

fn number(word: &str) -> Option<u64> {
    match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let parsed = || {
            let &[kind, actor, slot, layout, a, b] = words.as_slice() else {
                return None;
            };
            Some(Self {
                kind: *KINDS.iter().find(|known| known.name() == kind)?,
                actor: actor.parse().ok()?,
                slot: slot.parse().ok()?,
                layout: *LAYOUTS.iter().find(|known| known.name() == layout)?,
                a: number(a)?,
                b: number(b)?,
            })
        };
        parsed().ok_or_else(|| format!("this is not a step: {line}"))
    }
}

/// How a case is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One step after the other; the model predicts each result.
    Serial,
    /// All actors in parallel, each with two threads.
    Storm,
}

/// A case.
#[derive(Clone, Debug)]
pub struct Case {
    /// How the case is run.
    pub mode: Mode,
    /// The steps.
    pub steps: Vec<Step>,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            Mode::Serial => "serial",
            Mode::Storm => "storm",
        };
        writeln!(f, "{mode}")?;
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        Ok(())
    }
}

impl FromStr for Case {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let mode = match lines.next() {
            Some("serial") => Mode::Serial,
            Some("storm") => Mode::Storm,
            _ => return Err("the first line of a case is 'serial' or 'storm'".into()),
        };
        let steps = lines.map(Step::from_str).collect::<Result<_, _>>()?;
        Ok(Self { mode, steps })
    }
}
