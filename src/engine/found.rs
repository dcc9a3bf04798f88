//! What shards find, and the order in which it takes effect.

use std::net::IpAddr;

use super::entries::Told;
use super::walk::Stamp;
use crate::evidence::Given;
use crate::model::{Anomaly, Detail, Endpoint, Exchange, FlowId, FrameNo, MessageList, Timestamp, Tunnel};
use crate::protocols::har::LeftOut;
use crate::streams::{Flow, FrameList};

/// What a shard found.
#[derive(Debug)]
pub(super) enum Found {
    /// A finished exchange, with its bodies where they were asked for.
    Exchange(Exchange, Option<Box<Contents>>),
    /// What is there of one that goes on; only of live captures.
    Open(Exchange),
    /// Frames of a flow that goes on; only of live captures.
    Frames(FrameList),
    /// What an entry of a HAR file tells of.
    Told(Box<Told>),
    /// An entry of a HAR file that tells of no exchange.
    LeftOut(LeftOut),
    /// Links that a response handed out, before the response is over.
    Links(Given),
    /// A flow began with what may be a packet of a QUIC connection of another flow.
    Short(ShortPacket),
    /// A client began a session in which it may ask for names.
    Resolver(IpAddr, FrameNo),
    /// Two hosts agreed on a tunnel.
    Tunnel(Tunnel),
    /// A flow ended; these were its (last) frames.
    Flow(FrameList),
}

/// What an exchange carried, for who wants to see it.
#[derive(Debug)]
pub(super) struct Contents {
    /// The decoded bodies of request and response.
    pub(super) bodies: [Vec<u8>; 2],
    /// The messages of its WebSocket.
    pub(super) messages: MessageList,
}

/// The first packet of a flow whose protocol is not clear, if it has the short header of QUIC.
#[derive(Debug)]
pub(super) struct ShortPacket {
    /// Its frame.
    pub(super) frame: FrameNo,
    /// Sender and receiver.
    pub(super) ends: (Endpoint, Endpoint),
    /// Bytes that begin with the receiver's connection id.
    pub(super) target: Box<[u8]>,
}

/// Something found, with the order in which it takes effect: the same for any number of shards.
#[derive(Debug)]
pub(super) struct Event {
    /// What made it certain.
    pub(super) stamp: Stamp,
    /// The flow.
    pub(super) flow: FlowId,
    /// What.
    pub(super) found: Found,
}

/// Frame and time of the first and of the last byte.
type Places = ((FrameNo, Timestamp), (FrameNo, Timestamp));

/// An exchange of a flow; odd things that happened to the flow within its frames are its own too.
pub(super) fn exchange(
    flow: &Flow,
    swapped: bool,
    (first, last): Places,
    detail: Detail,
    mut anomalies: Vec<Anomaly>,
) -> Exchange {
    anomalies.extend(flow.anomalies.iter().filter(|a| (first.0..=last.0).contains(&a.frame)));
    let (client, server) = if swapped { (flow.server, flow.client) } else { (flow.client, flow.server) };
    Exchange {
        flow: flow.id,
        ordinal: 0,
        client,
        server,
        transport: flow.transport,
        first_frame: first.0,
        last_frame: last.0,
        time: first.1,
        end_time: last.1,
        envelope: None,
        proxied: None,
        reported: None,
        detail,
        anomalies,
    }
}
