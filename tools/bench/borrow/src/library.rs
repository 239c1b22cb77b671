// SPDX-License-Identifier: GPL-2.0

//! Borrowing through libgenp, as a program does.

use std::time::Duration;

use genp::{Lease, Partition};
use harness::{calls, process, PAGE};

use crate::method::{Method, Result, MOST};

/// libgenp as a method, with frames that are zeroed ahead.
pub struct Library {
    partition: Partition,
    lease: Option<Lease>,
}

impl Library {
    pub fn set_up() -> Result<Box<dyn Method>> {
        let mut request = calls::create_request(0, MOST as u64 * PAGE);
        request.max_leases = 1;
        let partition =
            Partition::create_from(request).map_err(|error| format!("libgenp: {error}"))?;
        Ok(Box::new(Self {
            partition,
            lease: None,
        }))
    }
}

impl Method for Library {
    fn subject(&self) -> &'static str {
        "libgenp"
    }

    fn state(&self) -> Option<&'static str> {
        Some("clean")
    }

    fn note(&self) -> &'static str {
        "as many zeroed frames were waited for before each turn"
    }

    fn prepare(&mut self, pages: usize) -> Result<()> {
        loop {
            let info = genp::system::info().map_err(|error| format!("GENP_GET_INFO: {error}"))?;
            if info.clean >= pages as u64 * PAGE {
                return Ok(());
            }
            process::pause(1);
        }
    }

    fn get(&mut self, pages: usize) -> Result<*mut u8> {
        let length = pages * PAGE as usize;
        let lease = self.partition.borrow(length, Some(Duration::ZERO));
        let lease = lease.map_err(|error| format!("borrow: {error}"))?;
        self.lease = Some(lease);
        Ok(lease.start.as_ptr())
    }

    fn give(&mut self) -> Result<()> {
        match self.lease.take() {
            Some(lease) => self
                .partition
                .give_back(lease)
                .map_err(|error| format!("give back: {error}")),
            None => Err("nothing was borrowed".into()),
        }
    }
}
