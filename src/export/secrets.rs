//! What in a text is a secret, and where.
//!
//! Comes in: bytes with the context they stand in. Goes out: ranges. Never: a judgement about who owns a secret; when in
//! doubt it is one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ahash::AHashSet;
use memchr::memmem;
use regex::bytes::{Regex, RegexBuilder};

use super::literals::Literals;
use crate::model::{ByteRange, hex};

/// Secrets remembered so that they are found wherever else they stand.
const MOST_KNOWN: usize = 4_096;
/// Bytes of a secret that is looked for elsewhere; a longer one is its own place only.
const LONGEST_KNOWN: usize = 16 << 10;
/// Bytes of a text in which base64 is looked into.
const DECODED_TEXT: usize = 1 << 20;
/// Bytes of a key before `=` or `:`.
const KEY_BYTES: usize = 64;

/// What a secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretKind {
    /// A cookie's value.
    Cookie,
    /// What follows the scheme of an Authorization field.
    Credentials,
    /// A token.
    Token,
    /// A signature.
    Signature,
    /// A key.
    Key,
    /// A password.
    Password,
    /// An e-mail address.
    Email,
    /// A private address.
    Address,
    /// A word that the user named.
    Word,
}

impl SecretKind {
    /// All of them.
    const ALL: [Self; 9] = [
        Self::Cookie,
        Self::Credentials,
        Self::Token,
        Self::Signature,
        Self::Key,
        Self::Password,
        Self::Email,
        Self::Address,
        Self::Word,
    ];

    /// The kind with that word in placeholders.
    pub(super) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether what is hidden for it may itself be what proves.
    pub(super) fn may_prove(self) -> bool {
        matches!(self, Self::Word | Self::Email | Self::Address)
    }

    /// The word in placeholders and lists.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Credentials => "credentials",
            Self::Token => "token",
            Self::Signature => "signature",
            Self::Key => "key",
            Self::Password => "password",
            Self::Email => "e-mail",
            Self::Address => "address",
            Self::Word => "word",
        }
    }
}

/// A secret at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Where.
    pub range: ByteRange,
    /// What.
    pub kind: SecretKind,
    /// It was not found by its place, but because the same bytes are a secret elsewhere.
    pub elsewhere: bool,
}

impl Hit {
    fn new(start: usize, end: usize, kind: SecretKind) -> Self {
        Self { range: ByteRange::between(start, end), kind, elsewhere: false }
    }

    /// Whether it stands in any byte of `range`.
    pub fn overlaps(&self, range: ByteRange) -> bool {
        self.range.start < range.end() && range.start < self.range.end()
    }

    /// Whether what is hidden may itself be what proves.
    pub fn may_prove(&self) -> bool {
        self.elsewhere || self.kind.may_prove()
    }
}

/// What a text is.
#[derive(Clone, Copy, Debug)]
pub enum Context<'a> {
    /// A request target or URL.
    Url,
    /// The value of a header field of that name.
    Field(&'a [u8]),
    /// Anything else.
    Text,
}

/// Secrets known by their bytes, and the forms that are secrets wherever they stand.
#[derive(Debug)]
pub(super) struct Known {
    forms: Vec<(Regex, usize, SecretKind)>,
    elements: Vec<Regex>,
    encoded: Option<Regex>,
    numbers: Option<Regex>,
    /// Names of the reverse tree.
    reverse: Option<Regex>,
    words: Vec<Regex>,
    literals: Literals<SecretKind>,
    seen: AHashSet<Vec<u8>>,
}

