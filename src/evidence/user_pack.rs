//! Signature files of the user: merged behind the compiled pack, once, when the process starts.
//!
//! Comes in: texts with their names, from a front that has read them. Goes out: one pack in which every number of the
//! compiled one is what it was, and a message for each file that was left out. Never: reads a file, takes half a file.

use std::collections::{BTreeMap, BTreeSet};

use regex::bytes::RegexBuilder;

use super::addresses::AddedRange;
use super::pack::{
    AddedFile, Kind, Pack, Provider, Service, Signature, SpeaksFor, basis, built_in, forgers, set, warnings,
};
use super::pack_file::{self, Base, Finding, PackFile, SignatureRow, Weight, cidr, month};
use crate::model::{Group, ProviderId, Supports, clean};

/// Signatures in all, so that a number fits into the two bytes that records have for it.
const MOST_SIGNATURES: usize = 60_000;
/// Providers, and services, in all: as above.
const MOST_PROVIDERS: usize = 10_000;
/// Blocks of addresses that users add: they are searched one after another for every exchange.
const MOST_RANGES: usize = 4_096;
/// Query keys in all: the matcher notes the keys of a URL as bits.
const MOST_QUERY_KEYS: usize = 128;

/// One signature file as a front read it.
#[derive(Clone, Debug)]
pub struct PackText {
    /// Its name without the folder, as it stands in lists and exports.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// One line of a check of a signature file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintLine {
    /// The file's name.
    pub file: String,
    /// The line in it, from 1.
    pub line: usize,
    /// The signature, provider or service; empty where it is about the file.
    pub id: String,
    /// What is wrong and what was expected.
    pub what: String,
    /// Whether it keeps the file from being used; otherwise it is worth a look.
    pub refused: bool,
}

impl LintLine {
    /// `file:line: id: what is wrong`, safe to print.
    pub fn text(&self) -> String {
        let id = if self.id.is_empty() { String::new() } else { format!("{}: ", clean(self.id.as_bytes())) };
        format!("{}:{}: {id}{}", clean(self.file.as_bytes()), self.line, clean(self.what.as_bytes()))
    }
}

/// Makes the user's files part of the pack of this process. To be called once, before anything else of this floor; later
/// calls change nothing. Gives a message for each file that was left out: what is wrong at which line, and what to do.
pub fn install(files: &[PackText]) -> Vec<String> {
    if files.is_empty() {
        return Vec::new();
    }
    let (merged, messages) = merge(built_in(), files);
    set(merged);
    messages
}

/// Checks files as [`install`] would, each after the ones before it, and tells everything that is to be told.
pub fn lint(files: &[PackText]) -> Vec<LintLine> {
    let mut merging = Merging::new(built_in());
    files.iter().flat_map(|file| merging.add(file)).collect()
}

/// What is worth a look in the compiled pack. What would be refused there ends the build.
pub fn lint_built_in() -> Vec<LintLine> {
    let line = |(line, id, what): &(usize, &str, &str)| LintLine {
        file: "assets/signatures.toml".to_owned(),
        line: *line,
        id: (*id).to_owned(),
        what: (*what).to_owned(),
        refused: false,
    };
    warnings().iter().map(line).collect()
}

/// The merged pack, and why files were left out.
pub(super) fn merge(base: &'static Pack, files: &[PackText]) -> (Pack, Vec<String>) {
    let mut merging = Merging::new(base);
    let mut messages = Vec::new();
    for file in files {
        let refused: Vec<LintLine> = merging.add(file).into_iter().filter(|l| l.refused).collect();
        if let Some(first) = refused.first() {
            let more = match refused.len() {
                1 => String::new(),
                n => format!(" (and {} more)", n - 1),
            };
            messages.push(format!(
                "signature file left out: {}{more}; correct it, `nephoscope signatures lint` shows all",
                first.text()
            ));
        }
    }
    (merging.finish(), messages)
}

/// The pack while files are added.
struct Merging {
    base: &'static Pack,
    providers: Vec<Provider>,
    services: Vec<Service>,
    signatures: Vec<Signature>,
    files: Vec<AddedFile>,
    off: BTreeSet<u16>,
    ranges: Vec<AddedRange>,
}

