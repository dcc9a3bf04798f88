//! Follows every capture of `tests/captures` while it is written in pieces, as a live capture is: at the end there must be
//! what reading the file gives, byte for byte, and no row may stay open.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test program: what cannot be read is a failed test")]

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crossbeam_channel::bounded;
use nephoscope::capture::{FrameFile, Spool};
use nephoscope::engine::{self, Command as Order, How, Notice, OpenNo, Reading, Source, detail};
use nephoscope::export::{Listing, write_jsonl};
use nephoscope::model::Budget;
use nephoscope::store::Snapshot;
use serde_json::Value;

/// `SplitMix64` (public domain, Vigna 2015): small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_string_lossy().contains(".pcap"));
    paths.sort();
    assert!(paths.len() >= 60, "the captures are missing: run make captures");
    paths
}

/// The list as it is printed, without what the capture's file alone has.
fn listed(snapshot: &Snapshot) -> Vec<String> {
    let mut text = Vec::new();
    write_jsonl(&Listing::all(snapshot), 1, &mut text).unwrap();
    let mut lines: Vec<String> = String::from_utf8(text).unwrap().lines().map(str::to_owned).collect();
    let mut head: Value = serde_json::from_str(&lines[0]).unwrap();
    let head_fields = head.as_object_mut().unwrap();
    head_fields.remove("file");
    head_fields.remove("sha256");
    lines[0] = head.to_string();
    lines
}

fn of_file(path: &Path) -> Option<Snapshot> {
    let mut reading = Reading::open(&Source::File(path.to_owned()), How::judged(1), &Budget::default()).ok()?;
    while reading.step().ok()? {}
    Some(reading.snapshot())
}

/// What following the bytes in random pieces gives.
fn followed(bytes: &[u8], random: &mut Random, threads: usize) -> Snapshot {
    let folder = tempfile::tempdir().unwrap();
    let (growing, is_growing) = bounded(0);
    let spool = Spool { folder: folder.path().to_owned(), growing: is_growing, owners: None };
    let mut reading = Reading::open(&Source::Live(spool), How::judged(threads), &Budget::default()).unwrap();
    let path = folder.path().join("frames.pcapng");
    let mut file = None;
    let mut rest = bytes;
    // Some pieces, of which most cut a record. A look at nothing new takes 30 ms, so they are few.
    let usual = bytes.len() / 6 + 1;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at((1 + random.below(usual * 2)).min(rest.len()));
        file.get_or_insert_with(|| File::create(&path).unwrap()).write_all(piece).unwrap();
        rest = after;
        assert!(reading.step().unwrap(), "the reading ends before the capture");
        if random.below(4) == 0 {
            reading.snapshot();
        }
    }
    drop(growing);
    while reading.step().unwrap() {}
    reading.snapshot()
}

#[track_caller]
fn same(name: &str, want: &Snapshot, got: &Snapshot) {
    assert_eq!(got.rows().filter(|(_, row)| row.is_open()).count(), 0, "{name}: rows stay open");
    assert_eq!(got.len(), want.len(), "{name}: number of rows");
    for (want, got) in listed(want).iter().zip(listed(got)) {
        assert_eq!(got, *want, "{name}");
    }
    assert_eq!(got.providers(), want.providers(), "{name}");
    assert_eq!(format!("{:?}", got.findings()), format!("{:?}", want.findings()), "{name}");
}

#[test]
fn followed_captures_give_what_their_files_give() {
    for path in captures() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(want) = of_file(&path) else { continue };
        let bytes = fs::read(&path).unwrap();
        for (seed, threads) in [(1, 1), (2, 2)] {
            let got = followed(&bytes, &mut Random(seed), threads);
            same(&name, &want, &got);
        }
    }
}

