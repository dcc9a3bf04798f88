//! The walk over a capture: frames become units, in blocks that travel to the shards.

use std::sync::Arc;
use std::time::Duration;

use crate::capture::{Batch, BatchFrame, CaptureError, CaptureFacts, Counters, Feed, KeyLogFile, Merged, Moment};
use crate::decode::{Decoder, Outcome};
use crate::model::{Budget, FrameHead, FrameNo, KeyLog, Limit, LimitHit, LinkType, Payload, Secret, Timestamp, Unit};

/// After so many frames silent flows are looked for. Counted over the capture, so that the number of shards changes nothing.
const SWEEP_FRAMES: u32 = 65_536;

/// Seconds between two looks that the capturing system's own notes of time set off: they come also on a silent wire.
const SWEEP_SECONDS: i64 = 10;
/// Such looks that are always allowed, and the frames that allow one more: a file of nothing but notes must not cost time.
/// On a wire that stays silent every flow is closed long before.
const SILENT_SWEEPS: u32 = 4_096;
const FRAMES_A_SWEEP: u32 = 64;
/// How long the walk waits for a capture that has nothing new.
const WAIT: Duration = Duration::from_millis(30);

/// A moment of the capture, in the order in which things take effect. It does not depend on how the capture is cut into
/// blocks, so a capture that is followed gives what its file gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp {
    /// The frame.
    pub(super) frame: FrameNo,
    /// What stands between this frame and the next, counted from 1; 0 for the frame itself.
    pub(super) after: u32,
}

impl Stamp {
    /// The end of the capture.
    pub(super) const END: Self = Self { frame: FrameNo(u32::MAX), after: u32::MAX };

    /// A frame.
    pub(super) fn at(frame: FrameNo) -> Self {
        Self { frame, after: 0 }
    }
}

/// A moment to look for silent flows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sweep {
    /// Before this unit of the block.
    pub(super) before_unit: usize,
    /// The capture's clock, as its frames and the capturing system's notes tell it.
    pub(super) now: Timestamp,
    /// What set it off.
    pub(super) stamp: Stamp,
}

/// About a mebibyte of frames with the units found in them; reused.
#[derive(Debug, Default)]
pub(super) struct Block {
    batch: Batch,
    reassembled: Vec<u8>,
    /// Segments and datagrams in frame order.
    pub(super) units: Vec<Unit>,
    /// For each unit, where its frame begins in the batch.
    starts: Vec<u32>,
    /// Earlier frames that brought fragments of a unit: index of the unit, frame, record offset.
    pub(super) earlier: Vec<(usize, FrameNo, u64)>,
    /// Entries of a HAR file, which are no units.
    entries: Vec<BatchFrame>,
    /// When to look for silent flows.
    pub(super) sweeps: Vec<Sweep>,
    /// Units that later frames gave up waiting for: index of the unit, and when that was.
    late: Vec<(usize, Stamp)>,
    /// Key logs as they grew: from this unit on the secrets are these.
    pub(super) keys: Vec<(usize, Arc<KeyLog>)>,
    /// From here on it is known that packets were dropped.
    pub(super) dropped: Option<Stamp>,
}

impl Block {
    /// The captured payload of the unit at `index`.
    pub(super) fn payload(&self, index: usize) -> &[u8] {
        let (Some(unit), Some(base)) = (self.units.get(index), self.starts.get(index)) else { return &[] };
        let (bytes, start, len) = match unit.payload {
            Payload::InFrame { start, len } => (&self.batch.bytes, *base as usize + start as usize, len as usize),
            Payload::Reassembled { start, len } => (&self.reassembled, start as usize, len as usize),
        };
        bytes.get(start..start + len).unwrap_or_default()
    }

    /// The entries of a HAR file with their bytes.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&FrameHead, &[u8])> {
        self.entries.iter().map(|entry| (&entry.head, self.batch.frame(entry)))
    }

    /// When each unit takes effect, in order.
    pub(super) fn stamps(&self) -> impl Iterator<Item = Stamp> + '_ {
        let mut late = self.late.iter().peekable();
        self.units.iter().enumerate().map(move |(index, unit)| {
            late.next_if(|(of, _)| *of == index).map_or_else(|| Stamp::at(unit.frame), |(_, stamp)| *stamp)
        })
    }

    /// Whether nothing was read.
    pub(super) fn is_empty(&self) -> bool {
        self.batch.is_empty() && self.units.is_empty() && self.keys.is_empty()
    }

    fn clear(&mut self) {
        self.late.clear();
        self.entries.clear();
        self.keys.clear();
        self.dropped = None;
        self.reassembled.clear();
        self.units.clear();
        self.starts.clear();
        self.earlier.clear();
        self.sweeps.clear();
    }
}

