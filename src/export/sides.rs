//! The bytes that each side of a connection sent, by their places, for looking cited lines up.
//!
//! Comes in: a capture and the claim that speaks of it. Goes out: pieces of streams with the frames that brought them.
//! Never: more than a fixed sum of bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;

use super::claim::{Claim, ExchangeClaim, socket};
use crate::capture::{Batch, CaptureReader, Digest};
use crate::decode::{Decoder, Outcome as Decoded};
use crate::model::{Budget, Payload, Run, RunKind, Side};
use crate::streams::FlowTable;

/// Bytes of all streams together; lines past them are not found, and so fail.
const MOST_BYTES: usize = 256 << 20;

/// The bytes of each side of each connection.
pub(super) type Streams = BTreeMap<(SocketAddr, SocketAddr), Stream>;

/// What one side of a connection sent.
#[derive(Default)]
pub(super) struct Stream {
    /// Ascending by their offsets; of those with one offset, the first seen comes first.
    pub(super) pieces: Vec<StreamPiece>,
    /// Bytes of the longest piece.
    pub(super) longest: u64,
}

/// Bytes that one frame brought.
pub(super) struct StreamPiece {
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) frame: u32,
}

/// The streams of the connections that a claim speaks of.
pub(super) fn streams(path: &Path, claim: &Claim, budget: &Budget) -> Result<Streams, String> {
    let pair = |e: &ExchangeClaim| [(e.client.port(), e.server.port()), (e.server.port(), e.client.port())];
    let ports: BTreeSet<(u16, u16)> = claim.exchanges.iter().flat_map(pair).collect();
    let mut reader = CaptureReader::open(path, budget, Digest::Elsewhere).map_err(|e| e.to_string())?;
    let mut decoder = Decoder::new(budget);
    let mut flows = FlowTable::new(budget);
    let mut streams = Streams::new();
    let (mut batch, mut reassembled) = (Batch::default(), Vec::new());
    let mut taken = 0_usize;
    while reader.next_batch(&mut batch).unwrap_or(false) {
        for frame in &batch.frames {
            reassembled.clear();
            let Decoded::Unit(unit) = decoder.frame(&frame.head, batch.frame(frame), &mut reassembled) else {
                continue;
            };
            let pair = (unit.source.port, unit.target.port);
            if !ports.contains(&pair) {
                continue;
            }
            let from = match unit.payload {
                Payload::InFrame { start, len } => batch.frame(frame).get(start as usize..(start + len) as usize),
                Payload::Reassembled { start, len } => reassembled.get(start as usize..(start + len) as usize),
            };
            let (mut reused, mut runs) = (Vec::new(), Vec::new());
            let slot = flows.locate(&unit, &mut reused);
            for old in reused {
                let mut last = Vec::new();
                let flow = flows.close(old, &mut last);
                keep(&mut streams, (socket(flow.client), socket(flow.server)), &mut last, &mut taken);
            }
            flows.accept(slot, &unit, from.unwrap_or_default(), &mut runs);
            let flow = flows.flow(slot);
            keep(&mut streams, (socket(flow.client), socket(flow.server)), &mut runs, &mut taken);
        }
    }
    for slot in flows.open_slots() {
        let mut runs = Vec::new();
        let flow = flows.close(slot, &mut runs);
        keep(&mut streams, (socket(flow.client), socket(flow.server)), &mut runs, &mut taken);
    }
    for stream in streams.values_mut() {
        // Stable: what was seen first stays first.
        stream.pieces.sort_by_key(|piece| piece.offset);
    }
    Ok(streams)
}

fn keep(streams: &mut Streams, (client, server): (SocketAddr, SocketAddr), runs: &mut Vec<Run<'_>>, taken: &mut usize) {
    for run in runs.drain(..) {
        let RunKind::Data(bytes) = run.kind else { continue };
        *taken = taken.saturating_add(bytes.len());
        if *taken > MOST_BYTES {
            return;
        }
        let ends = if run.side == Side::Client { (client, server) } else { (server, client) };
        let stream = streams.entry(ends).or_default();
        stream.longest = stream.longest.max(bytes.len() as u64);
        stream.pieces.push(StreamPiece { offset: run.offset, bytes: bytes.into_owned(), frame: run.frame.0 });
    }
}
