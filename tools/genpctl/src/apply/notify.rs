// SPDX-License-Identifier: GPL-2.0

//! What a service manager is told, by the protocol of sd_notify(3).

use std::{
    env, io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
};

use genp::system;

/// The service manager, if there is one.
pub struct Service(Option<(UnixDatagram, SocketAddr)>);

/// The address in NOTIFY_SOCKET: a path, or a name after an @.
fn address(text: &[u8]) -> io::Result<SocketAddr> {
    match text {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        path => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(path)),
    }
}

impl Service {
    /// The one that started this program, and said so in NOTIFY_SOCKET.
    pub fn of_environment() -> Self {
        Self::at(env::var_os("NOTIFY_SOCKET").map(|name| name.as_bytes().to_vec()))
    }

    /// The one with this address.
    pub fn at(name: Option<Vec<u8>>) -> Self {
        let socket = name.and_then(|name| {
            let address = address(&name).ok()?;
            Some((UnixDatagram::unbound().ok()?, address))
        });
        Self(socket)
    }

    /// Tells it something. Whether it listens is its own affair.
    fn tell(&self, state: &str) {
        if let Some((socket, address)) = &self.0 {
            let _ = socket.send_to_addr(state.as_bytes(), address);
        }
    }

    /// The partitions are there.
    pub fn ready(&self, partitions: usize) {
        self.tell(&format!("READY=1\nSTATUS=holds {partitions} partitions"));
    }

    /// The file is read again.
    pub fn reloading(&self) {
        let now = system::now() / 1000;
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={now}"));
    }

    /// The partitions end now.
    pub fn stopping(&self) {
        self.tell("STOPPING=1");
    }
}
