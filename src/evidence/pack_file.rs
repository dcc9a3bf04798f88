//! The form of a signature file, and the rules that its rows must keep. The build script reads the built-in pack with
//! this, the running program the user's own files, so that both are held to the same.
//!
//! Comes in: the text of one file, and what stands before it. Goes out: its rows, and findings with line, signature and
//! what was expected. Never: files, the compiled tables, matching.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Look};
use serde::Deserialize;
use toml::Spanned;

/// Words with their meaning.
pub(super) type Words = BTreeMap<String, String>;

/// One signature file. Only the built-in pack has word tables; others use its words.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PackFile {
    pub(super) schema_version: u32,
    pub(super) written: String,
    #[serde(default)]
    pub(super) strength: Words,
    #[serde(default)]
    pub(super) strength_rules: Words,
    #[serde(default)]
    pub(super) basis: Words,
    #[serde(default)]
    pub(super) speaks_for: Words,
    #[serde(default)]
    pub(super) roles: Words,
    #[serde(default)]
    pub(super) kinds: Words,
    #[serde(default)]
    pub(super) forgers: Words,
    pub(super) palette: Option<Palette>,
    #[serde(default)]
    pub(super) known_error: Vec<KnownError>,
    #[serde(default)]
    pub(super) provider: Vec<ProviderRow>,
    /// Services added to providers of the built-in pack.
    #[serde(default)]
    pub(super) service: Vec<AddedService>,
    #[serde(default)]
    pub(super) signature: Vec<SignatureRow>,
    /// Ids of signatures that shall not match.
    #[serde(default)]
    pub(super) off: Vec<Spanned<String>>,
}

/// Remarks on colours, for the reader.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Palette {
    pub(super) note: String,
    pub(super) main: Vec<String>,
}

/// A mistake of other lists, for the reader.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KnownError {
    pub(super) claim: String,
    pub(super) truth: String,
}

/// A provider as the file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProviderRow {
    pub(super) id: Spanned<String>,
    pub(super) name: String,
    #[serde(default)]
    pub(super) aliases: Vec<String>,
    pub(super) parent: String,
    pub(super) colour: String,
    pub(super) glyph: String,
    pub(super) services: Vec<ServiceRow>,
    #[serde(default)]
    pub(super) note: String,
}

/// A service of a provider.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) role: String,
}

/// A service for a provider that stands elsewhere.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddedService {
    pub(super) provider: String,
    pub(super) id: Spanned<String>,
    pub(super) name: String,
    pub(super) role: String,
}

/// A signature as the file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignatureRow {
    pub(super) id: Spanned<String>,
    pub(super) provider: String,
    pub(super) service: String,
    pub(super) role: String,
    pub(super) kind: String,
    #[serde(default)]
    pub(super) field: String,
    pub(super) pattern: Option<String>,
    pub(super) patterns: Option<Vec<String>>,
    pub(super) strength: u8,
    pub(super) basis: String,
    pub(super) speaks_for: String,
    pub(super) forgeable_by: Vec<String>,
    pub(super) proves: String,
    pub(super) suggests: String,
    pub(super) sources: Vec<String>,
    pub(super) era_from: Option<String>,
    pub(super) era_to: Option<String>,
    pub(super) customer: Option<String>,
    #[serde(default)]
    pub(super) note: String,
    #[serde(default)]
    pub(super) decoder: String,
    #[serde(default)]
    pub(super) examples: Vec<String>,
}

impl SignatureRow {
    /// Its patterns; one of them is enough for a match.
    pub(super) fn patterns(&self) -> Vec<&str> {
        self.pattern.iter().map(String::as_str).chain(self.patterns.iter().flatten().map(String::as_str)).collect()
    }
}

/// How heavy a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// The file is not used.
    Refused,
    /// Worth a look.
    Warning,
}

/// Something wrong with a file.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    /// From 1.
    pub(super) line: usize,
    /// The signature, provider or service; empty where it is about the file.
    pub(super) id: String,
    /// What is wrong, what was expected, what to do.
    pub(super) what: String,
    pub(super) weight: Weight,
}