/// Forms that are secrets by themselves: expression, the group that is hidden, kind.
const FORMS: [(&str, usize, SecretKind); 14] = [
    // JSON Web Token (RFC 7519): the first part is base64url of `{"`.
    (r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{2,}(?:\.[A-Za-z0-9_-]*){0,3}", 0, SecretKind::Token),
    (r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)", 0, SecretKind::Key),
    (r"-----BEGIN PGP PRIVATE KEY BLOCK-----.*?(?:-----END PGP PRIVATE KEY BLOCK-----|\z)", 0, SecretKind::Key),
    // User and password of a URL (RFC 3986 section 3.2.1), as it is and percent-coded.
    (r"://([^/\s@<>\x22'?#]{1,512})@", 1, SecretKind::Credentials),
    (
        r"(?i)%3A%2F%2F([A-Za-z0-9._~!$'()*+,;=-]{1,256}(?:%3A[A-Za-z0-9._~!$'()*+,;=%-]{0,256}?)?)%40",
        1,
        SecretKind::Credentials,
    ),
    (
        r"(?i)\b(?:Bearer|Basic|Negotiate|NTLM|Token)\s+([A-Za-z0-9._~+/-]*[0-9=][A-Za-z0-9._~+/=-]{7,})",
        1,
        SecretKind::Credentials,
    ),
    (
        r"\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}|\bglpat-[A-Za-z0-9_-]{16,}",
        0,
        SecretKind::Token,
    ),
    (r"\bxox[abeoprs]-[A-Za-z0-9-]{8,}|\bxapp-[A-Za-z0-9-]{8,}", 0, SecretKind::Token),
    (r"\b(?:sk|rk|pk|whsec)_(?:live|test)?_?[A-Za-z0-9]{16,}|\bsk-[A-Za-z0-9_-]{16,}", 0, SecretKind::Key),
    (r"\bAIza[A-Za-z0-9_-]{30,}|\bya29\.[A-Za-z0-9_-]{10,}|\b1//0[A-Za-z0-9_-]{20,}", 0, SecretKind::Key),
    (
        r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|\bnpm_[A-Za-z0-9]{30,}|\bhf_[A-Za-z0-9]{20,}|\bdop_v1_[a-f0-9]{40,}",
        0,
        SecretKind::Token,
    ),
    (r"(?i)\bAccountKey=([A-Za-z0-9+/=]{16,})", 1, SecretKind::Key),
    (
        r"(?i)[A-Z0-9](?:[A-Z0-9._+-]|%2B){0,63}(?:@|%40|\\u0040|&#64;)[A-Z0-9](?:[A-Z0-9-]{0,62}\.){1,8}[A-Z]{2,24}",
        0,
        SecretKind::Email,
    ),
    // Web addresses of hooks are keys (Slack, Discord).
    (
        r"(?i)hooks\.slack\.com/services/([A-Z0-9/]{20,})|discord(?:app)?\.com/api/webhooks/\d+/[A-Z0-9_-]{20,}",
        0,
        SecretKind::Key,
    ),
];

/// Elements that name their content: XML, property lists, multipart forms.
const ELEMENTS: [&str; 3] = [
    r"<(?:[A-Za-z0-9_.-]{1,64}:)?([A-Za-z0-9_.-]{1,64})(?:\s[^<>]{0,1024})?>(?:<!\[CDATA\[)?([^<\]]{1,65536})",
    r"<key>([^<]{1,64})</key>\s{0,64}<(?:string|data)>([^<]{1,65536})",
    r"(?i)\bname=\x22([^\x22]{1,64})\x22[^\r\n]{0,256}\r?\n(?:[^\r\n]{1,256}\r?\n){0,8}\r?\n([^\r\n]{1,65536})",
];

fn expression(text: &str) -> Option<Regex> {
    RegexBuilder::new(text).unicode(false).dot_matches_new_line(true).build().ok()
}

impl Known {
    /// Knows only the words that the user named.
    pub(super) fn new(words: &[String]) -> Self {
        let forms = FORMS.iter().filter_map(|(text, group, kind)| Some((expression(text)?, *group, *kind)));
        let words = words.iter().map(|w| w.trim()).filter(|w| !w.is_empty());
        Self {
            forms: forms.collect(),
            elements: ELEMENTS.iter().filter_map(|text| expression(text)).collect(),
            encoded: expression(r"[A-Za-z0-9+/_-]{20,}={0,2}"),
            numbers: expression(r"[0-9a-fA-F]*(?::[0-9a-fA-F]*){2,7}|[0-9]{1,3}(?:\.[0-9]{1,3}){3}"),
            reverse: expression(
                r"(?i)\b([0-9]{1,3}(?:\.[0-9]{1,3}){3})\.in-addr\.arpa|\b([0-9a-f](?:\.[0-9a-f]){31})\.ip6\.arpa",
            ),
            words: words.filter_map(|w| expression(&format!("(?i){}", word_expression(w)))).collect(),
            literals: Literals::new(),
            seen: AHashSet::new(),
        }
    }

    /// Remembers a secret's bytes, and the forms that they take in URLs, base64 and hexadecimal digits.
    pub(super) fn learn(&mut self, secret: &[u8], kind: SecretKind) {
        if matches!(kind, SecretKind::Word | SecretKind::Address) {
            return;
        }
        if kind == SecretKind::Credentials {
            // Basic (RFC 7617): user and password are known then too; so they are in a URL.
            let plain = un_base64(secret).filter(|p| is_text(p)).unwrap_or_else(|| secret.to_vec());
            if let Some(at) = memchr::memchr(b':', &plain) {
                self.learn_one(plain.get(at + 1..).unwrap_or_default(), SecretKind::Password);
            }
        }
        self.learn_one(secret, kind);
    }

    fn learn_one(&mut self, secret: &[u8], kind: SecretKind) {
        if !is_worth_finding(secret) || self.literals.len() >= MOST_KNOWN || self.seen.contains(secret) {
            return;
        }
        let raw = percent_decoded(secret);
        for form in forms_of(&raw).into_iter().chain([secret.to_vec()]) {
            if form.len() >= 6 && self.seen.insert(form.clone()) {
                self.literals.push(form, kind);
            }
        }
    }

    /// Where secrets known by their bytes, and the user's words, stand.
    pub(super) fn find(&self, text: &[u8]) -> Vec<Hit> {
        let elsewhere = |(start, end, kind)| Hit { elsewhere: true, ..Hit::new(start, end, kind) };
        let mut hits: Vec<Hit> = self.literals.find(text).into_iter().map(elsewhere).collect();
        for word in &self.words {
            hits.extend(word.find_iter(text).map(|m| Hit::new(m.start(), m.end(), SecretKind::Word)));
        }
        hits
    }
}

/// A word, and the same with its letters percent-coded where they are not ASCII, its spaces as `+`, `%20` or `_`.
fn word_expression(word: &str) -> String {
    let mut out = String::new();
    for c in word.chars() {
        match c {
            ' ' => out.push_str(r"(?:[ +_.-]|%20)"),
            c if c.is_ascii_alphanumeric() => out.push(c),
            c => {
                let mut buffer = [0; 4];
                let bytes = c.encode_utf8(&mut buffer).as_bytes();
                out.push_str("(?:");
                for (mark, between) in [(r"\x", "|"), ("%", ")")] {
                    for byte in bytes {
                        out.push_str(mark);
                        out.push_str(&hex(&[*byte]));
                    }
                    out.push_str(between);
                }
            }
        }
    }
    out
}

/// Short and everyday values ("1", "en", "public") would hide half of a capture and tell nothing.
fn is_worth_finding(secret: &[u8]) -> bool {
    let mixed = secret.iter().any(|b| !b.is_ascii_lowercase());
    let digits = secret.iter().all(u8::is_ascii_digit);
    let name = secret.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'.' | b'-' | b'/'));
    let long = secret.len() >= 12 || secret.len() >= 6 && mixed && !digits && !name || secret.len() >= 8 && digits;
    long && secret.len() <= LONGEST_KNOWN && !(name && secret.contains(&b'.'))
}

