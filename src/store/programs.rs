//! Which program had the connection of each row of a live capture, as far as the socket tables told. A hint: it stands in
//! no ledger and changes no verdict.

use std::collections::VecDeque;

use ahash::AHashMap;

use super::rows::Rows;
use super::strings::StrId;
use super::table::RowId;
use crate::capture::SocketOwner;
use crate::model::{Endpoint, Exchange, Transport};

/// Rows without a program that are looked at again when owners become known; the oldest go.
const WAITING: usize = 4_096;
/// Sockets remembered. Past this the tables begin anew: old ones are of connections long gone.
const SOCKETS: usize = 65_536;

/// Their names; empty as long as no owner was ever told.
pub(super) type RowPrograms = Rows<StrId>;

/// Who talks to whom.
type Connection = (Transport, Endpoint, Endpoint);

/// The owners told so far.
#[derive(Debug, Default)]
pub(super) struct Programs {
    connected: AHashMap<Connection, StrId>,
    /// Sockets that take what comes to a port.
    bound: AHashMap<(Transport, Endpoint), StrId>,
    /// Whether this capture has a machine whose sockets are looked at.
    told: bool,
    rows: RowPrograms,
    waiting: VecDeque<(RowId, Connection)>,
}

impl Programs {
    /// Owners will be told: rows that come before wait for them.
    pub(super) fn expect(&mut self) {
        self.told = true;
    }

    /// Takes an owner, whose program's name is kept at `name`.
    pub(super) fn learn(&mut self, owner: &SocketOwner, name: StrId) {
        if self.connected.len() + self.bound.len() >= SOCKETS {
            self.connected.clear();
            self.bound.clear();
        }
        match owner.remote {
            Some(remote) => self.connected.insert((owner.transport, owner.local, remote), name),
            None => self.bound.insert((owner.transport, owner.local), name),
        };
    }

    /// Gives rows that came before their owners were known what is known now.
    pub(super) fn catch_up(&mut self) {
        for (row, connection) in core::mem::take(&mut self.waiting) {
            match self.find(connection) {
                Some(name) => self.rows.set(row, name),
                None => self.waiting.push_back((row, connection)),
            }
        }
    }

    /// A row came or changed.
    pub(super) fn row(&mut self, row: RowId, exchange: &Exchange) {
        if !self.told {
            return;
        }
        let connection = (exchange.transport, exchange.client, exchange.server);
        match self.find(connection) {
            Some(name) => self.rows.set(row, name),
            None if self.waiting.iter().rev().take(8).any(|(known, _)| *known == row) => {}
            None => {
                if self.waiting.len() >= WAITING {
                    self.waiting.pop_front();
                }
                self.waiting.push_back((row, connection));
            }
        }
    }

    /// The rows before a chunk were forgotten, but those that stay.
    pub(super) fn forget(&mut self, end: usize, stays: impl Fn(RowId) -> bool) {
        self.rows.forget(end, |row, _| stays(row), drop);
    }

    /// All names that are still needed.
    pub(super) fn texts(&self) -> impl Iterator<Item = StrId> + '_ {
        let rows = self.rows.iter().map(|(_, name)| name);
        rows.chain(self.connected.values()).chain(self.bound.values()).copied()
    }

    pub(super) fn rows(&self) -> &RowPrograms {
        &self.rows
    }

    /// The client's program where both ends are on this machine.
    fn find(&self, (transport, client, server): Connection) -> Option<StrId> {
        let ends = [(client, server), (server, client)];
        let connected = ends.iter().find_map(|(local, remote)| self.connected.get(&(transport, *local, *remote)));
        let bound = || ends.iter().find_map(|(local, _)| self.bound_to(transport, *local));
        connected.copied().or_else(bound)
    }

    fn bound_to(&self, transport: Transport, local: Endpoint) -> Option<StrId> {
        let any = |ip: core::net::IpAddr| Endpoint { ip, port: local.port };
        let unspecified = [any(core::net::Ipv4Addr::UNSPECIFIED.into()), any(core::net::Ipv6Addr::UNSPECIFIED.into())];
        core::iter::once(local).chain(unspecified).find_map(|local| self.bound.get(&(transport, local))).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Programs;
    use crate::capture::SocketOwner;
    use crate::model::{Endpoint, Transport};
    use crate::store::strings::StrId;
    use crate::store::table::RowId;

    fn at(text: &str) -> Endpoint {
        let address: std::net::SocketAddr = text.parse().unwrap();
        Endpoint { ip: address.ip(), port: address.port() }
    }

    fn owner(transport: Transport, local: &str, remote: Option<&str>) -> SocketOwner {
        SocketOwner { transport, local: at(local), remote: remote.map(at), program: Arc::from("x (1)") }
    }

    #[track_caller]
    fn check(owners: &[SocketOwner], connection: (Transport, &str, &str), want: Option<u32>) {
        let mut programs = Programs::default();
        for (owner, n) in owners.iter().zip(1..) {
            programs.learn(owner, StrId(n));
        }
        let (transport, client, server) = connection;
        assert_eq!(programs.find((transport, at(client), at(server))), want.map(StrId));
    }

    #[test]
    fn owners_are_found() {
        let tcp = Transport::Tcp;
        let client = owner(tcp, "10.0.0.1:5000", Some("10.0.0.2:80"));
        let server = owner(tcp, "10.0.0.2:80", Some("10.0.0.1:5000"));
        let listens = owner(tcp, "0.0.0.0:80", None);
        let call = (tcp, "10.0.0.1:5000", "10.0.0.2:80");
        check(&[server.clone(), client.clone()], call, Some(2));
        check(&[server], call, Some(1));
        check(&[listens], call, Some(1));
        check(core::slice::from_ref(&client), (tcp, "10.0.0.1:5001", "10.0.0.2:80"), None);
        check(&[client], (Transport::Udp, "10.0.0.1:5000", "10.0.0.2:80"), None);
        let asks = owner(Transport::Udp, "0.0.0.0:5353", None);
        check(&[asks], (Transport::Udp, "10.0.0.1:5353", "10.0.0.2:53"), Some(1));
    }

    #[test]
    fn rows_that_came_first_catch_up() {
        let mut programs = Programs::default();
        programs.rows.set(RowId(3_000), StrId(7));
        assert_eq!(programs.rows().get(RowId(3_000)), Some(&StrId(7)));
        assert_eq!(programs.rows().get(RowId(2_999)), Some(&StrId(0)));
        assert_eq!(programs.rows().get(RowId(9_999)), None);
        let connection = (Transport::Tcp, at("10.0.0.1:5000"), at("10.0.0.2:80"));
        programs.waiting.push_back((RowId(5), connection));
        programs.learn(&owner(Transport::Tcp, "10.0.0.1:5000", Some("10.0.0.2:80")), StrId(9));
        programs.catch_up();
        assert_eq!((programs.rows().get(RowId(5)), programs.waiting.len()), (Some(&StrId(9)), 0));
    }
}
