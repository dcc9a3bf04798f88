//! Entries of a HAR file become exchanges, without the road that frames go: nothing is to be put together.

use ahash::AHashMap;

use super::found::{Contents, Found};
use super::messages::RowDetail;
use crate::evidence::Given;
use crate::model::{Budget, Detail, Endpoint, Exchange, FlowId, FrameHead, FrameNo};
use crate::protocols::har::{EntryPlace, LeftOut, entry};
use crate::protocols::http::Wanted;

/// Connections that are remembered by their ids; past that the memory starts anew.
const CONNECTIONS: usize = 65_536;

/// An exchange that an entry tells of, before it is known which flow it belongs to.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) exchange: Exchange,
    pub(super) given: Option<Given>,
    pub(super) contents: Option<Box<Contents>>,
    /// The connection's id in the file; empty where it has none.
    pub(super) connection: Box<[u8]>,
}

impl Told {
    /// What a pane shows of it.
    pub(super) fn detail(self) -> RowDetail {
        let Some(contents) = self.contents else { return RowDetail::default() };
        let Contents { bodies, messages } = *contents;
        let [request_body, response_body] = bodies.map(|body| (!body.is_empty()).then_some(body));
        RowDetail { request_body, response_body, messages, frames: Vec::new() }
    }
}

/// Reads an entry.
pub(super) fn read(head: &FrameHead, bytes: &[u8], wanted: Wanted, budget: &Budget) -> Result<Told, LeftOut> {
    let place = EntryPlace { frame: head.number, time: head.time, offset: head.record_offset };
    let read = entry(bytes, place, wanted, budget)?;
    let (flow, client) = (FlowId(head.number.0), Endpoint::unknown(0));
    let given = read.given.map(|given| Given {
        flow,
        ordinal: 0,
        client: client.ip,
        host: if given.host.is_empty() { read.server.ip.to_string().into() } else { given.host },
        time: given.time,
        links: given.links,
    });
    let mut ended = read.ended;
    let messages = std::mem::take(&mut ended.messages);
    let contents = ended.bodies.take().map(|bodies| Box::new(Contents { bodies, messages }));
    let exchange = Exchange {
        flow,
        ordinal: 0,
        client,
        server: read.server,
        transport: read.transport,
        first_frame: head.number,
        last_frame: head.number,
        time: read.times.0,
        end_time: read.times.1,
        envelope: None,
        proxied: None,
        reported: Some(read.reported),
        detail: Detail::Http(Box::new(ended.http)),
        anomalies: ended.anomalies,
    };
    Ok(Told { exchange, given, contents, connection: read.connection })
}

/// The same as something found in a capture.
pub(super) fn found(head: &FrameHead, bytes: &[u8], wanted: Wanted, budget: &Budget) -> Found {
    read(head, bytes, wanted, budget).map_or_else(Found::LeftOut, |told| Found::Told(Box::new(told)))
}

/// A connection's id in the file, and the server.
type Id = (Box<[u8]>, Endpoint);

/// Which entries are of one connection: those that give it the same id, at the same server.
#[derive(Debug, Default)]
pub(super) struct Connections {
    known: AHashMap<Id, (FlowId, u32)>,
    /// How many there are.
    pub(super) count: u64,
    /// How many were forgotten to make room.
    pub(super) forgotten: u64,
    /// Entries that are no exchanges, and such whose URLs ask nobody.
    pub(super) broken: u64,
    pub(super) unasked: u64,
}

impl Connections {
    /// Counts an entry that is left out.
    pub(super) fn leave_out(&mut self, why: LeftOut) {
        match why {
            LeftOut::Broken => self.broken += 1,
            LeftOut::OtherScheme => self.unasked += 1,
        }
    }

    /// Gives an exchange its flow and its number there.
    pub(super) fn place(&mut self, told: &mut Told) {
        let exchange = &mut told.exchange;
        let FrameNo(number) = exchange.first_frame;
        if told.connection.is_empty() {
            self.count += 1;
            return;
        }
        if self.known.len() >= CONNECTIONS {
            self.forgotten += self.known.len() as u64;
            self.known.clear();
        }
        let id = std::mem::take(&mut told.connection);
        let (flow, next) = self.known.entry((id, exchange.server)).or_insert_with(|| {
            self.count += 1;
            (FlowId(number), 0)
        });
        (exchange.flow, exchange.ordinal) = (*flow, *next);
        *next += 1;
        if let Some(given) = &mut told.given {
            (given.flow, given.ordinal) = (exchange.flow, exchange.ordinal);
        }
    }
}