fn forms_of(raw: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![raw.to_vec(), percent_encoded(raw, false), percent_encoded(raw, true)];
    let standard = base64(raw, *b"+/");
    let web = base64(raw, *b"-_");
    forms.extend([standard, web].map(String::into_bytes));
    let hex = hex(raw);
    forms.push(hex.to_ascii_uppercase().into_bytes());
    forms.push(hex.into_bytes());
    forms
}

/// Every secret in a text; they may overlap.
pub(super) fn find(text: &[u8], context: Context<'_>, known: &Known, private_addresses: bool) -> Vec<Hit> {
    let mut hits = Vec::new();
    let structural = if let Context::Field(name) = context { field(name, text, &mut hits) } else { false };
    if !structural {
        pairs(text, matches!(context, Context::Url), &mut hits);
        forms(text, known, &mut hits);
        if text.len() <= DECODED_TEXT
            && let Some(encoded) = &known.encoded
        {
            for found in encoded.find_iter(text) {
                hits.extend(inside(found.as_bytes(), known).map(|kind| Hit::new(found.start(), found.end(), kind)));
            }
        }
    }
    hits.extend(known.find(text));
    if private_addresses && let Some(numbers) = &known.numbers {
        let private = |m: &regex::bytes::Match<'_>| {
            let ip = str::from_utf8(m.as_bytes()).ok().and_then(|t| t.parse::<IpAddr>().ok());
            ip.is_some_and(is_private)
        };
        let found = numbers.find_iter(text).filter(private);
        hits.extend(found.map(|m| Hit::new(m.start(), m.end(), SecretKind::Address)));
        for found in known.reverse.iter().flat_map(|r| r.captures_iter(text)) {
            let Some(name) = found.get(1).or_else(|| found.get(2)) else { continue };
            if reversed(name.as_bytes()).is_some_and(is_private) {
                hits.push(Hit::new(name.start(), name.end(), SecretKind::Address));
            }
        }
    }
    hits
}

