// SPDX-License-Identifier: GPL-2.0

//! The operations of a partition that are timed.

use clap::ValueEnum;
use genp::abi;

/// An operation that is timed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Operation {
    /// Allocating a region
    Alloc,
    /// Freeing a region
    Free,
    /// Borrowing, without the time spent waiting
    Borrow,
    /// Waiting for a lease
    Wait,
    /// Giving a lease back
    Return,
    /// Renewing a lease
    Renew,
    /// Ending a lease by force, from its deadline to its memory being free
    Revoke,
}

impl Operation {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; abi::GENP_OP_COUNT as usize] = [
        Self::Alloc,
        Self::Free,
        Self::Borrow,
        Self::Wait,
        Self::Return,
        Self::Renew,
        Self::Revoke,
    ];

    /// Its number in the ABI.
    pub fn number(self) -> u32 {
        match self {
            Self::Alloc => abi::GENP_OP_ALLOC,
            Self::Free => abi::GENP_OP_FREE,
            Self::Borrow => abi::GENP_OP_BORROW,
            Self::Wait => abi::GENP_OP_WAIT,
            Self::Return => abi::GENP_OP_RETURN,
            Self::Renew => abi::GENP_OP_RENEW,
            Self::Revoke => abi::GENP_OP_REVOKE,
        }
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alloc => "alloc",
            Self::Free => "free",
            Self::Borrow => "borrow",
            Self::Wait => "wait",
            Self::Return => "return",
            Self::Renew => "renew",
            Self::Revoke => "revoke",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_stand_at_their_numbers() {
        for (number, op) in Operation::ALL.iter().enumerate() {
            assert_eq!(op.number() as usize, number);
            let value = op.to_possible_value().unwrap();
            assert_eq!(value.get_name(), op.name());
        }
    }
}
