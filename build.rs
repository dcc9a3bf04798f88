//! Turns `assets/signatures.toml` and `assets/addresses/ranges.txt` into static tables.
//!
//! Whatever the pack says wrongly (an unknown key, a service nobody lists, a row without a source) ends the build with
//! the place of the mistake, so that a release never carries a signature that nobody can check.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde::Deserialize;
use toml::Spanned;

type Failure = Box<dyn std::error::Error>;
type Words = BTreeMap<String, String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema_version: u32,
    written: String,
    strength: Words,
    strength_rules: Words,
    basis: Words,
    speaks_for: Words,
    roles: Words,
    kinds: Words,
    forgers: Words,
    palette: Palette,
    known_error: Vec<KnownError>,
    provider: Vec<Provider>,
    signature: Vec<Signature>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Palette {
    note: String,
    main: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownError {
    claim: String,
    truth: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    id: Spanned<String>,
    name: String,
    aliases: Vec<String>,
    parent: String,
    colour: String,
    glyph: String,
    services: Vec<Service>,
    #[serde(default)]
    note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    id: String,
    name: String,
    role: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    id: Spanned<String>,
    provider: String,
    service: String,
    role: String,
    kind: String,
    #[serde(default)]
    field: String,
    pattern: Option<String>,
    patterns: Option<Vec<String>>,
    strength: u8,
    basis: String,
    speaks_for: String,
    forgeable_by: Vec<String>,
    proves: String,
    suggests: String,
    sources: Vec<String>,
    era_from: Option<String>,
    era_to: Option<String>,
    customer: Option<String>,
    #[serde(default)]
    note: String,
    #[serde(default)]
    decoder: String,
    #[serde(default)]
    examples: Vec<String>,
}

fn main() -> Result<(), Failure> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let pack = root.join("assets/signatures.toml");
    let ranges = root.join("assets/addresses/ranges.txt");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", pack.display());
    println!("cargo::rerun-if-changed={}", ranges.display());

    let text = fs::read_to_string(&pack).map_err(|e| format!("{}: {e}", pack.display()))?;
    let file: File = toml::from_str(&text).map_err(|e| format!("{}: {e}", pack.display()))?;
    let mut code = String::new();
    let places = Places { path: &pack, text: &text };
    let index = check(&file, &places)?;
    write_pack(&file, &index, &mut code)?;

    let text = fs::read_to_string(&ranges).map_err(|e| format!("{}: {e}", ranges.display()))?;
    write_addresses(&text, &ranges, &file, &mut code, &out)?;
    fs::write(out.join("pack.rs"), code)?;
    Ok(())
}

/// Names a place of the pack by its line.
struct Places<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Places<'_> {
    fn fail(&self, at: &Spanned<String>, what: &str) -> Failure {
        let before = self.text.as_bytes().get(..at.span().start).unwrap_or_default();
        let line = before.split(|b| *b == b'\n').count();
        format!("{}:{line}: {}: {what}", self.path.display(), at.get_ref()).into()
    }
}

/// Where providers and services stand in the tables.
struct Index {
    providers: BTreeMap<String, usize>,
    services: BTreeMap<(String, String), usize>,
}

