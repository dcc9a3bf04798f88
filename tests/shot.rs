//! Pictures without a display: the same on every run, whole, and in shape whatever the capture holds.

#![expect(clippy::unwrap_used, reason = "a test program: what cannot be read is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nephoscope::case::{
    Anchor, Annotation, Area, Case, Colour, Key, Look, Plan, Point, RedactionChoice, Section, SectionChoice, Shape,
    Weight,
};
use nephoscope::engine::{How, Reading, Source};
use nephoscope::export::{Listing, Redactor, read_bundle};
use nephoscope::model::Budget;
use nephoscope::store::{RowId, Snapshot};
use nephoscope::ui::figure::{Chosen, Drawn, Preset, Sheet, draw};

const SAMPLE: &str = "assets/sample/icloud-2011-reconstruction.pcapng";
/// The PUT to Blob storage in the sample.
const PUT: u32 = 14;

fn open(path: &Path) -> Snapshot {
    let mut reading = Reading::open(&Source::File(path.to_owned()), How::judged(1), &Budget::default()).unwrap();
    while reading.step().unwrap() {}
    reading.snapshot()
}

fn sample() -> Snapshot {
    open(&Path::new(env!("CARGO_MANIFEST_DIR")).join(SAMPLE))
}

fn sheet(snapshot: &Snapshot, number: u32, listed: &[RowId]) -> Sheet {
    let row = Listing::all(snapshot).find(number).unwrap();
    let mut redactor = Redactor::new(&Key::of_capture(&[7; 32]), &RedactionChoice::default());
    Sheet::new(snapshot, vec![Chosen { number, row, detail: None }], (listed, listed.len()), &mut redactor).unwrap()
}

fn pixels(drawn: &Drawn) -> Vec<u8> {
    drawn.image.pixels.iter().flat_map(egui::Color32::to_array).collect()
}

/// Numbers stand apart, beside their lines, inside the picture.
#[track_caller]
fn in_shape(drawn: &Drawn) {
    assert!(drawn.image.pixels.iter().all(|p| p.a() == 255), "the picture is opaque");
    for (i, one) in drawn.callouts.iter().enumerate() {
        assert!(one.rect.min.x >= 0.0 && one.rect.max.x <= one.line.min.x, "{one:?}");
        assert!(one.line.max.x <= drawn.size.x && one.rect.max.y <= drawn.size.y, "{one:?} in {:?}", drawn.size);
        for other in drawn.callouts.iter().skip(i + 1) {
            assert!(!one.rect.shrink(0.5).intersects(other.rect), "{one:?} over {other:?}");
        }
    }
}

#[test]
fn the_put_of_the_sample_is_drawn_the_same_every_time() {
    let snapshot = sample();
    let sheet = sheet(&snapshot, PUT, &[]);
    let plan = Preset::Evidence.plan();
    let first = draw(&plan, &sheet).unwrap();
    in_shape(&first);
    assert_eq!(first.image.size[0], 2_160);
    // Request and response quote nine of its lines; two stand in names and addresses.
    let mut numbers: Vec<u32> = first.callouts.iter().map(|c| c.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 6, 7, 8, 9, 10]);
    let drawn: Vec<Drawn> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(|| draw(&plan, &sheet).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for other in &drawn {
        assert!(pixels(other) == pixels(&first) && other.callouts == first.callouts);
    }
}

#[test]
fn presets_and_looks_differ() {
    let snapshot = sample();
    let listed: Vec<RowId> = Listing::all(&snapshot).rows().map(|(_, id)| id).collect();
    let sheet = sheet(&snapshot, PUT, &listed);
    for preset in [Preset::Evidence, Preset::List, Preset::Story] {
        let mut plan = Plan { scale: 1, ..preset.plan() };
        let light = draw(&plan, &sheet).unwrap();
        in_shape(&light);
        plan.look = Look::Dark;
        let dark = draw(&plan, &sheet).unwrap();
        assert_eq!(light.image.size, dark.image.size);
        assert_eq!(light.sections, dark.sections);
        let bright = |d: &Drawn| d.image.pixels.first().unwrap().r() > 128;
        assert!(bright(&light) && !bright(&dark));
        plan.scale = 3;
        let large = draw(&plan, &sheet).unwrap();
        assert_eq!(large.image.size[0], light.image.size[0] * 3);
    }
    let mut plan = Plan { scale: 1, ..Preset::Evidence.plan() };
    let whole = draw(&plan, &sheet).unwrap();
    plan.evidence_only = true;
    let short = draw(&plan, &sheet).unwrap();
    assert!(short.size.y < whole.size.y && short.callouts.len() == whole.callouts.len());
    for choice in &mut plan.sections {
        choice.folded = true;
    }
    assert!(draw(&plan, &sheet).unwrap().size.y < short.size.y);
}

