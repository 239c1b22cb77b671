// SPDX-License-Identifier: GPL-2.0

//! Descriptors: duplicated, closed, passed to another process.

use std::{mem, ptr};

use harness::calls::{self, checked};

use super::worker::{Outcome, Worker};
use crate::{request, step::Step, world::Reply, world::ACTORS};

/// Room for the control message with one descriptor.
#[repr(align(8))]
struct Control([u8; 64]);

fn message(data: &mut libc::iovec, control: &mut Control) -> libc::msghdr {
    // SAFETY: zeroes are an empty message.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = data;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    // SAFETY: only computes a length.
    message.msg_controllen = unsafe { libc::CMSG_SPACE(4) } as _;
    message
}

fn send(socket: i32, fd: i32, serial: u32) -> Result<(), i32> {
    let mut bytes = serial.to_ne_bytes();
    let mut data = libc::iovec {
        iov_base: bytes.as_mut_ptr().cast(),
        iov_len: 4,
    };
    let mut control = Control([0; 64]);
    let message = message(&mut data, &mut control);
    // SAFETY: the control message has room for one descriptor.
    unsafe {
        let header = libc::CMSG_FIRSTHDR(&message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(4) as _;
        ptr::write_unaligned(libc::CMSG_DATA(header).cast::<i32>(), fd);
        checked(libc::sendmsg(socket, &message, libc::MSG_DONTWAIT) as i64).map(|_| ())
    }
}

fn receive(socket: i32) -> Result<(i32, u32), i32> {
    let mut bytes = [0u8; 4];
    let mut data = libc::iovec {
        iov_base: bytes.as_mut_ptr().cast(),
        iov_len: 4,
    };
    let mut control = Control([0; 64]);
    let mut message = message(&mut data, &mut control);
    let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
    // SAFETY: the message describes memory of ours.
    unsafe {
        checked(libc::recvmsg(socket, &mut message, flags) as i64)?;
        let header = libc::CMSG_FIRSTHDR(&message);
        if header.is_null() || (*header).cmsg_type != libc::SCM_RIGHTS {
            return Err(libc::EMFILE);
        }
        let fd = ptr::read_unaligned(libc::CMSG_DATA(header).cast::<i32>());
        Ok((fd, u32::from_ne_bytes(bytes)))
    }
}

impl Worker<'_> {
    /// Duplicates a descriptor, unless its slot changed since it was looked up.
    fn copy(&self, slot: usize) -> Option<Result<(i32, u32), i32>> {
        let descriptor = self.actor.descriptor(slot)?;
        // SAFETY: no memory is involved.
        match checked(unsafe { libc::fcntl(descriptor.fd, libc::F_DUPFD_CLOEXEC, 0) }.into()) {
            Ok(fd) if self.actor.still(&descriptor) => Some(Ok((fd as i32, descriptor.serial))),
            Ok(fd) => {
                calls::close(fd as i32);
                None
            }
            Err(errno) => Some(Err(errno)),
        }
    }

    pub(super) fn dup(&mut self, step: &Step) -> Outcome {
        let descriptor = self.actor.descriptor(step.slot.into())?;
        if request::other_slot(step) == descriptor.slot {
            return None;
        }
        Some(
            self.copy(step.slot.into())?
                .map(|(fd, serial)| self.actor.keep(request::other_slot(step), fd, serial)),
        )
    }

    pub(super) fn close(&mut self, step: &Step) -> Outcome {
        let descriptor = self.actor.descriptor(step.slot.into())?;
        self.actor.empty(descriptor.slot);
        Some(Ok(()))
    }

    pub(super) fn pass(&mut self, step: &Step) -> Outcome {
        let (_, there) = self.actor.setup.inboxes[step.a as usize % ACTORS];
        Some(self.copy(step.slot.into())?.and_then(|(fd, serial)| {
            let done = send(there, fd, serial);
            calls::close(fd);
            done
        }))
    }

    pub(super) fn receive(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let (here, _) = self.actor.setup.inboxes[self.actor.id];
        Some(receive(here).map(|(fd, serial)| {
            reply.values[0] = serial.into();
            self.actor.keep(step.slot.into(), fd, serial);
        }))
    }
}