/// What the walk says of the capture after a block.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) frames: u32,
    /// Earliest and latest frame time.
    pub(super) times: [Option<Timestamp>; 2],
    pub(super) counters: Option<Counters>,
    /// All that is known, where some of it is new.
    pub(super) capture: Option<Box<CaptureFacts>>,
    /// Where the frames come from; empty where it is one file.
    pub(super) merged: Merged,
    pub(super) limits: Vec<LimitHit>,
    pub(super) undecoded: u64,
    pub(super) other: u64,
    pub(super) clock_steps: u64,
    pub(super) position: (u64, Option<u64>),
    pub(super) keys: Arc<KeyLog>,
}

/// Reads and decodes.
#[derive(Debug)]
pub(super) struct Walker {
    pub(super) reader: Feed,
    decoder: Decoder,
    /// The secrets that are there by now.
    pub(super) keys: Arc<KeyLog>,
    /// The key log that the user named, while it is followed.
    key_file: Option<KeyLogFile>,
    /// The secrets were not yet told.
    fresh_keys: bool,
    clock: Timestamp,
    /// What was seen last.
    last: Stamp,
    /// The clock at the last look for silent flows.
    swept: Timestamp,
    silent_sweeps: u32,
    dropped: bool,
    /// The capture grows: what is new of it is told as it comes.
    follows: bool,
    /// How long the lists of the facts were when they were told.
    told: [usize; 6],
    /// Frames whose link type or headers are not understood.
    pub(super) undecoded_frames: u64,
    /// Frames understood that carry neither TCP nor UDP.
    pub(super) other_frames: u64,
    /// How often the capturing system's clock was set back.
    pub(super) clock_steps: u64,
}

impl Walker {
    pub(super) fn new(reader: Feed, follows: bool, budget: &Budget) -> Self {
        Self {
            reader,
            decoder: Decoder::new(budget),
            keys: Arc::new(KeyLog::new(budget.secret_bytes)),
            key_file: None,
            fresh_keys: false,
            clock: Timestamp(i64::MIN),
            last: Stamp::default(),
            swept: Timestamp(i64::MIN),
            silent_sweeps: SILENT_SWEEPS,
            dropped: false,
            follows,
            told: [0; 6],
            undecoded_frames: 0,
            other_frames: 0,
            clock_steps: 0,
        }
    }

    /// Takes the secrets that were read of a key log; while the capture grows, those too that are written to it later.
    pub(super) fn with_keys(mut self, mut file: KeyLogFile, mut keys: KeyLog) -> Self {
        if self.follows {
            keys.growing = true;
            self.key_file = Some(file);
        } else {
            file.finish(&mut keys);
        }
        self.keys = Arc::new(keys);
        self.fresh_keys = true;
        self
    }

    /// Takes what the key log has grown by. One that can no longer be read gives nothing more, which its counts say; what it
    /// gave stays.
    fn follow_keys(&mut self, block: &mut Block) {
        if let Some(file) = &mut self.key_file {
            let keys = Arc::make_mut(&mut self.keys);
            match file.read_new(keys) {
                Ok(news) => self.fresh_keys |= news,
                Err(_told_by_its_counts) => {
                    keys.break_off();
                    self.fresh_keys = true;
                    self.key_file = None;
                }
            }
        }
        if std::mem::take(&mut self.fresh_keys) {
            block.keys.push((block.units.len(), Arc::clone(&self.keys)));
        }
    }

    /// Fills `block` with the next frames; `false` at the end. A capture that grows and has nothing new is waited for, not
    /// longer than `WAIT`; then the block stays empty.
    pub(super) fn next(&mut self, block: &mut Block) -> Result<bool, CaptureError> {
        block.clear();
        self.follow_keys(block);
        let mut more = self.reader.next_batch(&mut block.batch)?;
        if more && block.batch.is_empty() {
            self.reader.wait(WAIT);
            more = self.reader.next_batch(&mut block.batch)?;
        }
        // Taken out, so that the block can be written to.
        let batch = std::mem::take(&mut block.batch);
        let mut moments = batch.moments.iter().peekable();
        let mut secrets = batch.secrets.iter().peekable();
        for (index, frame) in batch.frames.iter().enumerate() {
            while let Some((_, text)) = secrets.next_if(|(before, _)| *before <= index) {
                self.secrets(text, block);
            }
            while let Some(moment) = moments.next_if(|m| m.before_frame <= index) {
                self.moment(moment, block);
            }
            self.frame(frame, batch.frame(frame), block);
        }
        for (_, text) in secrets {
            self.secrets(text, block);
        }
        for moment in moments {
            self.moment(moment, block);
        }
        block.batch = batch;
        if !more {
            // What was written between the last frame and the end, and a last line without an end, count too.
            self.follow_keys(block);
            if let Some(mut file) = self.key_file.take() {
                file.finish(Arc::make_mut(&mut self.keys));
                block.keys.push((block.units.len(), Arc::clone(&self.keys)));
            }
            self.decoder.finish();
            self.given_up(Stamp { frame: FrameNo(u32::MAX), after: 0 }, block);
        }
        Ok(more)
    }