/// What a file builds on: the words, and what other files have already.
#[derive(Debug, Default)]
pub(super) struct Base<'a> {
    pub(super) roles: BTreeSet<&'a str>,
    pub(super) basis: BTreeSet<&'a str>,
    pub(super) forgers: BTreeSet<&'a str>,
    pub(super) providers: BTreeSet<&'a str>,
    pub(super) glyphs: BTreeSet<&'a str>,
    pub(super) services: BTreeSet<(&'a str, &'a str)>,
    pub(super) ids: BTreeSet<&'a str>,
    /// Which signature has a kind, field and pattern.
    pub(super) patterns: BTreeMap<(&'a str, &'a str, &'a str), &'a str>,
}

/// Reads a file's text.
pub(super) fn parse(text: &str) -> Result<PackFile, Finding> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let what = error.message().replace('\n', ", ");
        Finding { line: line_of(text, at), id: String::new(), what, weight: Weight::Refused }
    })
}

/// Which line, from 1, a byte offset is in.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().get(..at).unwrap_or(text.as_bytes()).split(|b| *b == b'\n').count()
}

/// Everything that is wrong with a file. `base` is `None` for the built-in pack, which brings its own words.
pub(super) fn check<'a>(file: &'a PackFile, text: &str, base: Option<Base<'a>>) -> Vec<Finding> {
    let user = base.is_some();
    let mut book = Checking { text, user, base: base.unwrap_or_default(), findings: Vec::new() };
    if file.schema_version != 1 {
        book.head(&format!("schema_version is {}; this program reads 1", file.schema_version));
    }
    if file.written.len() != 10 || month(&file.written).is_none() {
        book.head("`written` must be the day the file was written, as YYYY-MM-DD");
    }
    book.words(file);
    for provider in &file.provider {
        book.provider(provider);
    }
    for service in &file.service {
        if !book.base.providers.contains(service.provider.as_str()) {
            book.refuse(&service.id, "provider is in no list; write a [[provider]] for it, or correct the name");
        }
        book.service(&service.id, &service.provider, (service.id.get_ref(), &service.name, &service.role));
    }
    for signature in &file.signature {
        book.signature(signature);
    }
    for off in &file.off {
        if !user {
            book.refuse(off, "`off` is for user files; take the row out instead");
        } else if !book.base.ids.contains(off.get_ref().as_str()) {
            book.refuse(off, "`off` names no signature; `nephoscope signatures list` prints their ids");
        }
    }
    book.findings
}

struct Checking<'a, 't> {
    text: &'t str,
    user: bool,
    base: Base<'a>,
    findings: Vec<Finding>,
}

