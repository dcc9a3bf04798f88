//! Feeds the program broken captures: seeded mutations of our own, and files that are no captures at all.
//!
//! Whatever comes in, it must end by itself, within the time and the memory, and with one of the exit codes of the README:
//! 0 read, 1 read with damage, 2 nothing read (no capture, no file, wrong use); never by a signal or a panic. Captures built
//! to take much memory for few bytes have a tighter bound. `NEPHOSCOPE_MUTATIONS=10000` is the long
//! run; a mutation that fails is kept in the folder for temporary files, and its path printed.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test program: what cannot be read is a failed test")]

mod wire;

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use wire::Pcap;

/// How long one file of some kilobytes may take, in turns of `TURN`: 20 seconds.
const TURNS: u32 = 10_000;
const TURN: Duration = Duration::from_millis(2);
/// Address space that any run may take, in KiB, and its seconds of processor time.
const MOST_KIB: u64 = 1 << 20;
const MOST_SECONDS: u64 = 60;
/// Address space that a capture built for it may take beyond what an empty one takes, in KiB.
const MOST_GROWTH_KIB: u64 = 128 << 10;
/// The exit code for what is no capture, cannot be opened or was asked for wrongly.
const NOTHING_READ: i32 = 2;
/// No file here is larger than some hundred kilobytes, so an output over this is a loop that prints.
const MOST_OUTPUT: u64 = 64 << 20;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures")
}

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

/// Values that sit on the edges of lengths and counts.
const EDGES: [u32; 12] = [0, 1, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF];

fn mutate(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(4) {
        let len = bytes.len();
        if len < 8 {
            bytes.extend_from_slice(&[0; 8]);
            continue;
        }
        // One in three changes goes to the first bytes, where the file's own head is.
        let at = if random.below(3) == 0 { random.below(len.min(200)) } else { random.below(len) };
        let until = (at + 1 + random.below(64)).min(len);
        match random.below(10) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = u8::try_from(random.next() & 0xFF).unwrap(),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..until)),
            4 => {
                let copy = bytes[at..until].to_vec();
                drop(bytes.splice(at..at, copy));
            }
            5 => bytes[at..until].fill(if random.below(2) == 0 { 0 } else { 0xFF }),
            6 => bytes[at..until].iter_mut().for_each(|b| *b = u8::try_from(random.next() & 0xFF).unwrap()),
            7 => {
                let edge = EDGES[random.below(EDGES.len())];
                let edge = if random.below(2) == 0 { edge.to_le_bytes() } else { edge.to_be_bytes() };
                let size = [1, 2, 4][random.below(3)].min(len - at);
                bytes[at..at + size].copy_from_slice(&edge[4 - size..]);
            }
            8 => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len());
                let to = (from + 1 + random.below(2_000)).min(other.len());
                drop(bytes.splice(at..at, other[from..to].iter().copied()));
            }
            _ => {
                let text: &[&[u8]] = &[
                    b"Content-Length: 18446744073709551615\r\n",
                    b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                    b"\r\n\r\n",
                    b"HTTP/1.1 200 OK\r\n",
                    b"\xc0\x0c",
                    b"\x16\x03\x01\xff\xff\x01\xff\xff\xff",
                    b"\xc3\x00\x00\x00\x01\xff\xff\xff\xff\xff\xff",
                    b"Upgrade: websocket\r\nSec-WebSocket-Accept: x\r\n",
                    b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff",
                    b"\x30\x82\xff\xff",
                    b"\x16\xff\xff\xff\x01\xff\xff\xff\x30\x03\x0a\x01\x00",
                    b"\x05\x01\x00\x05\x01\x00\x03\xff",
                    b"CHLO\xff\xff\x00\x00SNI\x00\xff\xff\xff\xff",
                    b"SERVER_TRAFFIC_SECRET_0 ",
                    b"CLIENT_EARLY_TRAFFIC_SECRET ",
                ];
                let text = text[random.below(text.len())];
                let until = (at + text.len()).min(len);
                bytes[at..until].copy_from_slice(&text[..until - at]);
            }
        }
    }
    bytes
}

/// The same command with so much address space. A shell sets the limits: between fork and exec only unsafe code could.
fn limited(command: &Command, kib: u64) -> Command {
    let mut shell = Command::new("sh");
    let script = "ulimit -v \"$1\" && ulimit -t \"$2\" && shift 2 && exec \"$@\"";
    shell.args(["-c", script, "sh", &kib.to_string(), &MOST_SECONDS.to_string()]);
    shell.arg(command.get_program()).args(command.get_args());
    shell
}

