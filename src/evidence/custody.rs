//! Signed URLs and signed requests: what they say of whose key signed, for what, and until when.
//!
//! Comes in: a request, its host, the capture's time and the answer's status. Goes out: the public part of what was
//! signed, the ranges it was read from, and how it stands. Never: a signature in text, or a verified one. There are no
//! keys here, so only the server's answer tells whether a signature was good, and credit follows from
//! [`Standing::Accepted`] alone. Even that shows acceptance by whoever answered: a cache in front of a store may have
//! answered without asking it.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

use std::borrow::Cow;

use super::dates::{epoch, http_date, iso8601};
use crate::model::{ByteRange, HttpMessage, StartLine, Timestamp, clean_to};

/// Parameters of a query that are read; presigned URLs have ten to twenty.
const MOST_PARAMETERS: usize = 1_024;
/// Longest decoded value that is read, in bytes: a `CloudFront` policy, whose URL must stay under 8,192.
const LONGEST_VALUE: usize = 8_192;
/// Characters of a key id that are kept: the e-mail addresses of Google's service accounts are the longest, under 100.
const KEY_CHARS: usize = 128;
/// Characters of a region and service, of a stored policy's name (Azure allows 64) and of a method.
const NAME_CHARS: usize = 64;
/// Seconds by which the capture's clock and the server's may differ before a validity is judged, and for which a request
/// signed in its header stays good: the 15 minutes that Amazon S3 (`RequestTimeTooSkewed`) and Azure Storage ("Authorize
/// with Shared Key") allow.
const SKEW: i64 = 900;

/// Zones of Azure Storage whose first label is the account (Microsoft Learn, "Storage account overview", endpoints; and
/// the national clouds' lists).
const AZURE_ZONES: [&[u8]; 5] = [
    b".core.windows.net",
    b".core.chinacloudapi.cn",
    b".core.usgovcloudapi.net",
    b".core.cloudapi.de",
    b".storage.azure.net",
];

/// Query keys, lower case, whose values let a stranger repeat the request or speak for its signer.
const SECRETS: [&str; 9] = [
    "sig",
    "signature",
    "policy",
    "x-amz-signature",
    "x-amz-security-token",
    "x-goog-signature",
    "x-oss-signature",
    "x-oss-security-token",
    "security-token",
];

/// Whose way of signing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Azure shared access signature in the query (Microsoft Learn, "Create a service SAS", "Create an account SAS",
    /// "Create a user delegation SAS"; the form of 2009 has no `sv`).
    AzureSas,
    /// Azure `SharedKey` or `SharedKeyLite` in the Authorization field (Microsoft Learn, "Authorize with Shared Key").
    AzureSharedKey,
    /// AWS signature version 2 in the query (Amazon S3 developer guide, "Signing and authenticating REST requests").
    AwsV2,
    /// AWS signature version 2 in the Authorization field (the same).
    AwsV2Header,
    /// AWS signature version 4 in the query (Amazon S3 API reference, "Authenticating requests: using query parameters").
    AwsV4,
    /// AWS signature version 4 in the Authorization field (the same, "using the Authorization header").
    AwsV4Header,
    /// A `CloudFront` signed URL (`CloudFront` developer guide, "Use signed URLs").
    CloudFrontSigned,
    /// Google Cloud Storage signature version 2 in the query (Google Cloud, "V2 signing process").
    GoogleV2,
    /// Google Cloud Storage signature version 4 in the query (Google Cloud, "Signed URLs").
    GoogleV4,
    /// Google Cloud Storage signature version 4 in the Authorization field (Google Cloud, "HMAC keys" and "Signatures").
    GoogleV4Header,
    /// Alibaba Cloud OSS signature version 1 in the query (OSS, "Include a V1 signature in a URL").
    AlibabaV1,
    /// Alibaba Cloud OSS signature version 4 in the query (OSS, "V4 signatures in presigned URLs").
    AlibabaV4,
}

impl Scheme {
    /// The scheme in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::AzureSas => "Azure shared access signature",
            Self::AzureSharedKey => "Azure Shared Key in the Authorization field",
            Self::AwsV2 => "AWS signature version 2 in the URL",
            Self::AwsV2Header => "AWS signature version 2 in the Authorization field",
            Self::AwsV4 => "AWS signature version 4 in the URL",
            Self::AwsV4Header => "AWS signature version 4 in the Authorization field",
            Self::CloudFrontSigned => "CloudFront signed URL",
            Self::GoogleV2 => "Google signature version 2 in the URL",
            Self::GoogleV4 => "Google signature version 4 in the URL",
            Self::GoogleV4Header => "Google signature version 4 in the Authorization field",
            Self::AlibabaV1 => "Alibaba OSS signature version 1 in the URL",
            Self::AlibabaV4 => "Alibaba OSS signature version 4 in the URL",
        }
    }

    /// The id of the provider whose scheme it is. Stores of others speak the AWS forms too, so that is whose *way* of
    /// signing it is, not who answered.
    pub fn provider(self) -> &'static str {
        match self {
            Self::AzureSas | Self::AzureSharedKey => "microsoft-azure",
            Self::AwsV2 | Self::AwsV2Header | Self::AwsV4 | Self::AwsV4Header | Self::CloudFrontSigned => "amazon-aws",
            Self::GoogleV2 | Self::GoogleV4 | Self::GoogleV4Header => "google",
            Self::AlibabaV1 | Self::AlibabaV4 => "alibaba-cloud",
        }
    }
}

/// What a signed request says, read and not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRequest {
    /// The scheme.
    pub scheme: Scheme,
    /// The public part of who signed: account, access key id, service account's e-mail address or key-pair id, at most
    /// 128 characters. `None` where it is not told, as in a shared access signature at a name of the customer's own.
    pub key_id: Option<String>,
    /// What it permits, in words; for signatures that cover one method, that method.
    pub permission: Option<String>,
    /// Start of validity; `None` where the scheme or the request gives none.
    pub valid_from: Option<Timestamp>,
    /// End of validity; `None` where it is not told (a stored access policy may hold it) or unreadable.
    pub valid_until: Option<Timestamp>,
    /// `region/service` of a version 4 credential scope, at most 64 characters.
    pub scope: Option<String>,
    /// In the request's block: the whole query, or the Authorization field's value.
    pub range: ByteRange,
    /// In the request's block: values that are secret, ascending.
    pub secrets: Vec<ByteRange>,
}

