// SPDX-License-Identifier: GPL-2.0

//! Bytes as a stream of choices.

/// What is left of the bytes. When they are over, all choices are 0.
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// All of them.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether there are any left.
    pub fn goes_on(&self) -> bool {
        !self.0.is_empty()
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((byte, rest)) => {
                self.0 = rest;
                *byte
            }
            None => 0,
        }
    }

    /// Two bytes.
    pub fn short(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// Any number of 64 bits, the extreme ones more often.
    pub fn number(&mut self) -> u64 {
        let shift = self.byte();
        let bytes = std::array::from_fn(|_| self.byte());
        let number = u64::from_le_bytes(bytes) >> (shift % 64);
        if shift & 0x40 != 0 {
            !number
        } else {
            number
        }
    }

    /// A number below `limit`, which is 1 to 65,536.
    pub fn below(&mut self, limit: u32) -> u32 {
        let choice = if limit <= 256 {
            u32::from(self.byte())
        } else {
            u32::from(self.short())
        };
        choice % limit.max(1)
    }
}