/// Runs the program on a file; gives the exit code, or what went wrong.
fn run(command: &Command, work: &Path) -> Result<i32, String> {
    run_within(command, MOST_KIB, work)
}

fn run_within(command: &Command, kib: u64, work: &Path) -> Result<i32, String> {
    let (out, errors) = (work.join("stdout"), work.join("stderr"));
    let mut child = limited(command, kib)
        .stdin(Stdio::null())
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&errors).unwrap())
        .spawn()
        .expect("the program starts");
    let mut ended = None;
    for _ in 0..TURNS {
        ended = child.try_wait().unwrap();
        if ended.is_some() || fs::metadata(&out).unwrap().len() > MOST_OUTPUT {
            break;
        }
        thread::sleep(TURN);
    }
    let said = String::from_utf8_lossy(&fs::read(&errors).unwrap()).into_owned();
    let Some(status) = ended else {
        child.kill().unwrap();
        child.wait().unwrap();
        return Err(format!("no end in time, or output without end: {said}"));
    };
    if said.contains("panicked") {
        return Err(format!("a thread panicked: {said}"));
    }
    status.code().ok_or_else(|| format!("{status}: {said}"))
}

fn list(file: &Path, work: &Path) -> Result<i32, String> {
    run(Command::new(env!("CARGO_BIN_EXE_nephoscope")).args(["list", "--format", "jsonl"]).arg(file), work)
}

#[test]
fn mutated_captures_end_well() {
    let count: u64 =
        env::var("NEPHOSCOPE_MUTATIONS").map_or(300, |text| text.parse().expect("NEPHOSCOPE_MUTATIONS is a number"));
    let seed: u64 = env::var("NEPHOSCOPE_SEED").map_or(1, |text| text.parse().expect("NEPHOSCOPE_SEED is a number"));
    let mut names: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    names
        .retain(|path| path.extension().is_some_and(|ending| ending == "pcap" || ending == "pcapng" || ending == "gz"));
    names.sort();
    let seeds: Vec<Vec<u8>> = names.iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(seeds.len() >= 60, "the captures to start from are missing: run make captures");
    let work = tempfile::tempdir().unwrap();
    let file = work.path().join("mutated.pcap");
    let mut codes = [0_u64; 3];
    let mut bad = Vec::new();
    for number in 0..count {
        let mut random = Random(seed.wrapping_mul(0x0001_0000_0001).wrapping_add(number));
        let bytes = mutate(&mut random, &seeds);
        fs::write(&file, &bytes).unwrap();
        match list(&file, work.path()) {
            Ok(code @ (0 | 1 | NOTHING_READ)) => codes[usize::try_from(code).unwrap()] += 1,
            other => {
                let kept = env::temp_dir().join(format!("nephoscope-hostile-{seed}-{number}.pcap"));
                fs::write(&kept, &bytes).unwrap();
                bad.push(format!("{}: {other:?}", kept.display()));
            }
        }
    }
    assert!(bad.is_empty(), "{} of {count} mutations end badly:\n{}", bad.len(), bad.join("\n"));
    println!("{count} mutations: {} read, {} read with damage, {} not captures", codes[0], codes[1], codes[2]);
}

/// What JSON of a HAR file is broken with, beside single bytes.
const JSON_PIECES: [&str; 16] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    ",",
    ":null,",
    "\"entries\":[",
    "\"log\":{",
    "\\ud83d",
    "-1e999",
    "\u{feff}",
    "\0",
    "\"request\":{\"url\":\"x://\",\"headers\":[{\"name\":\"\\n\",\"value\":{}}]}",
    "\"encoding\":\"base64\",\"text\":\"=A=\"",
];

#[test]
fn mutated_har_files_end_well() {
    let mut names: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|ending| ending == "har"));
    names.sort();
    let seeds: Vec<Vec<u8>> = names.iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(seeds.len() >= 6, "the HAR files to start from are missing: run make captures");
    let work = tempfile::tempdir().unwrap();
    let file = work.path().join("mutated.har");
    for number in 0..80 {
        let mut random = Random(0x4841_5200 + number);
        let mut bytes =
            if number % 4 == 0 { mutate(&mut random, &seeds) } else { seeds[random.below(seeds.len())].clone() };
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len());
            let piece = JSON_PIECES[random.below(JSON_PIECES.len())].as_bytes();
            let many = if random.below(8) == 0 { 100_000 } else { 1 };
            let until = (at + random.below(40)).min(bytes.len());
            drop(bytes.splice(at..until, piece.repeat(many)));
        }
        fs::write(&file, &bytes).unwrap();
        let ended = list(&file, work.path());
        assert!(matches!(ended, Ok(0 | 1 | NOTHING_READ)), "mutation {number}: {ended:?}");
    }
}