impl<'a> Checking<'a, '_> {
    fn note(&mut self, at: &Spanned<String>, weight: Weight, what: &str) {
        let line = line_of(self.text, at.span().start);
        self.findings.push(Finding { line, id: at.get_ref().clone(), what: what.to_owned(), weight });
    }

    fn refuse(&mut self, at: &Spanned<String>, what: &str) {
        self.note(at, Weight::Refused, what);
    }

    fn head(&mut self, what: &str) {
        self.findings.push(Finding { line: 1, id: String::new(), what: what.to_owned(), weight: Weight::Refused });
    }

    fn words(&mut self, file: &'a PackFile) {
        let tables = [
            &file.strength,
            &file.strength_rules,
            &file.basis,
            &file.speaks_for,
            &file.roles,
            &file.kinds,
            &file.forgers,
        ];
        if self.user {
            if tables.iter().any(|words| !words.is_empty()) || file.palette.is_some() {
                self.head("word tables (roles, basis, kinds …) are those of the built-in pack; leave them out");
            }
            return;
        }
        let empty = tables.iter().any(|words| words.is_empty() || words.values().any(String::is_empty))
            || file.palette.as_ref().is_none_or(|p| p.note.is_empty() || p.main.is_empty())
            || file.known_error.iter().any(|e| e.claim.is_empty() || e.truth.is_empty());
        if empty {
            self.head("a table of words is missing, or a description is empty");
        }
        for (kind, ..) in KINDS {
            if !file.kinds.contains_key(kind) {
                self.head(&format!("[kinds] does not describe {kind}"));
            }
        }
        self.base.roles = file.roles.keys().map(String::as_str).collect();
        self.base.basis = file.basis.keys().map(String::as_str).collect();
        self.base.forgers = file.forgers.keys().map(String::as_str).collect();
    }

    fn provider(&mut self, p: &'a ProviderRow) {
        if !is_id(p.id.get_ref()) {
            self.refuse(&p.id, ID_FORM);
        }
        if !self.base.providers.insert(p.id.get_ref()) {
            self.refuse(
                &p.id,
                "this provider is there already; to add to it, write [[service]] and [[signature]] rows",
            );
        }
        let two_letters = p.glyph.len() == 2 && p.glyph.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if !two_letters || !self.base.glyphs.insert(&p.glyph) {
            self.refuse(&p.id, "the glyph must be two capital letters or digits that no other provider has");
        }
        if colour(&p.colour).is_none() {
            self.refuse(&p.id, "the colour must read #RRGGBB");
        }
        if p.name.is_empty() || p.parent.is_empty() || p.aliases.iter().any(String::is_empty) {
            self.refuse(&p.id, "name, parent or an alias is empty; the parent of an independent company is `none`");
        }
        for s in &p.services {
            self.service(&p.id, p.id.get_ref(), (&s.id, &s.name, &s.role));
        }
    }

    fn service(&mut self, at: &Spanned<String>, provider: &'a str, (id, name, role): (&'a str, &str, &str)) {
        if !is_id(id) {
            self.refuse(at, &format!("service {id:?}: {ID_FORM}"));
        }
        if !self.base.roles.contains(role) || name.is_empty() {
            self.refuse(at, &format!("service {id}: needs id, name, and a role out of: {}", list(&self.base.roles)));
        }
        if !self.base.services.insert((provider, id)) {
            self.refuse(at, &format!("service {id} is there already"));
        }
    }

    fn signature(&mut self, s: &'a SignatureRow) {
        if !is_id(s.id.get_ref()) {
            self.refuse(&s.id, ID_FORM);
        }
        if !self.base.ids.insert(s.id.get_ref()) {
            self.refuse(&s.id, "another signature has this id; choose a new one");
        }
        if !self.base.services.contains(&(&s.provider, &s.service)) {
            self.refuse(
                &s.id,
                &format!(
                    "no provider {} with a service {}; write a [[provider]] or [[service]]",
                    s.provider, s.service
                ),
            );
        }
        if s.customer.as_ref().is_some_and(|c| !self.base.providers.contains(c.as_str())) {
            self.refuse(&s.id, "the customer is no provider");
        }
        if !self.base.roles.contains(s.role.as_str()) {
            self.refuse(&s.id, &format!("role {:?}: expected one of {}", s.role, list(&self.base.roles)));
        }
        if !self.base.basis.contains(s.basis.as_str()) {
            self.refuse(&s.id, &format!("basis {:?}: expected one of {}", s.basis, list(&self.base.basis)));
        }
        if SPEAKS_FOR.iter().all(|(word, _)| *word != s.speaks_for) {
            let words: BTreeSet<&str> = SPEAKS_FOR.iter().map(|(word, _)| *word).collect();
            self.refuse(&s.id, &format!("speaks_for {:?}: expected one of {}", s.speaks_for, list(&words)));
        }
        // (f) Who could lie is what makes a row evidence instead of a claim.
        if s.forgeable_by.is_empty() || s.forgeable_by.iter().any(|f| !self.base.forgers.contains(f.as_str())) {
            self.refuse(&s.id, &format!("forgeable_by must name at least one of {}", list(&self.base.forgers)));
        }
        if s.proves.is_empty() || s.suggests.is_empty() {
            self.refuse(&s.id, "proves and suggests must say what follows from a match");
        }
        for era in [&s.era_from, &s.era_to].into_iter().flatten() {
            if month(era).is_none() {
                self.refuse(&s.id, &format!("era {era:?}: expected a year, YYYY-MM or YYYY-MM-DD"));
            }
        }
        self.strength(s);
        self.sources(s);
        let patterns = s.patterns();
        if s.pattern.is_some() == s.patterns.is_some() || patterns.is_empty() || patterns.contains(&"") {
            self.refuse(&s.id, "needs either `pattern` or `patterns`, not empty");
        } else if KINDS.iter().all(|(kind, ..)| *kind != s.kind) {
            let kinds: BTreeSet<&str> = KINDS.iter().map(|(kind, ..)| *kind).collect();
            self.refuse(&s.id, &format!("kind {:?}: expected one of {}", s.kind, list(&kinds)));
        } else {
            self.patterns(s, &patterns);
        }
    }

    /// (c) One weak line must not prove: only the operator's own channels, and numbers that add up, are that strong.
    fn strength(&mut self, s: &SignatureRow) {
        if !(1..=5).contains(&s.strength) {
            self.refuse(&s.id, "strength must be 1 to 5");
        }
        let one_line = matches!(s.kind.as_str(), "header_name" | "header_value_regex" | "server_value" | "cookie_name");
        if one_line && s.strength >= 4 {
            self.refuse(&s.id, "one header line is at most strength 3: any server can write it");
        }
        if s.basis == "analyst" && s.strength > 3 {
            self.refuse(&s.id, "basis analyst is at most strength 3: nobody checked it");
        }
        if s.kind == "header_name" && s.strength > 1 && s.patterns().iter().any(|p| GENERIC_FIELDS.contains(p)) {
            self.refuse(&s.id, "this field is common to all kinds of servers: at most strength 1, or match its value");
        }
    }

    /// (d) A reader must be able to go where the rule comes from; a row of one's own knowledge says so by its basis.
    fn sources(&mut self, s: &SignatureRow) {
        if s.sources.is_empty() || s.sources.iter().any(String::is_empty) {
            self.refuse(&s.id, "no source: say where the rule comes from");
        } else if s.basis != "analyst" && !s.sources.iter().any(|source| can_be_followed(source)) {
            self.refuse(
                &s.id,
                "no source can be followed: expected an address (https://…), RFC and number, owner/repository@commit:path, \
                 a package with its version, or a capture file; own knowledge has basis = \"analyst\"",
            );
        }
        let text = [s.proves.as_str(), &s.suggests, &s.note].join(" ");
        if s.era_from.is_none() && s.era_to.is_none() && names_a_year(&text) {
            self.note(&s.id, Weight::Warning, "the text names a year, but there is no era_from or era_to");
        }
    }

    fn patterns(&mut self, s: &'a SignatureRow, patterns: &[&'a str]) {
        let kind = s.kind.as_str();
        let needs_field = matches!(kind, "header_value_regex" | "request_header_regex" | "computed");
        if needs_field == s.field.is_empty() || s.field.bytes().any(|b| b.is_ascii_uppercase() || b == b' ') {
            self.refuse(&s.id, "the kind needs a `field` in lower case, or must have none");
        }
        if (kind == "computed") == s.decoder.is_empty() {
            self.refuse(&s.id, "computed rows, and only they, have a decoder");
        }
        for pattern in patterns {
            if let Some(what) = self.wrong_pattern(kind, pattern) {
                self.refuse(&s.id, &format!("`{pattern}`: {what}"));
            }
            if let Some(other) = self.base.patterns.insert((kind, &s.field, pattern), s.id.get_ref()) {
                self.note(&s.id, Weight::Warning, &format!("`{pattern}` is also a pattern of {other}"));
            }
        }
    }

    fn wrong_pattern(&self, kind: &str, pattern: &str) -> Option<String> {
        let says = |wrong: bool, what: &str| wrong.then(|| what.to_owned());
        if pattern.chars().any(is_invisible) {
            return says(
                true,
                "has characters that nobody sees; write them as `\\x..` in an expression, or leave them out",
            );
        }
        match kind {
            "header_name" if pattern == "set-cookie" => {
                Some("expected kind cookie_name and the cookie's name".to_owned())
            }
            "request_header_name" if pattern == "host" => Some("expected kind dns_suffix and a name".to_owned()),
            // (a) Names match by whole labels.
            "dns_suffix" | "cname_suffix" | "cert_san_suffix" | "ptr_suffix" => {
                let host = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
                let labels = pattern.split('.').count() >= 2 && pattern.split('.').all(|label| !label.is_empty());
                says(
                    !labels || !pattern.bytes().all(host),
                    "expected whole labels in lower case, like `cdn.example`, without a dot in front",
                )
            }
            "header_name" | "request_header_name" | "cookie_name" => {
                let name = pattern.strip_suffix('*').unwrap_or(pattern);
                let token = |b: u8| b.is_ascii_graphic() && !matches!(b, b'*' | b':' | b';' | b'=' | b',');
                let upper = kind != "cookie_name" && name.bytes().any(|b| b.is_ascii_uppercase());
                let wide = name.len() < pattern.len() && (name.len() < 5 || kind == "request_header_name");
                says(
                    name.is_empty() || name.len() > LONGEST_NAME || upper || wide || !name.bytes().all(token),
                    "expected a name in lower case of at most 64 characters; a prefix (`x-name-*`, five characters or more) \
                     only of response fields and cookies",
                )
            }
            "url_query_keys" => says(
                pattern.split('&').any(|key| key.is_empty() || key.len() > LONGEST_NAME),
                "expected keys of at most 64 characters, joined by &",
            ),
            "computed" => says(
                !CHECKS.contains(&pattern),
                &format!("expected a check that this program has: {}", CHECKS.join(", ")),
            ),
            "ip_range_ref" if self.user => says(
                cidr(pattern).is_none(),
                "expected a block like 192.0.2.0/24; feeds are compiled in, list their blocks here",
            ),
            "asn" if self.user => {
                Some("the AS tables are compiled in; list the blocks with kind ip_range_ref".to_owned())
            }
            "asn" => {
                says(pattern.strip_prefix("AS").unwrap_or(pattern).parse::<u32>().is_err(), "expected an AS number")
            }
            _ if is_expression(kind) => wrong_expression(kind, pattern),
            _ => None,
        }
    }
}