#[test]
fn damaged_captures_give_what_their_files_give() {
    let mut random = Random(7);
    let seeds: Vec<Vec<u8>> = captures().iter().map(|path| fs::read(path).unwrap()).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.pcap");
    for number in 0..60 {
        let mut bytes = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(6) {
            if bytes.is_empty() {
                break;
            }
            let at = random.below(bytes.len());
            match random.below(3) {
                0 => bytes[at] ^= 1 << random.below(8),
                1 => drop(bytes.drain(at..(at + random.below(80)).min(bytes.len()))),
                _ => {
                    let copy = bytes[at..(at + random.below(400)).min(bytes.len())].to_vec();
                    drop(bytes.splice(at..at, copy));
                }
            }
        }
        fs::write(&path, &bytes).unwrap();
        let Some(want) = of_file(&path) else { continue };
        let got = followed(&bytes, &mut random, 1);
        same(&format!("damaged capture {number}"), &want, &got);
    }
}

/// The frames of a classic little-endian pcap: seconds, microseconds, bytes.
fn frames_of(pcap: &[u8]) -> Vec<(u32, u32, Vec<u8>)> {
    let number = |at: usize| u32::from_le_bytes(pcap[at..at + 4].try_into().unwrap());
    let (mut at, mut frames) = (24, Vec::new());
    while at + 16 <= pcap.len() {
        let len = usize::try_from(number(at + 8)).unwrap();
        frames.push((number(at), number(at + 4), pcap[at + 16..at + 16 + len].to_vec()));
        at += 16 + len;
    }
    frames
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let len = u32::try_from(padded + 12).unwrap().to_le_bytes();
    let mut block = [&kind.to_le_bytes(), &len[..], body].concat();
    block.resize(8 + padded, 0);
    block.extend(len);
    block
}

/// A section header and an Ethernet interface.
fn file_head() -> Vec<u8> {
    let section = [&0x1A2B_3C4D_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xFF; 8]].concat();
    [block(0x0A0D_0D0A, &section), block(1, &[1, 0, 0, 0, 0, 0, 4, 0])].concat()
}

fn frame_block((seconds, micros, bytes): &(u32, u32, Vec<u8>)) -> Vec<u8> {
    let units = u64::from(*seconds) * 1_000_000 + u64::from(*micros);
    let len = u32::try_from(bytes.len()).unwrap();
    let mut body = Vec::new();
    for value in [0, u32::try_from(units >> 32).unwrap(), u32::try_from(units & 0xFFFF_FFFF).unwrap(), len, len] {
        body.extend(value.to_le_bytes());
    }
    body.extend(bytes);
    block(6, &body)
}

/// A statistics block of interface 0 at that second: packets received, and dropped by the kernel.
fn statistics(seconds: u32, received: u64, dropped: u64) -> Vec<u8> {
    let units = u64::from(seconds) * 1_000_000;
    let mut body = Vec::new();
    for value in [0, u32::try_from(units >> 32).unwrap(), u32::try_from(units & 0xFFFF_FFFF).unwrap()] {
        body.extend(value.to_le_bytes());
    }
    for (code, value) in [(4_u16, received), (7, dropped)] {
        body.extend(code.to_le_bytes());
        body.extend([8, 0]);
        body.extend(value.to_le_bytes());
    }
    body.extend([0; 4]);
    block(5, &body)
}

fn capture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures").join(name)
}

/// Appends to a file of the ring, which may be new.
fn append(folder: &Path, number: usize, bytes: &[u8]) {
    let path = folder.join(format!("frames_{number:05}_20261125190000.pcapng"));
    OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(bytes).unwrap();
}

