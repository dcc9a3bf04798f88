//! What the two ends of one flow said to each other, read again from the capture in the order of its frames.
//!
//! Comes in: a flow of a snapshot. Goes out: its bytes as they were sent, or as keys opened them, with the holes between. Never:
//! a byte that the capture does not hold.

use std::io::{self, Write};

use super::detail::Road;
use super::flow_state::Layer;
use super::messages::DetailError;
use super::shard::Shard;
use crate::capture::{FrameFile, Place};
use crate::model::{Budget, FlowId, FrameNo, Run, RunKind, Side, Timestamp};
use crate::protocols::http::Wanted;
use crate::store::Snapshot;

/// What a chunk costs beside its bytes: a conversation of single bytes must end somewhere.
const CHUNK_COST: usize = 64;

/// What a chunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Bytes, which begin here among those of the conversation.
    Bytes {
        /// Offset of the first one.
        start: usize,
        /// How many.
        len: usize,
    },
    /// So many bytes are missing from the capture; 0 where nobody knows how many.
    Hole(u64),
}

/// What one side said until the other one spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Who.
    pub side: Side,
    /// The frame in which it begins; for a hole, the frame at which that became certain.
    pub frame: FrameNo,
    /// When that frame was captured.
    pub time: Timestamp,
    /// What.
    pub what: What,
}

/// What the two ends of a flow said to each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversation {
    /// All bytes, chunk by chunk.
    pub bytes: Vec<u8>,
    /// The chunks, in the order in which they were complete.
    pub chunks: Vec<Chunk>,
    /// Whether these are the bytes that keys opened, and not those on the wire.
    pub opened: bool,
    /// Whether there is more than is kept.
    pub more: bool,
}

impl Conversation {
    /// A chunk's bytes; none of a hole.
    pub fn bytes_of(&self, chunk: &Chunk) -> &[u8] {
        match chunk.what {
            What::Bytes { start, len } => self.bytes.get(start..start.saturating_add(len)).unwrap_or_default(),
            What::Hole(_) => &[],
        }
    }

    /// Bytes that a side sent, and bytes of it that are missing.
    pub fn counts(&self, side: Side) -> (u64, u64) {
        self.chunks.iter().filter(|chunk| chunk.side == side).fold((0, 0), |(sent, missing), chunk| match chunk.what {
            What::Bytes { len, .. } => (sent + len as u64, missing),
            What::Hole(len) => (sent, missing + len),
        })
    }

    /// Takes a run; whether there was room.
    fn take(&mut self, run: &Run<'_>, most: usize) -> bool {
        let cost = self.bytes.len() + self.chunks.len() * CHUNK_COST;
        let Some(room) = most.checked_sub(cost).filter(|room| *room > CHUNK_COST) else {
            self.more = true;
            return false;
        };
        let (side, frame, time) = (run.side, run.frame, run.time);
        match &run.kind {
            RunKind::Data(bytes) => {
                let fits = bytes.get(..room - CHUNK_COST).unwrap_or(bytes);
                let start = self.bytes.len();
                self.bytes.extend_from_slice(fits);
                match self.chunks.last_mut() {
                    Some(Chunk { side: of, what: What::Bytes { len, .. }, .. }) if *of == side => *len += fits.len(),
                    _ if fits.is_empty() => {}
                    _ => {
                        let what = What::Bytes { start, len: fits.len() };
                        self.chunks.push(Chunk { side, frame, time, what });
                    }
                }
                self.more |= fits.len() < bytes.len();
            }
            RunKind::Gap(len) => match self.chunks.last_mut() {
                Some(Chunk { side: of, what: What::Hole(so_far), .. }) if *of == side && *so_far > 0 && *len > 0 => {
                    *so_far = so_far.saturating_add(*len);
                }
                _ => self.chunks.push(Chunk { side, frame, time, what: What::Hole(*len) }),
            },
            RunKind::End => {}
        }
        !self.more
    }
}