/// How a signed request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// In its validity, and answered as one who may.
    Accepted,
    /// In its validity as far as told, and refused with this status.
    Refused(u16),
    /// Past its validity by the capture's clock. A server that answered it all the same shows that this clock is wrong,
    /// or that what answered did not look at the signature: no credit either way.
    Expired,
    /// Before its validity by the capture's clock; the same holds.
    NotYetValid,
    /// No answer in the capture.
    Unanswered,
    /// Answered with a status that tells nothing of the signature.
    Unclear,
}

impl Standing {
    /// The standing in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused(_) => "refused",
            Self::Expired => "expired by the capture's clock",
            Self::NotYetValid => "not yet valid by the capture's clock",
            Self::Unanswered => "not answered in this capture",
            Self::Unclear => "answered, but the status does not tell whether it was accepted",
        }
    }
}

/// Reads a request's signature, or `None` where it carries none that is known. A signature in the query goes before one
/// in the Authorization field; the secrets of both are told. `host` is the asked host, for the account of an Azure name.
pub fn signed_request(request: &HttpMessage, host: Option<&[u8]>) -> Option<SignedRequest> {
    let StartLine::Request { method, target } = request.start else { return None };
    let query = Query::of(&request.block, target);
    let method = || Some(clean_to(method.of(&request.block), NAME_CHARS).into_owned()).filter(|m| !m.is_empty());
    let from_query = query.as_ref().and_then(|q| in_query(q, host, method));
    let from_field = in_field(request, method);
    let signed_query = query.as_ref().filter(|_| from_query.is_some());
    let mut signed = from_query.or(from_field)?;
    let mut secrets = field_secrets(request);
    secrets.extend(signed_query.into_iter().flat_map(Query::secrets));
    secrets.sort_unstable();
    secrets.dedup();
    signed.secrets = secrets;
    Some(signed)
}

/// How a signed request stands, judged by the capture's clock (`time` of the request's first frame) and the status of the
/// answer. A request outside its validity by more than a quarter of an hour is out whatever was answered; nearer than
/// that the server's clock decides. 2xx and 304 are acceptance; 400, 401 and 403 refusal.
pub fn standing(signed: &SignedRequest, time: Timestamp, status: Option<u16>) -> Standing {
    let skew = SKEW.saturating_mul(1_000_000_000);
    if signed.valid_until.is_some_and(|end| time.nanos_since(end) > skew) {
        return Standing::Expired;
    }
    if signed.valid_from.is_some_and(|start| start.nanos_since(time) > skew) {
        return Standing::NotYetValid;
    }
    match status {
        None => Standing::Unanswered,
        Some(200..=299 | 304) => Standing::Accepted,
        Some(code @ (400 | 401 | 403)) => Standing::Refused(code),
        Some(_) => Standing::Unclear,
    }
}

/// A signed request of which only scheme and place are known.
fn bare(scheme: Scheme, range: ByteRange) -> SignedRequest {
    SignedRequest {
        scheme,
        key_id: None,
        permission: None,
        valid_from: None,
        valid_until: None,
        scope: None,
        range,
        secrets: Vec::new(),
    }
}

fn in_query(query: &Query<'_>, host: Option<&[u8]>, method: impl Fn() -> Option<String>) -> Option<SignedRequest> {
    if let Some(signed) = credential_query(query, &method) {
        return Some(signed);
    }
    if query.has(Case::Either, "sig") && (query.has(Case::Either, "se") || query.has(Case::Either, "si")) {
        return azure_sas(query, host);
    }
    // The keys of these are compared as the vendors write them.
    let simple = |scheme, key: &str| {
        let key_id = query.text(Case::Exact, key, KEY_CHARS)?;
        query.has(Case::Exact, "Signature").then(|| SignedRequest {
            key_id: Some(key_id),
            permission: method(),
            valid_until: moment(query.value(Case::Exact, "Expires").and_then(|v| epoch(&v))),
            ..bare(scheme, query.range)
        })
    };
    let dated = query.has(Case::Exact, "Expires");
    if dated {
        let known = [
            (Scheme::AwsV2, "AWSAccessKeyId"),
            (Scheme::GoogleV2, "GoogleAccessId"),
            (Scheme::AlibabaV1, "OSSAccessKeyId"),
        ];
        if let Some(signed) = known.into_iter().find_map(|(scheme, key)| simple(scheme, key)) {
            return Some(signed);
        }
    }
    if !dated && !query.has(Case::Exact, "Policy") {
        return None;
    }
    let mut signed = simple(Scheme::CloudFrontSigned, "Key-Pair-Id")?;
    if let Some(policy) = query.value(Case::Exact, "Policy") {
        let (from, until) = cloudfront_policy(&policy);
        (signed.valid_from, signed.valid_until) = (from, until.or(signed.valid_until));
    }
    Some(signed)
}

/// The version 4 forms: algorithm, credential, date, lifetime in seconds, signature.
fn credential_query(query: &Query<'_>, method: impl Fn() -> Option<String>) -> Option<SignedRequest> {
    let forms = [
        (Scheme::AwsV4, "x-amz-", "algorithm", "AWS4-"),
        (Scheme::GoogleV4, "x-goog-", "algorithm", "GOOG4-"),
        (Scheme::AlibabaV4, "x-oss-", "signature-version", "OSS4-"),
    ];
    forms.into_iter().find_map(|(scheme, prefix, algorithm, begins)| {
        let value = |key: &str| query.value(Case::Either, &format!("{prefix}{key}"));
        value(algorithm).filter(|a| a.starts_with(begins.as_bytes()))?;
        value("signature")?;
        let (key_id, scope) = credential(&value("credential")?)?;
        let from = value("date").and_then(|d| iso8601(&d));
        let lifetime = value("expires").and_then(|e| epoch(&e));
        Some(SignedRequest {
            key_id: Some(key_id),
            permission: method(),
            valid_from: moment(from),
            valid_until: moment(from.zip(lifetime).and_then(|(from, lifetime)| from.checked_add(lifetime))),
            scope,
            ..bare(scheme, query.range)
        })
    })
}

