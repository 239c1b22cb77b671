// SPDX-License-Identifier: GPL-2.0

//! What can be done with the file descriptor of a partition.

use kernel::{
    fs::File, mm::virt::VmaNew, prelude::*, seq_file::SeqFile, seq_print, sync::poll::PollTable,
};

use super::{
    super::sys::{
        errno::{E2BIG, ENOTTY, EPERM, ESTALE},
        user::{UserArg, UserRecords},
        vma,
    },
    count,
    windows::{LEASE_OFFSET, RESERVE_OFFSET},
    Partition,
};

impl Partition {
    /// Counts an answer that the caller brought upon itself.
    pub(crate) fn count_misuse<T>(&self, answer: &Result<T>) {
        let Err(error) = *answer else {
            return;
        };
        if error == ESTALE {
            count(&self.counters.stale_handles);
        } else if [EINVAL, E2BIG, EPERM, ENOTTY, EFAULT].contains(&error) {
            count(&self.counters.misuses);
        }
    }
}

impl Partition {
    /// mmap(): the reserve or the lease window, whole. EINVAL, EPERM, EBUSY, ENOMEM.
    pub(crate) fn mmap(&self, vma: &VmaNew) -> Result {
        let answer = match vma::window_offset(vma) {
            RESERVE_OFFSET => self.map_reserve(vma),
            LEASE_OFFSET => self.map_window(vma),
            _ => Err(EINVAL),
        };
        self.count_misuse(&answer);
        answer
    }

    /// ioctl().
    pub(crate) fn ioctl(&self, nr: u32, arg: UserArg) -> Result<i64> {
        let answer = self.command(nr, &arg);
        self.count_misuse(&answer);
        answer.map(|()| 0)
    }

    /// read(): events.
    pub(crate) fn read(&self, mut out: UserRecords, nonblock: bool) -> Result<usize> {
        let room = out.room();
        let answer = self.read_events(room, nonblock, |record| out.write(record));
        self.count_misuse(&answer);
        answer
    }

    /// poll().
    pub(crate) fn poll(&self, file: &File, table: PollTable<'_>) -> u32 {
        self.poll_events(file, table)
    }

    /// What /proc/PID/fdinfo shows.
    pub(crate) fn show(&self, m: &SeqFile) {
        let stat = self.stat();
        let counters = &self.counters;
        match ::core::str::from_utf8(self.name()) {
            Ok(name) => seq_print!(m, "genp-name:\t{name}\n"),
            Err(_) => seq_print!(m, "genp-name:\t\n"),
        }
        let rows: [(&str, u64); 20] = [
            ("reserve", stat.reserve),
            ("borrow-limit", stat.borrow_limit),
            ("used", stat.used),
            ("lent", stat.lent),
            ("regions", stat.regions.into()),
            ("leases", stat.leases.into()),
            ("waiters", stat.waiters.into()),
            ("dying", stat.dying.into()),
            ("borrows", stat.borrows),
            ("returns", stat.returns),
            ("revocations", stat.revocations),
            ("timeouts", counters.timeouts.load()),
            ("misuses", counters.misuses.load()),
            ("stale-handles", counters.stale_handles.load()),
            ("overdues", stat.overdues),
            ("stock-owned", stat.stock_owned.into()),
            ("stock-free", stat.stock_free.into()),
            ("stock-out", stat.stock_out.into()),
            ("stock-takes", stat.stock_takes),
            ("stock-misses", stat.stock_misses),
        ];
        for (key, value) in rows {
            seq_print!(m, "genp-{key}:\t{value}\n");
        }
    }
}
