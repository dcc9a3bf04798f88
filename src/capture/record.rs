//! The live capture: an interface is opened, the rights for that are given away, and its frames are written as pcapng.
//!
//! Comes in: an [`Order`] and a [`StopSign`]. Goes out: whole blocks, on their way to the file within 50 ms of their frames,
//! and once a second the counters, also when the wire is silent. Never: a look into a frame, memory that grows, a wait for
//! anybody who reads what was written (bar a pipe's reader), a drop that is not counted.

use core::time::Duration;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use pcap::{Active, Capture, Packet, Precision};

use super::bpf::{check_filter, dlt};
use super::confine::{Writable, confine};
use super::output::{Output, Series, Target, WriteFault, is_device};
use super::record_error::{RecordError, plain};
use super::stop::StopSign;
use super::write::{self, InterfaceBlock, Statistics};
use crate::model::{LinkType, Timestamp, clean, clean_to};

/// The kernel hands over a block of frames after so long, full or not. Immediate mode would lose frames: it makes libpcap
/// take slots as long as the snap length.
const BLOCK_TIMER_MILLIS: i32 = 50;

/// Frames taken from libpcap before anything else is looked at.
const BATCH: usize = 4096;

/// Bytes of blocks that are written as soon as there are so many.
const FLUSH_AT: usize = 1 << 20;

/// How often the counters are written.
const STATISTICS_EVERY: Duration = Duration::from_secs(1);

/// How long libpcap is left alone: it notices that an interface has gone only when it is asked.
const LONGEST_WAIT: Duration = Duration::from_millis(200);

/// After a stop: frames that came before it are handed over by then, two turns of the block timer.
const LAST_FRAMES: Duration = Duration::from_millis(110);

/// After a stop: under a flood the end must come all the same.
const LAST_FRAMES_AT_MOST: Duration = Duration::from_millis(400);

/// What to capture, and where to write it.
#[derive(Clone, Debug)]
pub struct Order {
    /// The interface's name.
    pub device: String,
    /// The capture filter; empty takes everything.
    pub filter: String,
    /// Whether the interface hands on frames for others too.
    pub promiscuous: bool,
    /// Bytes kept of each frame.
    pub snap_len: u32,
    /// The kernel's buffer in mebibytes.
    pub buffer_mib: u32,
    /// Where to write.
    pub target: Target,
    /// Whether a file that is there may be replaced.
    pub overwrite: bool,
    /// When the capture ends by itself.
    pub stop_at: Limits,
    /// When the next file is begun, and how many are kept; `None` writes one file.
    pub next_at: Option<Limits>,
}

/// Limits as dumpcap's `-a` and `-b` set them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Time since the start, or since the file was begun.
    pub duration: Option<Duration>,
    /// Size in kB (1,000 bytes).
    pub kilobytes: Option<u64>,
    /// Frames.
    pub frames: Option<u64>,
    /// Files written before the end, or kept in a ring.
    pub files: Option<u32>,
}

impl Limits {
    fn reached(&self, frames: u64, bytes: u64) -> bool {
        self.frames.is_some_and(|most| frames >= most) || self.kilobytes.is_some_and(|most| bytes / 1_000 >= most)
    }
}

/// What has been captured so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Frames written.
    pub written: u64,
    /// Frames that passed the filter, as the kernel counts; on `lo` it counts each twice.
    pub received: u64,
    /// Of them dropped by the kernel.
    pub dropped: u64,
    /// Dropped by the interface or its driver.
    pub interface_dropped: u64,
    /// Files begun.
    pub files: u32,
}

/// What came of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The capture goes on.
    Going,
    /// It goes on, and another second has passed.
    Second,
    /// It has ended; what was written is whole.
    Ended(Ending),
}

/// Why a capture ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was told to, or a limit was reached.
    Asked,
    /// Nobody reads the pipe any more.
    ReaderGone,
    /// Something went wrong.
    Early(String),
}

/// An interface that is open, and nothing has been read from.
#[expect(missing_debug_implementations, reason = "libpcap's handle has none")]
pub struct OpenDevice {
    capture: Capture<Active>,
    /// Whether times are in nanoseconds.
    nanos: bool,
    /// The link type of its frames, by its number in files.
    pub link: LinkType,
    /// Whether it was to be promiscuous and cannot.
    pub promiscuous_refused: bool,
}

