//! Export and verification, without pictures of the window: what goes out can be checked, what is changed is noticed, and
//! no secret leaves.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test program: what cannot be read is a failed test"
)]

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use nephoscope::case::{Key, Plan, RedactionChoice};
use nephoscope::engine::{How, Reading, Source};
use nephoscope::export::{
    Callout, Claim, ExchangeClaim, Outcome, Pixels, Proof, Report, Subject, Whole, read_bundle, verify, write_report,
};
use nephoscope::model::{Budget, Detail};
use nephoscope::store::{Note, Notes, Record, RowId, Snapshot};
use serde_json::Value;

const SAMPLE: &str = "assets/sample/icloud-2011-reconstruction.pcapng";

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn open(path: &Path) -> Option<Snapshot> {
    let source = Source::File(path.to_owned());
    let mut reading = Reading::open(&source, How::judged(1), &Budget::default()).ok()?;
    while let Ok(true) = reading.step() {}
    Some(reading.snapshot())
}

/// Rows with a ledger, in capture order.
fn judged(snapshot: &Snapshot) -> Vec<RowId> {
    let order = snapshot.capture_order().into_iter().map(RowId);
    order.filter(|row| !snapshot.record(*row).unwrap().ledger.is_empty()).collect()
}

fn prove(path: &Path, snapshot: &Snapshot, row: RowId, redaction: RedactionChoice) -> Proof {
    let plan = Plan { redaction, title: "A title".to_owned(), ..Plan::default() };
    let key = Key::of_capture(&[7; 32]);
    Proof::new(snapshot, &Source::File(path.to_owned()), &[row], &plan, &key).unwrap()
}

fn off() -> RedactionChoice {
    RedactionChoice { on: false, ..RedactionChoice::default() }
}

fn with_excerpt(proof: &Proof) -> Subject {
    Subject { claim: proof.claim.clone(), pixels: None, excerpt: Some(proof.excerpt.bytes.clone()) }
}

fn failing(report: &Report) -> BTreeSet<u32> {
    let failed = report.items.iter().filter(|i| matches!(i.outcome, Outcome::Fails { .. }));
    failed.filter_map(|i| i.callout).collect()
}

/// Proves rows of a capture and checks each against excerpt and capture; gives passed and open callouts of the excerpts.
fn round_trip(path: &Path, most: usize) -> (usize, [usize; 3]) {
    let Some(snapshot) = open(path) else { return (0, [0; 3]) };
    let rows = judged(&snapshot);
    let step = rows.len().div_ceil(most.max(1)).max(1);
    let (mut exchanges, mut counts) = (0, [0; 3]);
    for row in rows.into_iter().step_by(step).take(most) {
        exchanges += 1;
        let proof = prove(path, &snapshot, row, RedactionChoice::default());
        let whole = verify(&Subject { excerpt: None, ..with_excerpt(&proof) }, Some(path), None, &Budget::default());
        for item in &whole.items {
            assert!(matches!(item.outcome, Outcome::Passes(_)), "{}: {item:#?}", path.display());
        }
        let report = verify(&with_excerpt(&proof), None, None, &Budget::default());
        assert!(!report.fails(), "{}: {:#?}", path.display(), report.items);
        // What was decrypted stands in no excerpt: that it is said so has a test of its own.
        if proof.claim.exchanges[0].decrypted {
            continue;
        }
        for (sum, n) in counts.iter_mut().zip(report.callouts()) {
            *sum += n;
        }
        for item in
            report.items.iter().filter(|i| matches!(i.outcome, Outcome::CannotBeChecked(_)) && i.callout.is_some())
        {
            eprintln!(
                "{} exchange {:?} callout {:?}: {} {:?}",
                path.display(),
                item.number,
                item.callout,
                item.what,
                item.outcome
            );
        }
    }
    (exchanges, counts)
}

#[test]
fn round_trip_of_our_captures() {
    let mut files: Vec<PathBuf> =
        fs::read_dir(project().join("tests/captures")).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|p| !matches!(p.extension().and_then(|e| e.to_str()), Some("jsonl" | "json" | "md" | "txt" | "py")));
    // Of reports no picture is made: there are no frames to prove it with.
    files.retain(|p| !p.to_string_lossy().contains(".har"));
    files.push(project().join(SAMPLE));
    files.sort();
    let (mut exchanges, mut counts) = (0, [0; 3]);
    for file in files {
        let (n, [pass, fail, open]) = round_trip(&file, 40);
        exchanges += n;
        counts = [counts[0] + pass, counts[1] + fail, counts[2] + open];
    }
    eprintln!("{exchanges} exchanges, callouts pass, fail, open: {counts:?}");
    assert!(exchanges > 20 && counts[0] > 100);
    assert_eq!(counts[1], 0);
    assert!(counts[2] * 20 <= counts[0], "too many callouts need the capture: {counts:?}");
}

