//! What desktops and packages are told: the files say the same of names, types, sizes and versions, and the pages that are made
//! from the command line come out the same each time.

#![expect(clippy::expect_used, reason = "a test program: what cannot be read is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn here(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn text(file: &str) -> String {
    fs::read_to_string(here(file)).expect(file)
}

/// The values that stand between `before` and `after`.
fn each<'a>(text: &'a str, before: &str, after: &str) -> BTreeSet<&'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split(after).next()).collect()
}

fn cargo() -> toml::Table {
    text("Cargo.toml").parse().expect("TOML")
}

#[test]
fn desktop_types_and_metadata_agree() {
    let desktop = text("assets/desktop/nephoscope.desktop");
    let keys: BTreeMap<&str, &str> = desktop.lines().filter_map(|line| line.split_once('=')).collect();
    let window = text("src/ui/window.rs");
    let id = each(&window, "const APP_ID: &str = \"", "\"").into_iter().next().expect("the window's name");
    for key in ["Icon", "StartupWMClass", "TryExec"] {
        assert_eq!(keys[key], id, "{key}: under Wayland and X11 the window is found by this");
    }
    assert_eq!(keys["Exec"], format!("{id} %f"));
    let metadata = text("assets/desktop/nephoscope.metainfo.xml");
    let types = text("assets/desktop/nephoscope.xml");
    let named: BTreeSet<&str> = keys["MimeType"].split(';').filter(|name| !name.is_empty()).collect();
    assert_eq!(named, each(&types, "<mime-type type=\"", "\""));
    assert_eq!(named, each(&metadata, "<mediatype>", "</mediatype>"));
    assert!(metadata.contains(&format!("<launchable type=\"desktop-id\">{id}.desktop</launchable>")));
    let version = env!("CARGO_PKG_VERSION");
    assert!(metadata.contains(&format!("<release version=\"{version}\"")), "no release {version} in the metainfo");
    assert!(text("assets/desktop/changelog").starts_with(&format!("nephoscope ({version}-1)")), "changelog");
}

#[test]
fn the_package_has_what_it_names() {
    let cargo = cargo();
    let deb = &cargo["package"]["metadata"]["deb"];
    let mut sizes = BTreeSet::new();
    for asset in deb["assets"].as_array().expect("a list") {
        let [from, to] = [0, 1].map(|at| asset[at].as_str().expect("a path"));
        if !from.starts_with("target/") {
            assert!(here(from).is_file(), "{from} is not there");
        }
        if let Some(size) = to.strip_prefix("usr/share/icons/hicolor/").and_then(|rest| rest.split('x').next())
            && let Ok(size) = size.parse::<u32>()
        {
            let icon = image::open(here(from)).expect("a picture");
            assert_eq!((icon.width(), icon.height()), (size, size), "{from} is for {to}");
            sizes.insert(size);
        }
    }
    assert_eq!(sizes, BTreeSet::from([16, 24, 32, 48, 64, 128, 256, 512]));
    // What `make setup` installs for the window, the package brings too.
    let makefile = text("Makefile");
    let packages = each(&makefile, "PACKAGES := ", "python3").into_iter().next().expect("the list");
    let listed = ["depends", "recommends"].map(|key| deb[key].as_str().expect("a text"));
    let brought: BTreeSet<&str> = listed.iter().flat_map(|list| list.split([',', '|'])).map(str::trim).collect();
    for library in packages.split_whitespace().filter(|name| name.starts_with("lib") && !name.ends_with("-dev")) {
        assert!(brought.contains(library), "{library} is in the Makefile and not in the package: {brought:?}");
    }
}

/// Writes pages and completions; gives them by name.
fn manual() -> BTreeMap<PathBuf, Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_nephoscope")).arg("write-manual").arg(folder.path()).output();
    let output = output.expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut files = BTreeMap::new();
    for below in ["", "man", "completions"] {
        for entry in fs::read_dir(folder.path().join(below)).expect("a folder") {
            let path = entry.expect("a file").path();
            if path.is_dir() {
                continue;
            }
            let name = path.strip_prefix(folder.path()).expect("below it").to_owned();
            files.insert(name, fs::read(&path).expect("it can be read"));
        }
    }
    files
}

#[test]
fn pages_and_completions_come_out_the_same() {
    let files = manual();
    assert_eq!(files, manual());
    let of = |name: &str| String::from_utf8_lossy(files.get(Path::new(name)).expect(name)).into_owned();
    for (script, words) in [
        ("completions/nephoscope.bash", ["complete -F _nephoscope", "--format"]),
        ("completions/_nephoscope", ["#compdef nephoscope", "--no-verdicts"]),
        ("completions/nephoscope.fish", ["complete -c nephoscope", "signatures"]),
    ] {
        let text = of(script);
        assert!(words.iter().all(|word| text.contains(word)), "{script}");
        assert!(!text.contains("write-manual"), "{script} offers what is hidden");
    }
    assert!(of("man/nephoscope-list.1").contains("jsonl"));
    assert!(of("man/nephoscope.1").contains("nephoscope\\-verify(1)"));
}

/// What the columns of tables hold stands in the project as the program says it. `UPDATE_EXPECTED=1` writes it anew.
#[test]
fn columns_are_described_as_they_are() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/columns.md");
    let now = manual().remove(Path::new("columns.md")).expect("it is written");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&kept, &now).expect("it is written");
    }
    assert_eq!(String::from_utf8(fs::read(&kept).unwrap_or_default()), String::from_utf8(now));
}

/// Every field that any capture of ours has stands in the description of the form.
#[test]
fn fields_of_json_lines_are_described() {
    fn names(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    found.insert(name.clone());
                    names(value, found);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| names(value, found)),
            _ => {}
        }
    }
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let described = fs::read_to_string(project.join("assets/json-lines.md")).expect("it is there");
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(project.join("tests/captures")).expect("a folder") {
        let path = entry.expect("a file").path();
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            let text = fs::read_to_string(&path).expect("text");
            text.lines().for_each(|line| names(&serde_json::from_str(line).expect("JSON"), &mut found));
        }
    }
    let missing: Vec<&String> = found.iter().filter(|name| !described.contains(&format!("`{name}`"))).collect();
    assert!(found.len() > 100 && missing.is_empty(), "{missing:?} of {}", found.len());
}
