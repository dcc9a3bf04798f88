//! Holds the map of floors in the docs of `src/lib.rs`: a module names itself and lower floors, never a neighbour on its
//! own floor, never upward, and no top module stands outside the map.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test program: what cannot be read is a failed test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The floors as planned; `src/lib.rs` shows those that are built.
const FLOORS: &[(&str, u8)] = &[
    ("model", 0),
    ("capture", 1),
    ("decode", 1),
    ("streams", 2),
    ("protocols", 3),
    ("evidence", 4),
    ("store", 5),
    ("engine", 6),
    ("case", 7),
    ("export", 8),
    ("ui", 9),
    ("cli", 10),
];

fn floor_of(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn rust_files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the source folder can be read") {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            out.push(path);
        }
    }
}

/// Module path of a file below `src`: `capture/file.rs` is `[capture, file]`, `capture/mod.rs` is `[capture]`.
fn module_path(relative: &Path) -> Vec<String> {
    let mut parts: Vec<String> =
        relative.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// Blanks comments, strings and character literals, keeping the line breaks, so that only code is searched.
fn code_only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
    while let Some(&c) = chars.get(at) {
        let next = chars.get(at + 1).copied();
        let end = match (c, next) {
            ('/', Some('/')) => at + chars.iter().skip(at).take_while(|c| **c != '\n').count(),
            ('/', Some('*')) => {
                let mut depth = 1;
                let mut end = at + 2;
                while depth > 0 && end < chars.len() {
                    match (chars.get(end), chars.get(end + 1)) {
                        (Some('*'), Some('/')) => (depth, end) = (depth - 1, end + 2),
                        (Some('/'), Some('*')) => (depth, end) = (depth + 1, end + 2),
                        _ => end += 1,
                    }
                }
                end
            }
            ('r', Some('"' | '#'))
                if !at.checked_sub(1).and_then(|b| chars.get(b)).is_some_and(|b| b.is_alphanumeric() && *b != 'b') =>
            {
                let hashes = chars.iter().skip(at + 1).take_while(|c| **c == '#').count();
                if chars.get(at + 1 + hashes) == Some(&'"') {
                    let mut end = at + 2 + hashes;
                    while end < chars.len()
                        && !(chars.get(end) == Some(&'"')
                            && chars.iter().skip(end + 1).take_while(|c| **c == '#').count() >= hashes)
                    {
                        end += 1;
                    }
                    end + 1 + hashes
                } else {
                    at
                }
            }
            ('"', _) => {
                let mut end = at + 1;
                while end < chars.len() && chars.get(end) != Some(&'"') {
                    end += if chars.get(end) == Some(&'\\') { 2 } else { 1 };
                }
                end + 1
            }
            ('\'', Some('\\')) => at + 3 + chars.iter().skip(at + 3).take_while(|c| **c != '\'').count() + 1,
            ('\'', Some(_)) if chars.get(at + 2) == Some(&'\'') => at + 3,
            _ => at,
        };
        if end == at {
            out.push(c);
            at += 1;
        } else {
            out.extend(chars.iter().take(end).skip(at).map(|c| blank(*c)));
            at = end;
        }
    }
    out
}

fn word(text: &str) -> &str {
    let text = text.trim_start().trim_start_matches("r#");
    let len = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    text.get(..len).unwrap_or_default()
}

/// First names after a path root: `engine` of `engine::x`, both of `{engine, store::Y}`, `*` of `*`.
fn first_names(after: &str) -> Vec<String> {
    let after = after.trim_start();
    if after.starts_with('*') {
        return vec!["*".to_owned()];
    }
    let Some(group) = after.strip_prefix('{') else { return vec![word(after).to_owned()] };
    let (mut names, mut depth, mut fresh) = (Vec::new(), 0_usize, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            c if fresh && !c.is_whitespace() => {
                fresh = false;
                let name = word(group.get(at..).unwrap_or_default());
                names.push(if name.is_empty() { c.to_string() } else { name.to_owned() });
            }
            _ => {}
        }
    }
    names
}

/// Each (line, name) that the code takes from the root of the crate, through `crate::` or a chain of `super::`.
fn taken_from_root(code: &str, depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut add = |at: usize, after: &str, only_floors: bool| {
        let line = code.get(..at).unwrap_or_default().matches('\n').count() + 1;
        for name in first_names(after) {
            if name == "self" || (only_floors && floor_of(&name).is_none()) {
                continue;
            }
            found.push((line, name));
        }
    };
    for (at, root) in code.match_indices("crate::") {
        let before = code.get(..at).unwrap_or_default().chars().next_back();
        if !before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            add(at, code.get(at + root.len()..).unwrap_or_default(), false);
        }
    }
    let mut from = 0;
    while let Some(step) = code.get(from..).and_then(|rest| rest.find("super::")) {
        let at = from + step;
        let mut end = at;
        let mut climbed = 0;
        while code.get(end..).is_some_and(|rest| rest.starts_with("super::")) {
            climbed += 1;
            end += "super::".len();
        }
        // Inline modules make the same chain end lower, so a name that is no floor may be an ordinary item.
        if climbed >= depth {
            add(at, code.get(end..).unwrap_or_default(), true);
        }
        from = end;
    }
    found
}