/// Longest field name or query key that the matcher looks at.
const LONGEST_NAME: usize = 64;
const ID_FORM: &str = "an id is letters, digits, `.`, `-` and `_`";

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

/// Characters that a reader of the file does not see. The whole list is `model::text`'s, which the build cannot use.
fn is_invisible(c: char) -> bool {
    c.is_control() || matches!(u32::from(c), 0xAD | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0xFEFF)
}

fn list(words: &BTreeSet<&str>) -> String {
    words.iter().copied().collect::<Vec<_>>().join(", ")
}

/// Whether the patterns of a kind are regular expressions.
pub(super) fn is_expression(kind: &str) -> bool {
    kind.ends_with("_regex") || kind == "server_value"
}

/// An expression as the matcher understands it: bytes, no Unicode.
pub(super) fn expression(pattern: &str) -> Result<Hir, String> {
    let mut parser = ParserBuilder::new().unicode(false).utf8(false).build();
    parser.parse(pattern).map_err(|e| match e {
        regex_syntax::Error::Parse(e) => format!("{}, at its byte {}", e.kind(), e.span().start.offset),
        regex_syntax::Error::Translate(e) => format!("{}, at its byte {}", e.kind(), e.span().start.offset),
        _ => "cannot be read".to_owned(),
    })
}