/// The address of a name below `in-addr.arpa` (RFC 1035 section 3.5) or `ip6.arpa` (RFC 3596 section 2.5).
fn reversed(labels: &[u8]) -> Option<IpAddr> {
    let mut parts: Vec<&str> = str::from_utf8(labels).ok()?.split('.').collect();
    parts.reverse();
    if parts.len() == 4 {
        return parts.join(".").parse().ok();
    }
    let groups: Vec<String> = parts.chunks(4).map(<[_]>::concat).collect();
    groups.join(":").parse().ok()
}

fn forms(text: &[u8], known: &Known, hits: &mut Vec<Hit>) {
    for (form, group, kind) in &known.forms {
        for found in form.captures_iter(text) {
            let Some(part) = found.get(*group).or_else(|| found.get(0)) else { continue };
            // The address of a service account names a key, not a person.
            if *kind == SecretKind::Email && part.as_bytes().ends_with(b".gserviceaccount.com") {
                continue;
            }
            // The password and host of `user:password@host` look like an address: the host stays.
            let hit = Hit::new(part.start(), part.end(), *kind);
            if *kind == SecretKind::Email && hits.iter().any(|h| h.overlaps(hit.range)) {
                continue;
            }
            hits.push(hit);
        }
    }
    for element in &known.elements {
        for found in element.captures_iter(text) {
            let (Some(name), Some(value)) = (found.get(1), found.get(2)) else { continue };
            let Some((kind, sure)) = secret_key(name.as_bytes()) else { continue };
            let trimmed = value.as_bytes().trim_ascii();
            if !trimmed.is_empty() && (sure || looks_random(trimmed)) {
                hits.push(Hit::new(value.start(), value.end(), kind));
            }
        }
    }
}

/// What base64 or hexadecimal digits hide, where that is text with a secret in it.
fn inside(encoded: &[u8], known: &Known) -> Option<SecretKind> {
    let digits = encoded.iter().all(u8::is_ascii_hexdigit) && encoded.len().is_multiple_of(2);
    let plain = if digits { Some(un_hex(encoded)) } else { un_base64(encoded) }.filter(|p| is_text(p))?;
    let mut hits = Vec::new();
    pairs(&plain, false, &mut hits);
    forms(&plain, known, &mut hits);
    hits.extend(known.find(&plain));
    hits.first().map(|h| h.kind)
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.len() >= 6
        && bytes.iter().all(|b| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..))
        && str::from_utf8(bytes).is_ok()
}

/// The value of a header field; whether that is all there is to find in it.
fn field(name: &[u8], value: &[u8], hits: &mut Vec<Hit>) -> bool {
    let is = |word: &str| name.eq_ignore_ascii_case(word.as_bytes());
    if is("cookie") || is("cookie2") {
        cookies(value, usize::MAX, hits);
        return true;
    }
    if is("set-cookie") || is("set-cookie2") {
        cookies(value, 1, hits);
        return false;
    }
    if is("authorization") || is("proxy-authorization") {
        credentials(value, hits);
        return true;
    }
    let info = is("authentication-info") || is("proxy-authentication-info");
    match secret_key(name).filter(|(_, sure)| *sure) {
        // Names of algorithms, and lists of names, are no secrets.
        _ if is("access-control-allow-headers") || is("access-control-expose-headers") || is("vary") => true,
        Some((kind, _)) => {
            hits.push(Hit::new(0, value.len(), kind));
            true
        }
        None if info => {
            hits.push(Hit::new(0, value.len(), SecretKind::Credentials));
            true
        }
        None => false,
    }
}

