//! One normal form for URLs (RFC 3986), so that what was handed out and what was asked for can be compared.
//!
//! Comes in: decoded text of a reference, a request's parts. Goes out: an absolute URL in normal form, its keys. Never:
//! internationalised names turned into their ASCII form (they are kept as they stand).

use smallvec::SmallVec;
use twox_hash::XxHash64;

/// Shortest path token, in bytes, that is worth a key: shorter ones are shared by chance.
pub(super) const TOKEN_BYTES: usize = 16;
/// Changes between digit, small and capital letter that a token must have. Words, dates and slugs have fewer
/// (`iphone4s-review-2011` has two); 16 random characters have about eight.
const TOKEN_CHANGES: usize = 4;
/// Tokens of one URL that get a key.
const TOKENS: usize = 8;
/// Seed of all keys: they must be equal between runs.
const SEED: u64 = 0;

/// Keys of a URL for an index, equal between runs and machines.
///
/// Strangers choose URLs and can make two of them meet in one key: what a key finds is compared as text before it is
/// believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkKeys {
    /// Of the whole URL in normal form. `ws` counts as `http` and `wss` as `https`, as they look in the handshake's
    /// request (RFC 6455 section 4.1).
    pub exact: u64,
    /// Of host, port where it is not the scheme's own, and path: without scheme and query.
    pub host_path: u64,
    /// Of the long tokens in the path, at most 8, in order.
    pub tokens: SmallVec<[u64; 4]>,
}

/// Keys of a URL in normal form. `None`: it is none (as the empty `url` of a bare token).
pub fn keys(url: &str) -> Option<LinkKeys> {
    let (scheme, rest) = url.split_once("://")?;
    let plain = match scheme {
        "ws" => "http",
        "wss" => "https",
        other => other,
    };
    let exact = if plain == scheme { hash(url.as_bytes()) } else { hash(format!("{plain}://{rest}").as_bytes()) };
    let host_path = rest.split('?').next()?;
    let (_, path) = host_path.split_once('/')?;
    Some(LinkKeys { exact, host_path: hash(host_path.as_bytes()), tokens: token_keys(path.as_bytes()) })
}

/// Key of a host by itself, for connections whose paths are sealed.
pub fn host_key(host: &str) -> u64 {
    hash(host.as_bytes())
}

/// Keys of the long tokens in a path or in the text of a bare token, at most 8, in order.
pub fn token_keys(text: &[u8]) -> SmallVec<[u64; 4]> {
    tokens(text).take(TOKENS).map(hash).collect()
}

/// The parts of a text that look drawn, not written: at least 16 of `[A-Za-z0-9_-]` with letters and digits mixed.
fn tokens(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| !is_token_byte(*byte)).filter(|part| is_token(part))
}

pub(super) fn is_token_byte(byte: u8) -> bool {
    is(byte, TOKEN)
}

/// What a byte may be, as bits: one look instead of several comparisons, for the loops that see every byte.
static CLASSES: [u8; 256] = classes();
/// Of a token.
const TOKEN: u8 = 1;
/// In a path or query as it is.
const STANDS: u8 = 2;
/// In a host by name that needs no second look.
const NAMED: u8 = 4;
/// The same in every container, and closing no URL, with or without a fence.
const PLAIN: u8 = 8;

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut rest: &mut [u8] = &mut classes;
    let mut byte = 0_u8;
    while let Some((class, after)) = rest.split_first_mut() {
        rest = after;
        let word = byte.is_ascii_alphanumeric();
        if word || matches!(byte, b'_' | b'-') {
            *class |= TOKEN;
        }
        if matches!(byte, b'!' | b'$' | b'&'..=b';' | b'=' | b'?'..=b'Z' | b'_' | b'a'..=b'z' | b'~' | b'[' | b']') {
            *class |= STANDS;
        }
        if word || matches!(byte, b'.' | b'-' | b'_') {
            *class |= NAMED;
        }
        if word || matches!(byte, b'/' | b'-' | b'_' | b'=' | b'%' | b'~' | b'+' | b'@' | b'$' | b'*' | b'#') {
            *class |= PLAIN;
        }
        byte = byte.wrapping_add(1);
    }
    classes
}

fn is(byte: u8, class: u8) -> bool {
    CLASSES.get(usize::from(byte)).is_some_and(|classes| classes & class != 0)
}

/// Whether a byte is the same in every container and closes no URL, with or without a fence.
pub(super) fn is_plain(byte: u8) -> bool {
    is(byte, PLAIN)
}

