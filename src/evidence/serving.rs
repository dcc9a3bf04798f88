//! The serving path as a response's own lines tell it: which caches it passed, and whether one of them had it.
//!
//! Comes in: a message. Goes out: hops with the ranges they were read from, nearest to the client first. Never: a grade,
//! or a hop that no line names. Whoever wrote a response can write all of these lines, and a hop may drop or forge what
//! those before it said, so they are told, not shown.
//!
//! Within one field the order of hops is known. Lines of different fields say nothing of each other's place; they come in
//! the order of `FIELDS`, where a field of the edge stands before one of its parent.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

use crate::model::{ByteRange, HttpMessage, clean_to};

/// Pieces that are read of one field of a response, and entries of Via; four hops are many.
const MOST_PIECES: usize = 32;
/// Characters that are kept of a host, node, place or comment.
const NAME_CHARS: usize = 128;
/// The greatest Age in seconds; a greater one counts as this (RFC 9111 section 1.2.2).
const GREATEST_AGE: u64 = 1 << 31;

/// What a line says of a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cache {
    /// Served from a stored copy.
    Hit,
    /// Not stored; asked of the next server.
    Miss,
    /// Stored but out of date; the next server said that it still holds.
    Revalidated,
    /// Stored but out of date; the next server sent a new one.
    Expired,
    /// Stored and out of date, and served all the same.
    Stale,
    /// Not looked up, or not to be stored.
    Bypass,
    /// A line of a cache that says none of these: an error, an answer made at the edge, a stored copy found out of date
    /// without what became of it, a word that is not known.
    Told,
}

impl Cache {
    /// The saying in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Hit => "served from cache",
            Self::Miss => "not in cache",
            Self::Revalidated => "in cache, found still good",
            Self::Expired => "in cache but out of date, fetched anew",
            Self::Stale => "served from cache though out of date",
            Self::Bypass => "cache passed by",
            Self::Told => "a cache's line that tells neither",
        }
    }

    /// Whether the body came from what this cache had stored; `None` where the line does not tell.
    pub fn from_store(self) -> Option<bool> {
        match self {
            Self::Hit | Self::Revalidated | Self::Stale => Some(true),
            Self::Miss | Self::Expired | Self::Bypass => Some(false),
            Self::Told => None,
        }
    }
}

/// What kind of cache a line is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// A proxy or edge that stands before the server.
    Proxy,
    /// A cache inside the application or the web server that made the response; no hop of its own.
    Application,
}

/// One hop as the response's lines show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheLine {
    /// The signature pack's id of the provider, where the line names it itself; a claim of the line, not a finding.
    pub product_hint: Option<&'static str>,
    /// Host, node or place as told, at most 128 characters; empty where none is.
    pub name: String,
    /// What it says of the cache; `None` for a line that only shows that a hop was there.
    pub cache: Option<Cache>,
    /// Proxy or application.
    pub layer: Layer,
    /// The place among the hops that its field tells, 0 nearest to the client.
    pub place: usize,
    /// The piece of the line, in the response's block.
    pub range: ByteRange,
    /// The piece of another field that names this hop (`X-Served-By`, `CF-Ray`, `X-Amz-Cf-Pop`, `X-Azure-Ref`).
    pub named_by: Option<ByteRange>,
    /// The field's name, as the vendor writes it.
    pub field: &'static str,
}

/// One entry of Via (RFC 9110 section 7.6.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// The protocol by which the message came to this hop: `1.1`, `HTTP/2`, `https/1.1`.
    pub protocol: String,
    /// Host and port, or a name chosen instead.
    pub by: String,
    /// The comment without its brackets, often the software.
    pub comment: Option<String>,
    /// The entry, in the message's block.
    pub range: ByteRange,
}

/// How a field is read.
#[derive(Clone, Copy)]
enum Form {
    /// A list of `WORD`, `WORD from HOST (SOFTWARE)` or `HOST WORD`, which each hop appends to.
    Words,
    /// The same, the nearest first.
    WordsNearestFirst,
    /// One word for the whole response.
    Word,
    /// Counts of hits, which each hop appends to.
    Counts,
    /// Names of nodes or places, which each hop appends to; nothing of a cache.
    Names,
    /// `id-POP`.
    Ray,
    /// An opaque reference; that it is there is all it tells.
    Reference,
    /// RFC 9211.
    Structured,
    /// Server-Timing (W3C).
    Timing,
    /// Varnish: one number, or two where the response came from its cache.
    Numbers,
}

/// A field that tells of caches.
struct Known {
    name: &'static str,
    form: Form,
    provider: Option<&'static str>,
    layer: Layer,
}

const fn known(name: &'static str, form: Form, provider: Option<&'static str>) -> Known {
    Known { name, form, provider, layer: Layer::Proxy }
}

const fn application(name: &'static str) -> Known {
    Known { name, form: Form::Word, provider: None, layer: Layer::Application }
}

const AKAMAI: Option<&str> = Some("akamai");
const AZURE: Option<&str> = Some("microsoft-azure");
const CLOUDFLARE: Option<&str> = Some("cloudflare");
const AMAZON: Option<&str> = Some("amazon-aws");
const FASTLY: Option<&str> = Some("fastly");