#[test]
fn round_trip_of_the_corpus() {
    let Some(folder) = std::env::var_os("NEPHOSCOPE_CORPUS") else { return };
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|p| p.metadata().unwrap().len() < 8 << 20 && p.extension().is_some_and(|e| e != "md" && e != "json"));
    files.sort();
    let (mut exchanges, mut counts) = (0, [0; 3]);
    for file in files {
        if exchanges >= 200 {
            break;
        }
        let (n, [pass, fail, open]) = round_trip(&file, 6);
        exchanges += n;
        counts = [counts[0] + pass, counts[1] + fail, counts[2] + open];
    }
    eprintln!("corpus: {exchanges} exchanges, callouts pass, fail, open: {counts:?}");
    assert_eq!(counts[1], 0);
}

/// The upload of the sample.
fn upload() -> (PathBuf, Snapshot, RowId) {
    let path = project().join(SAMPLE);
    let snapshot = open(&path).unwrap();
    let row = judged(&snapshot)
        .into_iter()
        .find(|row| {
            let proof = prove(&path, &snapshot, *row, off());
            proof.claim.exchanges[0].request.as_ref().is_some_and(|r| r.starts_with("PUT "))
        })
        .unwrap();
    (path, snapshot, row)
}

/// Where a callout's bytes stand in the excerpt's file.
fn place_in(excerpt: &[u8], callout: &Callout) -> Option<usize> {
    let text = callout.text.as_bytes();
    memchr::memmem::find(excerpt, text)
}

#[test]
fn one_flipped_byte_fails_its_callouts_and_no_other() {
    let (path, snapshot, row) = upload();
    let proof = prove(&path, &snapshot, row, off());
    let callouts = &proof.claim.exchanges[0].callouts;
    let mut tried = 0;
    for callout in callouts.iter().filter(|c| c.part.ends_with("head")) {
        let place = place_in(&proof.excerpt.bytes, callout).unwrap();
        let length = callout.length as usize;
        for at in (0..length).step_by(7).chain([length - 1]) {
            let stands = callout.offset + at as u64;
            let covers = |c: &&Callout| c.part == callout.part && (c.offset..c.offset + c.length).contains(&stands);
            let want: BTreeSet<u32> = callouts.iter().filter(covers).map(|c| c.number).collect();
            for flip in [0x01, 0x20, 0xff] {
                let mut subject = with_excerpt(&proof);
                subject.excerpt.as_mut().unwrap()[place + at] ^= flip;
                let report = verify(&subject, None, None, &Budget::default());
                assert_eq!(failing(&report), want, "{} at {at} ^ {flip}: {:#?}", callout.text, report.items);
                tried += 1;
            }
        }
    }
    assert!(tried > 50, "{tried}");
}

#[test]
fn one_flipped_byte_of_a_server_name_fails_its_callouts() {
    let path = project().join(SAMPLE);
    let snapshot = open(&path).unwrap();
    let mut tried = 0;
    for row in judged(&snapshot) {
        let proof = prove(&path, &snapshot, row, off());
        let callouts = &proof.claim.exchanges[0].callouts;
        let named = |c: &&Callout| c.part == "ClientHello";
        let want: BTreeSet<u32> = callouts.iter().filter(named).map(|c| c.number).collect();
        let Some(callout) = callouts.iter().find(named) else { continue };
        // A lookup for the same name may stand before it, in its own letters; the hello comes after.
        let place = memchr::memmem::rfind(&proof.excerpt.bytes, callout.text.as_bytes()).unwrap();
        for at in [0, callout.length as usize / 2] {
            let mut subject = with_excerpt(&proof);
            subject.excerpt.as_mut().unwrap()[place + at] ^= 1;
            let report = verify(&subject, None, None, &Budget::default());
            let failed = failing(&report);
            // The certificate may hold the name too, and come last in the file.
            let certificate: BTreeSet<u32> =
                callouts.iter().filter(|c| c.part.starts_with("certificate")).map(|c| c.number).collect();
            assert!(failed == want || !failed.is_empty() && failed.is_subset(&certificate), "{:#?}", report.items);
            tried += 1;
        }
    }
    assert!(tried > 0);
}

/// Where the client's first connection id stands in an excerpt: in the headers of its Initial packets.
fn places_of_id(excerpt: &[u8], record: &Record) -> Vec<usize> {
    let Detail::Tls(tls) = &record.exchange.detail else { return Vec::new() };
    memchr::memmem::find_iter(excerpt, &tls.quic.as_ref().unwrap().server_ids[0]).collect()
}

#[test]
fn a_name_in_a_quic_hello_is_proved_by_its_packets() {
    let path = project().join("tests/captures/evidence-quic.pcap");
    let snapshot = open(&path).unwrap();
    let row = *judged(&snapshot).last().unwrap();
    let record = snapshot.record(row).unwrap();
    let proof = prove(&path, &snapshot, row, off());
    let callouts = &proof.claim.exchanges[0].callouts;
    let named: BTreeSet<u32> = callouts.iter().filter(|c| c.part == "ClientHello").map(|c| c.number).collect();
    assert!(!named.is_empty());
    let report = verify(&with_excerpt(&proof), None, None, &Budget::default());
    assert!(report.items.iter().all(|i| matches!(i.outcome, Outcome::Passes(_))), "{:#?}", report.items);
    // Any byte of the packet counts, not those of the name alone.
    let packets = places_of_id(&proof.excerpt.bytes, &record);
    for at in [0, 40, 1_000] {
        let mut subject = with_excerpt(&proof);
        for packet in &packets {
            subject.excerpt.as_mut().unwrap()[packet + at] ^= 1;
        }
        let failed = failing(&verify(&subject, None, None, &Budget::default()));
        assert!(failed.is_superset(&named), "{at}: {failed:?}");
    }
}