impl Merging {
    fn new(base: &'static Pack) -> Self {
        Self {
            base,
            providers: base.providers.to_vec(),
            services: base.services.to_vec(),
            signatures: base.signatures.to_vec(),
            files: Vec::new(),
            off: BTreeSet::new(),
            ranges: Vec::new(),
        }
    }

    /// Adds a file whole or not at all; gives everything that is to be said of it.
    fn add(&mut self, file: &PackText) -> Vec<LintLine> {
        let place = |f: Finding| LintLine {
            file: file.name.clone(),
            line: f.line,
            id: f.id,
            what: f.what,
            refused: f.weight == Weight::Refused,
        };
        let parsed = match pack_file::parse(&file.text) {
            Ok(parsed) => parsed,
            Err(finding) => return vec![place(finding)],
        };
        let mut findings = pack_file::check(&parsed, &file.text, Some(self.known()));
        if let Some(what) = self.too_much(&parsed) {
            findings.push(Finding { line: 1, id: String::new(), what, weight: Weight::Refused });
        }
        findings.extend(parsed.signature.iter().filter(|s| is_too_large(s)).map(|s| Finding {
            line: pack_file::line_of(&file.text, s.id.span().start),
            id: s.id.get_ref().clone(),
            what: "the expression is too large to be compiled: repeat less".to_owned(),
            weight: Weight::Refused,
        }));
        if findings.iter().all(|f| f.weight != Weight::Refused) {
            self.take(&file.name, parsed);
        }
        findings.into_iter().map(place).collect()
    }