/// Values of the first `most` pairs; the names stay.
fn cookies(value: &[u8], most: usize, hits: &mut Vec<Hit>) {
    let mut at = 0;
    for pair in value.split(|b| *b == b';').take(most) {
        let equals = memchr::memchr(b'=', pair).map_or(0, |e| e + 1);
        let content = pair.get(equals..).unwrap_or_default();
        let start = at + equals + (content.len() - content.trim_ascii_start().len());
        hits.push(Hit::new(start, start + content.trim_ascii().len(), SecretKind::Cookie));
        at += pair.len() + 1;
    }
}

/// The scheme stays; of schemes that name a key and a signature, the key's name too.
fn credentials(value: &[u8], hits: &mut Vec<Hit>) {
    let Some(space) = value.iter().position(u8::is_ascii_whitespace) else {
        hits.push(Hit::new(0, value.len(), SecretKind::Credentials));
        return;
    };
    let (scheme, rest) = value.split_at_checked(space).unwrap_or((value, b""));
    let named = ["SharedKey", "SharedKeyLite", "AWS", "OSS"].iter().any(|s| s.as_bytes() == scheme);
    let colon = memchr::memchr(b':', rest).filter(|_| named);
    let signature = memmem::find(rest, b"Signature=").filter(|_| scheme.contains(&b'-'));
    let (from, kind) = match (colon, signature) {
        (Some(colon), _) => (space + colon + 1, SecretKind::Signature),
        (None, Some(at)) => (space + at + b"Signature=".len(), SecretKind::Signature),
        (None, None) => (space + (rest.len() - rest.trim_ascii_start().len()), SecretKind::Credentials),
    };
    let until = value.len();
    let end = if signature.is_some() && colon.is_none() {
        value.get(from..).unwrap_or_default().iter().position(|b| *b == b',').map_or(until, |comma| from + comma)
    } else {
        until
    };
    hits.push(Hit::new(from, end, kind));
}

/// Values after `key=`, `key: `, `"key":"`, `key%3D`.
fn pairs(text: &[u8], url: bool, hits: &mut Vec<Hit>) {
    let mut at = 0;
    while let Some(step) = memchr::memchr3(b'=', b':', b'%', text.get(at..).unwrap_or_default()) {
        let delimiter = at + step;
        at = delimiter + 1;
        let (len, coded, equals) = match text.get(delimiter..) {
            Some([b'=', ..]) => (1, false, true),
            Some([b':', ..]) => (1, false, false),
            Some([b'%', b'3', b'D' | b'd', ..]) => (3, true, true),
            Some([b'%', b'3', b'A' | b'a', ..]) => (3, true, false),
            _ => continue,
        };
        let Some((key, before)) = key_before(text, delimiter) else { continue };
        let Some((kind, sure)) = secret_key(key) else { continue };
        let value = value_after(text, delimiter + len, coded, equals);
        let content = text.get(value.0..value.1).unwrap_or_default();
        if matches!(content, b"" | b"null" | b"true" | b"false" | b"undefined") {
            continue;
        }
        let as_query = equals && (url || query_before(text, before));
        if sure || as_query || looks_random(content) {
            hits.push(Hit::new(value.0, value.1, kind));
        }
    }
}

/// The key that ends at a delimiter, and where it starts.
fn key_before(text: &[u8], delimiter: usize) -> Option<(&[u8], usize)> {
    let mut end = delimiter;
    let byte = |at: usize| at.checked_sub(1).and_then(|i| text.get(i)).copied();
    while let Some(b' ' | b'\t') = byte(end) {
        end -= 1;
    }
    if let Some(b'"' | b'\'') = byte(end) {
        end -= 1;
        if byte(end) == Some(b'\\') {
            end -= 1;
        }
    } else if end >= 3 && text.get(end - 3..end).is_some_and(|t| t.eq_ignore_ascii_case(b"%22")) {
        end -= 3;
    }
    let mut start = end;
    while end - start < KEY_BYTES
        && let Some(b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'$' | b'[' | b']') = byte(start)
    {
        start -= 1;
    }
    // `%26sig%3D…`: the digits of the triplet are no part of the key.
    let mut key = start;
    if byte(start) == Some(b'%') {
        key = (start + 2).min(end);
    }
    text.get(key..end).filter(|k| !k.is_empty()).map(|k| (k, start))
}