/// Whether a part is a token. All of its bytes must be token bytes.
pub(super) fn is_token(part: &[u8]) -> bool {
    if part.len() < TOKEN_BYTES {
        return false;
    }
    let class = |byte: u8| match byte {
        b'0'..=b'9' => 1,
        b'a'..=b'z' => 2,
        b'A'..=b'Z' => 3,
        _ => 0,
    };
    let letters = part.iter().any(u8::is_ascii_alphabetic);
    let digits = part.iter().any(u8::is_ascii_digit);
    let changes = part
        .iter()
        .zip(part.iter().skip(1))
        .map(|(one, next)| (class(*one), class(*next)))
        .filter(|(one, next)| *one != 0 && *next != 0 && one != next)
        .count();
    letters && digits && changes >= TOKEN_CHANGES
}

pub(super) fn has_token(text: &[u8]) -> bool {
    tokens(text).next().is_some()
}

fn hash(bytes: &[u8]) -> u64 {
    XxHash64::oneshot(SEED, bytes)
}

/// The normal form of a request's own URL: scheme, `Host` or `:authority`, request target (RFC 9112 section 3.2: origin
/// form, or absolute form, which brings its own scheme and host). `None`: the target names no resource by URL
/// (`CONNECT`, `*`), or a part is malformed.
pub fn normal_url(scheme: &str, host: &[u8], target: &[u8]) -> Option<String> {
    if target.first() != Some(&b'/') {
        return absolute(target);
    }
    let scheme = known_scheme(scheme.as_bytes())?;
    if host.iter().any(|byte| matches!(byte, b'/' | b'?' | b'#' | b'\\')) {
        return None;
    }
    build(scheme, host, target)
}

/// One of the schemes that are followed, in lower case.
pub(super) fn known_scheme(text: &[u8]) -> Option<&'static str> {
    ["http", "https", "ws", "wss"].into_iter().find(|scheme| text.eq_ignore_ascii_case(scheme.as_bytes()))
}

/// The normal form of an absolute URL of a scheme that is followed. `None`: it is none.
pub(super) fn absolute(text: &[u8]) -> Option<String> {
    let colon = text.iter().take(6).position(|byte| *byte == b':')?;
    let (scheme, rest) = text.split_at_checked(colon)?;
    let rest = rest.strip_prefix(b"://")?;
    let (authority, tail) = split_authority(rest);
    build(known_scheme(scheme)?, authority, tail)
}

/// A reference resolved against a base in normal form (RFC 3986 section 5.2). `None`: of a scheme that is not followed,
/// empty, only a fragment, malformed, or relative without a base.
pub(super) fn resolve(base: Option<&str>, reference: &[u8]) -> Option<String> {
    let reference = reference.trim_ascii();
    if reference.is_empty() || reference.first() == Some(&b'#') {
        return None;
    }
    if has_scheme(reference) {
        return absolute(reference);
    }
    let (scheme, rest) = base?.split_once("://")?;
    let scheme = known_scheme(scheme.as_bytes())?;
    if let Some(rest) = reference.strip_prefix(b"//") {
        let (authority, tail) = split_authority(rest);
        return build(scheme, authority, tail);
    }
    let (authority, tail) = split_authority(rest.as_bytes());
    let path = tail.split(|byte| matches!(byte, b'?' | b'#')).next()?;
    let folder = match reference.first() {
        Some(b'/') => return build(scheme, authority, reference),
        Some(b'?') => path,
        _ => match path.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => path.get(..=slash)?,
            None => b"/",
        },
    };
    build(scheme, authority, &[folder, reference].concat())
}