/// `KEY/20110614/us-east-1/s3/aws4_request`: the key id, and region and service. A key id may hold slashes itself (it
/// must not, but then it is shown whole), so the scope is counted from the end. The multi-region form (`AWS4-ECDSA`) has
/// no region.
fn credential(value: &[u8]) -> Option<(String, Option<String>)> {
    let mut parts = value.rsplitn(5, |b| *b == b'/');
    let (end, service, third) = (parts.next()?, parts.next()?, parts.next()?);
    matches!(end, b"aws4_request" | b"goog4_request" | b"aliyun_v4_request").then_some(())?;
    let is_date = |part: &[u8]| part.len() == 8 && part.iter().all(u8::is_ascii_digit);
    let (key, scope) = match (parts.next()?, parts.next()) {
        (date, Some(key)) if is_date(date) => (key.to_vec(), [third, service].join(&b'/')),
        (key, more) if is_date(third) => {
            (more.map_or_else(|| key.to_vec(), |more| [more, key].join(&b'/')), service.to_vec())
        }
        _ => return None,
    };
    (!key.is_empty()).then(|| {
        let scope = Some(clean_to(&scope, NAME_CHARS).into_owned()).filter(|s| !s.is_empty());
        (clean_to(&key, KEY_CHARS).into_owned(), scope)
    })
}

/// Azure's shared access signature. Its keys are compared without regard to case, as the service lowers the names of
/// parameters ("Authorize with Shared Key", canonicalized resource). `None` for its namesakes: Service Bus tokens
/// (`skn`), and links that have a `sig` of their own and nothing else of the scheme.
fn azure_sas(query: &Query<'_>, host: Option<&[u8]>) -> Option<SignedRequest> {
    let value = |key: &str| query.value(Case::Either, key);
    let told = ["sp", "sr", "ss", "tn", "sv"].into_iter().any(|key| query.has(Case::Either, key));
    (told && !query.has(Case::Either, "skn")).then_some(())?;
    let date = |key: &str| value(key).and_then(|v| iso8601(&v));
    // A user delegation key has a validity of its own (skt, ske), and the narrower one holds.
    let from = date("st").into_iter().chain(date("skt")).max();
    let until = date("se").into_iter().chain(date("ske")).min();
    Some(SignedRequest {
        key_id: host.and_then(azure_account),
        permission: azure_permission(query, host),
        valid_from: moment(from),
        valid_until: moment(until),
        ..bare(Scheme::AzureSas, query.range)
    })
}

/// The account in a host name of Azure Storage; the read-only copy's name adds `-secondary`.
fn azure_account(host: &[u8]) -> Option<String> {
    let host = host.split(|b| *b == b':').next()?.to_ascii_lowercase();
    let host = host.strip_suffix(b".").unwrap_or(&host);
    AZURE_ZONES.iter().any(|zone| host.ends_with(zone)).then_some(())?;
    let label = host.split(|b| *b == b'.').next()?;
    let account = label.strip_suffix(b"-secondary").unwrap_or(label);
    let fits =
        (3..=24).contains(&account.len()) && account.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    fits.then(|| clean_to(account, KEY_CHARS).into_owned())
}

/// The letters of `sp` ("Create a service SAS", permissions for a directory, container or blob; "Create an account SAS")
/// and the thing of `sr` in words. `si` names a policy stored with the container, which the capture does not show.
fn azure_permission(query: &Query<'_>, host: Option<&[u8]>) -> Option<String> {
    let value = |key: &str| query.value(Case::Either, key);
    let queue = query.has(Case::Either, "ss")
        || host.is_some_and(|h| h.to_ascii_lowercase().windows(7).any(|label| label == b".queue."));
    let mut acts: Vec<&str> = Vec::new();
    for letter in value("sp").unwrap_or_default() {
        let act = match letter {
            b'r' => "read",
            b'a' => "add",
            b'c' => "create",
            b'w' => "write",
            b'd' => "delete",
            b'x' => "delete versions",
            b'y' => "delete for good",
            b'l' => "list",
            b't' => "tags",
            b'f' => "find by tags",
            b'm' => "move",
            b'e' => "execute",
            b'o' => "change owner",
            b'p' if queue => "process messages",
            b'p' => "change permissions",
            b'i' => "set immutability",
            b'u' => "update",
            _ => "something unknown",
        };
        if !acts.contains(&act) {
            acts.push(act);
        }
    }
    let thing = match value("sr").as_deref() {
        Some(b"b") => "one blob",
        Some(b"bs") => "one snapshot of a blob",
        Some(b"bv") => "one version of a blob",
        Some(b"c") => "a container",
        Some(b"d") => "a directory",
        Some(b"f") => "one file",
        Some(b"s") => "a share",
        Some(_) => "an unknown kind of resource",
        None if query.has(Case::Either, "ss") => "the account",
        None if query.has(Case::Either, "tn") => "a table",
        None if queue => "a queue",
        None => "a resource that is not told",
    };
    let policy = query.text(Case::Either, "si", NAME_CHARS);
    match (acts.is_empty(), policy) {
        (true, None) => None,
        (false, None) => Some(format!("{} on {thing}", acts.join(", "))),
        (true, Some(name)) => {
            Some(format!("on {thing} what its stored policy “{name}” permits, which is not shown here"))
        }
        (false, Some(name)) => Some(format!(
            "{} on {thing}, and what its stored policy “{name}” permits, which is not shown here",
            acts.join(", ")
        )),
    }
}

/// Start and end in a custom policy: JSON in base64, with `-_~` for `+=/` ("Create a signed URL using a custom policy").
fn cloudfront_policy(value: &[u8]) -> (Option<Timestamp>, Option<Timestamp>) {
    let json = base64(value).and_then(|json| serde_json::from_slice::<serde_json::Value>(&json).ok());
    let condition = json.as_ref().and_then(|j| j.pointer("/Statement/0/Condition"));
    let time = |name: &str| {
        let seconds = condition?.get(name)?.get("AWS:EpochTime")?.as_i64()?;
        (0..1_000_000_000_000).contains(&seconds).then(|| Timestamp::from_parts(seconds, 0))
    };
    (time("DateGreaterThan"), time("DateLessThan"))
}

