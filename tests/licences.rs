//! Every package that is compiled in must have a licence that lets the whole be given away under MIT or Apache-2.0.

#![expect(clippy::expect_used, reason = "a test program: what cannot be read is a failed test")]

use std::collections::BTreeSet;
use std::env;
use std::process::Command;

use serde_json::Value;

/// What is allowed (SPDX names): those that are here today, and none of them asks for more than its notice. The two font
/// licences belong to the fonts that egui brings. A new one is read before it is added.
const ALLOWED: &[&str] =
    &["Apache-2.0", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "OFL-1.1", "Ubuntu-font-1.0", "Unicode-3.0", "Zlib"];

/// Whether an SPDX expression can be met with allowed licences only. `/` is the old way to write OR.
fn met(expression: &str) -> bool {
    let text = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut at = 0;
    let good = either(&words, &mut at);
    good && at == words.len()
}

fn either(words: &[&str], at: &mut usize) -> bool {
    let mut good = both(words, at);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        good |= both(words, at);
    }
    good
}

fn both(words: &[&str], at: &mut usize) -> bool {
    let mut good = single(words, at);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        good &= single(words, at);
    }
    good
}

fn single(words: &[&str], at: &mut usize) -> bool {
    let word = words.get(*at);
    *at += 1; // also past the end, so that an unfinished expression is not met
    let Some(word) = word else { return false };
    if *word == "(" {
        let good = either(words, at);
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return good && closed;
    }
    if words.get(*at) == Some(&"WITH") {
        let name = format!("{word} WITH {}", words.get(*at + 1).copied().unwrap_or_default());
        *at += 2;
        return ALLOWED.contains(&name.as_str());
    }
    ALLOWED.contains(word)
}

/// Packages that the program or its build needs on this platform.
fn packages() -> Vec<Value> {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--offline", "--locked", "--format-version", "1", "--filter-platform"])
        .arg(format!("{}-unknown-linux-gnu", env::consts::ARCH))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let used: BTreeSet<&str> =
        told["resolve"]["nodes"].as_array().expect("nodes").iter().filter_map(|node| node["id"].as_str()).collect();
    let all = told["packages"].as_array().expect("packages");
    all.iter().filter(|package| package["id"].as_str().is_some_and(|id| used.contains(id))).cloned().collect()
}

#[test]
fn every_licence_is_allowed() {
    let packages = packages();
    assert!(packages.len() > 50, "cargo metadata told of {} packages only", packages.len());
    let mut bad = Vec::new();
    for package in &packages {
        let licence = package["license"].as_str().unwrap_or_default();
        if !met(licence) {
            bad.push(format!("{} {}: {licence:?}", package["name"], package["version"]));
        }
    }
    assert!(bad.is_empty(), "licences outside the list of tests/licences.rs:\n{}", bad.join("\n"));
    println!("{} packages, every licence allowed", packages.len());
}

#[test]
fn expressions_are_read_as_spdx_says() {
    for good in [
        "MIT",
        "MIT OR GPL-3.0",
        "GPL-3.0/MIT",
        "(MIT OR GPL-3.0) AND Zlib",
        "MIT AND ISC OR GPL-2.0",
        "Apache-2.0 WITH LLVM-exception OR MIT",
    ] {
        assert!(met(good), "{good}");
    }
    for bad in
        ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT", "MIT OR GPL-3.0 AND", "MIT AND (GPL-3.0 OR AGPL-3.0)", "MIT ISC"]
    {
        assert!(!met(bad), "{bad}");
    }
}