#[test]
fn a_hidden_name_in_a_quic_hello_takes_its_packets_along() {
    let path = project().join("tests/captures/evidence-quic.pcap");
    let snapshot = open(&path).unwrap();
    let row = *judged(&snapshot).last().unwrap();
    let record = snapshot.record(row).unwrap();
    let open = prove(&path, &snapshot, row, RedactionChoice::default());
    assert_eq!(places_of_id(&open.excerpt.bytes, &record).len(), 2);
    let words = vec!["nephoexample".to_owned()];
    let proof = prove(&path, &snapshot, row, RedactionChoice { words, ..RedactionChoice::default() });
    assert!(places_of_id(&proof.excerpt.bytes, &record).is_empty(), "the packets tell the name to everybody");
    let report = verify(&with_excerpt(&proof), None, None, &Budget::default());
    assert!(!report.fails(), "{:#?}", report.items);
    let whole = verify(&Subject { excerpt: None, ..with_excerpt(&proof) }, Some(&path), None, &Budget::default());
    assert!(whole.items.iter().all(|i| matches!(i.outcome, Outcome::Passes(_))), "{:#?}", whole.items);
}

#[test]
fn a_changed_hidden_byte_fails_too() {
    let (path, snapshot, row) = upload();
    let redaction = RedactionChoice { words: vec!["msbnx".to_owned()], ..RedactionChoice::default() };
    let proof = prove(&path, &snapshot, row, redaction);
    let hidden: Vec<&Callout> = proof.claim.exchanges[0].callouts.iter().filter(|c| !c.pieces.is_empty()).collect();
    assert!(!hidden.is_empty());
    assert!(!proof.excerpt.bytes.windows(5).any(|w| w.eq_ignore_ascii_case(b"msbnx")));
    assert!(!String::from_utf8(proof.claim.json()).unwrap().to_lowercase().contains("msbnx"));
    // With the capture the digest of the original bytes decides.
    let mut subject = Subject { excerpt: None, ..with_excerpt(&proof) };
    assert!(!verify(&subject, Some(&path), None, &Budget::default()).fails());
    let number = hidden[0].number;
    let callout = subject.claim.exchanges[0].callouts.iter_mut().find(|c| c.number == number).unwrap();
    let digest = callout.sha256.as_mut().unwrap();
    let first = if digest.starts_with('0') { "1" } else { "0" };
    digest.replace_range(..1, first);
    assert!(failing(&verify(&subject, Some(&path), None, &Budget::default())).contains(&number));
}

#[test]
fn a_claim_that_says_more_than_the_bytes_fails() {
    let (path, snapshot, row) = upload();
    let proof = prove(&path, &snapshot, row, RedactionChoice::default());
    let check = |change: &dyn Fn(&mut Subject)| {
        let mut subject = with_excerpt(&proof);
        change(&mut subject);
        let capture = verify(&subject, Some(&path), None, &Budget::default());
        assert!(capture.fails(), "{:#?}", capture.items);
    };
    check(&|s| s.claim.exchanges[0].callouts[0].signature = "amazon-aws.made.up".to_owned());
    check(&|s| s.claim.exchanges[0].callouts[0].text.push('x'));
    check(&|s| s.claim.exchanges[0].callouts[0].frames = vec![1]);
    check(&|s| s.claim.exchanges[0].callouts[0].offset += 1);
    check(&|s| s.claim.exchanges[0].verdict.grade = Some("suggests".to_owned()));
    check(&|s| s.claim.exchanges[0].verdict.operator.as_mut().unwrap().id = "amazon-aws".to_owned());
    check(&|s| s.claim.capture.sha256 = "00".repeat(32));
}

/// Each leaf of a value, by the steps that lead to it.
fn leaves(value: &Value, path: &mut Vec<String>, out: &mut Vec<String>) {
    let mut under = |step: String, value: &Value| {
        path.push(step);
        leaves(value, path, out);
        path.pop();
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| under(name.clone(), value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(n, value)| under(n.to_string(), value)),
        _ => out.push(format!("/{}", path.join("/"))),
    }
}

/// Another value of the same type.
fn changed(value: &Value) -> Value {
    match value {
        Value::Bool(flag) => Value::from(!flag),
        Value::Number(number) => Value::from(number.as_u64().unwrap() + 1),
        Value::String(text) => match text.parse::<SocketAddr>() {
            Ok(at) => Value::from(SocketAddr::new(at.ip(), at.port() ^ 1).to_string()),
            Err(_) => Value::from(format!("{text}x")),
        },
        other => panic!("{other}"),
    }
}