/// The bytes of a text in `CloudFront`'s base64; the plain alphabet is read too, because some signers forget to change it.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text {
        let six = match byte {
            b'A'..=b'Z' => byte.checked_sub(b'A')?,
            b'a'..=b'z' => byte.checked_sub(b'a')?.checked_add(26)?,
            b'0'..=b'9' => byte.checked_sub(b'0')?.checked_add(52)?,
            b'+' | b'-' => 62,
            b'/' | b'~' => 63,
            b'=' | b'_' => break,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(six)) & 0xFFFF;
        held = held.checked_add(6)?;
        if held >= 8 {
            held = held.checked_sub(8)?;
            out.push(u8::try_from(bits.checked_shr(held)? & 0xFF).ok()?);
        }
    }
    Some(out)
}

/// What the Authorization field says.
fn in_field(request: &HttpMessage, method: impl Fn() -> Option<String>) -> Option<SignedRequest> {
    let (range, value) = authorization(request)?;
    let (name, rest) = split_word(value);
    let (scheme, key_id, scope, dates) = match name {
        b"SharedKey" | b"SharedKeyLite" => (Scheme::AzureSharedKey, before_colon(rest)?, None, "x-ms-date"),
        b"AWS" => (Scheme::AwsV2Header, before_colon(rest)?, None, "x-amz-date"),
        _ => {
            let (scheme, dates) = if name.starts_with(b"AWS4-") {
                (Scheme::AwsV4Header, "x-amz-date")
            } else if name.starts_with(b"GOOG4-") {
                (Scheme::GoogleV4Header, "x-goog-date")
            } else {
                return None;
            };
            let (key_id, scope) = credential(directive(rest, b"Credential")?.1)?;
            directive(rest, b"Signature")?;
            (scheme, key_id, scope, dates)
        }
    };
    let date = request.field(dates).or_else(|| request.field("date"));
    let from = date.and_then(|d| http_date(d).or_else(|| iso8601(d)));
    Some(SignedRequest {
        key_id: Some(key_id),
        permission: method(),
        valid_from: moment(from),
        valid_until: moment(from.and_then(|from| from.checked_add(SKEW))),
        scope,
        ..bare(scheme, range)
    })
}

/// Values of the request's fields that are secret: the signature in Authorization, and the token of a temporary key.
fn field_secrets(request: &HttpMessage) -> Vec<ByteRange> {
    let mut secrets = Vec::new();
    if let Some((range, value)) = authorization(request) {
        let (name, rest) = split_word(value);
        let rest_at = value.len().saturating_sub(rest.len());
        let secret = match name {
            b"SharedKey" | b"SharedKeyLite" | b"AWS" => {
                rest.iter().position(|b| *b == b':').map(|at| (at.saturating_add(1), rest.len()))
            }
            _ => directive(rest, b"Signature").map(|(at, value)| (at, at.saturating_add(value.len()))),
        };
        secrets.extend(
            secret.and_then(|(from, to)| part(range, rest_at.saturating_add(from), rest_at.saturating_add(to))),
        );
    }
    let tokens = ["x-amz-security-token", "x-goog-security-token", "x-oss-security-token"];
    for field in &request.fields {
        let name = field.name.of(&request.block);
        if tokens.iter().any(|t| name.eq_ignore_ascii_case(t.as_bytes())) {
            secrets.extend(part(field.value, 0, field.value.of(&request.block).len()));
        }
    }
    secrets
}

/// The first Authorization field: where its value stands, and the value.
fn authorization(request: &HttpMessage) -> Option<(ByteRange, &[u8])> {
    let field = request.fields.iter().find(|f| f.name.of(&request.block).eq_ignore_ascii_case(b"authorization"))?;
    Some((field.value, field.value.of(&request.block)))
}

/// The scheme's name, and what follows it.
fn split_word(value: &[u8]) -> (&[u8], &[u8]) {
    let at = value.iter().position(|b| *b == b' ').unwrap_or(value.len());
    let (name, rest) = value.split_at_checked(at).unwrap_or((value, b""));
    (name, rest.trim_ascii_start())
}

fn before_colon(text: &[u8]) -> Option<String> {
    let at = text.iter().position(|b| *b == b':')?;
    let key = text.get(..at).filter(|k| !k.is_empty())?;
    Some(clean_to(key, KEY_CHARS).into_owned())
}

/// `Name=value` in a list with commas: where the value begins, and the value.
fn directive<'a>(list: &'a [u8], name: &[u8]) -> Option<(usize, &'a [u8])> {
    let mut at = 0_usize;
    for piece in list.split(|b| *b == b',') {
        let trimmed = piece.trim_ascii();
        let lead = piece.len().saturating_sub(piece.trim_ascii_start().len());
        if let Some(value) = trimmed.strip_prefix(name).and_then(|v| v.strip_prefix(b"=")) {
            return Some((at.saturating_add(lead).saturating_add(name.len()).saturating_add(1), value));
        }
        at = at.saturating_add(piece.len()).saturating_add(1);
    }
    None
}

/// `from..to` of a range, unless that is empty.
fn part(range: ByteRange, from: usize, to: usize) -> Option<ByteRange> {
    let start = usize::try_from(range.start).ok()?;
    (from < to).then(|| ByteRange::between(start.saturating_add(from), start.saturating_add(to)))
}

fn moment(seconds: Option<i64>) -> Option<Timestamp> {
    seconds.map(|s| Timestamp::from_parts(s, 0))
}

/// How names of parameters compare.
#[derive(Clone, Copy)]
enum Case {
    Exact,
    Either,
}

/// Whether a query has a parameter that may hold a signature: each way of signing has one whose name ends so. Few
/// requests are signed, and this makes nothing of the others.
fn query_may_be_signed(query: &[u8]) -> bool {
    query.split(|b| *b == b'&').any(|piece| {
        let name = memchr::memchr(b'=', piece).and_then(|end| piece.get(..end)).unwrap_or(piece);
        let ends = |with: &[u8]| {
            name.len()
                .checked_sub(with.len())
                .and_then(|at| name.get(at..))
                .is_some_and(|n| n.eq_ignore_ascii_case(with))
        };
        ends(b"sig") || ends(b"signature") || memchr::memchr(b'%', name).is_some()
    })
}

