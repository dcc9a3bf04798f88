//! Reads the bodies and frames of one row again from the capture.

use std::path::Path;
use std::sync::Arc;

use super::messages::{DetailError, RowDetail};
use super::shard::{Found, Shard};
use crate::capture::FrameFile;
use crate::decode::{Decoder, Outcome};
use crate::model::{Budget, Detail, FrameNo, Payload};
use crate::store::{Record, Snapshot};

/// Frames shown of one exchange.
const FRAMES: usize = 2_000;

/// Reads a row's bodies and frames again: the frames of its flow go the same road as before. `path` is the capture file, or
/// the folder of a live capture. Of an exchange that goes on, what is there. Blocks; call it from a job.
pub fn detail(path: &Path, record: &Record, snapshot: &Snapshot, budget: &Budget) -> Result<RowDetail, DetailError> {
    let exchange = &record.exchange;
    let Some(places) = snapshot.flow_frames(exchange.flow)? else { return Err(DetailError::NotYet) };
    let mut file = FrameFile::open(path, budget)?;
    let mut decoder = Decoder::new(budget);
    let keys = Arc::clone(&snapshot.facts().keys);
    let mut shard = Shard::with_bodies(budget).with_keys(keys);
    let mut detail = RowDetail::default();
    let mut reassembled = Vec::new();
    let mut events = Vec::new();
    let wants_bodies = matches!(exchange.detail, Detail::Http(_));
    let mut found = false;
    for (number, offset) in places {
        let shown = (exchange.first_frame..=exchange.last_frame).contains(&number) && detail.frames.len() < FRAMES;
        if number > exchange.last_frame && (found || !wants_bodies) {
            break;
        }
        let (head, bytes) = file.frame(number, offset)?;
        if wants_bodies && !found {
            reassembled.clear();
            if let Outcome::Unit(unit) = decoder.frame(&head, &bytes, &mut reassembled) {
                let payload = match unit.payload {
                    Payload::InFrame { start, len } => bytes.get(start as usize..(start + len) as usize),
                    Payload::Reassembled { start, len } => reassembled.get(start as usize..(start + len) as usize),
                };
                shard.read_unit(&unit, payload.unwrap_or_default(), &mut events);
                found = take_bodies(&mut events, exchange.ordinal, exchange.first_frame, &mut detail);
            }
        }
        if shown {
            detail.frames.push((head, bytes));
        }
    }
    if wants_bodies && !found {
        shard.finish(&mut events);
        take_bodies(&mut events, exchange.ordinal, exchange.first_frame, &mut detail);
    }
    Ok(detail)
}

/// Keeps the wanted exchange's bodies, drops all others.
fn take_bodies(
    events: &mut Vec<super::shard::Event>,
    ordinal: u32,
    first_frame: FrameNo,
    detail: &mut RowDetail,
) -> bool {
    let mut found = false;
    for event in events.drain(..) {
        if let Found::Exchange(exchange, Some(contents)) = event.found
            && exchange.ordinal == ordinal
            && exchange.first_frame == first_frame
        {
            let some = |body: Vec<u8>| (!body.is_empty()).then_some(body);
            let [request, response] = contents.bodies;
            (detail.request_body, detail.response_body) = (some(request), some(response));
            detail.messages = contents.messages;
            found = true;
        }
    }
    found
}
