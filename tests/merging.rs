//! Files merged by time: the rows of a capture that was cut into files are those of the whole one.

#![expect(clippy::unwrap_used, reason = "a test program: what cannot be read is a failed test")]

use std::fs::File;
use std::path::{Path, PathBuf};

use nephoscope::capture::{Batch, CaptureReader, Digest, FrameWriter};
use nephoscope::engine::{How, Reading, Source, detail};
use nephoscope::export::{Listing, write_jsonl};
use nephoscope::model::{Budget, FrameNo};
use nephoscope::store::Snapshot;
use nephoscope::store::filter::Filter;

const SAMPLE: &str = "assets/sample/icloud-2011-reconstruction.pcapng";

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(source: &Source, threads: usize) -> Snapshot {
    let mut reading = Reading::open(source, How::judged(threads), &Budget::default()).unwrap();
    while reading.step().unwrap() {}
    reading.snapshot()
}

/// The rows as JSON, without the names of files.
fn rows(snapshot: &Snapshot) -> Vec<serde_json::Value> {
    let mut out = Vec::new();
    write_jsonl(&Listing::new(snapshot, &Filter::all()), 1, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let plain = |line: &str| {
        let mut row: serde_json::Value = serde_json::from_str(line).unwrap();
        for key in ["file", "file_frame", "last_file", "last_file_frame"] {
            row.as_object_mut().unwrap().remove(key);
        }
        row
    };
    text.lines().skip(1).map(plain).collect()
}

/// Which file frames of the n-th time go into.
type Which = dyn Fn(usize) -> usize;

/// Cuts a capture into files: the frames of each time into the one that `which` says.
fn cut(capture: &Path, folder: &Path, files: usize, which: impl Fn(usize) -> usize) -> Vec<PathBuf> {
    let budget = Budget::default();
    let paths: Vec<PathBuf> = (0..files).map(|n| folder.join(format!("part-{n}.pcapng"))).collect();
    let mut writers: Vec<_> =
        paths.iter().map(|path| FrameWriter::new(File::create(path).unwrap(), "").unwrap()).collect();
    let mut reader = CaptureReader::open(capture, &budget, Digest::Elsewhere).unwrap();
    let (mut batch, mut at, mut last) = (Batch::default(), 0, None);
    while reader.next_batch(&mut batch).unwrap() {
        for frame in &batch.frames {
            // Frames of one time stay together: between files the order of the files would decide.
            at += usize::from(last.replace(frame.head.time).is_some_and(|last| last != frame.head.time));
            let of = reader.facts().interface(frame.head.interface).cloned();
            let writer = &mut writers[which(at) % files];
            writer.frame(of.as_ref(), &frame.head, batch.frame(frame), None).unwrap();
        }
    }
    for writer in writers {
        writer.end().unwrap();
    }
    paths
}

#[test]
fn rows_are_those_of_the_whole() {
    let sample = here(SAMPLE);
    let whole = read(&Source::File(sample.clone()), 1);
    let frames = usize::try_from(whole.facts().capture.frames).unwrap();
    // A ring, whose files follow one another, and files that overlap all the way.
    let ways: [(usize, Box<Which>); 3] =
        [(3, Box::new(move |at| at * 3 / frames)), (2, Box::new(|at| at)), (3, Box::new(|at| at / 2))];
    for (files, which) in ways {
        let folder = tempfile::tempdir().unwrap();
        let source = Source::Files(cut(&sample, folder.path(), files, which));
        for threads in [1, 4] {
            let merged = read(&source, threads);
            assert_eq!(rows(&merged), rows(&whole), "{files} files, {threads} threads");
            let told = &merged.facts().capture.merged;
            assert!(told.files.iter().all(|file| file.sha256.is_some()), "each file has its digest");
            assert_eq!(told.files.iter().map(|file| file.frames).sum::<u32>(), merged.facts().capture.frames);
            assert!(told.file_of(FrameNo(1)).is_some_and(|(file, there)| file.name == "part-0.pcapng" && there.0 == 1));
        }
    }
}

#[test]
fn a_file_given_twice_is_refused() {
    let sample = here(SAMPLE);
    let twice = Source::Files(vec![sample.clone(), sample]);
    let error = Reading::open(&twice, How::judged(1), &Budget::default()).unwrap_err();
    assert!(error.to_string().contains("given twice"), "{error}");
}

#[test]
fn a_damaged_file_is_named_and_the_rest_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let paths = cut(&here(SAMPLE), folder.path(), 2, |at| at);
    let bytes = std::fs::read(&paths[1]).unwrap();
    std::fs::write(&paths[1], &bytes[..bytes.len() - 7]).unwrap();
    let merged = read(&Source::Files(paths), 1);
    let skipped = &merged.facts().capture.skipped;
    assert!(skipped.iter().any(|place| place.why.contains("(in part-1.pcapng)")), "{skipped:?}");
    assert!(!rows(&merged).is_empty());
}

/// Exchanges of a capture: where each begins, and its frames read again.
fn exchanges(source: &Source) -> Vec<(String, u32, Vec<Vec<u8>>)> {
    let snapshot = read(source, 1);
    let facts = &snapshot.facts().capture;
    let listing = Listing::new(&snapshot, &Filter::all());
    let of = |(_, id)| {
        let record = snapshot.record(id).unwrap();
        let first = record.exchange.first_frame;
        let origin = facts.merged.file_of(first).map(|(file, there)| (file.name.clone(), there));
        let (file, there) = origin.unwrap_or_else(|| (facts.name.clone(), first));
        let read = detail(source.place().unwrap(), &record, &snapshot, &Budget::default()).unwrap();
        (file, there.0, read.frames.into_iter().map(|(_, bytes)| bytes).collect())
    };
    listing.rows().map(of).collect()
}

#[test]
fn files_of_two_link_types_keep_theirs() {
    let files = ["ipv6.pcap", "link-raw.pcap", "dns-udp.pcap"].map(|name| here("tests/captures").join(name)).to_vec();
    let mut alone: Vec<_> = files.iter().flat_map(|file| exchanges(&Source::File(file.clone()))).collect();
    let source = Source::Files(files);
    let mut merged = exchanges(&source);
    alone.sort();
    merged.sort();
    assert!(alone.len() > 3 && alone.iter().all(|(_, _, frames)| !frames.is_empty()));
    assert_eq!(merged, alone);
    let links = read(&source, 1).facts().capture.link_types.clone();
    assert_eq!(links.len(), 2, "{links:?}");
}
