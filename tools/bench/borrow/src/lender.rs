// SPDX-License-Identifier: GPL-2.0

//! Borrowing from GenP by its ioctls, with frames that are zeroed ahead and with
//! frames that are not.

use std::fs;

use harness::{abi, calls, owned, process, PAGE};

use crate::method::{failed_with, map, Fd, Mapped, Method, Result, MOST};

/// Milliseconds to wait for the scrubber before it counts as stuck.
const PATIENCE: usize = 60_000;

/// GenP as a method.
struct Lender {
    control: Fd,
    partition: Fd,
    window: Mapped,
    window_offset: u64,
    handle: u64,
    frames: Frames,
}

/// The frames that the pool can lend.
enum Frames {
    /// At least as many zeroed frames as are borrowed.
    Clean,
    /// Exactly as many as are borrowed, none of them zeroed: all others are in the reserve
    /// of a partition that is kept for that.
    Dirty(Option<(usize, Fd)>),
}

/// Borrows zeroed frames.
pub fn clean() -> Result<Box<dyn Method>> {
    Ok(Box::new(Lender::new(Frames::Clean)?))
}

/// Borrows frames that GENP_BORROW has to zero.
pub fn dirty() -> Result<Box<dyn Method>> {
    keep_scrubber_here()?;
    Ok(Box::new(Lender::new(Frames::Dirty(None))?))
}

/// Creates a partition.
pub fn create(control: &Fd, request: abi::genp_create) -> Result<(Fd, abi::genp_windows)> {
    owned::create(control, request).map_err(|errno| failed_with("GENP_CREATE", errno))
}

/// Opens /dev/genp.
pub fn control() -> Result<Fd> {
    owned::control().map_err(|errno| failed_with("/dev/genp", errno))
}

/// Pins the scrubber to our processor: while we run, it does not.
fn keep_scrubber_here() -> Result<()> {
    let listed = fs::read_dir("/proc").map_err(|error| format!("/proc: {error}"))?;
    let scrubber = listed.flatten().find_map(|entry| {
        let name = fs::read_to_string(entry.path().join("comm")).ok()?;
        (name.trim_end() == "genp_scrub").then(|| entry.file_name().to_str()?.parse().ok())?
    });
    match scrubber {
        Some(pid) => process::pin_thread(pid, 0).map_err(|errno| failed_with("genp_scrub", errno)),
        None => Err("there is no genp_scrub: is genp.ko loaded?".into()),
    }
}

impl Lender {
    fn new(frames: Frames) -> Result<Self> {
        let control = control()?;
        let mut request = calls::create_request(0, MOST as u64 * PAGE);
        request.max_leases = 1;
        let (partition, windows) = create(&control, request)?;
        let length = windows.lease_length as usize;
        let window = map(length, libc::MAP_SHARED, partition.0, windows.lease_offset)?;
        Ok(Self {
            control,
            partition,
            window,
            window_offset: windows.lease_offset,
            handle: 0,
            frames,
        })
    }

    fn info(&self) -> Result<abi::genp_info> {
        calls::info(self.control.0).map_err(|errno| failed_with("GENP_GET_INFO", errno))
    }

    /// Sleeps until there are as many zeroed frames as will be borrowed.
    fn wait_clean(&self, pages: usize) -> Result<()> {
        for _ in 0..PATIENCE {
            if self.info()?.clean >= pages as u64 * PAGE {
                return Ok(());
            }
            process::pause(1);
        }
        Err("the scrubber does not get to zero as many frames".into())
    }

    /// Leaves exactly `pages` frames to lend, by a reserve of all others.
    fn leave_only(&self, pages: usize) -> Result<Fd> {
        let info = self.info()?;
        let reserve = info.free.checked_sub(pages as u64 * PAGE);
        let reserve = reserve.ok_or("the pool is too small: load with a larger pool_mib")?;
        Ok(create(&self.control, calls::create_request(reserve, 0))?.0)
    }

    /// Makes all frames that can be lent dirty: borrows and returns them, and does not
    /// sleep after that, so that the scrubber does not run.
    fn make_dirty(&mut self, pages: usize) -> Result<()> {
        for _ in 0..100 {
            if self.info()?.clean == 0 {
                return Ok(());
            }
            self.get(pages)?;
            self.give()?;
        }
        Err("the scrubber runs all the time".into())
    }
}

impl Method for Lender {
    fn subject(&self) -> &'static str {
        "genp"
    }

    fn state(&self) -> Option<&'static str> {
        Some(match self.frames {
            Frames::Clean => "clean",
            Frames::Dirty(_) => "scrubbed",
        })
    }

    fn note(&self) -> &'static str {
        match self.frames {
            Frames::Clean => "as many zeroed frames were waited for before each turn",
            Frames::Dirty(_) => "GENP_BORROW zeroed every frame: the pool had just these, dirty",
        }
    }

    fn prepare(&mut self, pages: usize) -> Result<()> {
        match &self.frames {
            Frames::Clean => self.wait_clean(pages),
            Frames::Dirty(Some((left, _))) if *left == pages => self.make_dirty(pages),
            Frames::Dirty(_) => {
                self.frames = Frames::Dirty(None);
                self.frames = Frames::Dirty(Some((pages, self.leave_only(pages)?)));
                self.make_dirty(pages)
            }
        }
    }

    fn get(&mut self, pages: usize) -> Result<*mut u8> {
        let length = pages as u64 * PAGE;
        let lease = calls::borrow(self.partition.0, length, u64::from(abi::GENP_NO_WAIT), 0)
            .map_err(|errno| failed_with("GENP_BORROW", errno))?;
        self.handle = lease.handle;
        Ok(self.window.at((lease.offset - self.window_offset) as usize))
    }

    fn give(&mut self) -> Result<()> {
        calls::give_back(self.partition.0, self.handle)
            .map_err(|errno| failed_with("GENP_RETURN", errno))
    }
}