#[test]
fn what_the_author_ignores_is_counted_and_held_against_the_capture() {
    let (path, snapshot, row) = upload();
    let mut notes = Notes::default();
    let others = snapshot.rows().map(|(id, _)| id).filter(|id| *id != row).take(2);
    for id in others.chain([row]) {
        notes.set(id, Note { ignored: true, ..Note::default() });
    }
    let snapshot = snapshot.with_notes(notes);
    let proof = prove(&path, &snapshot, row, off());
    assert_eq!(proof.claim.ignored, 2, "what is shown is not left out");
    let check = |ignored: u32| {
        let mut subject = with_excerpt(&proof);
        subject.claim.ignored = ignored;
        let report = verify(&subject, Some(&path), None, &Budget::default());
        let mut words = Vec::new();
        write_report(&report, &subject.claim, &mut words).unwrap();
        (report.whole(), String::from_utf8(words).unwrap())
    };
    let said = "Not checked, the author's: 2 exchanges of the capture are left out by choice: ignored";
    let (whole, words) = check(2);
    assert!(whole == Whole::Holds && words.contains(said), "{words}");
    let (whole, words) = check(snapshot.len() as u32);
    assert!(whole == Whole::Fails && words.contains("FAILS              exchanges that are left out"), "{words}");
    assert!(!check(0).1.contains("left out by choice"));
    let json = String::from_utf8(proof.claim.json()).unwrap();
    assert_eq!(Claim::read(json.as_bytes()).unwrap(), proof.claim);
    for wrong in ["-1", "2.5", "\"2\"", "[]", "4294967296"] {
        let json = json.replace("\"ignored\": 2", &format!("\"ignored\": {wrong}"));
        assert!(Claim::read(json.as_bytes()).is_err(), "{wrong}");
    }
    let older = json.replace("  \"ignored\": 2,\n", "");
    assert_eq!(Claim::read(older.as_bytes()).unwrap().ignored, 0, "claims of older versions are read");
}

/// Changes every field of an exchange's claim, one at a time, and holds it against the capture; gives what passes.
fn unnoticed(path: &Path, proof: &Proof) -> Vec<String> {
    let whole = serde_json::to_value(&proof.claim.exchanges[0]).unwrap();
    let (mut fields, mut passing) = (Vec::new(), Vec::new());
    leaves(&whole, &mut Vec::new(), &mut fields);
    assert!(fields.len() > 50);
    let mut check = |name: String, exchange: Value| {
        let mut subject = Subject { excerpt: None, ..with_excerpt(proof) };
        // What no longer can be read says nothing.
        let Ok(exchange) = serde_json::from_value(exchange) else { return };
        subject.claim.exchanges[0] = exchange;
        if !verify(&subject, Some(path), None, &Budget::default()).fails() {
            passing.push(name);
        }
    };
    for field in fields {
        let mut exchange = whole.clone();
        let leaf = exchange.pointer_mut(&field).unwrap();
        *leaf = changed(leaf);
        check(field, exchange);
    }
    // Fields that stand only where they say something.
    let flags: [(&str, &str, Value); 12] = [
        ("", "decrypted", true.into()),
        ("", "stream", 5.into()),
        ("/verdict/operator", "grade_unredacted", "conclusive".into()),
        ("/verdict", "grade_unredacted", "conclusive".into()),
        ("/verdict/operator", "first_party", "forged.example".into()),
        ("/verdict/tenant", "first_party", "forged.example".into()),
        ("/verdict", "conflict", true.into()),
        ("/callouts/0", "hex", "00".into()),
        ("/callouts/0", "proof_hidden", true.into()),
        ("/callouts/0", "sha256", "00".into()),
        ("/callouts/0", "pieces", serde_json::json!([{ "hidden": 1 }])),
        ("/callouts/0", "text", "Forged: \u{2039}word ABC\u{203a}".into()),
    ];
    for (at, name, value) in flags {
        let mut exchange = whole.clone();
        let Some(Value::Object(fields)) = exchange.pointer_mut(at) else { continue };
        if fields.get(name) != Some(&value) {
            fields.insert(name.to_owned(), value);
            check(format!("{at}/{name}"), exchange);
        }
    }
    passing
}