/// Whether what stands before a key makes it a query's or form's.
fn query_before(text: &[u8], start: usize) -> bool {
    match start.checked_sub(1).and_then(|i| text.get(i)) {
        None => true,
        Some(b) => matches!(b, b'?' | b'&' | b';' | b'#' | b'%' | b'\n'),
    }
}

/// Where the value after a delimiter stands.
#[expect(clippy::fn_params_excessive_bools, reason = "how the delimiter is written, and which one it is")]
fn value_after(text: &[u8], from: usize, coded: bool, equals: bool) -> (usize, usize) {
    let byte = |at: usize| text.get(at).copied();
    let mut start = from;
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = byte(start)
        && !equals
    {
        start += 1;
    }
    let escaped = byte(start) == Some(b'\\') && matches!(byte(start + 1), Some(b'"' | b'\''));
    let quote = byte(start + usize::from(escaped)).filter(|b| matches!(b, b'"' | b'\''));
    if let Some(quote) = quote {
        start += 1 + usize::from(escaped);
        let mut end = start;
        while let Some(b) = byte(end) {
            if escaped && b == b'\\' && byte(end + 1) == Some(quote) || !escaped && b == quote {
                break;
            }
            end += if b == b'\\' && !escaped { 2 } else { 1 };
        }
        return (start, end.min(text.len()));
    }
    let list = byte(start) == Some(b'[');
    let mut end = start;
    while let Some(b) = byte(end) {
        let over = match b {
            b']' if list => {
                end += 1;
                true
            }
            _ if list => false,
            b'&' | b'"' | b'\'' | b'<' | b'>' | b'#' => true,
            b if b.is_ascii_whitespace() => true,
            b';' => true,
            b',' | b'}' | b']' => !equals,
            b'%' if coded => {
                let next = text.get(end + 1..end + 3).unwrap_or_default();
                next.eq_ignore_ascii_case(b"26") || next.eq_ignore_ascii_case(b"22")
            }
            _ => false,
        };
        if over {
            break;
        }
        end += 1;
    }
    (start, end)
}

/// Whether a key's value is a secret: surely, or only in a URL, a form, or where the value looks like one.
fn secret_key(key: &[u8]) -> Option<(SecretKind, bool)> {
    use SecretKind as K;
    let name: Vec<u8> = key.iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
    let name = str::from_utf8(&name).unwrap_or_default();
    let name = name.strip_suffix('s').filter(|n| !n.ends_with('s')).unwrap_or(name);
    // Ids and algorithms beside a secret are none.
    let no = ["signatureversion", "signaturemethod", "signaturealgorithm", "signatureheader", "passwordless"];
    if no.contains(&name) {
        return None;
    }
    let sure = match name {
        "sig" | "hmac" | "mac" => Some(K::Signature),
        "pwd" | "pw" | "otp" | "totp" | "cvv" | "cvc" | "ssn" | "mfacode" | "userpa" | "userpass" => Some(K::Password),
        "jwt" | "bearer" | "csrf" | "xsrf" | "samlresponse" | "assertion" | "clientassertion" | "codeverifier" => {
            Some(K::Token)
        }
        "jsessionid" | "phpsessid" | "sessid" | "sessionid" | "aspsessionid" => Some(K::Token),
        "accesskey" | "authorization" | "proxyauthorization" => Some(K::Key),
        "cookie" | "setcookie" => Some(K::Cookie),
        _ if name.contains("signature") => Some(K::Signature),
        _ if name.ends_with("token") => Some(K::Token),
        _ if ["password", "passwd", "passphrase", "passcode"].iter().any(|e| name.ends_with(e)) => Some(K::Password),
        _ if ["sessionid", "sessionkey", "csrf", "xsrf"].iter().any(|e| name.ends_with(e)) => Some(K::Token),
        _ if ["secret", "apikey", "secretkey", "secretaccesskey", "privatekey", "sharedkey", "authkey"]
            .iter()
            .chain(&["subscriptionkey", "functionskey", "functionkey", "encryptionkey", "customerkey"])
            .chain(&["masterkey", "accountkey", "signingkey", "authorizationkey"])
            .any(|e| name.ends_with(e)) =>
        {
            Some(K::Key)
        }
        _ => None,
    };
    if let Some(kind) = sure {
        return Some((kind, true));
    }
    match name {
        "key" => Some((K::Key, false)),
        "code" | "session" | "sid" | "state" | "auth" | "ticket" | "sess" | "samlrequest" => Some((K::Token, false)),
        "policy" | "hash" | "hdnea" | "hdntl" | "hdnt" | "hmacs" => Some((K::Signature, false)),
        "pas" | "pass" | "pin" | "user" | "username" | "login" => Some((K::Password, false)),
        _ => None,
    }
}