    /// The capture itself brought a key log; it may bring more.
    fn secrets(&mut self, text: &Secret, block: &mut Block) {
        let keys = Arc::make_mut(&mut self.keys);
        keys.read(text.expose());
        keys.growing = true;
        block.keys.push((block.units.len(), Arc::clone(&self.keys)));
    }

    #[inline]
    fn frame(&mut self, frame: &BatchFrame, bytes: &[u8], block: &mut Block) {
        if frame.head.link == LinkType::HAR_ENTRY {
            return block.entries.push(*frame);
        }
        let number = frame.head.number;
        self.clock_steps += u64::from(self.clock.follow(frame.head.time));
        self.last = Stamp::at(number);
        if number.0.is_multiple_of(SWEEP_FRAMES) {
            self.silent_sweeps = self.silent_sweeps.saturating_add(SWEEP_FRAMES / FRAMES_A_SWEEP);
            self.sweep(block);
        }
        match self.decoder.frame(&frame.head, bytes, &mut block.reassembled) {
            Outcome::Unit(unit) => {
                if matches!(unit.payload, Payload::Reassembled { .. }) {
                    let index = block.units.len();
                    let earlier = self.decoder.earlier_fragments();
                    block.earlier.extend(earlier.iter().map(|(frame, offset)| (index, *frame, *offset)));
                }
                block.units.push(unit);
                block.starts.push(frame.start);
            }
            Outcome::Fragment => {}
            Outcome::Other => self.other_frames += 1,
            Outcome::Undecoded => self.undecoded_frames += 1,
        }
        self.given_up(self.last, block);
    }

    /// The capturing system noted the time.
    fn moment(&mut self, moment: &Moment, block: &mut Block) {
        self.last.after = self.last.after.saturating_add(1);
        if moment.dropped && !self.dropped {
            self.dropped = true;
            block.dropped = Some(self.last);
        }
        // Only forwards: where its clock was set back, frames will tell.
        self.clock = self.clock.max(moment.time);
        let due = self.clock.nanos_since(self.swept) >= SWEEP_SECONDS * 1_000_000_000 || self.clock < self.swept;
        if due && self.silent_sweeps > 0 {
            self.silent_sweeps -= 1;
            self.sweep(block);
        }
    }

    fn sweep(&mut self, block: &mut Block) {
        self.swept = self.clock;
        block.sweeps.push(Sweep { before_unit: block.units.len(), now: self.clock, stamp: self.last });
    }

    /// Takes what is there of datagrams whose other fragments are not waited for any more.
    #[inline]
    fn given_up(&mut self, stamp: Stamp, block: &mut Block) {
        while let Some(unit) = self.decoder.given_up(&mut block.reassembled) {
            block.late.push((block.units.len(), stamp));
            block.units.push(unit);
            block.starts.push(0);
        }
    }

    /// What is to be said of the capture so far.
    pub(super) fn said(&mut self) -> Said {
        let facts = self.reader.facts();
        let lists = [
            facts.interfaces.len(),
            facts.comments.len(),
            facts.names.len(),
            facts.skipped.len(),
            facts.link_types.len(),
            facts.sections as usize,
        ];
        // Their texts may be long: told when there are new ones, and in a file at its end.
        let new = self.follows && lists != self.told;
        self.told = lists;
        Said {
            frames: facts.frames,
            times: [facts.first_time, facts.last_time],
            counters: facts.counters,
            capture: new.then(|| Box::new(facts.clone())),
            merged: facts.merged.clone(),
            limits: self.limits(),
            undecoded: self.undecoded_frames,
            other: self.other_frames,
            clock_steps: self.clock_steps,
            position: self.reader.position(),
            keys: Arc::clone(&self.keys),
        }
    }

    /// Limits reached by reading and decoding.
    pub(super) fn limits(&self) -> Vec<LimitHit> {
        let mut limits = self.reader.facts().limits.clone();
        limits.extend(self.decoder.limits());
        let over = self.keys.counts().over;
        if over > 0 {
            limits.push(LimitHit { limit: Limit::SecretBytes, count: over, first_frame: FrameNo(0) });
        }
        limits
    }
}