/// The fields, in the order of the result.
const FIELDS: [Known; 23] = [
    // RFC 9211: the list begins at the origin and ends at the client.
    known("Cache-Status", Form::Structured, None),
    // Cloudflare docs, "Cloudflare cache responses".
    known("CF-Cache-Status", Form::Word, CLOUDFLARE),
    // Akamai TechDocs, "Return Cache Status": `Hit from child, Miss from parent`, and the child is the edge.
    known("Akamai-Cache-Status", Form::WordsNearestFirst, AKAMAI),
    // Vercel docs, "Cache status".
    known("X-Vercel-Cache", Form::Word, Some("vercel")),
    // CloudFront developer guide, "Standard logging reference" (the words of x-edge-result-type); Akamai TechDocs, "Pragma
    // headers"; Fastly docs, "X-Cache" (where MISS includes passed by, and HIT pages made at the edge); Squid, result
    // codes; Microsoft Learn, "Debug HTTP headers for Azure CDN from Microsoft"; Apache Traffic Server, "XDebug Plugin".
    known("X-Cache", Form::Words, None),
    // Akamai TechDocs, "Pragma headers": the parent's.
    known("X-Cache-Remote", Form::Words, None),
    // Wikimedia and others that copy its form.
    known("X-Cache-Status", Form::Words, None),
    // nginx, ngx_http_upstream_module, $upstream_cache_status; the field's name is the administrator's choice.
    known("X-Proxy-Cache", Form::Words, None),
    known("X-Nginx-Cache", Form::Words, None),
    // Varnish reference, "X-Varnish".
    known("X-Varnish", Form::Numbers, None),
    // Fastly docs, "X-Served-By" and "Checking cache": with shielding the shield comes first, the edge last.
    known("X-Served-By", Form::Names, None),
    // Fastly docs, "X-Cache-Hits".
    known("X-Cache-Hits", Form::Counts, None),
    // Cloudflare docs, "Cloudflare HTTP headers": a number and the data centre that took the request.
    known("CF-Ray", Form::Ray, CLOUDFLARE),
    // The edge location, three letters of an airport first; CloudFront's edge locations are named so in its logs
    // ("Standard logging reference", x-edge-location).
    known("X-Amz-Cf-Pop", Form::Names, AMAZON),
    // Microsoft Learn, "Protocol support for HTTP headers in Azure Front Door".
    known("X-Azure-Ref", Form::Reference, AZURE),
    known("X-Azure-Ref-OriginShield", Form::Reference, AZURE),
    // Akamai TechDocs, "Global Request Number".
    known("Akamai-GRN", Form::Reference, AKAMAI),
    // W3C Server Timing; CloudFront developer guide, "Server-Timing header"; Akamai mPulse (`cdn-cache`, `ak_p`);
    // Cloudflare (`cfCacheStatus`).
    known("Server-Timing", Form::Timing, None),
    // Drupal (page cache and dynamic page cache modules), Next.js, LiteSpeed ("LSCache"), WP Super Cache.
    application("X-Drupal-Cache"),
    application("X-Drupal-Dynamic-Cache"),
    application("X-Nextjs-Cache"),
    application("X-LiteSpeed-Cache"),
    application("WP-Super-Cache"),
];

/// Fields whose names begin so are Akamai's; that one is there is all it tells.
const AKAMAI_PREFIX: &[u8] = b"x-akamai-";

/// The words of caches, lower case, `-` as `_` and without `tcp_` or `udp_`.
const WORDS: [(&str, Cache); 45] = [
    ("hit", Cache::Hit),
    ("mem_hit", Cache::Hit),
    ("imem_hit", Cache::Hit),
    ("inmem_hit", Cache::Hit),
    ("disk_hit", Cache::Hit),
    ("ims_hit", Cache::Hit),
    ("inm_hit", Cache::Hit),
    ("negative_hit", Cache::Hit),
    ("remote_hit", Cache::Hit),
    ("partial_hit", Cache::Hit),
    ("hit_fresh", Cache::Hit),
    ("hit_front", Cache::Hit),
    ("hit_local", Cache::Hit),
    ("hit_remote", Cache::Hit),
    ("originshieldhit", Cache::Hit),
    ("cache_hit", Cache::Hit),
    ("miss", Cache::Miss),
    ("cache_miss", Cache::Miss),
    ("client_refresh_miss", Cache::Miss),
    ("swapfail_miss", Cache::Miss),
    ("refreshhit", Cache::Revalidated),
    ("refresh_hit", Cache::Revalidated),
    ("refresh_unmodified", Cache::Revalidated),
    ("revalidated", Cache::Revalidated),
    ("refresh_miss", Cache::Expired),
    ("refresh_modified", Cache::Expired),
    ("expired", Cache::Expired),
    ("stale", Cache::Stale),
    ("updating", Cache::Stale),
    ("hitstale", Cache::Stale),
    ("stale_hit", Cache::Stale),
    // Traffic Server tells what its lookup found, not what it did about it.
    ("hit_stale", Cache::Told),
    ("refresh_fail_hit", Cache::Stale),
    ("refresh_fail_old", Cache::Stale),
    ("offline_hit", Cache::Stale),
    ("bypass", Cache::Bypass),
    ("dynamic", Cache::Bypass),
    ("pass", Cache::Bypass),
    ("hit_for_pass", Cache::Bypass),
    ("hitpass", Cache::Bypass),
    ("config_nocache", Cache::Bypass),
    ("private_nostore", Cache::Bypass),
    ("uncacheable", Cache::Bypass),
    ("nocache", Cache::Bypass),
    ("skip", Cache::Bypass),
];

/// Words of Azure Front Door and Azure CDN that no other cache is known to say (Microsoft Learn, as above).
const AZURE_WORDS: [&str; 3] = ["TCP_REMOTE_HIT", "CONFIG_NOCACHE", "PRIVATE_NOSTORE"];

/// All that those two say (the same page). Others say `TCP_HIT` and `TCP_MISS` too, so these count beside X-Azure-Ref only.
const AZURE_SAYS: [&str; 6] = ["TCP_HIT", "TCP_REMOTE_HIT", "TCP_MISS", "CONFIG_NOCACHE", "PRIVATE_NOSTORE", "N/A"];

/// Zones of hosts that name their operator.
const ZONES: [(&str, &str); 9] = [
    (".cloudfront.net", "amazon-aws"),
    (".akamaitechnologies.com", "akamai"),
    (".akamaiedge.net", "akamai"),
    (".akamai.net", "akamai"),
    (".fastly.net", "fastly"),
    (".ts.apple.com", "apple"),
    (".edge.apple", "apple"),
    (".azurefd.net", "microsoft-azure"),
    (".cdn.cloudflare.net", "cloudflare"),
];

/// Words in the name of a cache (Cache-Status) that name its operator: `"Netlify Edge"`.
const OPERATORS: [(&str, &str); 7] = [
    ("cloudfront", "amazon-aws"),
    ("akamai", "akamai"),
    ("cloudflare", "cloudflare"),
    ("fastly", "fastly"),
    ("netlify", "netlify"),
    ("vercel", "vercel"),
    ("bunnycdn", "bunny"),
];

