//! QUIC connections whose client went on from another address or port (RFC 9000 section 9).
//!
//! Its packets are then another flow, perhaps of another shard. Where the client keeps the connection id, as it does when
//! only an address translator between them changed, the first packet of that flow tells where it belongs; where it takes
//! a new one nobody without keys can tell. The session stays one row, which keeps its first flow and says that it moved.

use std::collections::BTreeMap;

use super::found::ShortPacket;
use crate::model::{Anomaly, AnomalyKind, Detail, Endpoint, Exchange, FrameNo, Limit, LimitHit, QuicFacts};

/// First packets of flows that are kept, some hundred bytes each.
const PACKETS: usize = 65_536;
/// Flows of one server that are looked through for each of its sessions.
const OF_ONE: usize = 1_024;
/// Bytes from which on an id is no coincidence: there are four thousand million of that length.
const ID_BYTES: usize = 4;
/// Moves that one session tells of.
const TOLD: usize = 64;

/// The first packets of flows that began in the middle of something.
#[derive(Debug, Default)]
pub(super) struct Moves {
    packets: Vec<ShortPacket>,
    /// Those of each end, by their places: either may be the server.
    of: BTreeMap<Endpoint, Vec<usize>>,
    forgotten: u64,
    first_forgotten: FrameNo,
}

impl Moves {
    /// Keeps a packet.
    pub(super) fn learn(&mut self, packet: ShortPacket) {
        let (from, to) = packet.ends;
        let full = |end: &Endpoint| self.of.get(end).is_some_and(|places| places.len() >= OF_ONE);
        if self.packets.len() >= PACKETS || full(&from) || full(&to) {
            self.forgotten += 1;
            if self.first_forgotten.0 == 0 {
                self.first_forgotten = packet.frame;
            }
            return;
        }
        for end in [from, to] {
            self.of.entry(end).or_default().push(self.packets.len());
        }
        self.packets.push(packet);
    }

    /// Tells a QUIC session of its moves.
    pub(super) fn mark(&self, exchange: &mut Exchange) {
        let Detail::Tls(tls) = &exchange.detail else { return };
        let Some(quic) = &tls.quic else { return };
        let (client, server) = (exchange.client, exchange.server);
        let packets = self.of.get(&server).into_iter().flatten().filter_map(|place| self.packets.get(*place));
        let moved = packets.filter(|p| p.frame > exchange.first_frame && is_of(p, quic, client, server)).take(TOLD);
        let told = |p: &ShortPacket| Anomaly { kind: AnomalyKind::Moved, frame: p.frame, offset: 0, len: 0 };
        exchange.anomalies.extend(moved.map(told));
    }

    /// The limit, where it was reached.
    pub(super) fn forgotten(&self) -> Option<LimitHit> {
        let hit = LimitHit { limit: Limit::ConnectionIds, count: self.forgotten, first_frame: self.first_forgotten };
        (self.forgotten > 0).then_some(hit)
    }
}

fn is_of(packet: &ShortPacket, quic: &QuicFacts, client: Endpoint, server: Endpoint) -> bool {
    let (from, to) = packet.ends;
    let (other, ids) = if to == server { (from, &quic.server_ids) } else { (to, &quic.client_ids) };
    other != client && ids.iter().any(|id| id.len() >= ID_BYTES && packet.target.starts_with(id))
}