/// What a file of module `home` does against the map.
fn faults(home: &str, depth: usize, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let Some(floor) = floor_of(home) else { return vec![format!("module {home} stands on no floor")] };
    for (line, name) in taken_from_root(&code_only(text), depth) {
        match floor_of(&name) {
            _ if name == home => {}
            Some(other) if other < floor => {}
            Some(other) => {
                faults.push(format!("line {line}: {home} (floor {floor}) takes from {name} (floor {other})"));
            }
            None => faults.push(format!("line {line}: {home} takes crate::{name}, which is no floor")),
        }
    }
    faults
}

#[test]
fn imports_point_down() {
    let mut files = Vec::new();
    rust_files(&source(), &mut files);
    files.sort();
    assert!(files.len() > 5, "the walk found too few files: {}", files.len());
    let mut bad = Vec::new();
    for file in files {
        let relative = file.strip_prefix(source()).unwrap().to_path_buf();
        let path = module_path(&relative);
        let home = path.first().expect("a file has a name").clone();
        let text = fs::read_to_string(&file).unwrap();
        if home == "lib" || home == "main" {
            continue;
        }
        bad.extend(
            faults(&home, path.len(), &text).into_iter().map(|fault| format!("src/{}: {fault}", relative.display())),
        );
    }
    assert!(bad.is_empty(), "the floors are broken:\n{}", bad.join("\n"));
}

#[test]
fn every_top_module_is_on_the_map() {
    let text = fs::read_to_string(source().join("lib.rs")).unwrap();
    let mut shown = BTreeMap::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("//! ")) {
        let mut halves = line.splitn(2, "  ");
        if let (Some(Ok(floor)), Some(rest)) = (halves.next().map(|half| half.trim().parse::<u8>()), halves.next()) {
            let names = rest.trim_start().split("  ").next().unwrap_or_default();
            shown.extend(names.split(',').map(|name| (name.trim().to_owned(), floor)));
        }
    }
    for (name, floor) in &shown {
        assert_eq!(floor_of(name), Some(*floor), "the map in src/lib.rs shows {name} on floor {floor}");
    }
    for entry in fs::read_dir(source()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            name == "lib" || name == "main" || shown.contains_key(&name),
            "src/{name} is missing from the map in the docs of src/lib.rs"
        );
    }
    let main = code_only(&fs::read_to_string(source().join("main.rs")).unwrap());
    assert!(
        !main.lines().any(|line| line.trim_start().starts_with("mod ")),
        "src/main.rs declares a module: it would be compiled and tested twice"
    );
    for name in
        main.match_indices("nephoscope::").flat_map(|(at, root)| first_names(main.get(at + root.len()..).unwrap()))
    {
        assert!(name == "cli" || name == "ui", "src/main.rs picks cli or ui, it takes {name}");
    }
}

#[test]
fn the_check_sees_what_it_must() {
    let see = |home: &str, depth, text| faults(home, depth, text).len();
    assert_eq!(see("store", 2, "use crate::model::Row;\nuse crate::store::table;\nuse super::blocks;"), 0);
    assert_eq!(see("store", 2, "use crate::engine::Worker;"), 1, "upward");
    assert_eq!(see("capture", 2, "fn f(x: &crate::decode::Unit) {}"), 1, "sideways");
    assert_eq!(see("streams", 1, "use crate::{model::{Side, Run}, protocols, engine::Merge};"), 2, "in a group");
    assert_eq!(see("streams", 1, "use crate::*;"), 1, "everything");
    assert_eq!(see("streams", 1, "use crate::oddities::X;"), 1, "not on the map");
    assert_eq!(see("streams", 1, "use super::engine::Merge;"), 1, "by climbing");
    assert_eq!(see("streams", 2, "use super::super::engine::Merge;"), 1, "by climbing twice");
    assert_eq!(see("streams", 2, "mod tests { use super::*; use super::super::assembly; }"), 0, "own items");
    assert_eq!(
        see("streams", 2, "// see crate::engine::Merge\n/* crate::ui */ let s = \"crate::cli::x\";"),
        0,
        "no code"
    );
    assert_eq!(see("streams", 2, "let c = '\"'; use crate::ui::App; let d = '\"';"), 1, "quotes in character literals");
    assert_eq!(see("oddities", 2, ""), 1, "a module outside the map");
}