fn check(file: &File, places: &Places<'_>) -> Result<Index, Failure> {
    if file.schema_version != 1 {
        return Err(format!("{}: schema_version {} is not 1", places.path.display(), file.schema_version).into());
    }
    let described = [&file.strength, &file.strength_rules, &file.basis, &file.speaks_for, &file.kinds, &file.forgers];
    let empty = described.iter().any(|words| words.values().any(String::is_empty))
        || file.palette.note.is_empty()
        || file.palette.main.is_empty()
        || file.known_error.iter().any(|e| e.claim.is_empty() || e.truth.is_empty());
    if empty {
        return Err(format!("{}: a description is empty", places.path.display()).into());
    }
    let mut index = Index { providers: BTreeMap::new(), services: BTreeMap::new() };
    let mut glyphs = BTreeSet::new();
    for (number, p) in file.provider.iter().enumerate() {
        if index.providers.insert(p.id.get_ref().clone(), number).is_some() {
            return Err(places.fail(&p.id, "this provider stands here twice"));
        }
        let two_letters = p.glyph.len() == 2 && p.glyph.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if !two_letters || !glyphs.insert(p.glyph.as_str()) {
            return Err(
                places.fail(&p.id, "the glyph must be two capital letters or digits that no other provider has")
            );
        }
        if colour(&p.colour).is_none() {
            return Err(places.fail(&p.id, "the colour must read #RRGGBB"));
        }
        if p.name.is_empty() || p.parent.is_empty() || p.aliases.iter().any(String::is_empty) {
            return Err(places.fail(&p.id, "name, parent or an alias is empty"));
        }
        for s in &p.services {
            if !file.roles.contains_key(&s.role) || s.name.is_empty() {
                return Err(places.fail(&p.id, &format!("service {}: unknown role or no name", s.id)));
            }
            let number = index.services.len();
            if index.services.insert((p.id.get_ref().clone(), s.id.clone()), number).is_some() {
                return Err(places.fail(&p.id, &format!("service {} stands here twice", s.id)));
            }
        }
    }
    let mut ids = BTreeSet::new();
    for s in &file.signature {
        let fail = |what: &str| Err(places.fail(&s.id, what));
        if !ids.insert(s.id.get_ref()) {
            return fail("this id stands here twice");
        }
        if !index.services.contains_key(&(s.provider.clone(), s.service.clone())) {
            return fail("provider and service are not in the list of providers");
        }
        if !file.roles.contains_key(&s.role) || !file.basis.contains_key(&s.basis) || !(1..=5).contains(&s.strength) {
            return fail("unknown role, basis or strength");
        }
        if kind(&s.kind).is_none() || !file.kinds.contains_key(&s.kind) || speaks_for(&s.speaks_for).is_none() {
            return fail("unknown kind or speaks_for");
        }
        if s.forgeable_by.is_empty() || s.forgeable_by.iter().any(|f| !file.forgers.contains_key(f)) {
            return fail("forgeable_by names nobody, or somebody unknown");
        }
        if s.sources.is_empty() || s.sources.iter().any(String::is_empty) {
            return fail("no source");
        }
        if s.proves.is_empty() || s.suggests.is_empty() {
            return fail("proves or suggests is empty");
        }
        if s.pattern.is_some() == s.patterns.is_some() || patterns(s).iter().any(|p| p.is_empty()) {
            return fail("either a pattern or patterns, not empty");
        }
        let needs_field = matches!(s.kind.as_str(), "header_value_regex" | "request_header_regex" | "computed");
        if needs_field == s.field.is_empty() || s.field.bytes().any(|b| b.is_ascii_uppercase()) {
            return fail("the kind needs a field in lower case, or must have none");
        }
        let by_name = s.kind.ends_with("_suffix") || s.kind.ends_with("header_name");
        if by_name && patterns(s).iter().any(|p| p.bytes().any(|b| b.is_ascii_uppercase() || b == b' ')) {
            return fail("names are written in lower case");
        }
        for era in [&s.era_from, &s.era_to].into_iter().flatten() {
            if month(era).is_none() {
                return fail("an era is a year, YYYY-MM or YYYY-MM-DD");
            }
        }
        if s.customer.as_ref().is_some_and(|c| !index.providers.contains_key(c)) {
            return fail("the customer is no provider of this file");
        }
        if (s.kind == "computed") == s.decoder.is_empty() {
            return fail("computed rows, and only they, have a decoder");
        }
    }
    Ok(index)
}

fn write_pack(file: &File, index: &Index, code: &mut String) -> Result<(), Failure> {
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
    writeln!(code, "];\nstatic SERVICES: [Service; {}] = [", index.services.len())?;
    for (number, p) in file.provider.iter().enumerate() {
        for s in &p.services {
            writeln!(
                code,
                "Service {{ provider: ProviderId({number}), id: {:?}, name: {:?}, role: {:?} }},",
                s.id, s.name, s.role
            )?;
        }
    }
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
        let provider = index.providers.get(&s.provider).copied().unwrap_or_default();
        let service = numbers.get(&(s.provider.as_str(), s.service.as_str())).copied().unwrap_or_default();
        let customer = s.customer.as_ref().and_then(|c| index.providers.get(c));
        let customer = customer.map_or_else(|| "None".to_owned(), |c| format!("Some(ProviderId({c}))"));
        let forgers: Vec<String> = s.forgeable_by.iter().map(|f| words(file.forgers.get(f))).collect();
        let kind = kind(&s.kind).unwrap_or_default();
        write!(
            code,
            "Signature {{ id: {:?}, provider: ProviderId({provider}), service: {service}, role: {:?}, \
             kind: Kind::{kind}, field: {:?}, patterns: &{:?}, strength: {}, basis: {:?}, speaks_for: SpeaksFor::{}, group: Group::{}, \
             supports: Supports({}), forgeable_by: {:?}, proves: {:?}, suggests: {:?}, note: {:?}, sources: &{:?}, ",
            s.id.get_ref(),
            s.role,
            s.field,
            patterns(s),
            s.strength,
            s.basis,
            speaks_for(&s.speaks_for).unwrap_or_default(),
            group(&s.kind),
            supports(s),
            forgers.join("; "),
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
         signatures: &SIGNATURES, roles: &ROLES }};",
        file.written
    )?;
    Ok(())
}