fn wrong_expression(kind: &str, pattern: &str) -> Option<String> {
    // (e)
    let hir = match expression(pattern) {
        Ok(hir) => hir,
        Err(what) => return Some(format!("no regular expression: {what}")),
    };
    match kind {
        // (a) A host rule that may begin or end inside a label also matches a stranger's domain.
        "url_host_regex" | "cname_regex" | "ns_regex" | "ptr_regex" => {
            if !hir.properties().look_set_suffix().contains(Look::End) {
                return Some("a rule for host names must end with `$`, or NAME.evil.example matches too".to_owned());
            }
            if !begins_at_label(&hir) {
                return Some(
                    "a rule for host names must begin with `^`, `\\.` or `(?:^|\\.)`, or evilNAME matches too".to_owned(),
                );
            }
            has_lone_dot(&hir, false)
                .then(|| "a bare `.` stands for any character in a host name; write `\\.`".to_owned())
        }
        // (b)
        "header_value_regex" | "request_header_regex" | "server_value" | "status_phrase_regex" => (!is_held(&hir)).then(|| {
            "a bare word matches inside any other word; hold it with `^`, `$` or `\\b`, or with punctuation of the field"
                .to_owned()
        }),
        _ => None,
    }
}

fn begins_at_label(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Look(look) => *look == Look::Start,
        HirKind::Literal(literal) => literal.0.starts_with(b"."),
        HirKind::Concat(parts) => parts.first().is_some_and(begins_at_label),
        HirKind::Alternation(parts) => parts.iter().all(begins_at_label),
        HirKind::Capture(capture) => begins_at_label(&capture.sub),
        HirKind::Empty | HirKind::Class(_) | HirKind::Repetition(_) => false,
    }
}