#[test]
fn every_field_of_a_claim_is_held_against_the_capture() {
    let words = |words: &[&str]| RedactionChoice {
        words: words.iter().map(|w| (*w).to_owned()).collect(),
        ..RedactionChoice::default()
    };
    let (sample, snapshot, row) = upload();
    let mut proofs = vec![(sample.clone(), prove(&sample, &snapshot, row, words(&["msbnx"])))];
    for name in ["evidence-hand-out.pcap", "evidence-http2.pcap"] {
        let path = project().join("tests/captures").join(name);
        let snapshot = open(&path).unwrap();
        let row = *judged(&snapshot).last().unwrap();
        proofs.push((path.clone(), prove(&path, &snapshot, row, RedactionChoice::default())));
    }
    assert!(proofs.iter().any(|(_, proof)| proof.claim.exchanges[0].handed_out.is_some()));
    assert!(proofs.iter().any(|(_, proof)| proof.claim.exchanges[0].stream.is_some()));
    for (path, proof) in proofs {
        let mut passing = unnoticed(&path, &proof);
        // It says something of the excerpt, which is not looked at here; and numbers of rows are those of one listing.
        passing
            .retain(|field| !["/needs_capture", "/number", "/handed_out/exchange"].iter().any(|f| field.ends_with(f)));
        assert_eq!(passing, Vec::<String>::new(), "{}", path.display());
    }
}

#[test]
fn forged_lines_grades_and_names_fail() {
    let (path, snapshot, row) = upload();
    let redaction = RedactionChoice { words: vec!["msbnx".to_owned()], ..RedactionChoice::default() };
    let proof = prove(&path, &snapshot, row, redaction);
    let check = |change: &dyn Fn(&mut ExchangeClaim)| {
        let mut subject = with_excerpt(&proof);
        change(&mut subject.claim.exchanges[0]);
        for capture in [Some(path.as_path()), None] {
            let report = verify(&subject, capture, None, &Budget::default());
            assert!(report.fails(), "{:#?}", report.items);
        }
    };
    // The bytes are true, and the text that people read is not.
    check(&|e| {
        let line = e.callouts.iter_mut().find(|c| c.pieces.is_empty()).unwrap();
        line.hex = Some(nephoscope::model::hex(line.text.as_bytes()));
        line.text = "Server: AmazonS3".to_owned();
    });
    check(&|e| e.callouts.iter_mut().find(|c| !c.pieces.is_empty()).unwrap().text = "Forged: nowhere".to_owned());
    check(&|e| e.callouts.iter_mut().find(|c| !c.pieces.is_empty()).unwrap().text.push_str("\u{2039}word ABC\u{203a}"));
    check(&|e| {
        let answer = e.verdict.operator.as_mut().unwrap();
        answer.grade_unredacted = Some(answer.grade_unredacted.take().unwrap_or_else(|| answer.grade.clone()));
        answer.grade = "contradicted".to_owned();
    });
    // What a claim says of itself excuses nothing.
    let forged = |e: &mut ExchangeClaim| {
        let line = e.callouts.iter_mut().find(|c| c.part == "response head" && c.pieces.is_empty()).unwrap();
        line.text = "Server: AmazonS3".to_owned();
        line.needs_capture = true;
    };
    check(&forged);
    check(&|e| {
        forged(e);
        e.decrypted = true;
    });
    check(&|e| {
        forged(e);
        e.stream = Some(5);
    });
    check(&|e| e.verdict.operator.as_mut().unwrap().name = "Amazon Web Services".to_owned());
    check(&|e| e.request = Some("GET /forged HTTP/1.1".to_owned()));
    check(&|e| e.time = "2011-01-01T00:00:00Z".to_owned());
}

#[test]
fn another_capture_is_told_apart() {
    let (path, snapshot, row) = upload();
    let proof = prove(&path, &snapshot, row, RedactionChoice::default());
    let other = project().join("tests/captures/evidence-azure-blob.pcap");
    let report = verify(&Subject { excerpt: None, ..with_excerpt(&proof) }, Some(&other), None, &Budget::default());
    assert!(report.fails() && report.callouts()[0] == 0);
    let other_snapshot = open(&other).unwrap();
    let other_proof = prove(&other, &other_snapshot, judged(&other_snapshot)[0], RedactionChoice::default());
    let mixed = Subject { excerpt: Some(other_proof.excerpt.bytes.clone()), ..with_excerpt(&proof) };
    let report = verify(&mixed, None, None, &Budget::default());
    assert!(report.fails() && report.callouts()[0] == 0);
    let said = report
        .items
        .iter()
        .any(|i| matches!(&i.outcome, Outcome::Fails { there, .. } if there.contains("another capture")));
    assert!(said, "{:#?}", report.items);
}

fn pixels(rgba: &[u8]) -> Pixels<'_> {
    Pixels { width: 40, height: 30, scale: 2, rgba }
}