/// Long, one word, letters and digits mixed.
fn looks_random(value: &[u8]) -> bool {
    value.len() >= 16
        && value
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'+' | b'=' | b'~' | b'%' | b'.'))
        && value.iter().any(u8::is_ascii_digit)
        && value.iter().any(u8::is_ascii_alphabetic)
}

/// Addresses that say something of a person's own network (RFC 1918, RFC 3927, RFC 4193, RFC 4291, RFC 6598).
pub(super) fn is_private(ip: IpAddr) -> bool {
    let v4 = |ip: Ipv4Addr| ip.is_private() || ip.is_link_local() || matches!(ip.octets(), [100, 64..=127, ..]);
    let v6 = |ip: Ipv6Addr| matches!(ip.octets(), [0xfc | 0xfd, ..] | [0xfe, 0x80..=0xbf, ..]);
    match ip {
        IpAddr::V4(ip) => v4(ip),
        IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or_else(|| v6(ip), v4),
    }
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        rest = match rest {
            [b'%', high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(nibble(*high) << 4 | nibble(*low));
                tail
            }
            [byte, tail @ ..] => {
                out.push(*byte);
                tail
            }
            [] => return out,
        };
    }
}

fn percent_encoded(raw: &[u8], lower: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    for byte in raw {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(*byte);
        } else {
            let triplet = if lower { format!("%{byte:02x}") } else { format!("%{byte:02X}") };
            out.extend_from_slice(triplet.as_bytes());
        }
    }
    out
}

fn nibble(digit: u8) -> u8 {
    char::from(digit).to_digit(16).unwrap_or(0) as u8
}

/// The bytes of hexadecimal digits; of other text, anything.
pub(super) fn un_hex(text: &[u8]) -> Vec<u8> {
    text.chunks_exact(2).map(|p| p.iter().fold(0, |n, d| n << 4 | nibble(*d))).collect()
}

/// Base64 without padding (RFC 4648), with these two characters for 62 and 63.
pub(super) fn base64(raw: &[u8], last: [u8; 2]) -> String {
    let letter = |n: u32| match n & 63 {
        n @ 0..=25 => b'A' + n as u8,
        n @ 26..=51 => b'a' + (n - 26) as u8,
        n @ 52..=61 => b'0' + (n - 52) as u8,
        62 => last[0],
        _ => last[1],
    };
    let mut out = String::with_capacity(raw.len().div_ceil(3) * 4);
    for chunk in raw.chunks(3) {
        let bits = chunk.iter().enumerate().fold(0_u32, |n, (i, b)| n | u32::from(*b) << (16 - 8 * i));
        for i in 0..=chunk.len() {
            out.push(char::from(letter(bits >> (18 - 6 * i))));
        }
    }
    out
}