impl OpenDevice {
    /// Opens an interface with its filter in place. This needs rights; nothing after it does.
    pub fn open(order: &Order) -> Result<Self, RecordError> {
        let device = order.device.as_str();
        // libpcap takes other precisions than microseconds only from network interfaces, and does not say which it took.
        let nanos = cfg!(target_os = "linux") && (device == "any" || nix::net::if_::if_nametoindex(device).is_ok());
        let activate = |promiscuous: bool| {
            Capture::from_device(device).and_then(|capture| {
                let bytes = order.buffer_mib.clamp(1, 2_047).saturating_mul(1 << 20);
                capture
                    .promisc(promiscuous)
                    .snaplen(i32::try_from(order.snap_len).unwrap_or(i32::MAX))
                    .timeout(BLOCK_TIMER_MILLIS)
                    .buffer_size(i32::try_from(bytes).unwrap_or(i32::MAX))
                    .precision(if nanos { Precision::Nano } else { Precision::Micro })
                    .open()
            })
        };
        // `any` cannot be promiscuous: libpcap warns, which the crate takes for an error.
        let wanted = order.promiscuous && device != "any";
        let mut promiscuous_refused = order.promiscuous && !wanted;
        let opened = match activate(wanted) {
            Err(_warning) if wanted => {
                promiscuous_refused = true;
                activate(false)
            }
            other => other,
        };
        let mut capture = opened.map_err(|error| RecordError::opening(device, &error))?;
        let link = in_files(capture.get_datalink().0);
        check_filter(&order.filter, link).map_err(|fault| RecordError::Filter { text: order.filter.clone(), fault })?;
        let other = |error: pcap::Error| RecordError::Open {
            device: clean(device.as_bytes()).into_owned(),
            why: clean_to(plain(&error).as_bytes(), 300).into_owned(),
        };
        if !order.filter.trim().is_empty() {
            capture.filter(&order.filter, true).map_err(other)?;
        }
        let capture = capture.setnonblock().map_err(other)?;
        Ok(Self { capture, nanos, link, promiscuous_refused })
    }
}

/// The number in files of a link type that libpcap gave its own number.
fn in_files(number: i32) -> LinkType {
    if number == dlt(LinkType::RAW) {
        return LinkType::RAW;
    }
    u16::try_from(number).map_or(LinkType(u16::MAX), LinkType)
}

/// A capture under way.
#[expect(missing_debug_implementations, reason = "libpcap's handle has none")]
pub struct Recording {
    capture: Capture<Active>,
    pen: Pen,
    counters: [Counter; 3],
    begun: Instant,
    next_statistics: Instant,
    /// When a stop was asked for.
    stopping: Option<Instant>,
    /// Whether libpcap may have more at hand.
    busy: bool,
    device: String,
}

impl Recording {
    /// Gives away all rights, opens the output, and writes the heads of the file. Frames can come from here on. To be called
    /// before any thread is started.
    pub fn begin(open: OpenDevice, order: &Order, stop: StopSign) -> Result<Self, RecordError> {
        let writable = match &order.target {
            Target::Stdout => Writable::Nothing,
            Target::File(path) => {
                let kind = std::fs::metadata(path).map(|there| there.file_type()).ok();
                match path.parent() {
                    _ if kind.is_some_and(is_device) => Writable::Device(path),
                    Some(folder) if !folder.as_os_str().is_empty() => Writable::Folder(folder),
                    _ => Writable::Folder(Path::new(".")),
                }
            }
        };
        confine(writable).map_err(RecordError::Confine)?;
        let mut series = match (&order.target, order.next_at) {
            (Target::File(path), Some(limits)) => {
                Some(Series::new(path.clone(), limits.files.and_then(|files| usize::try_from(files).ok())))
            }
            _ => None,
        };
        let out = match (&order.target, &mut series) {
            (Target::Stdout, _) => {
                Output::stdout().map_err(|error| format!("cannot write on standard output: {error}"))
            }
            (Target::File(_), Some(series)) => Output::create(&series.next(wall_time()), order.overwrite),
            (Target::File(path), None) => Output::create(path, order.overwrite),
        }
        .map_err(RecordError::Output)?;
        let interface = InterfaceBlock {
            name: order.device.clone(),
            link: open.link,
            snap_len: order.snap_len,
            nanos: open.nanos,
            filter: order.filter.clone(),
        };
        let now = clock();
        let mut pen = Pen {
            out,
            stop,
            series,
            overwrite: order.overwrite,
            interface,
            blocks: Vec::with_capacity(FLUSH_AT.saturating_add(FLUSH_AT >> 1)),
            stop_at: order.stop_at,
            next_at: order.next_at.unwrap_or_default(),
            frames: 0,
            pending: 0,
            bytes: 0,
            section: Section { begun: now, begun_wall: 0, frames: 0, base: [0; 3] },
            totals: [0; 3],
            ended: None,
        };
        pen.head(now);
        pen.flush();
        match pen.ended.take() {
            Some(Ending::Early(why)) => return Err(RecordError::Output(why)),
            ended => pen.ended = ended,
        }
        Ok(Self {
            capture: open.capture,
            pen,
            counters: [Counter::default(); 3],
            begun: now,
            next_statistics: now.checked_add(STATISTICS_EVERY).unwrap_or(now),
            stopping: None,
            busy: false,
            device: clean(order.device.as_bytes()).into_owned(),
        })
    }

