//! Turns `assets/signatures.toml` and `assets/addresses/ranges.txt` into static tables.
//!
//! Whatever the pack says wrongly (an unknown key, a service nobody lists, a row without a source) ends the build with
//! the place of the mistake, so that a release never carries a signature that nobody can check.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "src/evidence/pack_file.rs"]
mod pack_file;

use pack_file::{KINDS, PackFile, SPEAKS_FOR, SignatureRow, Weight, colour, month};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let pack = root.join("assets/signatures.toml");
    let ranges = root.join("assets/addresses/ranges.txt");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", root.join("src/evidence/pack_file.rs").display());
    println!("cargo::rerun-if-changed={}", pack.display());
    println!("cargo::rerun-if-changed={}", ranges.display());

    let text = fs::read_to_string(&pack).map_err(|e| format!("{}: {e}", pack.display()))?;
    let place =
        |finding: &pack_file::Finding| format!("{}:{}: {}: {}", pack.display(), finding.line, finding.id, finding.what);
    let file = pack_file::parse(&text).map_err(|finding| place(&finding))?;
    let findings = pack_file::check(&file, &text, None);
    let refused = findings.iter().filter(|f| f.weight == Weight::Refused);
    let count = refused.map(|f| println!("cargo::error={}", place(f))).count();
    if count > 0 {
        return Err(format!("{}: {count} mistakes", pack.display()).into());
    }
    let mut code = String::new();
    write_pack(&file, &mut code)?;
    write_words(&file, &findings, &mut code)?;

    let text = fs::read_to_string(&ranges).map_err(|e| format!("{}: {e}", ranges.display()))?;
    write_addresses(&text, &ranges, &file, &mut code, &out)?;
    fs::write(out.join("pack.rs"), code)?;
    Ok(())
}

fn write_pack(file: &PackFile, code: &mut String) -> Result<(), Failure> {
    writeln!(code, "static PROVIDERS: [Provider; {}] = [", file.provider.len())?;
    for p in &file.provider {
        let [r, g, b] = colour(&p.colour).unwrap_or_default();
        writeln!(
            code,
            "Provider {{ id: {:?}, name: {:?}, aliases: &{:?}, parent: {:?}, colour: [{r}, {g}, {b}], \
             glyph: {:?}, note: {:?} }},",
            p.id.get_ref(),
            p.name,
            p.aliases,
            p.parent,
            p.glyph,
            p.note
        )?;
    }
    writeln!(
        code,
        "];\nstatic SERVICES: [Service; {}] = [",
        file.provider.iter().map(|p| p.services.len()).sum::<usize>()
    )?;
    for (number, p) in file.provider.iter().enumerate() {
        for s in &p.services {
            writeln!(
                code,
                "Service {{ provider: ProviderId({number}), id: {:?}, name: {:?}, role: {:?} }},",
                s.id, s.name, s.role
            )?;
        }
    }
    let providers: BTreeMap<&str, usize> =
        file.provider.iter().enumerate().map(|(number, p)| (p.id.get_ref().as_str(), number)).collect();
    let roles: Vec<&String> = file.roles.keys().collect();
    writeln!(code, "];\nstatic ROLES: [&str; {}] = {roles:?};", roles.len())?;
    // The services are numbered in the order of the file, which is not that of the map.
    let mut numbers = BTreeMap::new();
    for p in &file.provider {
        for s in &p.services {
            numbers.insert((p.id.get_ref().as_str(), s.id.as_str()), numbers.len());
        }
    }
    writeln!(code, "static SIGNATURES: [Signature; {}] = [", file.signature.len())?;
    for s in &file.signature {
        let provider = providers.get(s.provider.as_str()).copied().unwrap_or_default();
        let service = numbers.get(&(s.provider.as_str(), s.service.as_str())).copied().unwrap_or_default();
        let customer = s.customer.as_ref().and_then(|c| providers.get(c.as_str()));
        let customer = customer.map_or_else(|| "None".to_owned(), |c| format!("Some(ProviderId({c}))"));
        let forgers = s.forgeable_by.iter().filter_map(|f| file.forgers.get(f)).map(String::as_str);
        let (_, kind, group) = KINDS.iter().find(|(word, ..)| *word == s.kind).copied().unwrap_or_default();
        write!(
            code,
            "Signature {{ id: {:?}, provider: ProviderId({provider}), service: {service}, role: {:?}, \
             kind: Kind::{kind}, field: {:?}, patterns: &{:?}, strength: {}, basis: {:?}, speaks_for: SpeaksFor::{}, group: Group::{}, \
             supports: Supports({}), forgeable_by: {:?}, proves: {:?}, suggests: {:?}, note: {:?}, sources: &{:?}, ",
            s.id.get_ref(),
            s.role,
            s.field,
            s.patterns(),
            s.strength,
            s.basis,
            speaks_for(s),
            group,
            pack_file::supports(s),
            pack_file::forgers(forgers),
            s.proves,
            s.suggests,
            s.note,
            s.sources,
        )?;
        writeln!(
            code,
            "from_month: {}, to_month: {}, customer: {customer}, decoder: {:?}, examples: &{:?} }},",
            s.era_from.as_deref().and_then(month).unwrap_or(0),
            s.era_to.as_deref().and_then(month).map_or_else(|| "u32::MAX".to_owned(), |m| m.to_string()),
            s.decoder,
            s.examples,
        )?;
    }
    writeln!(
        code,
        "];\nstatic PACK: Pack = Pack {{ written: {:?}, providers: &PROVIDERS, services: &SERVICES, \
         signatures: &SIGNATURES, roles: &ROLES, version: {:?}, files: &[], off: &[], ranges: &[] }};",
        file.written,
        format!("built-in {}", file.written)
    )?;
    Ok(())
}