/// The bytes of base64 of either alphabet, padded or not; `None` where it is none.
pub(super) fn un_base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    if text.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.chunks(4) {
        let mut bits = 0_u32;
        for (i, byte) in chunk.iter().enumerate() {
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                _ => return None,
            };
            bits |= u32::from(value) << (18 - 6 * i);
        }
        let bytes = [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8];
        out.extend_from_slice(bytes.get(..chunk.len() - 1).unwrap_or_default());
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, context: Context<'_>, want: &[&str]) {
        let hits = find(text.as_bytes(), context, &Known::new(&[]), true);
        let mut found: Vec<&str> = hits.iter().map(|h| str::from_utf8(h.range.of(text.as_bytes())).unwrap()).collect();
        found.sort_unstable();
        found.dedup();
        let mut want = want.to_vec();
        want.sort_unstable();
        assert_eq!(found, want, "{text}");
    }

    #[test]
    fn every_expression_compiles() {
        let known = Known::new(&["Jürgen O'Neil".to_owned()]);
        assert_eq!(known.forms.len(), FORMS.len());
        assert_eq!(known.elements.len(), ELEMENTS.len());
        assert!(
            known.encoded.is_some() && known.numbers.is_some() && known.reverse.is_some() && known.words.len() == 1
        );
    }

    #[test]
    fn urls() {
        check("/a?sv=2020&sr=b&sig=abc%2Bd%3D&se=2021", Context::Url, &["abc%2Bd%3D"]);
        check("/a?X-Amz-Credential=AKIA/x&X-Amz-Signature=00ff&X-Amz-Date=1", Context::Url, &["00ff"]);
        check("/a?key=k1&code=7&list-type=2", Context::Url, &["k1", "7"]);
        check("http://u:p@h.example/x", Context::Url, &["u:p"]);
        check("/go?to=https%3A%2F%2Fh%2F%3Fsig%3DABCD%26x%3D1", Context::Url, &["ABCD"]);
        check("/container/IMG_0001.JPG?comp=block&blockid=AAAA", Context::Url, &[]);
    }

    #[test]
    fn fields() {
        check("a=1; b=\"two\"", Context::Field(b"Cookie"), &["1", "\"two\""]);
        check("id=xyz; Path=/; Domain=.example.com", Context::Field(b"Set-Cookie"), &["xyz"]);
        check("SharedKey account:c2lnbmF0dXJl", Context::Field(b"Authorization"), &["c2lnbmF0dXJl"]);
        let v4 = "AWS4-HMAC-SHA256 Credential=AKID/20110613/us-east-1/s3/aws4_request, Signature=0a0b";
        check(v4, Context::Field(b"Authorization"), &["0a0b"]);
        check("Basic dXNlcjpwYXNz", Context::Field(b"Authorization"), &["dXNlcjpwYXNz"]);
        check("12345", Context::Field(b"X-Api-Key"), &["12345"]);
        check("5f1c2a4e-0001-0002-0003-000000000000", Context::Field(b"x-ms-request-id"), &[]);
        check("\"0x8CB171DBEAD6A6B\"", Context::Field(b"ETag"), &[]);
    }

    #[test]
    fn texts() {
        check(r#"{"token":"a\"b","code":"AccessDenied","n":1}"#, Context::Text, &[r#"a\"b"#]);
        check(r#"{"password": "pa ss", "user": "x"}"#, Context::Text, &["pa ss"]);
        check("<Error><Code>NoSuchKey</Code><Key>a/b.jpg</Key></Error>", Context::Text, &[]);
        check("<Password>hush</Password>", Context::Text, &["hush"]);
        check("<key>authToken</key>\n<string>tok</string>", Context::Text, &["tok"]);
        check("mail ann.lee@example.com now", Context::Text, &["ann.lee@example.com"]);
        check("on 192.168.1.7 and 8.8.8.8 and fe80::1", Context::Text, &["192.168.1.7", "fe80::1"]);
        check("1.0.0.10.in-addr.arpa 8.8.8.8.in-addr.arpa", Context::Text, &["1.0.0.10"]);
        let local = format!("1{}.8.e.f.ip6.arpa", ".0".repeat(28));
        check(&local, Context::Text, &[local.trim_end_matches(".ip6.arpa")]);
        check("name=\"password\"\r\n\r\nhunter2\r\n--x", Context::Text, &["hunter2"]);
    }

    #[test]
    fn the_same_secret_elsewhere() {
        let mut known = Known::new(&["Ann Lee".to_owned()]);
        known.learn(b"s3cr3t/+value", SecretKind::Token);
        let at = |text: &str| known.find(text.as_bytes()).len();
        assert!(at("x s3cr3t/+value y") > 0);
        assert!(at("x s3cr3t%2F%2Bvalue y") > 0);
        assert!(at(&base64(b"s3cr3t/+value", *b"+/")) > 0);
        assert!(at("/users/ann%20lee/") > 0 && at("ANN LEE") > 0);
        assert_eq!(at("nothing"), 0);
    }

    #[test]
    fn base64_comes_back() {
        for len in 0..20_u8 {
            let raw: Vec<u8> = (0..len).map(|i| i.wrapping_mul(83)).collect();
            assert_eq!(un_base64(base64(&raw, *b"-_").as_bytes()).unwrap(), raw);
        }
    }
}