/// Reads what a response's fields tell of caches and of the nodes it passed, nearest to the client first within each
/// field. Where one field names the hops that another one speaks of, and both tell as many, they are one hop.
pub fn cache_lines(response: &HttpMessage) -> Vec<CacheLine> {
    let mut lines: Vec<CacheLine> = Vec::new();
    for known in &FIELDS {
        let mut pieces = pieces(response, known.name, matches!(known.form, Form::Numbers | Form::Reference));
        if !matches!(known.form, Form::WordsNearestFirst | Form::Timing) {
            pieces.reverse();
        }
        lines.extend(read(known, &pieces));
    }
    name_hops(&mut lines, "X-Cache", |l| l.name.is_empty(), "X-Served-By", |l| l.product_hint == FASTLY);
    name_hops(&mut lines, "X-Cache", |l| l.name == "cloudfront", "X-Amz-Cf-Pop", |_| true);
    let azure = |l: &CacheLine| AZURE_SAYS.iter().any(|w| w.as_bytes() == l.range.of(&response.block));
    name_hops(&mut lines, "X-Cache", azure, "X-Azure-Ref", |_| true);
    name_hops(&mut lines, "CF-Cache-Status", |_| true, "CF-Ray", |_| true);
    let told = |field: &str| lines.iter().filter(|l| l.field == field).count();
    if told("X-Cache") == told("X-Cache-Hits") {
        // The counts say again what the words beside them say.
        lines.retain(|l| l.field != "X-Cache-Hits");
    }
    lines.extend(akamai_extras(response));
    lines
}

/// Reads Via (RFC 9110 section 7.6.3): entries as received, so the last one is nearest to the client in a response, and
/// nearest to the server in a request. Entries without a protocol and a name are left out.
pub fn via(message: &HttpMessage) -> Vec<Via> {
    let entry = |piece: &Piece<'_>| {
        let (protocol, rest) = word(piece.bytes);
        let (by, rest) = word(rest);
        (!protocol.is_empty() && !by.is_empty() && !by.starts_with(b"(")).then(|| Via {
            protocol: shown(protocol),
            by: shown(by),
            comment: rest.strip_prefix(b"(").map(|c| shown(c.strip_suffix(b")").unwrap_or(c))),
            range: piece.range,
        })
    };
    pieces(message, "Via", false).iter().filter_map(entry).collect()
}

/// Seconds in Age (RFC 9111 section 5.1), and where they stand. Of several values the first counts, as the RFC says;
/// `None` where that is no number. An Age over 0 shows that some cache on the path had it stored.
pub fn age(response: &HttpMessage) -> Option<(u64, ByteRange)> {
    let first = pieces(response, "Age", false).into_iter().next()?;
    let digits = first.bytes.iter().all(u8::is_ascii_digit).then(|| str::from_utf8(first.bytes).ok())??;
    // All digits and not empty, so that only its size can be in the way.
    Some((digits.parse().unwrap_or(GREATEST_AGE).min(GREATEST_AGE), first.range))
}

/// Gives the lines of `field` the names that `namer` tells of the same hops, and takes those lines out; unless counts
/// differ, or some line of the two is not of the kind meant.
fn name_hops(
    lines: &mut Vec<CacheLine>,
    field: &str,
    nameless: impl Fn(&CacheLine) -> bool,
    namer: &str,
    names: impl Fn(&CacheLine) -> bool,
) {
    let meant = |l: &CacheLine| l.field == field && l.named_by.is_none() && nameless(l);
    let all = lines.iter().filter(|l| l.field == namer).cloned().collect::<Vec<_>>();
    if all.is_empty() || !all.iter().all(names) || lines.iter().filter(|l| meant(l)).count() != all.len() {
        return;
    }
    for (line, name) in lines.iter_mut().filter(|l| meant(l)).zip(all) {
        line.name = name.name;
        line.product_hint = line.product_hint.or(name.product_hint);
        line.named_by = Some(name.range);
    }
    lines.retain(|l| l.field != namer);
}

/// A piece of a field's value.
struct Piece<'a> {
    bytes: &'a [u8],
    range: ByteRange,
}

/// The pieces of all fields of that name in order (RFC 9110 section 5.3), cut at commas that stand in no quotes or
/// brackets, without white space around them; empty ones are left out. At most `MOST_PIECES`, the last ones kept, as
/// they are nearest to the client. `whole` fields are not cut.
fn pieces<'a>(message: &'a HttpMessage, name: &str, whole: bool) -> Vec<Piece<'a>> {
    let mut all = Vec::new();
    for field in &message.fields {
        if !field.name.of(&message.block).eq_ignore_ascii_case(name.as_bytes()) {
            continue;
        }
        let value = field.value.of(&message.block);
        if whole {
            all.extend(piece(field.value, value, 0, value.len()));
        } else {
            split(value, |from, to| all.extend(piece(field.value, value, from, to)));
        }
    }
    let extra = all.len().saturating_sub(MOST_PIECES);
    all.drain(..extra);
    all
}

/// Calls `each` with start and end of every member of a list: commas in quotes or (nested) comments do not count. One
/// that never closes takes the rest of the field with it.
fn split(value: &[u8], mut each: impl FnMut(usize, usize)) {
    let (mut from, mut depth, mut quoted, mut escaped) = (0_usize, 0_usize, false, false);
    for (at, byte) in value.iter().enumerate() {
        if escaped {
            escaped = false;
            continue;
        }
        match byte {
            b'\\' if quoted || depth > 0 => escaped = true,
            b'"' if depth == 0 => quoted = !quoted,
            b'(' if !quoted => depth = depth.saturating_add(1),
            b')' if !quoted => depth = depth.saturating_sub(1),
            b',' if !quoted && depth == 0 => {
                each(from, at);
                from = at.saturating_add(1);
            }
            _ => {}
        }
    }
    each(from, value.len());
}

/// `from..to` of a value that stands at `range`, without white space around it, unless that is empty.
fn piece(range: ByteRange, value: &[u8], from: usize, to: usize) -> Option<Piece<'_>> {
    let raw = value.get(from..to)?;
    let bytes = raw.trim_ascii_start();
    let start = usize::try_from(range.start).ok()?.checked_add(to)?.checked_sub(bytes.len())?;
    let bytes = bytes.trim_ascii_end();
    (!bytes.is_empty()).then(|| Piece { bytes, range: ByteRange::between(start, start.saturating_add(bytes.len())) })
}