/// Where tshark is installed: it reads every excerpt of the sample without complaint.
#[test]
fn wireshark_opens_the_excerpts() {
    let path = project().join(SAMPLE);
    let snapshot = open(&path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for row in judged(&snapshot) {
        let redaction = RedactionChoice { private_addresses: true, ..RedactionChoice::default() };
        let proof = prove(&path, &snapshot, row, redaction);
        let file = folder.path().join("excerpt.pcapng");
        fs::write(&file, &proof.excerpt.bytes).unwrap();
        let mut tshark = std::process::Command::new("tshark");
        for layer in ["ip", "tcp", "udp"] {
            tshark.args(["-o", &format!("{layer}.check_checksum:TRUE")]);
        }
        tshark.args(["-T", "fields", "-E", "separator=|", "-e", "frame.comment", "-e", "_ws.malformed"]);
        tshark.args([
            "-e",
            "ip.checksum.status",
            "-e",
            "tcp.checksum.status",
            "-e",
            "udp.checksum.status",
            "-e",
            "ip.addr",
        ]);
        let Ok(run) = tshark.arg("-r").arg(&file).output() else { return };
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let text = String::from_utf8_lossy(&run.stdout);
        assert_eq!(text.lines().count(), proof.excerpt.frames.len());
        for (line, frame) in text.lines().zip(&proof.excerpt.frames) {
            let parts: Vec<&str> = line.split('|').collect();
            assert!(parts[0].starts_with(&format!("frame {frame} of ")), "{line}");
            assert_eq!(parts[1], "", "{line}");
            // 0 is bad, 1 is good, 2 is not checked.
            assert!(parts[2..5].iter().all(|status| *status != "0" && *status != "Bad"), "{line}");
            assert!(!line.contains("192.168."), "{line}");
        }
    }
}

#[test]
fn picture_and_bundle() {
    let (path, snapshot, row) = upload();
    let mut proof = prove(&path, &snapshot, row, RedactionChoice::default());
    let mut rgba: Vec<u8> = (0..40 * 30_u32).flat_map(|i| [i as u8, (i / 3) as u8, 90, 255]).collect();
    let png = proof.picture(&pixels(&rgba)).unwrap().to_vec();
    let bundle = proof.bundle("icloud").unwrap();
    assert_eq!(bundle, proof.bundle("icloud").unwrap());
    let subject = Subject::read(&bundle).unwrap();
    let report = verify(&subject, None, None, &Budget::default());
    assert!(!report.fails() && report.callouts()[0] > 0, "{:#?}", report.items);
    // Alone, the picture needs the capture.
    let alone = Subject::read(&png).unwrap();
    assert_eq!(verify(&alone, None, None, &Budget::default()).callouts()[0], 0);
    assert!(!verify(&alone, Some(&path), None, &Budget::default()).fails());
    // A changed pixel is said.
    let claim = String::from_utf8(proof.claim.json()).unwrap();
    rgba[100] ^= 1;
    let forged = nephoscope::export::write_png(&pixels(&rgba), claim.as_bytes()).unwrap();
    let report = verify(&Subject::read(&forged).unwrap(), Some(&path), None, &Budget::default());
    assert!(report.fails() && failing(&report).is_empty());
    let parts = read_bundle(&bundle).unwrap();
    assert_eq!(parts.claim, claim.as_bytes());
}

#[test]
fn hostile_input_is_an_error() {
    let deep = format!("{{\"schema\":\"nephoscope-claim/1\",\"x\":{}", "[".repeat(100_000));
    let other = "{\"schema\":\"nephoscope-claim/9\"}";
    let nothing: [&[u8]; 7] =
        [b"", b"{}", b"PK\x05\x06", b"\x89PNG\r\n\x1a\n", deep.as_bytes(), other.as_bytes(), &[0xff; 64]];
    for bytes in nothing {
        assert!(Subject::read(bytes).is_err());
    }
    let (path, snapshot, row) = upload();
    let proof = prove(&path, &snapshot, row, RedactionChoice::default());
    for cut in (0..proof.excerpt.bytes.len()).step_by(97) {
        let subject = Subject { excerpt: Some(proof.excerpt.bytes[..cut].to_vec()), ..with_excerpt(&proof) };
        assert!(
            verify(&subject, None, None, &Budget::default()).callouts()[0] < proof.claim.exchanges[0].callouts.len()
        );
    }
}

mod leak;
mod wire;

/// A capture of ours without the key log that it carries, and that key log.
fn without_keys(name: &str, folder: &Path) -> (PathBuf, PathBuf) {
    let whole = fs::read(project().join("tests/captures").join(name)).unwrap();
    let (mut rest, mut keys, mut at) = (Vec::new(), Vec::new(), 0);
    let number = |at: usize| u32::from_le_bytes(whole[at..at + 4].try_into().unwrap());
    while at < whole.len() {
        let len = number(at + 4) as usize;
        let block = &whole[at..at + len];
        if number(at) == 10 {
            keys.extend_from_slice(&block[16..16 + number(at + 12) as usize]);
        } else {
            rest.extend_from_slice(block);
        }
        at += len;
    }
    let (capture, log) = (folder.join("capture.pcapng"), folder.join("keys.log"));
    fs::write(&capture, rest).unwrap();
    fs::write(&log, keys).unwrap();
    (capture, log)
}

#[test]
fn decrypted_lines_are_checked_with_the_key_log_and_only_with_it() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["tls-keys-13.pcapng", "tls-keys-12.pcapng"] {
        let (path, log) = without_keys(name, folder.path());
        let how = How::judged(1).with_keys(Some(log.clone()));
        let mut reading = Reading::open(&Source::File(path.clone()), how, &Budget::default()).unwrap();
        while let Ok(true) = reading.step() {}
        let snapshot = reading.snapshot();
        let decrypted = |row: &RowId| snapshot.record(*row).unwrap().exchange.envelope.is_some();
        let row = judged(&snapshot).into_iter().find(decrypted).unwrap();
        let proof = prove(&path, &snapshot, row, RedactionChoice::default());
        assert!(proof.claim.exchanges[0].decrypted);
        let lines = proof.claim.exchanges[0].callouts.iter().filter(|c| c.part == "response head").count();
        assert!(lines > 0, "no line of the decrypted answer is cited: {:#?}", proof.claim.exchanges[0].callouts);

        // The capture with its key log: everything passes, and what was changed is noticed.
        let alone = Subject { excerpt: None, ..with_excerpt(&proof) };
        let report = verify(&alone, Some(&path), Some(&log), &Budget::default());
        for item in &report.items {
            assert!(matches!(item.outcome, Outcome::Passes(_)), "{name}: {item:#?}");
        }
        let mut forged = alone.clone();
        let callouts = &mut forged.claim.exchanges[0].callouts;
        let line = callouts.iter_mut().find(|c| c.part == "response head").unwrap();
        line.offset += 1;
        assert!(verify(&forged, Some(&path), Some(&log), &Budget::default()).fails(), "{name}");

        // The capture alone, and the excerpt alone: nothing fails, and it is said what is needed.
        for report in [
            verify(&alone, Some(&path), None, &Budget::default()),
            verify(&with_excerpt(&proof), None, None, &Budget::default()),
        ] {
            assert!(!report.fails(), "{name}: {:#?}", report.items);
            let open = |item: &&nephoscope::export::Item| matches!(&item.outcome, Outcome::CannotBeChecked(why) if why.contains("key log"));
            assert!(report.items.iter().filter(open).count() >= lines, "{name}: {:#?}", report.items);
        }

        // The hello stands in the excerpt, whole: its bytes decide.
        let report = verify(&with_excerpt(&proof), None, None, &Budget::default());
        let named = proof.claim.exchanges[0].callouts.iter().filter(|c| c.part == "ClientHello");
        for callout in named {
            let item = report.items.iter().find(|i| i.callout == Some(callout.number)).unwrap();
            assert!(matches!(item.outcome, Outcome::Passes(_)), "{name}: {item:#?}");
        }

        // Keys of another session open nothing: that proves nothing against the claim.
        let wrong = folder.path().join("wrong.log");
        let digits = text_of_another_log(&log);
        fs::write(&wrong, digits).unwrap();
        let report = verify(&alone, Some(&path), Some(&wrong), &Budget::default());
        assert!(!report.fails(), "{name}: {:#?}", report.items);

        // No secret goes out, neither of the key log nor of what was decrypted.
        let text = fs::read_to_string(&log).unwrap();
        let claim = serde_json::to_vec(&proof.claim).unwrap();
        for secret in text.lines().filter_map(|line| line.split(' ').nth(2)).chain(["0123456789abcdef"]) {
            let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!holds(&proof.excerpt.bytes) && !holds(&claim), "{name}: {secret}");
        }
        assert!(!proof.excerpt.bytes.windows(4).any(|four| four == 0x544C_534B_u32.to_le_bytes()), "{name}");
    }
}