fn speaks_for(s: &SignatureRow) -> &'static str {
    SPEAKS_FOR.iter().find(|(word, _)| *word == s.speaks_for).map_or("", |(_, name)| name)
}

/// The words that files of users may use, and what is worth a look in the built-in pack.
fn write_words(file: &PackFile, findings: &[pack_file::Finding], code: &mut String) -> Result<(), Failure> {
    writeln!(code, "static KINDS: [(&str, Kind, Group); {}] = [", KINDS.len())?;
    for (word, kind, group) in KINDS {
        writeln!(code, "({word:?}, Kind::{kind}, Group::{group}),")?;
    }
    writeln!(code, "];\nstatic SPEAKS_FOR: [(&str, SpeaksFor); {}] = [", SPEAKS_FOR.len())?;
    for (word, name) in SPEAKS_FOR {
        writeln!(code, "({word:?}, SpeaksFor::{name}),")?;
    }
    let basis: Vec<&String> = file.basis.keys().collect();
    let forgers: Vec<(&String, &String)> = file.forgers.iter().collect();
    let warnings: Vec<(usize, &str, &str)> =
        findings.iter().map(|f| (f.line, f.id.as_str(), f.what.as_str())).collect();
    writeln!(code, "];\nstatic BASIS: [&str; {}] = {basis:?};", basis.len())?;
    writeln!(code, "static FORGERS: [(&str, &str); {}] = {forgers:?};", forgers.len())?;
    writeln!(code, "static WARNINGS: [(usize, &str, &str); {}] = {warnings:?};", warnings.len())?;
    Ok(())
}

/// `ranges.txt`: `date NAME YYYY-MM-DD` lines, then `label NUMBER LAYER=SIGNATURE …` lines
/// (`service=SIGNATURE@YYYY-MM`), then boundaries `4 HEX LABEL` and `6 HEX LABEL`: from that address on, up to the next boundary, the label holds.
fn write_addresses(text: &str, path: &Path, file: &PackFile, code: &mut String, out: &Path) -> Result<(), Failure> {
    let ids: BTreeMap<&str, usize> =
        file.signature.iter().enumerate().map(|(n, s)| (s.id.get_ref().as_str(), n)).collect();
    let mut dates = BTreeMap::new();
    let mut labels: Vec<([Option<usize>; 4], u32)> = Vec::new();
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    let (mut last4, mut last6) = (None, None);
    for (number, line) in text.lines().enumerate() {
        let fail = |what: &str| Err(Failure::from(format!("{}:{}: {what}", path.display(), number + 1)));
        let mut parts = line.split(' ');
        match (parts.next(), parts.next()) {
            (Some("" | "#") | None, _) => {}
            (Some("date"), Some(name)) => {
                let Some(month) = parts.next().and_then(month) else { return fail("not a date") };
                dates.insert(name.to_owned(), month);
            }
            (Some("label"), Some(id)) => {
                if id.parse() != Ok(labels.len()) {
                    return fail("labels are numbered from 0 without gaps");
                }
                let (mut label, mut listed) = ([None; 4], 0);
                for part in parts {
                    let Some((layer, signature)) = part.split_once('=') else { return fail("not LAYER=SIGNATURE") };
                    let (signature, date) = signature.split_once('@').unwrap_or((signature, ""));
                    match (layer, month(date)) {
                        ("service", Some(date)) => listed = date,
                        ("service", None) => return fail("no date behind the signature"),
                        _ => {}
                    }
                    let slot = ["service", "now", "2014", "2008"].iter().position(|l| *l == layer);
                    let (Some(slot), Some(signature)) = (slot.and_then(|s| label.get_mut(s)), ids.get(signature))
                    else {
                        return fail("an unknown layer or signature");
                    };
                    *slot = Some(*signature);
                }
                labels.push((label, listed));
            }
            (Some("4"), Some(start)) => {
                let (Ok(start), Some(label)) = (u32::from_str_radix(start, 16), label(parts.next(), labels.len()))
                else {
                    return fail("not a boundary");
                };
                if last4.is_some_and(|last| last >= start) {
                    return fail("boundaries must ascend");
                }
                last4 = Some(start);
                v4.extend_from_slice(&start.to_be_bytes());
                v4.extend_from_slice(&label.to_be_bytes());
            }
            (Some("6"), Some(start)) => {
                let (Ok(start), Some(label)) = (u128::from_str_radix(start, 16), label(parts.next(), labels.len()))
                else {
                    return fail("not a boundary");
                };
                if last6.is_some_and(|last| last >= start) {
                    return fail("boundaries must ascend");
                }
                last6 = Some(start);
                v6.extend_from_slice(&start.to_be_bytes());
                v6.extend_from_slice(&label.to_be_bytes());
            }
            _ => return fail("an unknown line"),
        }
    }
    fs::write(out.join("v4.bin"), v4)?;
    fs::write(out.join("v6.bin"), v6)?;
    writeln!(code, "static LABELS: [Label; {}] = [", labels.len())?;
    for ([service, now, then, before], listed) in labels {
        writeln!(
            code,
            "Label {{ service: {service:?}, listed: {listed}, networks: [{before:?}, {then:?}, {now:?}] }},"
        )?;
    }
    writeln!(code, "];")?;
    for name in ["now", "2014", "2008"] {
        let Some(month) = dates.get(name) else {
            return Err(format!("{}: no date for {name}", path.display()).into());
        };
        writeln!(code, "const MONTH_{}: u32 = {month};", name.to_uppercase())?;
    }
    Ok(())
}

fn label(text: Option<&str>, count: usize) -> Option<u16> {
    text?.parse().ok().filter(|n| usize::from(*n) < count)
}