    /// What there is already, in the words of files.
    fn known(&self) -> Base<'static> {
        let provider = |id: ProviderId| self.providers.get(usize::from(id.0)).map_or("", |p| p.id);
        let patterns =
            self.signatures.iter().flat_map(|s| s.patterns.iter().map(|p| ((s.kind.word(), s.field, *p), s.id)));
        Base {
            roles: self.base.roles.iter().copied().collect(),
            basis: basis().iter().copied().collect(),
            forgers: forgers().iter().map(|(word, _)| *word).collect(),
            providers: self.providers.iter().map(|p| p.id).collect(),
            glyphs: self.providers.iter().map(|p| p.glyph).collect(),
            services: self.services.iter().map(|s| (provider(s.provider), s.id)).collect(),
            ids: self.signatures.iter().map(|s| s.id).collect(),
            patterns: patterns.collect(),
        }
    }

    fn too_much(&self, file: &PackFile) -> Option<String> {
        let rows =
            |kind: &'static str| file.signature.iter().filter(move |s| s.kind == kind).flat_map(SignatureRow::patterns);
        let old =
            self.signatures.iter().filter(|s| s.kind == Kind::UrlQueryKeys).flat_map(|s| s.patterns.iter().copied());
        let keys: BTreeSet<String> =
            old.chain(rows("url_query_keys")).flat_map(|p| p.split('&')).map(str::to_ascii_lowercase).collect();
        let services = file.provider.iter().map(|p| p.services.len()).sum::<usize>() + file.service.len();
        [
            (self.signatures.len() + file.signature.len(), MOST_SIGNATURES, "signatures"),
            (self.providers.len() + file.provider.len(), MOST_PROVIDERS, "providers"),
            (self.services.len() + services, MOST_PROVIDERS, "services"),
            (self.ranges.len() + rows("ip_range_ref").count(), MOST_RANGES, "blocks of addresses"),
            (keys.len(), MOST_QUERY_KEYS, "query keys"),
        ]
        .into_iter()
        .find(|(count, most, _)| count > most)
        .map(|(count, most, what)| format!("{count} {what} with this file; the limit is {most}: write fewer"))
    }

    /// Takes over a file that was checked.
    fn take(&mut self, name: &str, file: PackFile) {
        let first = self.signatures.len() as u16;
        let listed = month(&file.written).unwrap_or(0);
        for p in file.provider {
            let number = ProviderId(self.providers.len() as u16);
            for s in p.services {
                self.services.push(Service {
                    provider: number,
                    id: keep(s.id),
                    name: show(&s.name),
                    role: keep(s.role),
                });
            }
            self.providers.push(Provider {
                id: keep(p.id.into_inner()),
                name: show(&p.name),
                aliases: show_all(&p.aliases),
                parent: show(&p.parent),
                colour: pack_file::colour(&p.colour).unwrap_or_default(),
                glyph: keep(p.glyph),
                note: show(&p.note),
            });
        }
        let providers: BTreeMap<&str, ProviderId> =
            self.providers.iter().enumerate().map(|(n, p)| (p.id, ProviderId(n as u16))).collect();
        for s in file.service {
            let Some(provider) = providers.get(s.provider.as_str()) else { continue };
            let id = keep(s.id.into_inner());
            self.services.push(Service { provider: *provider, id, name: show(&s.name), role: keep(s.role) });
        }
        for row in file.signature {
            let number = self.signatures.len() as u16;
            let Some(signature) = self.signature(row, &providers) else { continue };
            if signature.kind == Kind::IpRangeRef {
                for (address, bits) in signature.patterns.iter().filter_map(|p| cidr(p)) {
                    self.ranges.push(AddedRange { address, bits, signature: number, listed });
                }
            }
            self.signatures.push(signature);
        }
        let off = file.off.len() as u16;
        for id in file.off {
            let number = self.signatures.iter().position(|s| s.id == id.get_ref());
            self.off.extend(number.map(|n| n as u16));
        }
        let rules = self.signatures.len() as u16 - first;
        self.files.push(AddedFile {
            name: keep(clean(name.as_bytes()).into_owned()),
            first,
            rules,
            off,
            written: keep(file.written),
        });
    }

    fn signature(&self, row: SignatureRow, providers: &BTreeMap<&str, ProviderId>) -> Option<Signature> {
        let provider = *providers.get(row.provider.as_str())?;
        let service = self.services.iter().position(|s| s.provider == provider && s.id == row.service)?;
        let (kind, group): (Kind, Group) = Kind::named(&row.kind)?;
        let meaning = |word: &String| forgers().iter().find(|(w, _)| w == word).map(|(_, words)| *words);
        Some(Signature {
            provider,
            service: service as u16,
            kind,
            group,
            strength: row.strength,
            speaks_for: SpeaksFor::named(&row.speaks_for)?,
            supports: Supports(pack_file::supports(&row)),
            forgeable_by: keep(pack_file::forgers(row.forgeable_by.iter().filter_map(meaning))),
            from_month: row.era_from.as_deref().and_then(month).unwrap_or(0),
            to_month: row.era_to.as_deref().and_then(month).unwrap_or(u32::MAX),
            customer: row.customer.as_deref().and_then(|c| providers.get(c)).copied(),
            role: self.base.roles.iter().find(|r| **r == row.role)?,
            basis: basis().iter().find(|b| **b == row.basis)?,
            patterns: keep_all(row.pattern.into_iter().chain(row.patterns.into_iter().flatten()).collect()),
            id: keep(row.id.into_inner()),
            field: keep(row.field),
            proves: show(&row.proves),
            suggests: show(&row.suggests),
            note: show(&row.note),
            sources: show_all(&row.sources),
            decoder: show(&row.decoder),
            examples: keep_all(row.examples),
        })
    }

    fn finish(mut self) -> Pack {
        let file = |f: &AddedFile| {
            let rules = if f.rules == 1 { "rule" } else { "rules" };
            let off = if f.off > 0 { format!(", {} switched off", f.off) } else { String::new() };
            format!(" + {} ({} {rules}{off})", f.name, f.rules)
        };
        let version = self.base.version.to_owned() + &self.files.iter().map(file).collect::<String>();
        self.ranges.sort_by_key(|r| core::cmp::Reverse(r.bits));
        Pack {
            written: self.base.written,
            providers: self.providers.leak(),
            services: self.services.leak(),
            signatures: self.signatures.leak(),
            roles: self.base.roles,
            version: keep(version),
            files: self.files.leak(),
            off: self.off.into_iter().collect::<Vec<u16>>().leak(),
            ranges: self.ranges.leak(),
        }
    }
}

/// Whether an expression can be read, but is more than the matcher takes.
fn is_too_large(row: &SignatureRow) -> bool {
    let compiles = |p: &str| RegexBuilder::new(p).unicode(false).build().is_ok();
    pack_file::is_expression(&row.kind)
        && row.patterns().iter().any(|p| pack_file::expression(p).is_ok() && !compiles(p))
}