/// A HAR file of so many entries, each with a body of so many bytes.
fn har(entries: usize, body: usize) -> Vec<u8> {
    let text = "0123456789abcde\\n".repeat(body / 16);
    let entry = |n: usize| {
        format!(
            "{{\"startedDateTime\":\"2026-01-05T10:00:00Z\",\"request\":{{\"method\":\"GET\",\"url\":\"https://a.example/{n}\",\
             \"httpVersion\":\"h2\",\"headers\":[]}},\"response\":{{\"status\":200,\"headers\":[],\"content\":{{\"size\":1,\
             \"text\":\"{text}\"}}}},\"connection\":\"{n}\"}}"
        )
    };
    let all: Vec<String> = (0..entries).map(entry).collect();
    format!("{{\"log\":{{\"entries\":[{}]}}}}", all.join(",\n")).into_bytes()
}

#[test]
fn a_large_har_file_is_not_held_in_memory() {
    let work = tempfile::tempdir().unwrap();
    let file = work.path().join("large.har");
    let most = least_kib(work.path()) + (64 << 10);
    for (entries, body) in [(600, 256 << 10), (30_000, 64)] {
        let bytes = har(entries, body);
        fs::write(&file, &bytes).unwrap();
        assert_eq!(
            run_within(&list_alone(&file, None), most, work.path()),
            Ok(0),
            "{} bytes within {most} KiB",
            bytes.len()
        );
        let listed = fs::read(work.path().join("stdout")).unwrap();
        assert_eq!(String::from_utf8(listed).unwrap().lines().count(), entries + 1);
    }
}

#[test]
fn a_nest_of_a_million_is_one_entry() {
    let nest = ["[".repeat(1_000_000), "]".repeat(1_000_000)].concat();
    let request = "\"request\":{\"method\":\"GET\",\"url\":\"http://a.example/\"}";
    check(format!("{{\"log\":{{\"entries\":[{{\"x\":{nest},{request}}}]}}}}").as_bytes(), 0);
    check(format!("{{\"x\":{nest}}}").as_bytes(), NOTHING_READ);
    check("[".repeat(1_000_000).as_bytes(), NOTHING_READ);
}

/// The text of the key log that a capture of ours carries.
fn key_log() -> Vec<u8> {
    let capture = fs::read(folder().join("tls-keys-13.pcapng")).unwrap();
    let at = capture.windows(4).position(|four| four == 0x544C_534B_u32.to_le_bytes()).unwrap();
    let len = u32::from_le_bytes(capture[at + 4..at + 8].try_into().unwrap());
    capture[at + 8..].iter().take(len as usize).copied().collect()
}