/// `ranges.txt`: `date NAME YYYY-MM-DD` lines, then `label NUMBER LAYER=SIGNATURE …` lines
/// (`service=SIGNATURE@YYYY-MM`), then boundaries `4 HEX LABEL` and `6 HEX LABEL`: from that address on, up to the next boundary, the label holds.
fn write_addresses(text: &str, path: &Path, file: &File, code: &mut String, out: &Path) -> Result<(), Failure> {
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

fn patterns(s: &Signature) -> Vec<&str> {
    s.pattern.iter().map(String::as_str).chain(s.patterns.iter().flatten().map(String::as_str)).collect()
}

/// Months since the year 0; the day is left out.
fn month(text: &str) -> Option<u32> {
    let mut parts = text.split('-');
    let year: u32 = parts.next()?.parse().ok()?;
    let month: u32 = parts.next().map_or(Some(1), |m| m.parse().ok())?;
    ((1990..2100).contains(&year) && (1..=12).contains(&month)).then(|| year * 12 + month - 1)
}

fn colour(text: &str) -> Option<[u8; 3]> {
    let number = u32::from_str_radix(text.strip_prefix('#').filter(|t| t.len() == 6)?, 16).ok()?;
    let [_, r, g, b] = number.to_be_bytes();
    Some([r, g, b])
}

/// A forger's description as it stands inside a sentence.
fn words(text: Option<&String>) -> String {
    let text = text.map_or("", String::as_str).trim_end_matches('.');
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

fn kind(text: &str) -> Option<&'static str> {
    Some(match text {
        "dns_suffix" => "DnsSuffix",
        "cname_suffix" => "CnameSuffix",
        "cname_regex" => "CnameRegex",
        "chain_regex" => "ChainRegex",
        "url_host_regex" => "UrlHostRegex",
        "url_query_keys" => "UrlQueryKeys",
        "header_name" => "HeaderName",
        "header_value_regex" => "HeaderValueRegex",
        "request_header_name" => "RequestHeaderName",
        "request_header_regex" => "RequestHeaderRegex",
        "server_value" => "ServerValue",
        "cookie_name" => "CookieName",
        "status_phrase_regex" => "StatusPhraseRegex",
        "body_regex" => "BodyRegex",
        "cert_san_suffix" => "CertSanSuffix",
        "cert_org" => "CertOrg",
        "cert_issuer" => "CertIssuer",
        "asn" => "Asn",
        "ip_range_ref" => "IpRangeRef",
        "ns_regex" => "NsRegex",
        "ptr_suffix" => "PtrSuffix",
        "ptr_regex" => "PtrRegex",
        "computed" => "Computed",
        _ => return None,
    })
}

fn speaks_for(text: &str) -> Option<&'static str> {
    Some(match text {
        "responder" => "Responder",
        "edge" => "Edge",
        "origin" => "Origin",
        "name" => "Name",
        "dns" => "Dns",
        "platform" => "Platform",
        _ => return None,
    })
}

/// The independence group of a kind. What the client wrote itself (signed URLs, storage request fields) is name choice
/// until an answer shows that it was accepted; the matcher lifts it then.
fn group(kind: &str) -> &'static str {
    match kind {
        "cname_suffix" | "cname_regex" | "chain_regex" | "ns_regex" | "ptr_suffix" | "ptr_regex" => "DnsAuthority",
        "cert_san_suffix" | "cert_org" | "cert_issuer" => "KeyHolder",
        "asn" | "ip_range_ref" => "Routing",
        "computed" => "Arithmetic",
        "dns_suffix" | "url_host_regex" | "url_query_keys" | "request_header_name" | "request_header_regex" => {
            "NameChoice"
        }
        _ => "AnsweringSoftware",
    }
}

/// Which of the four answers a row speaks to: 1 operator, 2 product, 4 role, 8 tenant. Steering zones, platform words
/// and reverse names speak to none: they are shown and never counted.
fn supports(s: &Signature) -> u8 {
    let kind = s.kind.as_str();
    if s.role == "dns" || s.role == "platform" || kind.starts_with("ptr_") || s.provider == "server-platform" {
        return if s.customer.is_some() { 8 } else { 0 };
    }
    let general = kind == "asn"
        || matches!(s.service.as_str(), "aws-other" | "azure-other" | "network" | "apple-network" | "front-end");
    let about = if general { 0 } else { 2 | 4 };
    let tenant = if s.customer.is_some() || patterns(s).iter().any(|p| TENANT_GROUPS.iter().any(|g| p.contains(g))) {
        8
    } else {
        0
    };
    let operator = u8::from(s.provider != "generic-software");
    match s.speaks_for.as_str() {
        "responder" | "edge" | "name" => operator | about | tenant,
        "origin" if matches!(kind, "url_query_keys" | "request_header_regex") => about | 8,
        "origin" if general => operator,
        "origin" => about | tenant,
        _ => 0,
    }
}

/// Named groups of host patterns that hold a customer's own name.
const TENANT_GROUPS: [&str; 5] = ["(?P<bucket>", "(?P<account>", "(?P<ap>", "(?P<api>", "(?P<ns>"];