/// A decoded name; its value as it stands, and where.
type Parameter<'a> = (Cow<'a, [u8]>, &'a [u8], ByteRange);

/// A target's query, cut into parameters.
struct Query<'a> {
    range: ByteRange,
    parameters: Vec<Parameter<'a>>,
}

impl<'a> Query<'a> {
    /// What stands after the first `?` of the target, up to a `#` (which no client should send), where it may be signed.
    fn of(block: &'a [u8], target: ByteRange) -> Option<Self> {
        let text = target.of(block);
        let from = text.iter().position(|b| *b == b'?')?.checked_add(1)?;
        let to = text.iter().position(|b| *b == b'#').unwrap_or(text.len());
        let query = text.get(from..to).filter(|q| query_may_be_signed(q))?;
        let mut at = from;
        let mut parameters = Vec::new();
        for piece in query.split(|b| *b == b'&').take(MOST_PARAMETERS) {
            let end = at.saturating_add(piece.len());
            let name_len = piece.iter().position(|b| *b == b'=').unwrap_or(piece.len());
            let (name, value) = piece.split_at_checked(name_len).unwrap_or((piece, b""));
            let value = value.strip_prefix(b"=").unwrap_or(value);
            let value_at = part(target, end.saturating_sub(value.len()), end).unwrap_or_default();
            let is_plain = name.len() <= NAME_CHARS && memchr::memchr(b'%', name).is_none();
            let name = if is_plain { name.into() } else { decoded(name, NAME_CHARS).into() };
            parameters.push((name, value, value_at));
            at = end.saturating_add(1);
        }
        Some(Self { range: part(target, from, to)?, parameters })
    }

    fn find(&self, case: Case, key: &str) -> Option<&'a [u8]> {
        let same = |name: &[u8]| match case {
            Case::Exact => name == key.as_bytes(),
            Case::Either => name.eq_ignore_ascii_case(key.as_bytes()),
        };
        self.parameters.iter().find(|(name, ..)| same(name)).map(|(_, value, _)| *value).filter(|v| !v.is_empty())
    }

    /// Whether the first parameter of that name has a value.
    fn has(&self, case: Case, key: &str) -> bool {
        self.find(case, key).is_some()
    }

    /// The decoded value of the first parameter of that name; `None` if there is none, it is empty, or too long.
    fn value(&self, case: Case, key: &str) -> Option<Vec<u8>> {
        self.find(case, key).map(|v| decoded(v, LONGEST_VALUE.saturating_add(1))).filter(|v| v.len() <= LONGEST_VALUE)
    }

    fn text(&self, case: Case, key: &str, chars: usize) -> Option<String> {
        self.value(case, key).map(|v| clean_to(&v, chars).into_owned())
    }

    /// Where secret values stand, each occurrence of a repeated key included.
    fn secrets(&self) -> impl Iterator<Item = ByteRange> {
        let secret = |name: &[u8]| SECRETS.iter().any(|s| name.eq_ignore_ascii_case(s.as_bytes()));
        self.parameters.iter().filter(move |(name, ..)| secret(name)).map(|(.., at)| *at).filter(|at| at.len > 0)
    }
}