fn read(known: &Known, pieces: &[Piece<'_>]) -> Vec<CacheLine> {
    if matches!(known.form, Form::Timing) {
        return timing(known, pieces).into_iter().collect();
    }
    let line = |(place, piece): (usize, &Piece<'_>)| {
        let (name, cache, hint) = match known.form {
            Form::Words | Form::WordsNearestFirst | Form::Word => words(piece.bytes),
            Form::Counts => (String::new(), Some(count(piece.bytes)?), None),
            Form::Names => (shown(piece.bytes), None, fastly_node(piece.bytes)),
            Form::Ray => (ray(piece.bytes)?, None, None),
            Form::Numbers => (String::new(), Some(numbers(piece.bytes)?), None),
            Form::Structured => structured(piece.bytes)?,
            Form::Reference | Form::Timing => (String::new(), None, None),
        };
        Some(CacheLine {
            product_hint: known.provider.or(hint),
            name,
            cache,
            layer: known.layer,
            place,
            range: piece.range,
            named_by: None,
            field: known.name,
        })
    };
    pieces.iter().enumerate().filter_map(line).collect()
}

/// What a line says: the name, the cache, the provider.
type Said = (String, Option<Cache>, Option<&'static str>);

/// `HIT`, `TCP_HIT from a23-1-2-3 (AkamaiGHost/10.1)`, `Miss from cloudfront`, `cp3066 hit/5`, `HIT from squid.example`.
fn words(piece: &[u8]) -> Said {
    let (first, rest) = word(piece);
    let (second, tail) = word(rest);
    if let (None, Some(cache)) = (cache_word(first), cache_word(second)) {
        return (shown(first), Some(cache), host_hint(first));
    }
    let mut hint = AZURE_WORDS.iter().any(|w| w.as_bytes() == piece).then_some(AZURE).flatten();
    let mut name = b"".as_slice();
    if second.eq_ignore_ascii_case(b"from") {
        let (host, software) = word(tail);
        name = host;
        hint = if host == b"cloudfront" { AMAZON } else { hint.or_else(|| host_hint(host)) };
        if software.starts_with(b"(AkamaiGHost/") {
            hint = AKAMAI;
        }
    }
    (shown(name), Some(cache_word(first).unwrap_or(Cache::Told)), hint)
}

/// The word of a cache, or `None` where it is none that is known. `hit/5` counts hits after the stroke.
fn cache_word(word: &[u8]) -> Option<Cache> {
    let word = word.split(|b| *b == b'/' || *b == b';').next()?;
    // Longer words than the longest here would only be copied for nothing.
    let word = (word.len() <= 32).then(|| word.to_ascii_lowercase())?;
    let word: Vec<u8> = word.into_iter().map(|b| if b == b'-' { b'_' } else { b }).collect();
    let bare = word.strip_prefix(b"tcp_").or_else(|| word.strip_prefix(b"udp_")).unwrap_or(&word);
    let found = WORDS.iter().find(|(w, _)| w.as_bytes() == bare).map(|(_, cache)| *cache);
    // Vendors add words of the old Squid form without a list of them: `TCP_CF_HIT`, `TCP_ASYNC_HIT`.
    found.or_else(|| match bare {
        _ if bare.len() == word.len() => None,
        b if b.ends_with(b"_hit") => Some(Cache::Hit),
        b if b.ends_with(b"_miss") => Some(Cache::Miss),
        _ => None,
    })
}

fn count(piece: &[u8]) -> Option<Cache> {
    piece
        .iter()
        .all(u8::is_ascii_digit)
        .then(|| if piece.iter().any(|b| *b != b'0') { Cache::Hit } else { Cache::Told })
}

/// Varnish: the request's number, and behind it on a hit the number of the request that filled the cache. One number
/// alone may be a miss, a pass, or a page of Varnish's own.
fn numbers(piece: &[u8]) -> Option<Cache> {
    let numbers: Vec<&[u8]> = piece.split(u8::is_ascii_whitespace).filter(|n| !n.is_empty()).take(3).collect();
    let digits = numbers.iter().all(|n| n.iter().all(u8::is_ascii_digit));
    match numbers.len() {
        1 if digits => Some(Cache::Told),
        2 if digits => Some(Cache::Hit),
        _ => None,
    }
}

/// The data centre in `8f1c2d3e4a5b6c7d-FRA`.
fn ray(piece: &[u8]) -> Option<String> {
    let at = piece.iter().position(|b| *b == b'-')?;
    let (id, pop) = (piece.get(..at)?, piece.get(at..)?.strip_prefix(b"-")?);
    let fits = (8..=32).contains(&id.len())
        && id.iter().all(u8::is_ascii_hexdigit)
        && pop.len() == 3
        && pop.iter().all(u8::is_ascii_uppercase);
    fits.then(|| shown(pop))
}

/// `cache-fra-eddf8230031-FRA` or `cache-jfk1041-JFK`: the place in lower case, and again in upper case at the end.
fn fastly_node(piece: &[u8]) -> Option<&'static str> {
    let rest = piece.strip_prefix(b"cache-")?;
    let (front, pop) = rest.split_at_checked(rest.len().checked_sub(3)?)?;
    let middle = front.strip_suffix(b"-")?;
    let fits = pop.iter().all(u8::is_ascii_uppercase)
        && middle.get(..3).is_some_and(|p| p.iter().all(u8::is_ascii_lowercase))
        && middle.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
    fits.then_some(FASTLY).flatten()
}

/// A member of Cache-Status (RFC 9211 section 2): the cache's name, a token or a string, and its parameters.
fn structured(piece: &[u8]) -> Option<Said> {
    let mut parts = parameters(piece);
    let name = parts.next()?;
    let name = unquoted(name);
    let (mut hit, mut stale, mut forward, mut status) = (false, false, None, None);
    for part in parts {
        let (key, value) = key_and_value(part);
        match key {
            b"hit" => hit = value != b"?0",
            b"ttl" => stale = value.starts_with(b"-"),
            b"fwd" => forward = Some(value),
            b"fwd-status" => status = Some(value),
            _ => {}
        }
    }
    let fresh = status == Some(b"304".as_slice());
    let cache = match forward {
        _ if hit && stale => Cache::Stale,
        _ if hit => Cache::Hit,
        Some(b"bypass" | b"method") => Cache::Bypass,
        Some(b"stale" | b"request") if fresh => Cache::Revalidated,
        Some(b"stale") => Cache::Expired,
        Some(b"uri-miss" | b"vary-miss" | b"miss" | b"partial" | b"request") => Cache::Miss,
        _ => Cache::Told,
    };
    let words = name.split(|b| !b.is_ascii_alphanumeric());
    let operator = |word: &[u8]| OPERATORS.iter().find(|(w, _)| word.eq_ignore_ascii_case(w.as_bytes())).map(|o| o.1);
    // In a name with dots only the zone counts, as anybody may put any label first.
    let hint = if name.contains(&b'.') { host_hint(name) } else { words.into_iter().find_map(operator) };
    Some((shown(name), Some(cache), hint))
}

/// The metrics of Server-Timing that tell of a cache, as one hop: the field is one server's report, and who joins
/// others' reports does not say whose is whose. The first metric that tells of a cache counts.
fn timing(known: &Known, pieces: &[Piece<'_>]) -> Option<CacheLine> {
    let mut line: Option<CacheLine> = None;
    let (mut name, mut hint) = (String::new(), None);
    for piece in pieces {
        let mut parts = parameters(piece.bytes);
        let Some(metric) = parts.next() else { continue };
        let description = parts.map(key_and_value).find(|(k, _)| k.eq_ignore_ascii_case(b"desc")).map(|(_, v)| v);
        let described = description.map_or(Cache::Told, |d| cache_word(d).unwrap_or(Cache::Told));
        let cache = match metric {
            b"cdn-cache-hit" => Cache::Hit,
            b"cdn-cache-miss" => Cache::Miss,
            b"cdn-cache-refresh" => Cache::Revalidated,
            b"cdn-cache" | b"cache" => described,
            b"cfCacheStatus" => {
                hint = hint.or(CLOUDFLARE);
                described
            }
            b"ak_p" => {
                hint = hint.or(AKAMAI);
                continue;
            }
            b"cdn-rid" | b"cdn-upstream-fbl" | b"cdn-hit-layer" => {
                hint = hint.or(AMAZON);
                continue;
            }
            b"cdn-pop" | b"host" => {
                name = description.map(shown).unwrap_or_default();
                continue;
            }
            _ => continue,
        };
        line = line.or(Some(CacheLine {
            product_hint: None,
            name: String::new(),
            cache: Some(cache),
            layer: known.layer,
            place: 0,
            range: piece.range,
            named_by: None,
            field: known.name,
        }));
    }
    let line = line?;
    Some(CacheLine { name, product_hint: hint, ..line })
}

/// Lines of fields with Akamai's prefix, in the order of the block.
fn akamai_extras(response: &HttpMessage) -> Vec<CacheLine> {
    let mut lines = Vec::new();
    for field in &response.fields {
        let name = field.name.of(&response.block);
        if !name.get(..AKAMAI_PREFIX.len()).is_some_and(|p| p.eq_ignore_ascii_case(AKAMAI_PREFIX)) {
            continue;
        }
        let value = field.value.of(&response.block);
        lines.extend(piece(field.value, value, 0, value.len()).map(|piece| CacheLine {
            product_hint: AKAMAI,
            name: String::new(),
            cache: None,
            layer: Layer::Proxy,
            place: 0,
            range: piece.range,
            named_by: None,
            field: "X-Akamai-*",
        }));
        if lines.len() >= MOST_PIECES {
            break;
        }
    }
    lines
}

/// The provider in whose zone a host is, by whole labels.
fn host_hint(host: &[u8]) -> Option<&'static str> {
    let ends = |zone: &str| {
        let at = host.len().checked_sub(zone.len())?;
        host.get(at..).filter(|end| end.eq_ignore_ascii_case(zone.as_bytes()))
    };
    ZONES.iter().find(|(zone, _)| ends(zone).is_some()).map(|(_, provider)| *provider)
}

/// The parts of `a; b=1; c="x;y"` without white space around them.
fn parameters(piece: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = piece.split(move |byte| {
        let plain = !core::mem::take(&mut escaped);
        match byte {
            b'\\' if quoted && plain => escaped = true,
            b'"' if plain => quoted = !quoted,
            _ => {}
        }
        *byte == b';' && !quoted
    });
    parts.map(<[u8]>::trim_ascii)
}

/// `key=value` or `key="value"`; the value without its quotes, empty where there is none.
fn key_and_value(part: &[u8]) -> (&[u8], &[u8]) {
    let at = part.iter().position(|b| *b == b'=').unwrap_or(part.len());
    let (key, value) = part.split_at_checked(at).unwrap_or((part, b""));
    (key.trim_ascii(), unquoted(value.strip_prefix(b"=").unwrap_or(value).trim_ascii()))
}

fn unquoted(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\"").map_or(text, |t| t.strip_suffix(b"\"").unwrap_or(t))
}