    /// Waits at most 200 ms for frames, takes what there is and writes it.
    pub fn step(&mut self) -> Turn {
        if !self.busy {
            self.wait();
        }
        let mut now = clock();
        if self.stopping.is_none()
            && (self.pen.stop.asked()
                || self.pen.stop_at.duration.is_some_and(|most| now.duration_since(self.begun) >= most))
        {
            self.stopping = Some(now);
        }
        let left = self.pen.stop_at.frames.map_or(u64::MAX, |most| most.saturating_sub(self.pen.frames));
        let batch = usize::try_from(left).unwrap_or(BATCH).clamp(1, BATCH);
        let pen = &mut self.pen;
        let taken = self.capture.dispatch(Some(batch), |packet| pen.frame(&packet));
        self.busy = matches!(taken, Ok(count) if count >= batch);
        if let Err(error) = &taken
            && self.pen.ended.is_none()
        {
            self.pen.ended = Some(Ending::Early(self.why(error)));
        }
        if !self.busy || self.pen.blocks.len() >= FLUSH_AT >> 2 {
            self.pen.flush();
        }
        now = clock();
        let mut second = false;
        if now >= self.next_statistics {
            second = true;
            self.count();
            self.pen.statistics();
            self.pen.flush();
            // After a standstill of the machine no missed second is made up for.
            self.next_statistics = now.checked_add(STATISTICS_EVERY).unwrap_or(now);
        }
        if self.pen.next_at.duration.is_some_and(|most| now.duration_since(self.pen.section.begun) >= most) {
            self.pen.next_file();
        }
        if let Some(since) = self.stopping
            && self.pen.ended.is_none()
        {
            let passed = now.duration_since(since);
            if passed >= LAST_FRAMES_AT_MOST || (!self.busy && passed >= LAST_FRAMES) {
                self.pen.ended = Some(Ending::Asked);
            }
        }
        if self.pen.ended.is_some() {
            return Turn::Ended(self.end());
        }
        if second { Turn::Second } else { Turn::Going }
    }

    /// What has been captured so far.
    pub fn tally(&self) -> Tally {
        let [received, dropped, interface_dropped] = self.pen.totals;
        Tally {
            written: self.pen.frames.saturating_sub(self.pen.pending),
            received,
            dropped,
            interface_dropped,
            files: self.pen.series.as_ref().map_or(1, |series| series.count),
        }
    }

    /// The counters for the last time.
    fn end(&mut self) -> Ending {
        self.count();
        let ended = self.pen.ended.take().unwrap_or(Ending::Asked);
        // A disk that is full, or a reader that is gone, takes nothing more.
        if !self.pen.out_of_order() {
            self.pen.out.last_words = true;
            self.pen.statistics();
            self.pen.flush();
        }
        match self.pen.ended.take() {
            Some(later) if ended == Ending::Asked => later,
            _ => ended,
        }
    }

