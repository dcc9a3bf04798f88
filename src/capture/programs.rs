//! Which program has which socket, from the socket tables of the system. A hint, never a proof: sockets change hands, and
//! short-lived ones are gone before anybody looks.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use crate::model::{Endpoint, Transport};

/// Time between two looks: most connections live longer.
const LOOK: Duration = Duration::from_millis(250);
/// Messages that wait for whoever reads them; a reader this far behind loses hints, nothing else.
const WAITING: usize = 64;

/// A socket and the program that had it open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketOwner {
    /// TCP or UDP.
    pub transport: Transport,
    /// The socket's own endpoint; its address is unspecified (`0.0.0.0`, `::`) where it takes all.
    pub local: Endpoint,
    /// Who it is connected to; `None` where it is not.
    pub remote: Option<Endpoint>,
    /// The program's name and process number, `firefox (4711)`.
    pub program: Arc<str>,
}

/// Looks at the socket tables until the capture, of which `growing` tells, has ended; gives each owner once. The channel is
/// disconnected at once on systems where there is nothing to look at.
pub fn watch_programs(growing: Receiver<Infallible>) -> io::Result<Receiver<Vec<SocketOwner>>> {
    let (seen, owners) = bounded(WAITING);
    if !cfg!(target_os = "linux") {
        return Ok(owners);
    }
    std::thread::Builder::new().name("programs".to_owned()).spawn(move || {
        let mut tables = tables::Tables::default();
        loop {
            let new = tables.look();
            if !new.is_empty() {
                let _behind = seen.try_send(new);
            }
            match growing.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
                Ok(never) => match never {},
            }
        }
    })?;
    Ok(owners)
}

#[cfg(not(target_os = "linux"))]
mod tables {
    use super::SocketOwner;

    #[derive(Debug, Default)]
    pub(super) struct Tables;

    impl Tables {
        pub(super) fn look(&mut self) -> Vec<SocketOwner> {
            Vec::new()
        }
    }
}

#[cfg(target_os = "linux")]
mod tables {
    use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    use std::fs;
    use std::sync::Arc;

    use ahash::{AHashMap, AHashSet};

    use super::SocketOwner;
    use crate::model::{Endpoint, Transport, clean_to};

    /// Sockets remembered; past this all are forgotten, and told again.
    const SOCKETS: usize = 65_536;
    /// Characters of a program's name that are kept (the kernel keeps 15).
    const NAME_CHARS: usize = 64;