#[test]
fn mutated_key_logs_end_well() {
    let seeds = [key_log()];
    let work = tempfile::tempdir().unwrap();
    let file = work.path().join("mutated.log");
    for number in 0..24 {
        let mut random = Random(0xFEED + number);
        let mut bytes = mutate(&mut random, &seeds);
        if number % 8 == 7 {
            bytes = [vec![b'x'; 5_000_000], vec![0; 5_000], seeds[0].clone()].concat();
        }
        fs::write(&file, &bytes).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_nephoscope"));
        // Secrets of QUIC stand in a capture of their own; these ones come beside them.
        let capture = if number % 2 == 0 { "tls-keys-13.pcapng" } else { "quic-keys-ways.pcapng" };
        command.args(["list", "--format", "jsonl", "--keylog"]).arg(&file).arg(folder().join(capture));
        assert_eq!(run(&command, work.path()), Ok(0), "mutation {number}");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_nephoscope"));
    command.args(["list", "--keylog"]).arg(work.path()).arg(folder().join("tls-keys-13.pcapng"));
    assert_eq!(run(&command, work.path()), Ok(NOTHING_READ), "a folder is no key log");
}

#[test]
fn mutated_preferences_never_keep_the_program_from_reading() {
    let seeds =
        [b"version = 1\n[window]\ntheme = \"dark\"\ntext_percent = 120\n[redaction]\nwords = [\"Ada\"]\n[live]\n\
        folder = \"/var/tmp\"\nlimit_mib = 64\n[signatures]\nfolder = \"/srv/rules\"\n"
            .to_vec()];
    let work = tempfile::tempdir().unwrap();
    let config = work.path().join("nephoscope");
    fs::create_dir(&config).unwrap();
    for number in 0..24 {
        let mut random = Random(0xBEEF + number);
        let bytes = if number == 23 { vec![b'['; 3 << 20] } else { mutate(&mut random, &seeds) };
        fs::write(config.join("preferences.toml"), &bytes).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_nephoscope"));
        command.env("XDG_CONFIG_HOME", work.path()).env("HOME", work.path());
        command.args(["list", "--format", "jsonl"]).arg(folder().join("tls-keys-13.pcapng"));
        assert_eq!(run(&command, work.path()), Ok(0), "mutation {number}");
        assert_eq!(fs::read(config.join("preferences.toml")).unwrap(), bytes, "a list changes no preferences");
    }
}

#[track_caller]
fn check(bytes: &[u8], want: i32) {
    let work = tempfile::tempdir().unwrap();
    let file = work.path().join("file.pcap");
    fs::write(&file, bytes).unwrap();
    assert_eq!(list(&file, work.path()), Ok(want), "a file of {} bytes", bytes.len());
}

#[test]
fn an_empty_file_is_no_capture() {
    check(b"", NOTHING_READ);
}

#[test]
fn zeros_are_no_capture() {
    check(&vec![0; 100_000], NOTHING_READ);
}

#[test]
fn ones_are_no_capture() {
    check(&vec![0xFF; 100_000], NOTHING_READ);
}

#[test]
fn text_is_no_capture() {
    check(b"Frame 1: 60 bytes on wire\nFrame 2: 60 bytes on wire\n", NOTHING_READ);
}

#[test]
fn half_a_magic_number_is_no_capture() {
    check(&[0xD4, 0xC3], NOTHING_READ);
}

#[test]
fn a_gzip_of_nothing_is_no_capture() {
    check(&[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0], NOTHING_READ);
}

#[test]
fn a_pcap_without_frames_is_read() {
    check(&fs::read(folder().join("file-header-only.pcap")).unwrap(), 0);
}

#[test]
fn a_cut_capture_is_read_with_damage() {
    check(&fs::read(folder().join("file-cut-record.pcap")).unwrap(), 1);
}

#[test]
fn what_is_no_file_cannot_be_opened() {
    let work = tempfile::tempdir().unwrap();
    assert_eq!(list(&work.path().join("missing.pcap"), work.path()), Ok(NOTHING_READ), "a missing file");
    assert_eq!(list(work.path(), work.path()), Ok(NOTHING_READ), "a folder");
    assert_eq!(list(&work.path().join("n".repeat(300)), work.path()), Ok(NOTHING_READ), "a name that is too long");
    assert_eq!(list(Path::new("/dev/null"), work.path()), Ok(NOTHING_READ), "a device without bytes");
}

#[test]
fn wrong_use_is_told_apart() {
    let work = tempfile::tempdir().unwrap();
    for wrong in [
        vec!["list", "--no-such-option"],
        vec!["list", "--format", "no-such-format", "x.pcap"],
        vec!["list", "--threads", "many", "x.pcap"],
        vec!["list", "--filter", "((((((((((((((((((((((((((((((((((((((((a", "x.pcap"],
        vec!["list", "--filter", "/((((a{99}){99}){99}){99}){99}/", "x.pcap"],
        vec!["list", "--filter", "status:\u{202e}", "x.pcap"],
        vec!["list", "--filter", "-", "x.pcap"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nephoscope"));
        assert_eq!(run(command.args(&wrong), work.path()), Ok(NOTHING_READ), "{wrong:?}");
    }
}

/// `list` by one thread, so that every machine needs the same memory for it.
fn list_alone(file: &Path, key_log: Option<&Path>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nephoscope"));
    command.args(["list", "--threads", "1", "--format", "jsonl"]);
    if let Some(path) = key_log {
        command.arg("--keylog").arg(path);
    }
    command.arg(file);
    command
}

/// The least address space in KiB, to 4 MiB, with which a capture without frames is read.
fn least_kib(work: &Path) -> u64 {
    let empty = folder().join("file-header-only.pcap");
    let (mut fails, mut does) = (0, MOST_KIB);
    while does - fails > 4 << 10 {
        let middle = u64::midpoint(fails, does);
        let ends = run_within(&list_alone(&empty, None), middle, work) == Ok(0);
        *(if ends { &mut does } else { &mut fails }) = middle;
    }
    assert!(does < MOST_KIB, "a capture without frames is read");
    does
}

/// Reads a capture that asks for much with few bytes.
#[track_caller]
fn bomb(pcap: &Pcap, key_log: Option<&[u8]>) {
    bomb_within(pcap, key_log, MOST_GROWTH_KIB);
}

#[track_caller]
fn bomb_within(pcap: &Pcap, key_log: Option<&[u8]>, growth_kib: u64) {
    let work = tempfile::tempdir().unwrap();
    let (file, keys) = (work.path().join("bomb.pcap"), work.path().join("keys.log"));
    fs::write(&file, &pcap.bytes).unwrap();
    fs::write(&keys, key_log.unwrap_or_default()).unwrap();
    let command = list_alone(&file, key_log.map(|_| keys.as_path()));
    let most = least_kib(work.path()) + growth_kib;
    assert_eq!(run_within(&command, most, work.path()), Ok(0), "{} bytes within {most} KiB", pcap.bytes.len());
    assert!(fs::metadata(work.path().join("stdout")).unwrap().len() > 300, "something was read");
}

/// A frame of HTTP/2 (RFC 9113 section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
/// `:method: POST`, `:scheme: http`, `:path: /`; and `:status: 200` (RFC 7541 appendix A).
const POST: [u8; 3] = [0x83, 0x86, 0x84];
const OK: u8 = 0x88;
/// The newest entry of the dynamic table.
const NEWEST: u8 = 0xbe;

#[test]
fn thousands_of_codings_are_no_decoders() {
    let mut pcap = Pcap::new();
    let mut connection = pcap.connect([50_000, 80]);
    pcap.send(&mut connection, 0, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    let codings = vec!["gzip"; 8_000].join(",");
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Encoding: {codings}\r\n\r\nabc");
    pcap.send(&mut connection, 1, head.as_bytes());
    bomb(&pcap, None);
}

/// So many streams that go on, the bodies of both sides in five codings; of each body so much has come.
fn coded_streams(count: u32, body: &[u8]) -> Pcap {
    let codings = b"gzip,gzip,gzip,gzip,gzip";
    // Literal with incremental indexing, name 26 of the static table: content-encoding.
    let named = [&[0x40 | 0x1a, u8::try_from(codings.len()).unwrap()], codings.as_slice()].concat();
    let (mut asked, mut answered) = (PREFACE.to_vec(), SETTINGS.to_vec());
    for n in 0..count {
        let coding = if n == 0 { named.clone() } else { vec![NEWEST] };
        asked.extend(frame(1, 4, 2 * n + 1, &[&POST[..], &coding].concat()));
        answered.extend(frame(1, 4, 2 * n + 1, &[&[OK][..], &coding].concat()));
        if !body.is_empty() {
            asked.extend(frame(0, 0, 2 * n + 1, body));
            answered.extend(frame(0, 0, 2 * n + 1, body));
        }
    }
    let mut pcap = Pcap::new();
    let mut connection = pcap.connect([50_000, 80]);
    pcap.send(&mut connection, 0, &asked);
    pcap.send(&mut connection, 1, &answered);
    pcap
}

#[test]
fn streams_whose_bodies_never_come_have_no_decoders() {
    bomb(&coded_streams(1_000, b""), None);
}

#[test]
fn the_decoders_of_many_streams_share_a_bound() {
    // The head of a gzip member (RFC 1952 section 2.3), and a stored block that has not come: a decoder waits. Those of
    // 8,000 bodies would take over 600 MiB; their bound is 256.
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0];
    bomb_within(&coded_streams(4_000, &head), None, 320 << 10);
}

#[test]
fn one_byte_of_a_table_entry_is_not_three_thousand() {
    // A new name `n` with a value of 3,000 bytes.
    let fill = [&POST[..], &[0x40, 1, b'n', 0x7f, 0xb9, 0x16], &[b'v'; 3_000]].concat();
    let named = [&POST[..], &[NEWEST; 85]].concat();
    let mut talk = [PREFACE, &frame(1, 4, 1, &fill)].concat();
    for n in 1..=16 {
        talk.extend(frame(1, 4, 2 * n + 1, &named));
    }
    let mut pcap = Pcap::new();
    // More of them would write more than a run may.
    for port in 50_000..50_050 {
        let mut connection = pcap.connect([port, 80]);
        pcap.send(&mut connection, 0, &talk);
    }
    bomb_within(&pcap, None, 192 << 10);
}

#[test]
fn empty_records_that_wait_for_keys_take_no_memory() {
    // A handshake message that says nothing, then records of application data without a byte (RFC 8446 section 5.1).
    let mut talk = b"\x16\x03\x01\0\x04\x0e\0\0\0".to_vec();
    talk.extend([0x17, 3, 3, 0, 0].repeat(1_000_000));
    let mut pcap = Pcap::new();
    let mut connection = pcap.connect([50_000, 443]);
    pcap.send(&mut connection, 0, &talk);
    bomb(&pcap, Some(&key_log()));
}