/// Texts of the pack live as long as the process, like those of the compiled one: every row, ledger and window refers to
/// them, they are made once, and a file of a mebibyte bounds them. So they are leaked, and nobody counts references.
fn keep(text: String) -> &'static str {
    if text.is_empty() { "" } else { text.leak() }
}

/// Words for a reader: every screen and terminal that shows them shows no more than they say.
fn show(text: &str) -> &'static str {
    keep(clean(text.as_bytes()).into_owned())
}

fn show_all(texts: &[String]) -> &'static [&'static str] {
    texts.iter().map(|t| show(t)).collect::<Vec<_>>().leak()
}

fn keep_all(texts: Vec<String>) -> &'static [&'static str] {
    texts.into_iter().map(keep).collect::<Vec<_>>().leak()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that is good; the cases below change one thing of it.
    const GOOD: &str = r##"
schema_version = 1
written = "2026-11-25"
off = ["apple.server-value.ats", "apple.ip-range-ref.17-0-0-0-8"]

[[provider]]
id = "acme"
name = "Acme Cloud"
parent = "none"
colour = "#44AA88"
glyph = "ZQ"
services = [{ id = "store", name = "Acme Store", role = "object-storage" }]

[[service]]
provider = "apple"
id = "notes"
name = "Notes"
role = "first-party"

[[signature]]
id = "acme.server"
provider = "acme"
service = "store"
role = "object-storage"
kind = "server_value"
pattern = '^AcmeStore/\d'
strength = 3
basis = "corpus"
speaks_for = "origin"
forgeable_by = ["origin", "intermediary"]
proves = "The server wrote this product name."
suggests = "Acme's store made the answer."
sources = ["https://docs.acme.example/headers"]

[[signature]]
id = "acme.range"
provider = "acme"
service = "store"
role = "object-storage"
kind = "ip_range_ref"
patterns = ["203.0.113.0/24", "203.0.113.64/26"]
strength = 4
basis = "vendor-feed"
speaks_for = "responder"
forgeable_by = ["bgp"]
proves = "The address is Acme's."
suggests = "Acme answered."
sources = ["RFC 5737"]
"##;

    fn file(name: &str, text: &str) -> PackText {
        PackText { name: name.to_owned(), text: text.to_owned() }
    }

    /// What is said of GOOD with `old` replaced by `new`: each line must hold one of `want`, in order.
    #[track_caller]
    fn check(old: &str, new: &str, want: &[&str]) {
        assert!(GOOD.contains(old), "{old}");
        let lines: Vec<String> = lint(&[file("t.toml", &GOOD.replacen(old, new, 1))])
            .iter()
            .map(|l| format!("{} {}", if l.refused { "refused" } else { "warning" }, l.text()))
            .collect();
        assert_eq!(lines.len(), want.len(), "{old} -> {new}: {lines:#?}");
        for (line, want) in lines.iter().zip(want) {
            assert!(line.contains(want), "{line} lacks {want}");
        }
    }

    #[test]
    fn a_good_file_is_added_behind_the_built_in_rows() {
        let base = built_in();
        let (merged, messages) = merge(base, &[file("good.toml", GOOD)]);
        assert_eq!(messages, Vec::<String>::new());
        for (number, (old, new)) in base.signatures.iter().zip(merged.signatures).enumerate() {
            assert_eq!(old.id, new.id, "built-in numbers stay: {number}");
        }
        assert_eq!(merged.signatures.len(), base.signatures.len() + 2);
        let (number, server) =
            (0_u16..).zip(merged.signatures).find(|(_, s)| s.id == "acme.server").expect("it was added");
        assert_eq!(merged.file_of(number).map(|f| (f.name, f.rules, f.off)), Some(("good.toml", 2, 2)));
        assert_eq!(merged.provider(server.provider).map(|p| (p.id, p.colour)), Some(("acme", [0x44, 0xAA, 0x88])));
        assert_eq!(merged.service(server.service).map(|s| s.name), Some("Acme Store"));
        assert_eq!((server.kind, server.group), (Kind::ServerValue, Group::AnsweringSoftware));
        assert!(server.forgeable_by.starts_with("the web server that made the response; "), "{}", server.forgeable_by);
        assert!(
            merged
                .services
                .iter()
                .any(|s| s.id == "notes" && merged.provider(s.provider).is_some_and(|p| p.id == "apple"))
        );
        assert_eq!(merged.ranges.iter().map(|r| r.bits).collect::<Vec<_>>(), [26, 24]);
        assert_eq!(merged.version, format!("{} + good.toml (2 rules, 2 switched off)", base.version));
        let off: Vec<&str> = merged.off.iter().filter_map(|n| merged.signature(*n)).map(|s| s.id).collect();
        assert_eq!(off, ["apple.server-value.ats", "apple.ip-range-ref.17-0-0-0-8"]);
        assert!(merged.in_force().all(|(_, s)| !off.contains(&s.id)));
        assert!(base.in_force().any(|(_, s)| s.id == "apple.server-value.ats"), "the compiled pack is as it was");
    }

    #[test]
    fn a_bad_file_is_left_out_whole_and_others_are_not() {
        let bad = GOOD.replace("strength = 3", "strength = 9").replace("\"acme", "\"badly").replace("\"ZQ\"", "\"ZR\"");
        let files = [file("bad.toml", &bad), file("broken.toml", "written = \n"), file("good.toml", GOOD)];
        let (merged, messages) = merge(built_in(), &files);
        assert_eq!(merged.files.iter().map(|f| f.name).collect::<Vec<_>>(), ["good.toml"]);
        assert!(merged.signatures.iter().all(|s| !s.id.starts_with("badly")));
        let [bad, broken] = messages.as_slice() else { panic!("{messages:#?}") };
        assert!(bad.contains("bad.toml:21: badly.server: strength must be 1 to 5"), "{bad}");
        assert!(broken.contains("broken.toml:1: "), "{broken}");
    }

    #[test]
    fn words_of_strangers_are_made_harmless() {
        let evil =
            GOOD.replacen("Acme Cloud", "Acme\\u001b[2J\\u202e", 1).replacen("The server wrote", "\\u0007The", 1);
        let (merged, messages) = merge(built_in(), &[file("ev\u{202e}il.toml", &evil)]);
        assert_eq!(messages, Vec::<String>::new());
        let texts = merged.providers.iter().map(|p| p.name).chain(merged.signatures.iter().map(|s| s.proves));
        for text in texts.chain([merged.version]) {
            assert!(!text.chars().any(crate::model::is_hidden), "{text:?}");
        }
    }

    #[test]
    fn no_file_stops_it() {
        for at in (0..GOOD.len()).step_by(13) {
            let (head, tail) = GOOD.split_at(at);
            for text in [head.to_owned(), format!("{head}'{tail}"), format!("{head}9{tail}"), format!("{head}[{tail}")]
            {
                let (merged, messages) = merge(built_in(), &[file("odd.toml", &text)]);
                assert_eq!(merged.files.len() + messages.len(), 1, "used or left out: {text}");
            }
        }
        let deep = ["(".repeat(5_000), "[".repeat(5_000), "a{1000}".repeat(50), "(?:a*)*".repeat(500)];
        for pattern in deep {
            lint(&[file("deep.toml", &GOOD.replace(r"^AcmeStore/\d", &format!("^{pattern}")))]);
        }
        lint(&[file("deep.toml", &"[[".repeat(5_000)), file("deep.toml", &format!("a = {}", "[".repeat(50_000)))]);
    }

    #[test]
    fn a_later_file_builds_on_an_earlier_one() {
        let more = GOOD.split("[[signature]]").nth(1).map(|row| {
            format!(
                "schema_version = 1\nwritten = \"2026-11-25\"\noff = [\"acme.range\"]\n[[signature]]{}",
                row.replace("acme.server", "acme.other")
            )
        });
        let more = file("more.toml", &more.expect("GOOD has signatures"));
        let (merged, messages) = merge(built_in(), &[file("good.toml", GOOD), more.clone()]);
        assert_eq!(messages, Vec::<String>::new());
        assert_eq!(merged.files.len(), 2);
        assert_eq!(lint(&[more]).iter().filter(|l| l.refused).count(), 2, "alone it names what is not there");
    }

    #[test]
    fn rows_keep_the_rules() {
        check("", "", &[]);
        check("schema_version = 1", "schema_version = 2", &["t.toml:1: schema_version is 2; this program reads 1"]);
        check("2026-11-25", "yesterday", &["YYYY-MM-DD"]);
        check("pattern = ", "patern = ", &["t.toml:26: unknown field `patern`"]);
        check("\"ZQ\"", "\"AW\"", &["glyph"]);
        check(
            "id = \"acme\"",
            "id = \"apple\"",
            &["is there already", "service store is", "no provider acme", "no provider acme"],
        );
        check("role = \"object-storage\"\nkind", "role = \"barn\"\nkind", &["role \"barn\": expected one of api, "]);
        check("server_value", "server_values", &["kind \"server_values\": expected one of asn, "]);
        check("id = \"acme.server\"", "id = \"acme server\"", &["an id is letters"]);
        check("off = [\"", "off = [\"x", &["t.toml:4: xapple.server-value.ats: `off` names no signature"]);
        // (a) whole labels
        let host = |kind: &str, pattern: &str| format!("kind = \"{kind}\"\npattern = '{pattern}'");
        let row = "kind = \"server_value\"\npattern = '^AcmeStore/\\d'";
        for (kind, pattern, want) in [
            ("dns_suffix", "acme", "whole labels"),
            ("cname_suffix", ".acme.example", "whole labels"),
            ("ptr_suffix", "acme.example ", "whole labels"),
            ("cert_san_suffix", "Acme.example", "whole labels"),
            ("url_host_regex", r"^a\.acme\.example", "must end with `$`"),
            ("cname_regex", r"acme\.example$", "must begin with"),
            ("ns_regex", r"^a\.example$|acme\.example$", "must begin with"),
            ("ptr_regex", r"^a.acme\.example$", "a bare `.`"),
            // (b) no bare words
            ("server_value", "AcmeStore", "a bare word"),
            ("status_phrase_regex", "^Acme$|Store", "a bare word"),
            // (e)
            ("server_value", "^Acme(", "no regular expression"),
            ("server_value", "^(?:a{999}){999}$", "too large"),
            ("server_value", "^Acme\u{202e}", "nobody sees"),
            ("header_name", "x-*", "five characters"),
            ("request_header_name", "host", "expected kind dns_suffix"),
            ("header_name", "age", "common to all kinds of servers"),
            ("asn", "64500", "ip_range_ref"),
            ("ip_range_ref", "feed:acme", "a block like"),
            ("ip_range_ref", "203.0.113.0/1", "a block like"),
        ] {
            check(row, &host(kind, pattern), &[want]);
        }
        for (kind, pattern) in [
            ("dns_suffix", "acme.example"),
            ("cname_regex", r"(?:^|\.)acme\.example$"),
            ("ns_regex", r"\.acme\.example$"),
            ("server_value", r"\bAcmeStore\b"),
            ("server_value", "AcmeStore/"),
            ("header_name", "x-acme-meta-*"),
        ] {
            check(row, &host(kind, pattern), &[]);
        }
        // (c)
        check("strength = 3", "strength = 4", &["one header line is at most strength 3"]);
        check(
            "strength = 4\nbasis = \"vendor-feed\"",
            "strength = 4\nbasis = \"analyst\"",
            &["at most strength 3: nobody"],
        );
        // (d)
        check("[\"https://docs.acme.example/headers\"]", "[]", &["no source"]);
        check("https://docs.acme.example/headers", "a friend", &["no source can be followed"]);
        for good in
            ["RFC 9110", "acme/docs@0123abc:headers.md", "npm @acme/headers 1.2.3", "seen in store.pcapng, frame 12"]
        {
            check("https://docs.acme.example/headers", good, &[]);
        }
        // (f)
        check("[\"bgp\"]", "[]", &["forgeable_by must name at least one of bgp, "]);
        check("[\"bgp\"]", "[\"gremlins\"]", &["forgeable_by must name"]);
        // Warnings
        check(
            "Acme answered.",
            "Acme answered, since 2019.",
            &["warning t.toml:36: acme.range: the text names a year"],
        );
        check(
            row,
            &host("server_value", "^AmazonS3$"),
            &["warning t.toml:21: acme.server: `^AmazonS3$` is also a pattern of amazon-aws."],
        );
    }
}