#[test]
fn who_stops_reading_a_report_has_seen_enough() {
    let path = project().join(SAMPLE);
    let snapshot = open(&path).unwrap();
    let source = Source::File(path.clone());
    let key = Key::of_capture(&[7; 32]);
    let proof = Proof::new(&snapshot, &source, &judged(&snapshot), &Plan::default(), &key).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let claim = folder.path().join("claim.json");
    fs::write(&claim, proof.claim.json()).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_nephoscope"));
    command.args(["verify", "--format", "json"]).arg(&claim).arg(&path);
    let whole = command.output().unwrap();
    // Longer than what is held back before it is written.
    assert!(whole.status.success() && whole.stdout.len() > 8 << 10, "{}", String::from_utf8_lossy(&whole.stderr));
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let run = child.wait_with_output().unwrap();
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
}

/// A key log with other secrets for the same sessions.
fn text_of_another_log(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap();
    let other = |line: &str| match line.rsplit_once(' ') {
        Some((label, secret)) => format!("{label} {}\n", "5a".repeat(secret.len() / 2)),
        None => String::new(),
    };
    text.lines().map(other).collect()
}

/// A classic pcap of ours with changes: bytes replaced by as many others, and payloads cut in two frames behind a text.
fn rewritten(name: &str, folder: &Path, replace: &[(&[u8], &[u8])], cut_behind: Option<&[u8]>) -> PathBuf {
    let mut whole = fs::read(project().join("tests/captures").join(name)).unwrap();
    for (old, new) in replace {
        assert_eq!(old.len(), new.len());
        let places: Vec<usize> = memchr::memmem::find_iter(&whole, old).collect();
        assert!(!places.is_empty());
        for at in places {
            whole[at..at + new.len()].copy_from_slice(new);
        }
    }
    let (mut out, mut at) = (whole[..24].to_vec(), 24);
    while at < whole.len() {
        let len = u32::from_le_bytes(whole[at + 8..at + 12].try_into().unwrap()) as usize;
        let (times, frame) = (&whole[at..at + 8], &whole[at + 16..at + 16 + len]);
        let mut put = |frame: &[u8]| {
            out.extend_from_slice(times);
            out.extend_from_slice(&(frame.len() as u32).to_le_bytes().repeat(2));
            out.extend_from_slice(frame);
        };
        // Ethernet, IPv4 and TCP without options.
        let cut = cut_behind.and_then(|text| memchr::memmem::find(frame, text).map(|place| place + text.len()));
        match cut {
            Some(cut) => {
                let with = |payload: &[u8], skipped: u32| {
                    let mut new = [&frame[..54], payload].concat();
                    let len = new.len() as u16 - 14;
                    new[16..18].copy_from_slice(&len.to_be_bytes());
                    let seq = u32::from_be_bytes(new[38..42].try_into().unwrap()).wrapping_add(skipped);
                    new[38..42].copy_from_slice(&seq.to_be_bytes());
                    new
                };
                put(&with(&frame[54..cut], 0));
                put(&with(&frame[cut..], cut as u32 - 54));
            }
            None => put(frame),
        }
        at += 16 + len;
    }
    let path = folder.join(name);
    fs::write(&path, out).unwrap();
    path
}