/// Whether a reference begins with a scheme (RFC 3986 section 3.1), whichever.
fn has_scheme(reference: &[u8]) -> bool {
    let Some(colon) = reference.iter().position(|byte| matches!(byte, b':' | b'/' | b'?' | b'#')) else { return false };
    let Some((scheme, rest)) = reference.split_at_checked(colon) else { return false };
    rest.first() == Some(&b':')
        && scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

fn split_authority(rest: &[u8]) -> (&[u8], &[u8]) {
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#' | b'\\')).unwrap_or(rest.len());
    rest.split_at_checked(end).unwrap_or((rest, b""))
}

/// Puts a URL together in normal form (RFC 3986 section 6.2.2 and 6.2.3): scheme and host in lower case, default port,
/// user name and fragment dropped, needless escapes undone and needed ones put in, dot segments removed.
fn build(scheme: &str, authority: &[u8], tail: &[u8]) -> Option<String> {
    let whole = tail.split(|byte| *byte == b'#').next().unwrap_or_default();
    let (path, query) = match memchr::memchr(b'?', whole) {
        Some(mark) => whole.split_at_checked(mark)?,
        None => (whole, b"".as_slice()),
    };
    // Most need just this room, so that the text does not move again.
    let len = scheme.len().saturating_add(3).saturating_add(authority.len()).saturating_add(whole.len().max(1));
    let mut url = Vec::with_capacity(len);
    url.extend_from_slice(scheme.as_bytes());
    url.extend_from_slice(b"://");
    put_host(scheme, authority, &mut url)?;
    let floor = url.len();
    put_escaped(path, &mut url);
    let written = url.get(floor..)?;
    let is_rooted = written.first() == Some(&b'/');
    if memchr::memmem::find(written, b"/.").is_some() || !is_rooted {
        let path = url.split_off(floor);
        put_without_dots(&path, &mut url);
    }
    put_escaped(query, &mut url);
    String::from_utf8(url).ok()
}

fn put_host(scheme: &str, authority: &[u8], url: &mut Vec<u8>) -> Option<()> {
    if authority.iter().all(|byte| is(*byte, NAMED)) && authority.iter().any(u8::is_ascii_alphanumeric) {
        url.extend(authority.iter().map(u8::to_ascii_lowercase));
        return Some(());
    }
    let host_port = authority.rsplit(|byte| *byte == b'@').next()?;
    let colon = host_port.iter().rposition(|byte| *byte == b':').filter(|colon| {
        host_port.get(*colon..).is_some_and(|port| !port.contains(&b']')) // the colons of an IPv6 address are inside
    });
    let (host, port) = colon.and_then(|colon| host_port.split_at_checked(colon)).unwrap_or((host_port, b""));
    let inside = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]"));
    let good = match inside {
        Some(address) => {
            address.contains(&b':')
                && address.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
        }
        None => host.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | 0x80..)),
    };
    let named = host.iter().any(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80 || inside.is_some());
    if !good || !named {
        return None;
    }
    url.extend(host.iter().map(u8::to_ascii_lowercase));
    let digits = port.strip_prefix(b":").unwrap_or_default();
    if digits.is_empty() {
        return Some(());
    }
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u16 = str::from_utf8(digits).ok()?.parse().ok()?;
    let own = if matches!(scheme, "http" | "ws") { 80 } else { 443 };
    if number != own {
        url.push(b':');
        url.extend_from_slice(number.to_string().as_bytes());
    }
    Some(())
}

/// Escapes what may not stand in a path or query, undoes the escapes of unreserved characters and writes the others in
/// capitals (RFC 3986 section 2). Tabs and line ends inside are left out, as browsers do (WHATWG URL).
fn put_escaped(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    loop {
        let plain = rest.iter().position(|byte| !is(*byte, STANDS)).unwrap_or(rest.len());
        let (run, from) = rest.split_at_checked(plain).unwrap_or((rest, b""));
        out.extend_from_slice(run);
        let Some((byte, after)) = from.split_first() else { return };
        rest = after;
        match byte {
            b'\t' | b'\n' | b'\r' => {}
            b'%' => match hex_pair(after.first().copied(), after.get(1).copied()) {
                Some(value) => {
                    rest = after.get(2..).unwrap_or_default();
                    if value.is_ascii_alphanumeric() || matches!(value, b'-' | b'.' | b'_' | b'~') {
                        out.push(value);
                    } else {
                        put_triplet(value, out);
                    }
                }
                None => out.extend_from_slice(b"%25"),
            },
            other => put_triplet(*other, out),
        }
    }
}

fn put_triplet(value: u8, out: &mut Vec<u8>) {
    out.push(b'%');
    for nibble in [value >> 4, value & 15] {
        out.push(b"0123456789ABCDEF".get(usize::from(nibble)).copied().unwrap_or(b'0'));
    }
}

/// Value of two hexadecimal digits.
pub(super) fn hex_pair(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    u8::try_from((digit(high)? << 4) | digit(low)?).ok()
}

/// Removes `.` and `..` segments (RFC 3986 section 5.2.4) and gives the path its leading slash.
fn put_without_dots(path: &[u8], url: &mut Vec<u8>) {
    let floor = url.len();
    let relative = path.strip_prefix(b"/").unwrap_or(path);
    let mut segments = relative.split(|byte| *byte == b'/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            b"." => {}
            b".." => {
                let slash = url.get(floor..).and_then(|path| path.iter().rposition(|byte| *byte == b'/'));
                url.truncate(floor.saturating_add(slash.unwrap_or(0)));
            }
            other => {
                url.push(b'/');
                url.extend_from_slice(other);
                continue;
            }
        }
        if last {
            url.push(b'/');
        }
    }
}