    /// Waits for frames or a stop.
    fn wait(&self) {
        let now = clock();
        let mut longest = LONGEST_WAIT.min(self.next_statistics.saturating_duration_since(now));
        let ends = [
            self.pen.stop_at.duration.map(|most| (self.begun, most)),
            self.pen.next_at.duration.map(|most| (self.pen.section.begun, most)),
            self.stopping.map(|since| (since, LAST_FRAMES)),
        ];
        for (since, most) in ends.into_iter().flatten() {
            longest = longest.min(most.saturating_sub(now.duration_since(since)));
        }
        // Rounded up: a wait of 0.4 ms must not become a busy loop.
        let millis = u16::try_from(longest.as_micros().div_ceil(1_000)).unwrap_or(u16::MAX);
        let mut wait = vec![PollFd::new(self.capture.as_fd(), PollFlags::POLLIN)];
        if self.stopping.is_none() {
            wait.extend(self.pen.stop.descriptors().map(|one| PollFd::new(one, PollFlags::POLLIN)));
        }
        // An interrupted wait is a signal, which is looked for next.
        let _interrupted = poll(&mut wait, PollTimeout::from(millis));
        // An error at the interface that libpcap does not take away must not make this loop hot.
        if wait
            .first()
            .and_then(PollFd::revents)
            .is_some_and(|seen| !seen.is_empty() && !seen.contains(PollFlags::POLLIN))
        {
            let _slept = poll(&mut [], PollTimeout::from(20_u8));
        }
    }

    /// Reads libpcap's counters, which are 32 bits wide and wrap.
    fn count(&mut self) {
        // An interface that is gone has no counters any more: those read last stay.
        let Ok(stat) = self.capture.stats() else { return };
        for (counter, seen) in self.counters.iter_mut().zip([stat.received, stat.dropped, stat.if_dropped]) {
            counter.see(seen);
        }
        self.pen.totals = self.counters.map(|counter| counter.total);
    }

    fn why(&self, error: &pcap::Error) -> String {
        let text = plain(error);
        let kept = self.pen.frames;
        match text.as_str() {
            _ if text.to_ascii_lowercase().contains("disappeared") => {
                format!("the interface disappeared: {}; {kept} frames were kept", self.device)
            }
            "" => format!(
                "the capture on {} ended for a reason that libpcap does not give; {kept} frames were kept",
                self.device
            ),
            other => {
                format!(
                    "the capture on {} ended: {}; {kept} frames were kept",
                    self.device,
                    clean_to(other.as_bytes(), 300)
                )
            }
        }
    }
}

/// A counter that wraps, and what it would be if it did not.
#[derive(Clone, Copy, Debug, Default)]
struct Counter {
    last: u32,
    total: u64,
}

impl Counter {
    fn see(&mut self, now: u32) {
        self.total = self.total.saturating_add(u64::from(now.wrapping_sub(self.last)));
        self.last = now;
    }
}

/// What holds since the head of the file.
#[derive(Debug)]
struct Section {
    begun: Instant,
    /// The same in the units of the interface since 1970.
    begun_wall: u64,
    frames: u64,
    /// The counters as they stood then.
    base: [u64; 3],
}

/// Writes frames, and knows when to stop or to begin another file.
#[derive(Debug)]
struct Pen {
    out: Output,
    stop: StopSign,
    series: Option<Series>,
    overwrite: bool,
    interface: InterfaceBlock,
    /// Whole blocks that are not written yet.
    blocks: Vec<u8>,
    stop_at: Limits,
    next_at: Limits,
    /// Frames in all, those in `blocks` included.
    frames: u64,
    /// Frames in `blocks`.
    pending: u64,
    /// Bytes of the file, those in `blocks` included.
    bytes: u64,
    section: Section,
    /// Received, dropped by the kernel, by the interface: as last read.
    totals: [u64; 3],
    ended: Option<Ending>,
}

impl Pen {
    /// Called for each frame; does as little as it can.
    fn frame(&mut self, packet: &Packet<'_>) {
        if self.ended.is_some() {
            return;
        }
        let header = packet.header;
        let unit = if self.interface.nanos { 1_000_000_000 } else { 1_000_000 };
        let time = u64::try_from(header.ts.tv_sec)
            .unwrap_or(0)
            .saturating_mul(unit)
            .saturating_add(u64::try_from(header.ts.tv_usec).unwrap_or(0));
        let len = write::frame(&mut self.blocks, time, packet.data, header.len);
        self.bytes = self.bytes.saturating_add(len);
        self.frames = self.frames.saturating_add(1);
        self.pending = self.pending.saturating_add(1);
        self.section.frames = self.section.frames.saturating_add(1);
        if self.blocks.len() >= FLUSH_AT {
            self.flush();
        }
        let one_file = self.series.is_none();
        if self.stop_at.frames.is_some_and(|most| self.frames >= most)
            || (one_file && self.stop_at.kilobytes.is_some_and(|most| self.bytes / 1_000 >= most))
        {
            self.ended.get_or_insert(Ending::Asked);
        } else if !one_file && self.next_at.reached(self.section.frames, self.bytes) {
            self.next_file();
        }
    }