#[test]
fn a_ring_is_one_capture() {
    let path = capture("http-keep-alive.pcap");
    let frames = frames_of(&fs::read(&path).unwrap());
    let want = of_file(&path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (growing, is_growing) = bounded(0);
    let spool = Spool { folder: folder.path().to_owned(), growing: is_growing, owners: None };
    let mut reading = Reading::open(&Source::Live(spool.clone()), How::judged(1), &Budget::default()).unwrap();
    for (at, part) in frames.chunks(5).enumerate() {
        append(folder.path(), at + 1, &file_head());
        for frame in part {
            append(folder.path(), at + 1, &frame_block(frame));
            assert!(reading.step().unwrap());
        }
    }
    drop(growing);
    while reading.step().unwrap() {}
    let got = reading.snapshot();
    assert_eq!(listed(&got)[1..], listed(&want)[1..]);
    assert!(got.facts().capture.skipped.is_empty());
    assert_eq!(got.facts().capture.interfaces.len(), 1, "the files of a ring share their interface");
    // Every frame is found again in its file.
    let mut file = FrameFile::open(folder.path(), &Budget::default()).unwrap();
    let (id, _) = got.rows().next().unwrap();
    let record = got.record(id).unwrap();
    for (number, offset) in got.flow_frames(record.exchange.flow).unwrap().unwrap() {
        let (head, bytes) = file.frame(number, offset).unwrap();
        assert_eq!(bytes, frames[usize::try_from(number.0).unwrap() - 1].2);
        assert_eq!(head.number, number);
    }
    let seen = detail(folder.path(), &record, &got, &Budget::default()).unwrap();
    assert_eq!(seen.frames.first().unwrap().0.number, record.exchange.first_frame);
    // The ring goes on and removes its first file.
    fs::remove_file(folder.path().join("frames_00001_20261125190000.pcapng")).unwrap();
    let gone = detail(folder.path(), &record, &got, &Budget::default()).unwrap_err().to_string();
    assert!(gone.contains("the ring of files has removed"), "{gone}");
}

#[test]
fn files_that_the_ring_removed_unread_are_told() {
    let frames = frames_of(&fs::read(capture("http-keep-alive.pcap")).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (growing, is_growing) = bounded(0);
    let spool = Spool { folder: folder.path().to_owned(), growing: is_growing, owners: None };
    let mut reading = Reading::open(&Source::Live(spool), How::judged(1), &Budget::default()).unwrap();
    append(folder.path(), 1, &[file_head(), frame_block(&frames[0])].concat());
    assert!(reading.step().unwrap());
    for number in [4, 5] {
        append(folder.path(), number, &[file_head(), frame_block(&frames[number])].concat());
    }
    drop(growing);
    while reading.step().unwrap() {}
    let snapshot = reading.snapshot();
    assert_eq!(snapshot.facts().capture.frames, 3);
    let said: Vec<&str> = snapshot.facts().capture.skipped.iter().map(|s| s.why.as_str()).collect();
    assert_eq!(said, ["the ring removed 2 files before this one unread (in file 4 of the ring)"]);
}

#[test]
fn a_capture_of_nothing_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (growing, is_growing) = bounded(0);
    let spool = Spool { folder: folder.path().to_owned(), growing: is_growing, owners: None };
    let mut reading = Reading::open(&Source::Live(spool), How::judged(2), &Budget::default()).unwrap();
    for _ in 0..3 {
        assert!(reading.step().unwrap());
        assert!(reading.is_waiting());
    }
    assert!(reading.has_news());
    reading.snapshot();
    assert!(reading.step().unwrap());
    assert!(!reading.has_news(), "a snapshot of nothing new");
    drop(growing);
    let error = loop {
        match reading.step() {
            Ok(more) => assert!(more, "no error"),
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.starts_with("nothing was captured"), "{error}");
}

/// Reads what was written so far: the steps until nothing is new.
fn catch_up(reading: &mut Reading) {
    loop {
        assert!(reading.step().unwrap());
        if reading.is_waiting() {
            return;
        }
    }
}

#[test]
fn rows_are_there_before_their_exchanges_end() {
    let frames = frames_of(&fs::read(capture("http-keep-alive.pcap")).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("frames.pcapng");
    let (growing, is_growing) = bounded(0);
    let spool = Spool { folder: folder.path().to_owned(), growing: is_growing, owners: None };
    let mut reading = Reading::open(&Source::Live(spool), How::judged(1), &Budget::default()).unwrap();
    let mut file = File::create(&path).unwrap();
    file.write_all(&file_head()).unwrap();
    let mut opened = 0;
    for frame in &frames {
        file.write_all(&frame_block(frame)).unwrap();
        catch_up(&mut reading);
        let snapshot = reading.snapshot();
        for (id, row) in snapshot.rows().filter(|(_, row)| row.is_open()) {
            opened += 1;
            let record = snapshot.record(id).unwrap();
            let seen = detail(folder.path(), &record, &snapshot, &Budget::default()).unwrap();
            assert_eq!(seen.frames.first().unwrap().0.number, row.first_frame);
            assert_ne!(snapshot.text(row.host), "", "a request's head is there");
        }
        let counted: u64 = snapshot.findings().iter().map(|site| site.total.exchanges).sum();
        let ended = snapshot.rows().filter(|(_, row)| !row.is_open()).count();
        assert_eq!(usize::try_from(counted).unwrap(), ended, "findings count what has ended");
    }
    assert!(opened > 0);
    drop(growing);
    while reading.step().unwrap() {}
    let want = of_file(&capture("http-keep-alive.pcap")).unwrap();
    assert_eq!(listed(&reading.snapshot())[1..], listed(&want)[1..]);
}

#[test]
fn statistics_tell_drops_and_the_time() {
    let frames = frames_of(&fs::read(capture("http-keep-alive.pcap")).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("frames.pcapng");
    let (growing, is_growing) = bounded(0);
    let spool = Spool { folder: folder.path().to_owned(), growing: is_growing, owners: None };
    let mut reading = Reading::open(&Source::Live(spool), How::judged(1), &Budget::default()).unwrap();
    let mut file = File::create(&path).unwrap();
    let mut bytes = file_head();
    for frame in &frames {
        bytes.extend(frame_block(frame));
    }
    let last = frames.last().unwrap().0;
    bytes.extend(statistics(last + 1, 100, 0));
    file.write_all(&bytes).unwrap();
    catch_up(&mut reading);
    let counters = reading.snapshot().facts().capture.counters.unwrap();
    assert_eq!((counters.received, counters.dropped()), (100, 0));
    assert_eq!(reading.snapshot().facts().flows, 0, "the connection is over when it was silent for long");
    // Nothing but the time passes: the newest count of an interface is the one that counts.
    file.write_all(&statistics(last + 5_000, 120, 3)).unwrap();
    catch_up(&mut reading);
    let snapshot = reading.snapshot();
    assert!(snapshot.facts().flows > 0, "a silent wire's time passes too");
    let counters = snapshot.facts().capture.counters.unwrap();
    assert_eq!((counters.received, counters.dropped_by_kernel), (120, 3));
    assert_eq!(snapshot.facts().losses().len(), 1);
    drop(growing);
    while reading.step().unwrap() {}
    assert_eq!(reading.snapshot().facts().capture.last_time.unwrap().0 / 1_000_000_000, i64::from(last));
}

fn list_stdin(options: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_nephoscope"))
        .arg("list")
        .args(options)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// What `list` prints of a pipe that brings all at once.
fn list_all(options: &[&str], bytes: &[u8]) -> String {
    let mut child = list_stdin(options);
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_pipe_that_pauses_is_listed_as_it_comes() {
    let bytes = fs::read(capture("http-keep-alive.pcap")).unwrap();
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    for options in [&["--format", "jsonl"][..], &["--format", "jsonl", "-l"], &["--format", "csv"], &[]] {
        let mut child = list_stdin(options);
        let mut input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        input.write_all(first).unwrap();
        // The second line is a row, and it is there while the pipe stays open.
        let (mut head, mut row) = (String::new(), String::new());
        output.read_line(&mut head).unwrap();
        output.read_line(&mut row).unwrap();
        assert!(row.contains("/a.txt"), "{options:?}: {row}");
        input.write_all(rest).unwrap();
        drop(input);
        let mut more = String::new();
        output.read_to_string(&mut more).unwrap();
        assert!(child.wait().unwrap().success());
        if options.contains(&"jsonl") {
            let head: Value = serde_json::from_str(&head).unwrap();
            assert_eq!((&head["kind"], &head["live"]), (&"capture".into(), &true.into()));
            let numbers: Vec<Value> =
                more.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["n"].clone()).collect();
            assert_eq!(numbers, [2.into(), 3.into(), 4.into(), 5.into(), 6.into(), Value::Null]);
            let end: Value = serde_json::from_str(more.lines().last().unwrap()).unwrap();
            assert_eq!((&end["kind"], &end["frames"]), (&"capture_end".into(), &18.into()));
        }
    }
}

#[test]
fn a_pipe_that_brings_all_is_listed_as_its_file() {
    for name in ["http-keep-alive.pcap", "evidence-hand-out-forms.pcap", "file-zipped.pcap.gz", "dns-udp.pcap"] {
        let path = capture(name);
        let bytes = fs::read(&path).unwrap();
        let want = listed(&of_file(&path).unwrap());
        let got = list_all(&["--format", "jsonl", "--threads", "1"], &bytes);
        assert_eq!(got, list_all(&["--format", "jsonl", "--threads", "2", "--live=never"], &bytes), "{name}");
        assert_eq!(got.lines().skip(1).collect::<Vec<_>>(), want[1..], "{name}");
        let head: Value = serde_json::from_str(got.lines().next().unwrap()).unwrap();
        assert!(head["sha256"].is_string() && head["live"].is_null(), "{name}");
    }
}

#[test]
fn the_engine_tells_changes_and_nothing_else() {
    let bytes = fs::read(capture("http-keep-alive.pcap")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (growing, is_growing) = bounded(0);
    let spool = Spool { folder: folder.path().to_owned(), growing: is_growing, owners: None };
    let (woke, wakes) = bounded(1_000);
    let handle = engine::start(
        2,
        Budget::default(),
        Box::new(move || {
            let _full = woke.try_send(());
        }),
    )
    .unwrap();
    handle.commands.send(Order::Open(OpenNo(1), Source::Live(spool))).unwrap();
    assert!(matches!(handle.notices.recv().unwrap().1, Notice::Opened(_)));
    fs::write(folder.path().join("frames.pcapng"), &bytes[..bytes.len() - 30]).unwrap();
    let (_, snapshot) = std::iter::from_fn(|| handle.snapshots.recv().ok()).find(|(_, s)| !s.is_empty()).unwrap();
    assert!(snapshot.facts().capture.frames > 10, "all that was written is shown, though nothing follows it");
    while handle.snapshots.recv_timeout(Duration::from_millis(200)).is_ok() {}
    while wakes.try_recv().is_ok() {}
    assert!(wakes.recv_timeout(Duration::from_millis(300)).is_err(), "woken although nothing changed");
    OpenOptions::new()
        .append(true)
        .open(folder.path().join("frames.pcapng"))
        .unwrap()
        .write_all(&bytes[bytes.len() - 30..])
        .unwrap();
    assert_eq!(handle.snapshots.recv().unwrap().1.facts().capture.frames, 18);
    drop(growing);
    assert!(matches!(handle.notices.recv().unwrap().1, Notice::Ended));
    let (_, last) = handle.snapshots.recv().unwrap();
    assert!(last.progress().done);
    assert!(last.rows().all(|(_, row)| !row.is_open()));
}

/// What is still said of a capture that is left for another says that it is of that one.
#[test]
fn the_engine_says_of_which_capture_it_speaks() {
    let folder = tempfile::tempdir().unwrap();
    let path = capture("http-keep-alive.pcap");
    fs::copy(&path, folder.path().join("frames.pcapng")).unwrap();
    let (_growing, is_growing) = bounded(0);
    let spool = Spool { folder: folder.path().to_owned(), growing: is_growing, owners: None };
    let handle = engine::start(1, Budget::default(), Box::new(|| {})).unwrap();
    handle.commands.send(Order::Open(OpenNo(1), Source::Live(spool))).unwrap();
    let first = handle.snapshots.recv().unwrap();
    assert_eq!((first.0, first.1.progress().done), (OpenNo(1), false));
    handle.commands.send(Order::Open(OpenNo(2), Source::File(path))).unwrap();
    let said: Vec<_> = handle.notices.iter().take(4).collect();
    let kinds: Vec<_> = said.iter().map(|(number, notice)| (number.0, *notice == Notice::Ended)).collect();
    assert_eq!(kinds, [(1, false), (1, true), (2, false), (2, true)]);
    let last = handle.snapshots.try_iter().last().unwrap();
    assert_eq!((last.0, last.1.progress().done), (OpenNo(2), true));
}