/// Percent-decoded bytes (RFC 3986 section 2.1), at most `most`; a broken triplet stays as it is, and `+` is itself.
fn decoded(text: &[u8], most: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len().min(most));
    let mut rest = text;
    while out.len() < most {
        rest = match rest {
            [b'%', high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let nibble =
                    |digit: &u8| char::from(*digit).to_digit(16).and_then(|d| u8::try_from(d).ok()).unwrap_or(0);
                out.push(nibble(high) << 4 | nibble(low));
                tail
            }
            [byte, tail @ ..] => {
                out.push(*byte);
                tail
            }
            [] => break,
        };
    }
    out
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::super::pack;
    use super::*;
    use crate::model::{BlockSpan, Body, Field, FrameNo, HttpVersion};

    /// A message as the parser would cut it; every line after the first is a field.
    pub(in super::super) fn message(text: &[u8]) -> HttpMessage {
        let line = |at: usize| text.windows(2).skip(at).position(|w| w == b"\r\n").map_or(text.len(), |n| at + n);
        let end = line(0);
        let mut words = text[..end].splitn(3, |b| *b == b' ').map(<[u8]>::len);
        let (one, two) = (words.next().unwrap_or(0), words.next().unwrap_or(0));
        let second = ByteRange::between((one + 1).min(end), (one + 1 + two).min(end));
        let start = if text.starts_with(b"HTTP/") {
            StartLine::Status { code: 200, reason: ByteRange::between(end, end) }
        } else {
            StartLine::Request { method: ByteRange::between(0, one), target: second }
        };
        let (mut fields, mut at) = (Vec::new(), end + 2);
        while at < text.len() && line(at) > at {
            let end = line(at);
            if let Some(colon) = text[at..end].iter().position(|b| *b == b':').map(|n| at + n) {
                let value = text[colon + 1..end].trim_ascii_start().len();
                let value =
                    ByteRange::between(end - value, end - value + text[end - value..end].trim_ascii_end().len());
                fields.push(Field { name: ByteRange::between(at, colon), value });
            }
            at = end + 2;
        }
        HttpMessage {
            block: text.into(),
            version: HttpVersion::V11,
            start,
            fields,
            told_at: Vec::new(),
            trailers: Vec::new(),
            spans: vec![BlockSpan { at: 0, frame: FrameNo(1) }],
            stream_offset: 0,
            first_frame: FrameNo(1),
            header_frame: FrameNo(1),
            last_frame: FrameNo(1),
            time: Timestamp(0),
            end_time: Timestamp(0),
            body: Body::default(),
            opening: None,
            complete: true,
        }
    }

    /// Reads `GET target` at a host with some fields, and gives scheme, key, permission, from, until, scope as a line.
    fn read(host: &str, target: &str, fields: &str) -> Option<(SignedRequest, HttpMessage)> {
        let request = message(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n").as_bytes());
        signed_request(&request, Some(host.as_bytes())).map(|s| (s, request))
    }

    #[track_caller]
    fn case(host: &str, target: &str, fields: &str, want: &str, secrets: &[&str]) {
        let Some((signed, request)) = read(host, target, fields) else { panic!("nothing read from {target} {fields}") };
        let time = |t: Option<Timestamp>| t.map_or_else(|| "-".to_owned(), |t| t.rfc3339().chars().take(19).collect());
        let got = format!(
            "{:?} | {} | {} | {} | {} | {}",
            signed.scheme,
            signed.key_id.as_deref().unwrap_or("-"),
            signed.permission.as_deref().unwrap_or("-"),
            time(signed.valid_from),
            time(signed.valid_until),
            signed.scope.as_deref().unwrap_or("-"),
        );
        assert_eq!(got, want);
        let told: Vec<_> = signed.secrets.iter().map(|r| String::from_utf8_lossy(r.of(&request.block))).collect();
        assert_eq!(told, secrets);
        for secret in secrets {
            assert!(!format!("{signed:?}").contains(secret), "{secret} in {signed:?}");
        }
        assert!(signed.range.len > 0);
    }

    #[track_caller]
    fn none(target: &str, fields: &str) {
        assert_eq!(read("acc.blob.core.windows.net", target, fields).map(|s| s.0), None, "{target} {fields}");
    }

    const BLOB: &str = "acc01.blob.core.windows.net";

    #[test]
    fn reads_shared_access_signatures() {
        // 2009: no version.
        case(
            BLOB,
            "/c/b?st=2011-06-14T18%3A00Z&se=2011-06-14T19%3A00Z&sr=b&sp=rw&sig=aB%2Fc%3D",
            "",
            "AzureSas | acc01 | read, write on one blob | 2011-06-14T18:00:00 | 2011-06-14T19:00:00 | -",
            &["aB%2Fc%3D"],
        );
        case(
            "ACC01-secondary.BLOB.core.windows.net:443",
            "/c?SV=2024-11-04&SE=2024-12-31&SR=c&SP=rl&SIG=x1x",
            "",
            "AzureSas | acc01 | read, list on a container | - | 2024-12-31T00:00:00 | -",
            &["x1x"],
        );
        case(
            "files.example.com",
            "/c/b?sv=2024-11-04&sr=c&si=readers&sig=x1x",
            "",
            "AzureSas | - | on a container what its stored policy “readers” permits, which is not shown here | - | - | -",
            &["x1x"],
        );
        case(
            BLOB,
            "/c/b?sv=2024-11-04&si=p&se=2024-12-31&sp=r&sr=b&sig=x1x",
            "",
            "AzureSas | acc01 | read on one blob, and what its stored policy “p” permits, which is not shown here | - \
             | 2024-12-31T00:00:00 | -",
            &["x1x"],
        );
        case(
            BLOB,
            "/?sv=2022-11-02&ss=bq&srt=sco&sp=rwdlacup%3F&se=2024-01-02T03:04:05.1234567Z&spr=https&sig=x1x",
            "",
            "AzureSas | acc01 | read, write, delete, list, add, create, update, process messages, something unknown on \
             the account | - | 2024-01-02T03:04:05 | -",
            &["x1x"],
        );
        // User delegation: the key's own validity is narrower.
        case(
            BLOB,
            "/c/b?skoid=o&sktid=t&skt=2024-01-02T00:00:00Z&ske=2024-01-03T00:00:00Z&sks=b&skv=2022-11-02&sv=2022-11-02\
             &st=2024-01-01T00:00:00Z&se=2024-01-09T00:00:00Z&sr=d&sdd=1&sp=rp&sig=x1x",
            "",
            "AzureSas | acc01 | read, change permissions on a directory | 2024-01-02T00:00:00 | 2024-01-03T00:00:00 | -",
            &["x1x"],
        );
        case(
            BLOB,
            "/c/b?sv=2024-11-04&se=tomorrow&sr=b&sp=r&sig=x1x&sig=y2y",
            "",
            "AzureSas | acc01 | read on one blob | - | - | -",
            &["x1x", "y2y"],
        );
    }

    #[test]
    fn accounts_are_read_from_storage_names_only() {
        let account = |host: &str| azure_account(host.as_bytes());
        assert_eq!(account("acc01.z12.blob.storage.azure.net").as_deref(), Some("acc01"));
        assert_eq!(account("acc01.blob.core.chinacloudapi.cn.").as_deref(), Some("acc01"));
        assert_eq!(account("acc01.blob.core.windows.net.evil.example"), None);
        assert_eq!(account("core.windows.net"), None);
        assert_eq!(account(".core.windows.net"), None);
        assert_eq!(account("a-b.blob.core.windows.net"), None);
        assert_eq!(account(""), None);
    }

    #[test]
    fn reads_presigned_urls() {
        case(
            "s3.amazonaws.com",
            "/bucket/o?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1308078000&Signature=vjb%2By%3D&x-amz-security-token=t0k",
            "",
            "AwsV2 | AKIAIOSFODNN7EXAMPLE | GET | - | 2011-06-14T19:00:00 | -",
            &["vjb%2By%3D", "t0k"],
        );
        case(
            "b.s3.amazonaws.com",
            "/o?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F\
             aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
             &X-Amz-Security-Token=t0k&X-Amz-Signature=aeeed9",
            "",
            "AwsV4 | AKIAIOSFODNN7EXAMPLE | GET | 2013-05-24T00:00:00 | 2013-05-25T00:00:00 | us-east-1/s3",
            &["t0k", "aeeed9"],
        );
        case(
            "b.s3.amazonaws.com",
            "/o?x-amz-algorithm=AWS4-ECDSA-P256-SHA256&x-amz-credential=AKIA/20130524/s3/aws4_request&x-amz-signature=5e",
            "",
            "AwsV4 | AKIA | GET | - | - | s3",
            &["5e"],
        );
        case(
            "storage.googleapis.com",
            "/b/o?GoogleAccessId=app%40p.iam.gserviceaccount.com&Expires=1388534400&Signature=s1g%2B",
            "",
            "GoogleV2 | app@p.iam.gserviceaccount.com | GET | - | 2014-01-01T00:00:00 | -",
            &["s1g%2B"],
        );
        case(
            "storage.googleapis.com",
            "/b/o?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=app%40p.iam.gserviceaccount.com%2F20181026%2F\
             us-central1%2Fstorage%2Fgoog4_request&X-Goog-Date=20181026T181309Z&X-Goog-Expires=900&\
             X-Goog-SignedHeaders=host&X-Goog-Signature=247a",
            "",
            "GoogleV4 | app@p.iam.gserviceaccount.com | GET | 2018-10-26T18:13:09 | 2018-10-26T18:28:09 | \
             us-central1/storage",
            &["247a"],
        );
        case(
            "b.oss-cn-hangzhou.aliyuncs.com",
            "/o?OSSAccessKeyId=LTAI1&Expires=1141889120&Signature=vjby%3D&security-token=t0k",
            "",
            "AlibabaV1 | LTAI1 | GET | - | 2006-03-09T07:25:20 | -",
            &["vjby%3D", "t0k"],
        );
        case(
            "b.oss-cn-hangzhou.aliyuncs.com",
            "/o?x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-credential=LTAI1%2F20231203%2Fcn-hangzhou%2Foss%2F\
             aliyun_v4_request&x-oss-date=20231203T121212Z&x-oss-expires=60&x-oss-signature=5e5e",
            "",
            "AlibabaV4 | LTAI1 | GET | 2023-12-03T12:12:12 | 2023-12-03T12:13:12 | cn-hangzhou/oss",
            &["5e5e"],
        );
    }

    #[test]
    fn reads_cloudfront_urls() {
        case(
            "d1.cloudfront.net",
            "/a.jpg?Expires=1357034400&Signature=nitf-~_&Key-Pair-Id=APKA1",
            "",
            "CloudFrontSigned | APKA1 | GET | - | 2013-01-01T10:00:00 | -",
            &["nitf-~_"],
        );
        // {"Statement":[{"Resource":"http://*","Condition":{"DateLessThan":{"AWS:EpochTime":1357034400},
        // "DateGreaterThan":{"AWS:EpochTime":1357030000}}}]}
        let policy = "eyJTdGF0ZW1lbnQiOlt7IlJlc291cmNlIjoiaHR0cDovLyoiLCJDb25kaXRpb24iOnsiRGF0ZUxlc3NUaGFuIjp7IkFXUzpF\
                      cG9jaFRpbWUiOjEzNTcwMzQ0MDB9LCJEYXRlR3JlYXRlclRoYW4iOnsiQVdTOkVwb2NoVGltZSI6MTM1NzAzMDAwMH19fV19";
        case(
            "d1.cloudfront.net",
            &format!("/a.jpg?Policy={policy}&Signature=nitf&Key-Pair-Id=APKA1"),
            "",
            "CloudFrontSigned | APKA1 | GET | 2013-01-01T08:46:40 | 2013-01-01T10:00:00 | -",
            &[policy, "nitf"],
        );
        case(
            "d1.cloudfront.net",
            "/a.jpg?Policy=%21%21&Signature=nitf&Key-Pair-Id=APKA1",
            "",
            "CloudFrontSigned | APKA1 | GET | - | - | -",
            &["%21%21", "nitf"],
        );
    }

    #[test]
    fn reads_authorization_fields() {
        case(
            BLOB,
            "/c/b",
            "x-ms-date: Tue, 14 Jun 2011 19:00:00 GMT\r\nAuthorization: SharedKey acc01:c1g+/=\r\n",
            "AzureSharedKey | acc01 | GET | 2011-06-14T19:00:00 | 2011-06-14T19:15:00 | -",
            &["c1g+/="],
        );
        case(
            BLOB,
            "/c/b",
            "Date: Tue, 14 Jun 2011 19:00:00 GMT\r\nauthorization: SharedKeyLite acc01:c1g\r\n",
            "AzureSharedKey | acc01 | GET | 2011-06-14T19:00:00 | 2011-06-14T19:15:00 | -",
            &["c1g"],
        );
        case(
            "b.s3.amazonaws.com",
            "/o",
            "Authorization: AWS AKIA1:frJIU\r\nDate: Tue, 27 Mar 2007 19:36:42 +0000\r\n",
            "AwsV2Header | AKIA1 | GET | - | - | -",
            &["frJIU"],
        );
        case(
            "b.s3.amazonaws.com",
            "/o?list-type=2",
            "x-amz-date: 20130524T000000Z\r\nx-amz-security-token: t0k\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential=AKIA1/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;range, Signature=fe5f\r\n",
            "AwsV4Header | AKIA1 | GET | 2013-05-24T00:00:00 | 2013-05-24T00:15:00 | us-east-1/s3",
            &["t0k", "fe5f"],
        );
        case(
            "storage.googleapis.com",
            "/b/o",
            "x-goog-date: 20190201T000000Z\r\nAuthorization: GOOG4-HMAC-SHA256 Credential=GOOG1E/20190201/us/storage/\
             goog4_request,SignedHeaders=host,Signature=fe5f\r\n",
            "GoogleV4Header | GOOG1E | GET | 2019-02-01T00:00:00 | 2019-02-01T00:15:00 | us/storage",
            &["fe5f"],
        );
        // Both: the query counts, and no secret is forgotten.
        case(
            BLOB,
            "/c/b?se=2011-06-14&sr=b&sp=r&sig=x1x",
            "Authorization: SharedKey acc01:c1g\r\n",
            "AzureSas | acc01 | read on one blob | - | 2011-06-14T00:00:00 | -",
            &["x1x", "c1g"],
        );
    }

    #[test]
    fn namesakes_are_no_signatures() {
        none("/", "");
        none("/?", "");
        none("/?sig=a", "");
        none("/?sig=&se=2011-06-14&sp=r&sr=b", "");
        none("/?sig=a&se=1", "");
        // Logic Apps and Service Bus.
        none("/?api-version=1&sp=%2Ftriggers&sv=1.0&sig=a", "");
        none("/?sr=x&sig=a&se=1400000000&skn=k", "");
        none("/?awsaccesskeyid=A&expires=1&signature=s", "");
        none("/?AWSAccessKeyId=A&Signature=s", "");
        none("/?Key-Pair-Id=A&Signature=s", "");
        none("/?Expires=1&Signature=s", "");
        none("/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A/20130524/r/s3/aws4_request", "");
        none("/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A&X-Amz-Signature=s", "");
        none("/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=/20130524/r/s3/aws4_request&X-Amz-Signature=s", "");
        none("/?X-Amz-Algorithm=GOOG4-RSA-SHA256&X-Amz-Credential=A/20130524/r/s3/aws4_request&X-Amz-Signature=s", "");
        none("/#?se=2011-06-14&sr=b&sp=r&sig=x", "");
        none("/", "Authorization: Bearer a:b\r\n");
        none("/", "Authorization: Basic YTpi\r\n");
        none("/", "Authorization: SharedKey acc\r\n");
        none("/", "Authorization: SharedKey :sig\r\n");
        none("/", "Authorization: AWS4-HMAC-SHA256 Credential=A/20130524/r/s3/aws4_request\r\n");
        none("/", "Authorization: \r\n");
        let response = message(b"HTTP/1.1 200 OK\r\nAuthorization: SharedKey a:b\r\n\r\n");
        assert_eq!(signed_request(&response, None), None);
    }

    #[test]
    fn hostile_values_are_bounded_and_shown_clean() {
        let long = "A".repeat(100_000);
        let (signed, _) =
            read("h", &format!("/?AWSAccessKeyId={}&Expires=9&Signature=s", "A".repeat(8_000)), "").unwrap();
        assert_eq!(signed.key_id.unwrap().chars().count(), KEY_CHARS);
        none(&format!("/?AWSAccessKeyId={long}&Expires=9&Signature=s"), "");
        let (signed, _) = read("h", "/?AWSAccessKeyId=%E2%80%AE%00%1b%zz%f&Expires=-9&Signature=s", "").unwrap();
        assert_eq!(signed.key_id.as_deref(), Some("⟨U+202E⟩⟨U+0000⟩⟨U+001B⟩%zz%f"));
        assert_eq!(signed.valid_until, None);
        let many = "a=b&".repeat(MOST_PARAMETERS);
        none(&format!("/?{many}se=2011-06-14&sr=b&sp=r&sig=x"), "");
        let (signed, _) = read(
            "h",
            "/?X-Amz-Algorithm=AWS4-&X-Amz-Credential=A/20130524/r/s3/aws4_request&X-Amz-Date=99991231T235959Z\
             &X-Amz-Expires=999999999999&X-Amz-Signature=s",
            "",
        )
        .unwrap();
        assert_eq!(signed.valid_until, Some(Timestamp(i64::MAX)));
    }

    #[test]
    fn providers_are_ids_of_the_pack() {
        for scheme in [Scheme::AzureSas, Scheme::AwsV4, Scheme::GoogleV4, Scheme::AlibabaV4] {
            assert!(pack().providers.iter().any(|p| p.id == scheme.provider()), "{}", scheme.words());
        }
    }

    #[test]
    fn stands_by_time_and_status() {
        let at = |seconds: i64| Timestamp::from_parts(seconds, 0);
        let mut signed = bare(Scheme::AzureSas, ByteRange::default());
        (signed.valid_from, signed.valid_until) = (Some(at(10_000)), Some(at(20_000)));
        let check =
            |seconds, status, want| assert_eq!(standing(&signed, at(seconds), status), want, "{seconds} {status:?}");
        check(15_000, Some(200), Standing::Accepted);
        check(15_000, Some(206), Standing::Accepted);
        check(15_000, Some(304), Standing::Accepted);
        check(15_000, Some(403), Standing::Refused(403));
        check(15_000, Some(400), Standing::Refused(400));
        check(15_000, Some(401), Standing::Refused(401));
        check(15_000, Some(404), Standing::Unclear);
        check(15_000, Some(302), Standing::Unclear);
        check(15_000, Some(503), Standing::Unclear);
        check(15_000, None, Standing::Unanswered);
        check(9_101, Some(200), Standing::Accepted);
        check(9_099, Some(200), Standing::NotYetValid);
        check(20_899, Some(200), Standing::Accepted);
        check(20_901, Some(200), Standing::Expired);
        check(20_901, Some(403), Standing::Expired);
        check(i64::MAX, None, Standing::Expired);
        check(i64::MIN, None, Standing::NotYetValid);
        let open = bare(Scheme::AzureSas, ByteRange::default());
        assert_eq!(standing(&open, at(0), Some(201)), Standing::Accepted);
    }

    proptest! {
        #[test]
        fn no_request_panics_and_ranges_stay_inside(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            near in "/\\?((sig|se|sp|sr|sv|si|X-Amz-(Algorithm|Credential|Date|Expires|Signature)|AWSAccessKeyId|Expires|\
                     Signature|Policy|Key-Pair-Id)(=|=AWS4-|=A/20130524/r/s3/aws4_request|=[0-9%A-Fa-z/:-]{0,20})&?){0,8}",
            field in "Authorization: (SharedKey|AWS|AWS4-HMAC-SHA256|GOOG4-) ?[A-Za-z0-9/:=, ]{0,40}",
        ) {
            let near = format!("GET {near} HTTP/1.1\r\n{field}\r\n\r\n");
            let mut mixed = near.clone().into_bytes();
            mixed.splice(mixed.len() / 2..mixed.len() / 2, bytes.iter().copied());
            for text in [bytes.as_slice(), near.as_bytes(), &mixed] {
                let request = message(text);
                if let Some(signed) = signed_request(&request, Some(&bytes)) {
                    let len = u32::try_from(request.block.len()).unwrap();
                    prop_assert!(signed.range.end() <= len && signed.range.len > 0);
                    prop_assert!(signed.secrets.iter().all(|r| r.end() <= len && r.len > 0));
                    prop_assert!(signed.key_id.as_ref().is_none_or(|k| k.chars().count() <= KEY_CHARS));
                    let _standing = standing(&signed, Timestamp(0), Some(200));
                }
            }
        }
    }
}
