//! Signature files of the user: merged behind the compiled pack, once, when the process starts.
//!
//! Comes in: texts with their names, from a front that has read them. Goes out: one pack in which every number of the
//! compiled one is what it was, and a message for each file that was left out. Never: reads a file, takes half a file.

use std::collections::{BTreeMap, BTreeSet};

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
                    name: keep(s.name),
                    role: keep(s.role),
                });
            }
            self.providers.push(Provider {
                id: keep(p.id.into_inner()),
                name: keep(p.name),
                aliases: keep_all(p.aliases),
                parent: keep(p.parent),
                colour: pack_file::colour(&p.colour).unwrap_or_default(),
                glyph: keep(p.glyph),
                note: keep(p.note),
            });
        }
        let providers: BTreeMap<&str, ProviderId> =
            self.providers.iter().enumerate().map(|(n, p)| (p.id, ProviderId(n as u16))).collect();
        for s in file.service {
            let Some(provider) = providers.get(s.provider.as_str()) else { continue };
            let id = keep(s.id.into_inner());
            self.services.push(Service { provider: *provider, id, name: keep(s.name), role: keep(s.role) });
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
        let told = forgers().iter().filter(|(word, _)| row.forgeable_by.iter().any(|f| f == word));
        Some(Signature {
            provider,
            service: service as u16,
            kind,
            group,
            strength: row.strength,
            speaks_for: SpeaksFor::named(&row.speaks_for)?,
            supports: Supports(pack_file::supports(&row)),
            forgeable_by: keep(pack_file::forgers(told.map(|(_, words)| *words))),
            from_month: row.era_from.as_deref().and_then(month).unwrap_or(0),
            to_month: row.era_to.as_deref().and_then(month).unwrap_or(u32::MAX),
            customer: row.customer.as_deref().and_then(|c| providers.get(c)).copied(),
            role: self.base.roles.iter().find(|r| **r == row.role)?,
            basis: basis().iter().find(|b| **b == row.basis)?,
            patterns: keep_all(row.pattern.into_iter().chain(row.patterns.into_iter().flatten()).collect()),
            id: keep(row.id.into_inner()),
            field: keep(row.field),
            proves: keep(row.proves),
            suggests: keep(row.suggests),
            note: keep(row.note),
            sources: keep_all(row.sources),
            decoder: keep(row.decoder),
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

/// Texts of the pack live as long as the process, like those of the compiled one: every row, ledger and window refers to
/// them, they are made once, and a file of a mebibyte bounds them. So they are leaked, and nobody counts references.
fn keep(text: String) -> &'static str {
    if text.is_empty() { "" } else { text.leak() }
}

fn keep_all(texts: Vec<String>) -> &'static [&'static str] {
    texts.into_iter().map(keep).collect::<Vec<_>>().leak()
}
