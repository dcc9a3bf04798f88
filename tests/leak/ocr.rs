//! What a reader, or a program that reads pictures, makes of the exported picture. Needs tesseract; says so where it is not
//! installed.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;

use nephoscope::case::{Key, Plan, RedactionChoice, Section, SectionChoice};
use nephoscope::engine::detail;
use nephoscope::export::{Pixels, Redactor, write_png};
use nephoscope::model::Budget;
use nephoscope::store::Snapshot;
use nephoscope::ui::figure::{Chosen, Sheet, draw};

use super::{capture, judged, open, plants};

/// Letters of a secret that may be misread, or be missing, while it is still found: one in so many.
const MISREAD: usize = 6;

fn has_tesseract() -> bool {
    Command::new("tesseract").arg("--version").output().is_ok_and(|out| out.status.success())
}

/// What tesseract reads in a picture.
fn read(picture: &Path) -> String {
    // Lines at any place, in one column: names that stand between numbers and marks are not taken for noise.
    // Its own threads only wait for each other.
    let mut command = Command::new("tesseract");
    let out = command.arg(picture).args(["stdout", "--psm", "6"]).env("OMP_THREAD_LIMIT", "1").output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// Every section of the only exchange, with its bodies, as a picture.
fn picture(path: &Path, snapshot: &Snapshot, redaction: RedactionChoice, out: &Path) {
    let row = judged(snapshot)[0];
    let sections = Section::ALL.iter().map(|section| SectionChoice::open(*section)).collect();
    // Twice as large as at first, so that the reading of a plain secret does not fail for want of pixels.
    let plan = Plan { sections, redaction, width: 1_400, scale: 2, ..Plan::default() };
    let record = snapshot.record(row).unwrap();
    let bodies = detail(path, &record, snapshot, &Budget::default()).unwrap();
    let mut redactor = Redactor::new(&Key::of_capture(&[1; 32]), &plan.redaction);
    let chosen = Chosen { number: 1, row, detail: Some(bodies) };
    let sheet = Sheet::new(snapshot, vec![chosen], (&[row], 1), &mut redactor).unwrap();
    let drawn = draw(&plan, &sheet).unwrap();
    let rgba: Vec<u8> = drawn.image.pixels.iter().flat_map(egui::Color32::to_array).collect();
    let [width, height] = drawn.image.size.map(|side| side as u32);
    let pixels = Pixels { width, height, scale: 2, rgba: &rgba };
    fs::write(out, write_png(&pixels, b"{}").unwrap()).unwrap();
}

/// Without white space, and with letters that look alike as one.
fn blurred(text: &str) -> Vec<char> {
    let alike = |c: char| match c {
        'O' | 'o' | 'Q' | 'D' | '°' => '0',
        'l' | 'I' | 'i' | '|' | '!' | 'j' | 'J' => '1',
        'Z' | 'z' => '2',
        'S' | 's' | '§' | '$' => '5',
        'G' => '6',
        'g' | 'q' => '9',
        'B' => '8',
        '\u{2019}' | '\u{2018}' | '`' => '\'',
        other => other.to_lowercase().next().unwrap_or(other),
    };
    text.chars().filter(|c| !c.is_whitespace()).map(alike).collect()
}

/// Whether a text stands in another but for a few letters (Sellers' search: the end row of the edit distances, where the
/// match may begin anywhere).
fn legible(secret: &str, page: &[char]) -> bool {
    let secret = blurred(secret);
    let allowed = secret.len() / MISREAD;
    let mut row: Vec<usize> = (0..=secret.len()).collect();
    for seen in page {
        let mut diagonal = 0;
        for (at, want) in secret.iter().enumerate() {
            let changed = diagonal + usize::from(want != seen);
            diagonal = row[at + 1];
            row[at + 1] = changed.min(diagonal + 1).min(row[at] + 1);
        }
        if row[secret.len()] <= allowed {
            return true;
        }
    }
    false
}

#[test]
fn a_text_is_found_though_misread() {
    let page = blurred("x Zq O7 vK755\nO1xW y");
    assert!(legible("Zq07vK7550lxW", &page));
    assert!(!legible("Zq08vK8821qqW", &page));
    assert!(!legible("Zq07vK7550lxW", &blurred("signature ANM")));
}

#[test]
fn no_planted_secret_is_legible() {
    if !has_tesseract() {
        // Not swallowed by the test's capture of its output: what was left out is to be seen.
        let _closed = writeln!(
            io::stderr(),
            "leak test: tesseract is not installed, so that nobody looked for secrets in the pixels"
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = capture(folder.path());
    let snapshot = open(&path).unwrap();
    let on = RedactionChoice { on: true, private_addresses: true, words: vec!["Planted Person".to_owned()] };
    let off = RedactionChoice { on: false, ..RedactionChoice::default() };
    let look = |name: &str, redaction: RedactionChoice| {
        let out = folder.path().join(name);
        picture(&path, &snapshot, redaction, &out);
        blurred(&read(&out))
    };
    let (hidden, plain) = std::thread::scope(|scope| {
        let plain = scope.spawn(|| look("plain.png", off));
        (look("hidden.png", on), plain.join().unwrap())
    });
    // What proves is legible, so that reading works at all.
    for stays in ["Server: Windows-Azure-Blob/1.0", "planted.blob.core.windows.net"] {
        assert!(legible(stays, &hidden), "{stays} was not read");
    }
    let seen = |page: &[char]| -> Vec<&'static str> {
        plants().into_iter().filter(|(_, _, secret)| legible(secret, page)).map(|(_, template, _)| template).collect()
    };
    assert_eq!(seen(&hidden), Vec::<&str>::new());
    // The same eyes find them where nothing is hidden.
    let (found, all) = (seen(&plain).len(), plants().len());
    let _closed = writeln!(io::stderr(), "leak test: {found} of {all} secrets are read where nothing is hidden");
    assert!(found * 2 > all, "{found} of {all} secrets were read where nothing is hidden");
}