#[test]
fn what_an_author_hides_is_gone() {
    let snapshot = sample();
    let sheet = sheet(&snapshot, PUT, &[]);
    let mut plan = Plan { scale: 1, ..Preset::Evidence.plan() };
    let at = |x, y| Point { x, y };
    let annotation = |shape| Annotation {
        anchor: Anchor::Picture,
        shape,
        colour: Colour::Red,
        weight: Weight::Medium,
        other: serde_json::Map::new(),
    };
    let area = Area { from: at(20.5, 30.5), to: at(200.5, 60.5) };
    plan.annotations = vec![
        annotation(Shape::Redaction(area)),
        annotation(Shape::Arrow { from: at(400.0, 300.0), to: at(300.0, 200.0) }),
        annotation(Shape::Ellipse(Area { from: at(40.0, 100.0), to: at(140.0, 160.0) })),
        annotation(Shape::Text { at: at(500.0, 20.0), words: "look\u{202e} here".to_owned() }),
        annotation(Shape::Number { at: at(600.0, 100.0), number: 3 }),
        annotation(Shape::Highlight(Area { from: at(f32::NAN, 1e30), to: at(0.0, -1e30) })),
    ];
    let drawn = draw(&plan, &sheet).unwrap();
    let under = |x: usize, y: usize| drawn.image.pixels.get(y * drawn.image.size[0] + x).unwrap();
    for y in 30..61 {
        for x in 20..201 {
            assert_eq!(under(x, y), under(20, 30), "at {x}, {y}");
        }
    }
    let whole = drawn.image.size;
    plan.annotations.push(annotation(Shape::Crop(Area { from: at(0.0, 0.0), to: at(700.0, 400.0) })));
    let cut = draw(&plan, &sheet).unwrap();
    assert_eq!(cut.image.size[0], 700);
    assert!(cut.image.size[1] > 400 && cut.image.size[1] < whole[1], "the footer stays");
}

/// A capture of one request and its answer on one connection, each cut into segments.
fn capture(request: &[u8], response: &[u8]) -> tempfile::TempPath {
    let mut out: Vec<u8> = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1] {
        out.extend(word.to_le_bytes());
    }
    let mut seconds = 1_307_991_606_u32;
    let mut next = [1_u32, 1_u32];
    for (side, bytes) in [(0_usize, request), (1, response)] {
        for part in bytes.chunks(1_400) {
            let (from, to) =
                if side == 0 { ([10, 0, 0, 2], [70, 37, 127, 115]) } else { ([70, 37, 127, 115], [10, 0, 0, 2]) };
            let ports: [u16; 2] = if side == 0 { [49_215, 80] } else { [80, 49_215] };
            let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
            let total = (40 + part.len()) as u16;
            frame.extend([0x45, 0]);
            frame.extend(total.to_be_bytes());
            frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
            frame.extend(from);
            frame.extend(to);
            frame.extend(ports.iter().flat_map(|p| p.to_be_bytes()));
            frame.extend(next[side].to_be_bytes());
            frame.extend(next[1 - side].to_be_bytes());
            frame.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
            frame.extend(part);
            next[side] += part.len() as u32;
            seconds += 1;
            for word in [seconds, 0, frame.len() as u32, frame.len() as u32] {
                out.extend(word.to_le_bytes());
            }
            out.extend(frame);
        }
    }
    let file = tempfile::Builder::new().suffix(".pcap").tempfile().unwrap().into_temp_path();
    fs::write(&file, out).unwrap();
    file
}