/// Reads what the ends of a flow said, at most [`Budget::conversation_bytes`] of it: what keys opened where they opened
/// anything, else what stands on the wire. Of a flow that goes on,
/// what is there. Blocks; call it from a job.
pub fn conversation(
    place: Place<'_>,
    flow: FlowId,
    snapshot: &Snapshot,
    budget: &Budget,
) -> Result<Conversation, DetailError> {
    let (mut wire, mut opened) = (Conversation::default(), Conversation { opened: true, ..Conversation::default() });
    let most = budget.conversation_bytes;
    let read = each(place, flow, snapshot, budget, |layer, run| {
        let into = if layer == Layer::Opened { &mut opened } else { &mut wire };
        let room = into.take(run, most);
        // What keys open comes with the frames that it is in: where a whole view of the wire had none, there is none.
        let wanted = if opened.chunks.is_empty() { &wire } else { &opened };
        Ok(room || !wanted.more)
    });
    match read {
        Ok(()) => Ok(if opened.chunks.is_empty() { wire } else { opened }),
        Err(Fault::Detail(error)) => Err(error),
        // Nothing is written here.
        Err(Fault::Write(_)) => Ok(wire),
    }
}

/// Why a conversation was not written.
#[derive(Debug)]
pub enum Fault {
    /// It could not be read.
    Detail(DetailError),
    /// It could not be written.
    Write(io::Error),
}