fn has_lone_dot(hir: &Hir, repeated: bool) -> bool {
    match hir.kind() {
        HirKind::Class(Class::Bytes(class)) => {
            let bytes: usize = class.iter().map(|r| usize::from(r.end() - r.start()) + 1).sum();
            !repeated && bytes > 128
        }
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(|p| has_lone_dot(p, repeated)),
        HirKind::Capture(capture) => has_lone_dot(&capture.sub, repeated),
        HirKind::Repetition(repetition) => has_lone_dot(&repetition.sub, true),
        HirKind::Class(Class::Unicode(_)) | HirKind::Empty | HirKind::Literal(_) | HirKind::Look(_) => false,
    }
}

/// Whether every way to match has an anchor, a word's boundary or punctuation that a field's grammar uses.
fn is_held(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Look(_) => true,
        HirKind::Literal(literal) => literal.0.iter().any(|b| b"=(/:;,<>\"[]{}".contains(b)),
        HirKind::Concat(parts) => parts.iter().any(is_held),
        HirKind::Alternation(parts) => parts.iter().all(is_held),
        HirKind::Capture(capture) => is_held(&capture.sub),
        HirKind::Repetition(repetition) => repetition.min > 0 && is_held(&repetition.sub),
        HirKind::Empty | HirKind::Class(_) => false,
    }
}

/// Whether a reader can find the source: an address, an RFC, `owner/repository@commit`, a package with its version, a
/// capture file, or the stored captures that the built-in pack was compared with.
fn can_be_followed(source: &str) -> bool {
    let words = || source.split([' ', ',', '(', ')', ';']);
    let url = words().any(|w| {
        w.strip_prefix("https://").or_else(|| w.strip_prefix("http://")).is_some_and(|rest| rest.contains('.'))
    });
    let rfc = source.split("RFC").skip(1).any(|after| after.trim_start().starts_with(|c: char| c.is_ascii_digit()));
    let commit = words().any(|w| {
        let Some((repository, commit)) = w.split_once('@') else { return false };
        let commit = commit.split(':').next().unwrap_or_default();
        repository.contains('/') && commit.len() >= 6 && commit.bytes().all(|b| b.is_ascii_hexdigit())
    });
    let package = ["npm ", "PyPI ", "Debian ", "crates.io "]
        .iter()
        .any(|registry| source.strip_prefix(registry).is_some_and(|rest| rest.bytes().any(|b| b.is_ascii_digit())));
    let capture = words().any(|w| {
        let w = w.trim_end_matches(".gz").trim_end_matches(".zst");
        [".pcap", ".pcapng", ".har"].iter().any(|ending| w.ends_with(ending))
    });
    url || rfc || commit || package || capture || source.starts_with("string seen verbatim in public captures")
}

/// Whether a text holds a year from 1980 to 2039 as a word.
fn names_a_year(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '/' && c != ':' && c != '-').any(|word| {
        let word = word.trim_end_matches(['.', ':']);
        word.len() == 4 && word.parse().is_ok_and(|year: u16| (1980..2040).contains(&year))
    })
}

/// A block of addresses, and how many of its leading bits are fixed.
pub(super) fn cidr(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let bits: u32 = bits.parse().ok()?;
    // A block of half the internet is nobody's.
    let (least, most) = if address.is_ipv4() { (8, 32) } else { (16, 128) };
    (least..=most).contains(&bits).then_some((address, bits))
}

/// Months since the year 0; the day is left out.
pub(super) fn month(text: &str) -> Option<u32> {
    let mut parts = text.split('-');
    let year: u32 = parts.next()?.parse().ok()?;
    let month: u32 = parts.next().map_or(Some(1), |m| m.parse().ok())?;
    ((1990..2100).contains(&year) && (1..=12).contains(&month)).then(|| year * 12 + month - 1)
}

/// Red, green, blue of `#RRGGBB`.
pub(super) fn colour(text: &str) -> Option<[u8; 3]> {
    let number = u32::from_str_radix(text.strip_prefix('#').filter(|t| t.len() == 6)?, 16).ok()?;
    let [_, r, g, b] = number.to_be_bytes();
    Some([r, g, b])
}