/// Proves every row and looks for bytes in the excerpts, the addresses of packet headers apart: how many hold them. What
/// goes out must still hold where it can be checked.
fn excerpts_with(path: &Path, redaction: &RedactionChoice, secret: &[u8]) -> usize {
    let snapshot = open(path).unwrap();
    let mut found = 0;
    for row in snapshot.capture_order().into_iter().map(RowId) {
        let proof = prove(path, &snapshot, row, redaction.clone());
        found += usize::from(memchr::memmem::find(&proof.excerpt.bytes, secret).is_some());
        let report = verify(&with_excerpt(&proof), None, None, &Budget::default());
        assert!(!report.fails(), "{}: {:#?}", path.display(), report.items);
        let whole = verify(&Subject { excerpt: None, ..with_excerpt(&proof) }, Some(path), None, &Budget::default());
        assert!(!whole.fails(), "{}: {:#?}", path.display(), whole.items);
    }
    found
}

#[track_caller]
fn check_hidden(path: &Path, word: Option<&str>, secret: &[u8]) {
    let words = word.iter().map(|w| (*w).to_owned()).collect();
    let hiding = RedactionChoice { on: true, private_addresses: word.is_none(), words };
    assert!(excerpts_with(path, &RedactionChoice::default(), secret) > 0, "it does not stand there at all");
    assert_eq!(excerpts_with(path, &hiding, secret), 0);
}

#[test]
fn names_and_addresses_in_lookups_are_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let path = project().join("tests/captures/dns-udp.pcap");
    check_hidden(&path, Some("example.com"), b"\x07example\x03com");
    let private = [10, 0, 0, 20];
    let path = rewritten("dns-udp.pcap", folder.path(), &[(&[198, 51, 100, 20], &private)], None);
    check_hidden(&path, None, &private);
    check_hidden(&project().join("tests/captures/dns-tcp.pcap"), Some("example.com"), b"\x07example\x03com");
}

#[test]
fn names_and_addresses_in_handshakes_are_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let name = "tls-certificates.pcap";
    let address: (&[u8], &[u8]) = (b"www.example.com", b"10.0.0.1.nip.io");
    check_hidden(&rewritten(name, folder.path(), &[address], None), None, b"10.0.0.1");
    // One that stands in two segments: neither may keep its part.
    let path = rewritten(name, folder.path(), &[], Some(b"Example Tr"));
    check_hidden(&path, Some("example trust"), b"Example Tr");
    let path = rewritten(name, folder.path(), &[], Some(b"www.exam"));
    check_hidden(&path, Some("www.example.com"), b"www.exam");
}

#[test]
fn a_claim_that_asks_for_too_much_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = leak::long_answer(folder.path());
    let snapshot = open(&path).unwrap();
    let proof = prove(&path, &snapshot, RowId(0), off());
    let mut subject = Subject { excerpt: None, ..with_excerpt(&proof) };
    let one = proof.claim.exchanges[0].callouts[0].clone();
    let long = |number| Callout {
        number,
        part: "response head".to_owned(),
        frames: Vec::new(),
        offset: 0,
        length: 1 << 20,
        ..one.clone()
    };
    subject.claim.exchanges[0].callouts = (1..2_000).map(long).collect();
    let report = verify(&subject, Some(&path), None, &Budget::default());
    let limit =
        |i: &&nephoscope::export::Item| matches!(&i.outcome, Outcome::CannotBeChecked(why) if why.contains("1 GiB"));
    assert!(report.fails() && report.items.iter().filter(limit).count() > 1_000);
    subject.claim.exchanges[0].callouts = (1..40_002).map(long).collect();
    assert!(Claim::read(&subject.claim.json()).is_err());
}