    /// A line of a socket table.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub(super) struct Socket {
        transport: Transport,
        local: Endpoint,
        remote: Option<Endpoint>,
        inode: u64,
    }

    /// What was seen before.
    #[derive(Debug, Default)]
    pub(super) struct Tables {
        told: AHashSet<Socket>,
        programs: AHashMap<u64, Arc<str>>,
        /// Inodes whose program could not be found, most of them of other users: not searched for again.
        unknown: AHashSet<u64>,
    }

    impl Tables {
        /// The owners of sockets that were not told before.
        pub(super) fn look(&mut self) -> Vec<SocketOwner> {
            let mut sockets = Vec::new();
            for (file, transport) in
                [("tcp", Transport::Tcp), ("tcp6", Transport::Tcp), ("udp", Transport::Udp), ("udp6", Transport::Udp)]
            {
                let table = fs::read_to_string(format!("/proc/net/{file}")).unwrap_or_default();
                sockets.extend(table.lines().skip(1).filter_map(|line| socket(line, transport)));
            }
            if self.told.len() > SOCKETS || self.unknown.len() > SOCKETS {
                *self = Self::default();
            }
            let wanted: AHashSet<u64> = sockets
                .iter()
                .map(|s| s.inode)
                .filter(|inode| *inode != 0 && !self.programs.contains_key(inode) && !self.unknown.contains(inode))
                .collect();
            if !wanted.is_empty() {
                self.search(wanted);
            }
            let mut owners = Vec::new();
            for socket in sockets {
                if let Some(program) = self.programs.get(&socket.inode)
                    && self.told.insert(socket)
                {
                    let Socket { transport, local, remote, .. } = socket;
                    owners.push(SocketOwner { transport, local, remote, program: Arc::clone(program) });
                }
            }
            owners
        }

        /// Looks through the open files of all processes that may be looked into.
        fn search(&mut self, mut wanted: AHashSet<u64>) {
            let Ok(processes) = fs::read_dir("/proc") else { return };
            for process in processes.filter_map(Result::ok) {
                let name = process.file_name();
                let Some(number) = name.to_str().filter(|n| n.bytes().all(|b| b.is_ascii_digit())) else { continue };
                let Ok(files) = fs::read_dir(process.path().join("fd")) else { continue };
                for link in files.filter_map(|file| fs::read_link(file.ok()?.path()).ok()) {
                    let Some(inode) = link.to_str().and_then(inode) else { continue };
                    if wanted.remove(&inode) {
                        let name = fs::read(process.path().join("comm")).unwrap_or_default();
                        let program = format!("{} ({number})", clean_to(name.trim_ascii_end(), NAME_CHARS));
                        self.programs.insert(inode, program.into());
                    }
                }
                if wanted.is_empty() {
                    return;
                }
            }
            self.unknown.extend(wanted);
        }
    }

    /// The inode of a link like `socket:[12345]`.
    fn inode(link: &str) -> Option<u64> {
        link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    }

    /// A line of `/proc/net/tcp` and its like, as `proc_pid_net(5)` has them.
    pub(super) fn socket(line: &str, transport: Transport) -> Option<Socket> {
        let mut words = line.split_ascii_whitespace();
        let local = endpoint(words.nth(1)?)?;
        let remote = endpoint(words.next()?)?;
        let inode = words.nth(6)?.parse().ok()?;
        Some(Socket { transport, local, remote: (remote.port != 0).then_some(remote), inode })
    }

    /// `0100007F:1F90`: words of four bytes in the byte order of the machine, then the port.
    fn endpoint(text: &str) -> Option<Endpoint> {
        let (address, port) = text.split_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        let word = |at: usize| Some(u32::from_str_radix(address.get(at..at.checked_add(8)?)?, 16).ok()?.to_ne_bytes());
        let ip = match address.len() {
            8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
            32 => {
                let mut bytes = [0_u8; 16];
                for (part, at) in bytes.chunks_exact_mut(4).zip([0, 8, 16, 24]) {
                    part.copy_from_slice(&word(at)?);
                }
                // An IPv6 socket that talks IPv4 has IPv4 packets.
                IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical()
            }
            _ => return None,
        };
        Some(Endpoint { ip, port })
    }

    #[cfg(test)]
    mod tests {
        use super::{Tables, inode, socket};
        use crate::model::Transport;

        #[track_caller]
        fn check(line: &str, want: Option<(&str, Option<&str>, u64)>) {
            let shown =
                socket(line, Transport::Tcp).map(|s| (s.local.to_string(), s.remote.map(|r| r.to_string()), s.inode));
            assert_eq!(shown, want.map(|(l, r, i)| (l.to_owned(), r.map(str::to_owned), i)));
        }

        #[test]
        #[cfg(target_endian = "little")]
        fn lines_are_read() {
            let listens = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0";
            check(listens, Some(("127.0.0.1:8080", None, 4711)));
            let talks =
                "   1: 0A00A8C0:D431 22D8B85D:01BB 01 00000000:00000000 02:000006D6 00000000  1000        0 99 2 0";
            check(talks, Some(("192.168.0.10:54321", Some("93.184.216.34:443"), 99)));
            let mapped =
                " 2: 0000000000000000FFFF00000100007F:0050 00000000000000000000000001000000:1234 01 0:0 0:0 0 0 0 5 1";
            check(mapped, Some(("127.0.0.1:80", Some("[::1]:4660"), 5)));
            check("sl local_address", None);
            check("", None);
        }

        #[test]
        fn links_are_read() {
            assert_eq!(inode("socket:[12345]"), Some(12_345));
            assert_eq!(inode("pipe:[12345]"), None);
        }

        #[test]
        fn our_own_socket_is_found() {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            let mut tables = Tables::default();
            let found = tables.look();
            let ours = found.iter().find(|o| o.local.port == port).expect("our socket has an owner");
            assert!(ours.program.ends_with(&format!("({})", std::process::id())), "{}", ours.program);
            assert!(tables.look().iter().all(|o| o.local.port != port), "told once");
        }
    }
}