/// Descriptions as they stand inside a sentence, joined.
pub(super) fn forgers<'a>(descriptions: impl Iterator<Item = &'a str>) -> String {
    let words = descriptions.map(|text| {
        let mut chars = text.trim_end_matches('.').chars();
        let first = chars.next().map(|c| c.to_ascii_lowercase());
        first.into_iter().chain(chars).collect::<String>()
    });
    words.collect::<Vec<_>>().join("; ")
}

/// Kinds: the word in files, the name in the program, the independence group. What the client wrote itself (signed URLs,
/// storage request fields) is name choice until an answer shows that it was accepted; the matcher lifts it then.
pub(super) const KINDS: [(&str, &str, &str); 23] = [
    ("dns_suffix", "DnsSuffix", "NameChoice"),
    ("cname_suffix", "CnameSuffix", "DnsAuthority"),
    ("cname_regex", "CnameRegex", "DnsAuthority"),
    ("chain_regex", "ChainRegex", "DnsAuthority"),
    ("url_host_regex", "UrlHostRegex", "NameChoice"),
    ("url_query_keys", "UrlQueryKeys", "NameChoice"),
    ("header_name", "HeaderName", "AnsweringSoftware"),
    ("header_value_regex", "HeaderValueRegex", "AnsweringSoftware"),
    ("request_header_name", "RequestHeaderName", "NameChoice"),
    ("request_header_regex", "RequestHeaderRegex", "NameChoice"),
    ("server_value", "ServerValue", "AnsweringSoftware"),
    ("cookie_name", "CookieName", "AnsweringSoftware"),
    ("status_phrase_regex", "StatusPhraseRegex", "AnsweringSoftware"),
    ("body_regex", "BodyRegex", "AnsweringSoftware"),
    ("cert_san_suffix", "CertSanSuffix", "KeyHolder"),
    ("cert_org", "CertOrg", "KeyHolder"),
    ("cert_issuer", "CertIssuer", "KeyHolder"),
    ("asn", "Asn", "Routing"),
    ("ip_range_ref", "IpRangeRef", "Routing"),
    ("ns_regex", "NsRegex", "DnsAuthority"),
    ("ptr_suffix", "PtrSuffix", "DnsAuthority"),
    ("ptr_regex", "PtrRegex", "DnsAuthority"),
    ("computed", "Computed", "Arithmetic"),
];

/// Machines that a row can be about: the word in files, the name in the program.
pub(super) const SPEAKS_FOR: [(&str, &str); 6] = [
    ("responder", "Responder"),
    ("edge", "Edge"),
    ("origin", "Origin"),
    ("name", "Name"),
    ("dns", "Dns"),
    ("platform", "Platform"),
];

/// The checks of `computed.rs`, and one that waits for the body's MD5.
pub(super) const CHECKS: [&str; 8] = [
    "etag-ticks",
    "akamai-grn",
    "akamai-server-timing",
    "alibaba-eagleid",
    "ceph-rgw-id",
    "swift-trans-id",
    "ovh-iplb",
    "s3-etag-md5",
];

/// Fields whose mere presence says nothing of who sent them.
const GENERIC_FIELDS: [&str; 27] = [
    "accept-ranges",
    "age",
    "alt-svc",
    "cache-control",
    "cache-status",
    "connection",
    "content-encoding",
    "content-length",
    "content-security-policy",
    "content-type",
    "date",
    "etag",
    "expires",
    "last-modified",
    "location",
    "pragma",
    "server",
    "server-timing",
    "set-cookie",
    "strict-transport-security",
    "vary",
    "via",
    "x-cache",
    "x-frame-options",
    "x-powered-by",
    "x-request-id",
    "x-served-by",
];

/// Which of the four answers a row speaks to: 1 operator, 2 product, 4 role, 8 tenant. Steering zones, platform words
/// and reverse names speak to none: they are shown and never counted.
pub(super) fn supports(s: &SignatureRow) -> u8 {
    let kind = s.kind.as_str();
    if s.role == "dns" || s.role == "platform" || kind.starts_with("ptr_") || s.provider == "server-platform" {
        return if s.customer.is_some() { 8 } else { 0 };
    }
    let general = kind == "asn"
        || matches!(s.service.as_str(), "aws-other" | "azure-other" | "network" | "apple-network" | "front-end");
    let about = if general { 0 } else { 2 | 4 };
    let tenant = if s.customer.is_some() || s.patterns().iter().any(|p| TENANT_GROUPS.iter().any(|g| p.contains(g))) {
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