/// Writes the bytes that a side said, or both in their order, without a limit: of what keys opened where `opened`, else of the
/// wire. Holes have no bytes. Gives how many were written. Blocks; call it from a job.
pub fn write_conversation(
    (place, flow): (Place<'_>, FlowId),
    (side, opened): (Option<Side>, bool),
    snapshot: &Snapshot,
    budget: &Budget,
    out: &mut dyn Write,
) -> Result<u64, Fault> {
    let (wanted, mut written) = (if opened { Layer::Opened } else { Layer::Wire }, 0);
    each(place, flow, snapshot, budget, |layer, run| {
        if layer == wanted
            && side.is_none_or(|side| side == run.side)
            && let RunKind::Data(bytes) = &run.kind
        {
            out.write_all(bytes)?;
            written += bytes.len() as u64;
        }
        Ok(true)
    })?;
    Ok(written)
}

/// Hands over what was said, run by run, until `take` wants no more.
fn each(
    place: Place<'_>,
    flow: FlowId,
    snapshot: &Snapshot,
    budget: &Budget,
    mut take: impl FnMut(Layer, &Run<'_>) -> io::Result<bool>,
) -> Result<(), Fault> {
    let places = snapshot.flow_frames(flow).map_err(|error| Fault::Detail(error.into()))?;
    let places = places.ok_or(Fault::Detail(DetailError::NotYet))?;
    let mut file = FrameFile::open(place, budget).map_err(|error| Fault::Detail(error.into()))?;
    let mut road = Road::of(Shard::new(0, 1, Wanted::Exchanges, budget).listening(), snapshot, budget);
    let mut give = |road: &mut Road| {
        road.forget_events();
        for (layer, run) in road.shard.heard() {
            if !take(layer, &run).map_err(Fault::Write)? {
                return Ok(false);
            }
        }
        Ok(true)
    };
    for (number, offset) in places {
        let (head, bytes) = file.frame(number, offset).map_err(|error| Fault::Detail(error.into()))?;
        road.frame(&head, &bytes);
        if !give(&mut road)? {
            return Ok(());
        }
    }
    road.finish();
    give(&mut road)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::path::{Path, PathBuf};

    use super::{Chunk, Conversation, What, conversation, write_conversation};
    use crate::engine::{How, Reading, Source};
    use crate::model::{Budget, FlowId, FrameNo, Run, RunKind, Side, Timestamp};
    use crate::store::Snapshot;

    fn read(name: &str) -> (PathBuf, Snapshot) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures").join(name);
        let budget = Budget::default();
        let mut reading = Reading::open(&Source::File(path.clone()), How::judged(1), &budget).expect("it opens");
        while reading.step().expect("it is read") {}
        (path, reading.snapshot())
    }

    fn first_flow(snapshot: &Snapshot) -> FlowId {
        let (row, _) = snapshot.rows().next().expect("a row");
        snapshot.record(row).expect("its record").exchange.flow
    }

    fn said(name: &str, budget: &Budget) -> Conversation {
        let (path, snapshot) = read(name);
        conversation((&path).into(), first_flow(&snapshot), &snapshot, budget).expect("it is read")
    }

    fn text(conversation: &Conversation, chunk: &Chunk) -> String {
        String::from_utf8_lossy(conversation.bytes_of(chunk)).into_owned()
    }

    #[test]
    fn both_sides_stand_in_their_order() {
        let said = said("http-keep-alive.pcap", &Budget::default());
        let sides: Vec<Side> = said.chunks.iter().map(|chunk| chunk.side).collect();
        let turns = |side: Side| sides.iter().filter(|of| **of == side).count();
        assert!(turns(Side::Client) > 1 && turns(Side::Client) == turns(Side::Server), "{sides:?}");
        for (i, chunk) in said.chunks.iter().enumerate() {
            let want = if i % 2 == 0 { (Side::Client, " HTTP/1.1\r\n") } else { (Side::Server, "HTTP/1.1 ") };
            assert_eq!(chunk.side, want.0);
            assert!(text(&said, chunk).contains(want.1), "{}", text(&said, chunk));
        }
        assert!(said.chunks.windows(2).all(|pair| pair[0].frame < pair[1].frame));
        assert!(!said.more && !said.opened);
    }

    #[test]
    fn a_hole_says_how_large_it_is() {
        let said = said("http-gap.pcap", &Budget::default());
        let holes: Vec<_> = said.chunks.iter().filter(|chunk| matches!(chunk.what, What::Hole(_))).collect();
        assert_eq!(holes.len(), 1, "{:?}", said.chunks);
        let What::Hole(missing) = holes[0].what else { return };
        assert!(missing > 0);
        assert_eq!(said.counts(holes[0].side).1, missing);
    }

    #[test]
    fn what_keys_opened_is_shown_open() {
        for name in ["tls-keys-12.pcapng", "tls-keys-13.pcapng", "quic-keys.pcapng"] {
            let said = said(name, &Budget::default());
            assert!(said.opened, "{name}");
            let all: String = said.chunks.iter().map(|chunk| text(&said, chunk)).collect();
            // QUIC's heads are compressed; what it carried in bodies is not.
            assert!(name.starts_with("quic") || all.contains("HTTP/1.1") || all.contains("HTTP/2.0"), "{name}: {all}");
        }
        assert!(!said("tls-hello.pcap", &Budget::default()).opened);
    }

    #[test]
    fn what_is_over_the_limit_is_left_out_and_said() {
        let whole = said("http-keep-alive.pcap", &Budget::default());
        let most = whole.bytes.len() / 2;
        let part = said("http-keep-alive.pcap", &Budget { conversation_bytes: most, ..Budget::default() });
        assert!(part.more && part.bytes.len() < most && !part.bytes.is_empty());
        assert!(whole.bytes.starts_with(&part.bytes));
    }

    #[test]
    fn saving_writes_one_side_or_both_whole() {
        let (path, snapshot) = read("http-keep-alive.pcap");
        let (flow, little) = (first_flow(&snapshot), Budget { conversation_bytes: 100, ..Budget::default() });
        let whole = conversation((&path).into(), flow, &snapshot, &Budget::default()).expect("it is read");
        let write = |side| {
            let mut out = Vec::new();
            let written = write_conversation(((&path).into(), flow), (side, false), &snapshot, &little, &mut out);
            assert_eq!(written.expect("it is written"), out.len() as u64);
            out
        };
        assert_eq!(write(None), whole.bytes);
        for side in [Side::Client, Side::Server] {
            let chunks = whole.chunks.iter().filter(|chunk| chunk.side == side);
            assert_eq!(write(Some(side)), chunks.flat_map(|chunk| whole.bytes_of(chunk)).copied().collect::<Vec<_>>());
        }
    }

    #[test]
    fn single_bytes_end_somewhere() {
        let mut said = Conversation::default();
        for i in 0..10_000_u64 {
            let side = if i % 2 == 0 { Side::Client } else { Side::Server };
            let kind = RunKind::Data(Cow::Borrowed(b"x".as_slice()));
            let run = Run { side, offset: i / 2, frame: FrameNo(1), time: Timestamp(0), kind };
            if !said.take(&run, 65_000) {
                break;
            }
        }
        assert!(said.more && said.chunks.len() <= 1_000, "{}", said.chunks.len());
    }
}