/// The first word, and what follows it.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let at = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(at).unwrap_or((text, b""));
    (word, rest.trim_ascii())
}

fn shown(bytes: &[u8]) -> String {
    clean_to(bytes, NAME_CHARS).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::custody::tests::message;
    use super::super::pack;
    use super::*;

    fn response(fields: &str) -> HttpMessage {
        message(format!("HTTP/1.1 200 OK\r\n{}\r\n\r\n", fields.replace('\n', "\r\n")).as_bytes())
    }

    /// Each hop as `field Cache name provider "piece" "naming piece"`.
    #[track_caller]
    fn check(fields: &str, want: &[&str]) {
        let response = response(fields);
        let text = |r: ByteRange| String::from_utf8_lossy(r.of(&response.block)).into_owned();
        let got: Vec<String> = cache_lines(&response)
            .iter()
            .map(|l| {
                let cache = l.cache.map_or_else(|| "-".to_owned(), |c| format!("{c:?}"));
                let name = if l.name.is_empty() { "-" } else { &l.name };
                let hint = l.product_hint.unwrap_or("-");
                let mut line = format!("{} {} {cache} {name} {hint} \"{}\"", l.field, l.place, text(l.range));
                if let Some(by) = l.named_by {
                    line = format!("{line} \"{}\"", text(by));
                }
                line
            })
            .collect();
        assert_eq!(got, want, "{fields}");
    }

    #[test]
    fn cloudfront() {
        check(
            "X-Cache: Hit from cloudfront\nX-Amz-Cf-Pop: FRA56-C1",
            &["X-Cache 0 Hit FRA56-C1 amazon-aws \"Hit from cloudfront\" \"FRA56-C1\""],
        );
        check("X-Cache: Miss from cloudfront", &["X-Cache 0 Miss cloudfront amazon-aws \"Miss from cloudfront\""]);
        check(
            "X-Cache: RefreshHit from cloudfront",
            &["X-Cache 0 Revalidated cloudfront amazon-aws \"RefreshHit from cloudfront\""],
        );
        check("X-Cache: Error from cloudfront", &["X-Cache 0 Told cloudfront amazon-aws \"Error from cloudfront\""]);
        check(
            "x-cache: LambdaGeneratedResponse from cloudfront",
            &["X-Cache 0 Told cloudfront amazon-aws \"LambdaGeneratedResponse from cloudfront\""],
        );
        check(
            "X-Cache: Miss from cloudfront.evil.example",
            &["X-Cache 0 Miss cloudfront.evil.example - \"Miss from cloudfront.evil.example\""],
        );
        check("X-Amz-Cf-Pop: FRA56-C1", &["X-Amz-Cf-Pop 0 - FRA56-C1 amazon-aws \"FRA56-C1\""]);
        check(
            "Server-Timing: cdn-upstream-layer;desc=\"EDGE\",cdn-cache-miss,cdn-pop;desc=\"FRA2-C1\",cdn-rid;desc=\"a,b\"",
            &["Server-Timing 0 Miss FRA2-C1 amazon-aws \"cdn-cache-miss\""],
        );
    }

    #[test]
    fn behind_cloudfront() {
        // An S3 object through CloudFront, Apple's own edge and a provider's cache: the last is nearest.
        check(
            "X-Cache: Hit from cloudfront, hit-fresh, miss, hit-stale, none",
            &[
                "X-Cache 0 Told - - \"none\"",
                "X-Cache 1 Told - - \"hit-stale\"",
                "X-Cache 2 Miss - - \"miss\"",
                "X-Cache 3 Hit - - \"hit-fresh\"",
                "X-Cache 4 Hit cloudfront amazon-aws \"Hit from cloudfront\"",
            ],
        );
    }

    #[test]
    fn akamai() {
        check(
            "X-Cache: TCP_MEM_HIT from a69-174-50-208 (AkamaiGHost/5.7.2-5726413) (-)",
            &[
                "X-Cache 0 Hit a69-174-50-208 akamai \"TCP_MEM_HIT from a69-174-50-208 (AkamaiGHost/5.7.2-5726413) (-)\"",
            ],
        );
        check(
            "X-Cache-Remote: TCP_REFRESH_HIT from a23-67-252-148.deploy.akamaitechnologies.com (a, b) (-)\n\
             X-Cache: TCP_MISS from a165-254-246-9.deploy.akamaitechnologies.com",
            &[
                "X-Cache 0 Miss a165-254-246-9.deploy.akamaitechnologies.com akamai \
                 \"TCP_MISS from a165-254-246-9.deploy.akamaitechnologies.com\"",
                "X-Cache-Remote 0 Revalidated a23-67-252-148.deploy.akamaitechnologies.com akamai \
                 \"TCP_REFRESH_HIT from a23-67-252-148.deploy.akamaitechnologies.com (a, b) (-)\"",
            ],
        );
        check(
            "X-Cache: TCP_REFRESH_FAIL_HIT from a1\nX-Cache: TCP_REFRESH_MISS from a2",
            &[
                "X-Cache 0 Expired a2 - \"TCP_REFRESH_MISS from a2\"",
                "X-Cache 1 Stale a1 - \"TCP_REFRESH_FAIL_HIT from a1\"",
            ],
        );
        check(
            "Akamai-Cache-Status: Miss from child, RefreshHit from parent",
            &[
                "Akamai-Cache-Status 0 Miss child akamai \"Miss from child\"",
                "Akamai-Cache-Status 1 Revalidated parent akamai \"RefreshHit from parent\"",
            ],
        );
        check(
            "Server-Timing: cdn-cache; desc=HIT, edge; dur=1, ak_p; desc=\"1755111819144_1978658896_1\";dur=1",
            &["Server-Timing 0 Hit - akamai \"cdn-cache; desc=HIT\""],
        );
        check(
            "X-Akamai-Request-ID: 2256a92\nAkamai-GRN: 0.27f41002.1781712004.83e72426",
            &["Akamai-GRN 0 - - akamai \"0.27f41002.1781712004.83e72426\"", "X-Akamai-* 0 - - akamai \"2256a92\""],
        );
    }

    #[test]
    fn azure() {
        check(
            "X-Cache: TCP_HIT\nx-azure-ref: 20240101T000000Z-abc",
            &["X-Cache 0 Hit - microsoft-azure \"TCP_HIT\" \"20240101T000000Z-abc\""],
        );
        check(
            "X-Cache: HIT\nX-Azure-Ref: a",
            &["X-Cache 0 Hit - - \"HIT\"", "X-Azure-Ref 0 - - microsoft-azure \"a\""],
        );
        check("X-Cache: TCP_HIT", &["X-Cache 0 Hit - - \"TCP_HIT\""]);
        check("X-Cache: TCP_REMOTE_HIT", &["X-Cache 0 Hit - microsoft-azure \"TCP_REMOTE_HIT\""]);
        check("X-Cache: CONFIG_NOCACHE", &["X-Cache 0 Bypass - microsoft-azure \"CONFIG_NOCACHE\""]);
        check("X-Cache: PRIVATE_NOSTORE", &["X-Cache 0 Bypass - microsoft-azure \"PRIVATE_NOSTORE\""]);
        check("X-Cache: N/A", &["X-Cache 0 Told - - \"N/A\""]);
        check(
            "X-Azure-Ref: a\nX-Azure-Ref-OriginShield: Ref A: 1 Ref B: 2, x",
            &[
                "X-Azure-Ref 0 - - microsoft-azure \"a\"",
                "X-Azure-Ref-OriginShield 0 - - microsoft-azure \"Ref A: 1 Ref B: 2, x\"",
            ],
        );
    }

    #[test]
    fn fastly_and_varnish() {
        check(
            "X-Served-By: cache-iad-kiad7000123-IAD, cache-fra-eddf8230031-FRA\nX-Cache: HIT, MISS\nX-Cache-Hits: 7, 0",
            &[
                "X-Cache 0 Miss cache-fra-eddf8230031-FRA fastly \"MISS\" \"cache-fra-eddf8230031-FRA\"",
                "X-Cache 1 Hit cache-iad-kiad7000123-IAD fastly \"HIT\" \"cache-iad-kiad7000123-IAD\"",
            ],
        );
        // Counts that differ: nobody knows which belongs to which.
        check(
            "X-Served-By: cache-jfk1041-JFK\nX-Cache: HIT, MISS\nX-Cache-Hits: 7",
            &[
                "X-Cache 0 Miss - - \"MISS\"",
                "X-Cache 1 Hit - - \"HIT\"",
                "X-Served-By 0 - cache-jfk1041-JFK fastly \"cache-jfk1041-JFK\"",
                "X-Cache-Hits 0 Hit - - \"7\"",
            ],
        );
        check(
            "X-Served-By: web-3.example\nX-Cache: HIT",
            &["X-Cache 0 Hit - - \"HIT\"", "X-Served-By 0 - web-3.example - \"web-3.example\""],
        );
        check("X-Cache-Hits: 0, none, 3", &["X-Cache-Hits 0 Hit - - \"3\"", "X-Cache-Hits 2 Told - - \"0\""]);
        check("X-Varnish: 32770 3", &["X-Varnish 0 Hit - - \"32770 3\""]);
        check("X-Varnish: 32770", &["X-Varnish 0 Told - - \"32770\""]);
        check("X-Varnish: 1 2 3", &[]);
        check(
            "X-Cache: cp3066 miss, cp3066 hit/5\nX-Cache-Status: hit-front",
            &[
                "X-Cache 0 Hit cp3066 - \"cp3066 hit/5\"",
                "X-Cache 1 Miss cp3066 - \"cp3066 miss\"",
                "X-Cache-Status 0 Hit - - \"hit-front\"",
            ],
        );
    }

    #[test]
    fn cloudflare() {
        check(
            "CF-Cache-Status: HIT\nCF-RAY: 8f1c2d3e4a5b6c7d-FRA",
            &["CF-Cache-Status 0 Hit FRA cloudflare \"HIT\" \"8f1c2d3e4a5b6c7d-FRA\""],
        );
        let words = [
            ("MISS", "Miss"),
            ("EXPIRED", "Expired"),
            ("STALE", "Stale"),
            ("UPDATING", "Stale"),
            ("REVALIDATED", "Revalidated"),
            ("BYPASS", "Bypass"),
            ("DYNAMIC", "Bypass"),
            ("NONE/UNKNOWN", "Told"),
        ];
        for (word, want) in words {
            check(&format!("cf-cache-status: {word}"), &[&format!("CF-Cache-Status 0 {want} - cloudflare \"{word}\"")]);
        }
        check("CF-Ray: 8f1c2d3e4a5b6c7d-FRA", &["CF-Ray 0 - FRA cloudflare \"8f1c2d3e4a5b6c7d-FRA\""]);
        check("CF-Ray: 8f1c2d3e4a5b6c7d", &[]);
        check("CF-Ray: not-FRA", &[]);
        check(
            "Server-Timing: cfCacheStatus;desc=\"DYNAMIC\", cfEdge;dur=6",
            &["Server-Timing 0 Bypass - cloudflare \"cfCacheStatus;desc=\"DYNAMIC\"\""],
        );
    }

    #[test]
    fn cache_status() {
        check(
            "Cache-Status: OriginCache; hit; ttl=1100, \"CDN Company Here\"; fwd=uri-miss; stored",
            &[
                "Cache-Status 0 Miss CDN Company Here - \"\"CDN Company Here\"; fwd=uri-miss; stored\"",
                "Cache-Status 1 Hit OriginCache - \"OriginCache; hit; ttl=1100\"",
            ],
        );
        check(
            "Cache-Status: \"Netlify Durable\"; fwd=bypass\nCache-Status: \"Netlify Edge\"; hit",
            &[
                "Cache-Status 0 Hit Netlify Edge netlify \"\"Netlify Edge\"; hit\"",
                "Cache-Status 1 Bypass Netlify Durable netlify \"\"Netlify Durable\"; fwd=bypass\"",
            ],
        );
        check(
            "Cache-Status: a;hit;ttl=-5, b;fwd=stale;fwd-status=304, c;fwd=stale;fwd-status=200, d;fwd=method, e",
            &[
                "Cache-Status 0 Told e - \"e\"",
                "Cache-Status 1 Bypass d - \"d;fwd=method\"",
                "Cache-Status 2 Expired c - \"c;fwd=stale;fwd-status=200\"",
                "Cache-Status 3 Revalidated b - \"b;fwd=stale;fwd-status=304\"",
                "Cache-Status 4 Stale a - \"a;hit;ttl=-5\"",
            ],
        );
        check(
            "Cache-Status: x.fastly.net;hit;key=\"a;b,c\", cloudflare.evil.example;hit=?0",
            &[
                "Cache-Status 0 Told cloudflare.evil.example - \"cloudflare.evil.example;hit=?0\"",
                "Cache-Status 1 Hit x.fastly.net fastly \"x.fastly.net;hit;key=\"a;b,c\"\"",
            ],
        );
    }

    #[test]
    fn others() {
        check("X-Vercel-Cache: PRERENDER", &["X-Vercel-Cache 0 Told - vercel \"PRERENDER\""]);
        check(
            "X-Proxy-Cache: EXPIRED\nX-Nginx-Cache: BYPASS",
            &["X-Proxy-Cache 0 Expired - - \"EXPIRED\"", "X-Nginx-Cache 0 Bypass - - \"BYPASS\""],
        );
        check(
            "X-Cache: HIT from proxy.example.org",
            &["X-Cache 0 Hit proxy.example.org - \"HIT from proxy.example.org\""],
        );
        check(
            "X-Cache: TCP_ASYNC_HIT, MY_HIT, ,",
            &["X-Cache 0 Told - - \"MY_HIT\"", "X-Cache 1 Hit - - \"TCP_ASYNC_HIT\""],
        );
        check("X-Drupal-Cache: HIT", &["X-Drupal-Cache 0 Hit - - \"HIT\""]);
        let lines = cache_lines(&response("X-Drupal-Cache: HIT\nX-Cache: HIT"));
        assert_eq!(lines.iter().map(|l| l.layer).collect::<Vec<_>>(), [Layer::Proxy, Layer::Application]);
        check("X-Cache:\nCache-Control: max-age=5\nServer-Timing: db;dur=5", &[]);
    }

    #[track_caller]
    fn check_via(fields: &str, want: &[(&str, &str, Option<&str>, &str)]) {
        let response = response(fields);
        let entries = via(&response);
        let got: Vec<_> = entries
            .iter()
            .map(|v| {
                (
                    v.protocol.as_str(),
                    v.by.as_str(),
                    v.comment.as_deref(),
                    str::from_utf8(v.range.of(&response.block)).unwrap(),
                )
            })
            .collect();
        assert_eq!(got, want);
    }

    #[test]
    fn reads_via() {
        check_via(
            "Via: 1.0 fred, 1.1 p.example.net:8080 (Apache/1.1)\nVia: HTTP/2 x",
            &[
                ("1.0", "fred", None, "1.0 fred"),
                ("1.1", "p.example.net:8080", Some("Apache/1.1"), "1.1 p.example.net:8080 (Apache/1.1)"),
                ("HTTP/2", "x", None, "HTTP/2 x"),
            ],
        );
        check_via(
            "Via: 1.1 a (one, (two\\) ,) three), 1.1 b",
            &[
                ("1.1", "a", Some("one, (two\\) ,) three"), "1.1 a (one, (two\\) ,) three)"),
                ("1.1", "b", None, "1.1 b"),
            ],
        );
        check_via(
            "Via: 1.1 abc.cloudfront.net (CloudFront)",
            &[("1.1", "abc.cloudfront.net", Some("CloudFront"), "1.1 abc.cloudfront.net (CloudFront)")],
        );
        check_via(
            "Via: , 1.1, 1.1 (x), 1.1 a (never closed",
            &[("1.1", "a", Some("never closed"), "1.1 a (never closed")],
        );
        check_via("Server: x", &[]);
    }

    #[test]
    fn reads_age() {
        let age_of = |fields: &str| age(&response(fields)).map(|a| a.0);
        assert_eq!(age_of("Age: 142"), Some(142));
        assert_eq!(age_of("Age: 0"), Some(0));
        assert_eq!(age_of("Age: 5, 9\nAge: 7"), Some(5));
        assert_eq!(age_of("Age: 2147483649"), Some(GREATEST_AGE));
        assert_eq!(age_of("Age: 99999999999999999999999999"), Some(GREATEST_AGE));
        for none in ["Age: -1", "Age: 1.5", "Age: soon", "Age:", "Aged: 5", "Age: x, 5"] {
            assert_eq!(age_of(none), None, "{none}");
        }
        let response = response("Age: 142 ");
        assert_eq!(age(&response).map(|a| a.1.of(&response.block)), Some(b"142".as_slice()));
    }

    #[test]
    fn hints_are_ids_of_the_pack() {
        let fields = FIELDS.iter().filter_map(|f| f.provider);
        let names = ZONES.iter().chain(&OPERATORS).map(|(_, provider)| *provider);
        for id in fields.chain(names).chain([AKAMAI, AZURE, CLOUDFLARE, AMAZON, FASTLY].into_iter().flatten()) {
            assert!(pack().providers.iter().any(|p| p.id == id), "{id}");
        }
    }

    #[test]
    fn hostile_lists_are_bounded() {
        let many = cache_lines(&response(&format!("X-Cache: {}MISS", "HIT, ".repeat(10_000))));
        assert_eq!((many.len(), many[0].cache), (MOST_PIECES, Some(Cache::Miss)));
        let long = cache_lines(&response(&format!("X-Cache: HIT from {}", "a".repeat(100_000))));
        assert_eq!(long[0].name.chars().count(), NAME_CHARS);
        check("X-Cache: HIT from a\u{202e}b", &["X-Cache 0 Hit a⟨U+202E⟩b - \"HIT from a\u{202e}b\""]);
        assert_eq!(cache_lines(&response(&"X-Akamai-A: b\n".repeat(100))).len(), MOST_PIECES);
        assert_eq!(via(&response(&format!("Via: {}", "(".repeat(100_000)))), []);
    }

    proptest! {
        #[test]
        fn no_response_panics_and_ranges_stay_inside(
            bytes in prop::collection::vec(any::<u8>(), 0..120),
            near in prop::collection::vec(
                "(X-Cache|Via|Age|Cache-Status|Server-Timing|CF-Ray|X-Served-By|X-Cache-Hits|X-Amz-Cf-Pop|X-Varnish|\
                 X-Azure-Ref|X-Akamai-A): (HIT|MISS|TCP_|from|cloudfront|hit|fwd=|desc=|cdn-cache|[0-9]{1,4}|[-,;\"() \\\\/=]){0,12}",
                0..6,
            ),
        ) {
            let near = format!("HTTP/1.1 200 OK\r\n{}\r\n\r\n", near.join("\r\n"));
            let mut mixed = near.clone().into_bytes();
            mixed.splice(mixed.len() / 2..mixed.len() / 2, bytes.iter().copied());
            for text in [bytes.as_slice(), near.as_bytes(), &mixed] {
                let response = message(text);
                let len = u32::try_from(response.block.len()).unwrap();
                let inside = |r: ByteRange| r.end() <= len && r.len > 0;
                for line in cache_lines(&response) {
                    prop_assert!(inside(line.range) && line.named_by.is_none_or(inside));
                    prop_assert!(line.name.chars().count() <= NAME_CHARS);
                }
                prop_assert!(via(&response).iter().all(|v| inside(v.range)));
                prop_assert!(age(&response).is_none_or(|(_, r)| inside(r)));
            }
        }
    }
}