#[track_caller]
fn hostile(request: &[u8], response: &[u8]) -> Drawn {
    let file = capture(request, response);
    let snapshot = open(&file);
    assert_eq!(snapshot.len(), 1);
    let sheet = sheet(&snapshot, 1, &[RowId(0)]);
    let mut plan = Preset::Evidence.plan();
    plan.scale = 1;
    plan.sections.extend(Preset::Story.plan().sections.into_iter().skip(1));
    plan.sections.push(SectionChoice::open(Section::List));
    plan.sections.push(SectionChoice::open(Section::Connection));
    let drawn = draw(&plan, &sheet).unwrap();
    in_shape(&drawn);
    assert_eq!(drawn.image.size[0], 1_080);
    assert!(drawn.image.size[1] < 8_000, "{:?}", drawn.image.size);
    if let Some(folder) = std::env::var_os("NEPHOSCOPE_SHOTS") {
        let [width, height] = drawn.image.size.map(|n| n as u32);
        let picture = nephoscope::export::Pixels { width, height, scale: 1, rgba: &pixels(&drawn) };
        let name = format!("hostile-{height}.png");
        fs::write(Path::new(&folder).join(name), nephoscope::export::write_png(&picture, b"{}").unwrap()).unwrap();
    }
    drawn
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nServer: Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0\r\nx-ms-version: 2009-09-19\r\nContent-Length: 0\r\n\r\n";

#[test]
fn a_header_of_64_kilobytes_is_shortened() {
    let mut request = b"GET / HTTP/1.1\r\nHost: a.blob.core.windows.net\r\nX-Long: ".to_vec();
    request.extend(std::iter::repeat_n(b"abcdefgh", 7_500).flatten());
    request.extend(b"\r\n\r\n");
    assert!(hostile(&request, OK).size.y < 2_500.0);
}

#[test]
fn a_thousand_lines_are_counted() {
    let mut request = b"GET / HTTP/1.1\r\nHost: a.blob.core.windows.net\r\n".to_vec();
    for n in 0..900 {
        request.extend(format!("X-{n}: v\r\n").into_bytes());
    }
    request.extend(b"\r\n");
    assert!(hostile(&request, OK).size.y < 4_000.0);
}

#[test]
fn scripts_marks_and_controls_stay_in_their_lines() {
    let marks = "e\u{301}\u{302}\u{303}\u{304}".repeat(60);
    let request = format!(
        "GET /\u{202e}gpj.exe HTTP/1.1\r\nHost: {}.blob.core.windows.net\r\nX-Bidi: a\u{202e}b\u{2066}c\u{2069}d\r\n\
         X-Zero: pay\u{200b}pal\u{200d}\u{feff}\r\nX-Scripts: 世界 שלום مرحبا नमस्ते สวัสดี 한국어 Ελλάδα Привет\r\n\
         X-Marks: {marks}\r\nX-Control: \x01\x1b[31mred\x7f\r\nX-Emoji: 😀👨‍👩‍👧🇸🇪\r\nX-Tags: \u{e0041}\u{e0042}\r\n\r\n",
        "a".repeat(300)
    );
    let mut response = b"HTTP/1.1 200 \xff\xfe\r\nServer: Windows-Azure-Blob/1.0 \xe2\x80\xae\r\nX-Raw: ".to_vec();
    response.extend(0x80..=0xff_u8);
    response.extend(b"\r\nContent-Length: 0\r\n\r\n");
    hostile(request.as_bytes(), &response);
}

#[test]
fn the_command_writes_once_and_says_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let capture = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(SAMPLE);
    let shot = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nephoscope"));
        command.current_dir(folder.path()).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        let out = command.arg("shot").arg(&capture).args(arguments).output().unwrap();
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let name = folder.path().join("icloud-2011-reconstruction-exchange-14.png");
    assert_eq!(shot(&["--exchange", "14"]).0, Some(0));
    let first = fs::read(&name).unwrap();
    assert!(first.starts_with(b"\x89PNG\r\n\x1a\n"));
    let (code, said) = shot(&["--exchange", "14"]);
    assert!(code == Some(2) && said.contains("--overwrite"), "{said}");
    assert_eq!(shot(&["--exchange", "14", "--overwrite"]).0, Some(0));
    assert!(fs::read(&name).unwrap() == first, "the same bytes on every run");
    let (code, said) = shot(&["--exchange", "99", "--out", "other.png"]);
    assert!(code == Some(2) && said.contains("this capture has 23"), "{said}");
    assert_eq!(shot(&["--filter", "blob", "--preset", "list", "--out", "list.png"]).0, Some(0));
    let verify =
        Command::new(env!("CARGO_BIN_EXE_nephoscope")).arg("verify").arg(&name).arg(&capture).output().unwrap();
    assert_eq!(verify.status.code(), Some(0), "{}", String::from_utf8_lossy(&verify.stdout));
}

#[test]
fn the_command_hides_what_the_case_hides() {
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("sample.pcapng");
    fs::copy(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(SAMPLE), &capture).unwrap();
    let mut case = Case::new(Key::of_capture(&[3; 32]));
    case.redaction.words = vec!["msbnx".to_owned()];
    case.save(&capture).unwrap();
    let out = folder.path().join("proof.zip");
    let mut command = Command::new(env!("CARGO_BIN_EXE_nephoscope"));
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").arg("shot").arg(&capture);
    let run = command.args(["--exchange", "14", "--out"]).arg(&out).output().unwrap();
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
    let bundle = read_bundle(&fs::read(&out).unwrap()).unwrap();
    let claim = String::from_utf8(bundle.claim).unwrap().to_lowercase();
    assert!(!claim.contains("msbnx") && claim.contains("‹word "), "{claim}");
}