    /// Begins a section.
    fn head(&mut self, now: Instant) {
        let begun_wall = self.wall();
        self.section = Section { begun: now, begun_wall, frames: 0, base: self.totals };
        write::section_header(&mut self.blocks, "");
        write::interface(&mut self.blocks, &self.interface);
        self.bytes = u64::try_from(self.blocks.len()).unwrap_or(u64::MAX);
    }

    /// Appends the counters since the section began.
    fn statistics(&mut self) {
        let since = |at: usize| {
            let total = self.totals.get(at).copied().unwrap_or(0);
            total.saturating_sub(self.section.base.get(at).copied().unwrap_or(0))
        };
        let counted = Statistics {
            begun: self.section.begun_wall,
            now: self.wall(),
            received: since(0),
            dropped: since(1),
            interface_dropped: since(2),
            written: self.section.frames,
        };
        let before = self.blocks.len();
        write::statistics(&mut self.blocks, &counted);
        let len = self.blocks.len().saturating_sub(before);
        self.bytes = self.bytes.saturating_add(u64::try_from(len).unwrap_or(0));
    }

    /// Ends this file and begins the next; or ends the capture where there were enough. The counters are those read last:
    /// what was dropped since counts for the next file, and in sum nothing is lost.
    fn next_file(&mut self) {
        self.statistics();
        self.flush();
        let Some(series) = &mut self.series else { return };
        if self.ended.is_some() {
            return;
        }
        if self.stop_at.files.is_some_and(|most| series.count >= most) {
            self.ended = Some(Ending::Asked);
            return;
        }
        match Output::create(&series.next(wall_time()), self.overwrite) {
            Ok(out) => self.out = out,
            Err(why) => {
                self.ended = Some(Ending::Early(format!("cannot begin the next file: {why}")));
                return;
            }
        }
        if let Some(why) = series.drop_oldest() {
            self.ended = Some(Ending::Early(why));
        }
        self.head(clock());
        self.flush();
    }

    /// Writes what is waiting.
    fn flush(&mut self) {
        if self.blocks.is_empty() || self.out_of_order() {
            self.blocks.clear();
            return;
        }
        match self.out.write(&self.blocks, &mut self.stop) {
            Ok(()) => self.pending = 0,
            Err(unwritten) => {
                let lost = self.pending.saturating_sub(unwritten.frames);
                self.frames = self.frames.saturating_sub(lost);
                self.section.frames = self.section.frames.saturating_sub(lost);
                self.pending = 0;
                let kept = self.frames;
                self.ended = Some(match unwritten.fault {
                    WriteFault::ReaderGone => Ending::ReaderGone,
                    WriteFault::Other(why) => Ending::Early(format!("{why}; {kept} frames were kept")),
                });
                self.out.broken = !unwritten.room;
            }
        }
        self.blocks.clear();
    }

    /// Whether nothing more can be written.
    fn out_of_order(&self) -> bool {
        self.out.broken
    }

    /// The time of the day in the units of the interface since 1970.
    fn wall(&self) -> u64 {
        let nanos = u64::try_from(wall_time().0).unwrap_or(0);
        if self.interface.nanos { nanos } else { nanos / 1_000 }
    }
}

/// A clock that only goes forward.
#[expect(clippy::disallowed_methods, reason = "a live capture measures time that passes without frames")]
pub(super) fn clock() -> Instant {
    Instant::now()
}

/// The time of the day.
#[expect(clippy::disallowed_methods, reason = "a live capture says when its counters were read")]
fn wall_time() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_go_on_when_they_wrap() {
        let mut counter = Counter::default();
        for (seen, want) in [(5, 5), (u32::MAX, u64::from(u32::MAX)), (3, u64::from(u32::MAX) + 4)] {
            counter.see(seen);
            assert_eq!(counter.total, want);
        }
    }

    #[test]
    fn link_types_have_other_numbers_in_files() {
        assert_eq!(in_files(1), LinkType::ETHERNET);
        assert_eq!(in_files(12), LinkType::RAW);
        assert_eq!(in_files(113), LinkType::LINUX_SLL);
    }
}
