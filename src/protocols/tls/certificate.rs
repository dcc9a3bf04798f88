//! Certificates: what a chain says of itself. Whether it is to be believed is worked out in `trust`.

use core::net::{Ipv4Addr, Ipv6Addr};
use std::io::Read as _;
use std::sync::Arc;

use ahash::HashMap;
use sha2::{Digest as _, Sha256};
use x509_parser::certificate::{X509Certificate, X509CertificateParser};
use x509_parser::extensions::{GeneralName, SubjectAlternativeName};
use x509_parser::nom::Parser as _;
use x509_parser::oid_registry::{OID_CT_LIST_SCT, OID_X509_EXT_SUBJECT_ALT_NAME};
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use super::trust::{Sent, Verifier};
use super::{der, stapled};
use crate::model::{Budget, Certificate, Cursor, Stapled, Timestamp, Trust};

/// Bytes of DER whose certificates are kept for reuse, some ten thousand of usual size; a capture with more starts the
/// collection anew.
const KEPT_BYTES: usize = 16 << 20;

/// Certificates that were seen before, so that each is read once and held once.
#[derive(Debug, Default)]
pub struct CertificateCache {
    kept: HashMap<[u8; 32], Arc<Certificate>>,
    /// Bytes of DER that these were read from.
    bytes: usize,
    verifier: Verifier,
}

impl CertificateCache {
    #[cfg(test)]
    pub(super) fn with_verifier(verifier: Verifier) -> Self {
        Self { verifier, ..Self::default() }
    }

    /// The certificate of this DER; the flag tells whether it could be read.
    fn of(&mut self, der: &[u8]) -> (Arc<Certificate>, bool) {
        let sha256: [u8; 32] = Sha256::digest(der).into();
        if let Some(known) = self.kept.get(&sha256) {
            // An unreadable one has no validity: the epoch twice.
            return (Arc::clone(known), known.not_before != known.not_after);
        }
        let (certificate, sound) = read(sha256, der);
        // An entry itself takes room as well.
        self.bytes = self.bytes.saturating_add(der.len()).saturating_add(256);
        if self.bytes > KEPT_BYTES {
            self.kept.clear();
            self.bytes = der.len();
        }
        let certificate = Arc::new(certificate);
        self.kept.insert(sha256, Arc::clone(&certificate));
        (certificate, sound)
    }
}

/// A chain as one Certificate message brings it (RFC 5246 section 7.4.2).
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// As sent, leaf first.
    pub(super) certificates: Vec<Arc<Certificate>>,
    /// Lengths and certificates all sound.
    pub(super) sound: bool,
    /// More certificates than the limit; the further ones were left out.
    pub(super) cut: bool,
    /// How it stands; `None` of a client's, or where there is no certificate.
    pub(super) trust: Option<Arc<Trust>>,
    /// What stands beside its first certificate (RFC 8446 sections 4.4.2.1 and 4.4.2).
    pub(super) stapled: Stapled,
    /// That certificate's serial number, as DER has it.
    pub(super) serial: Box<[u8]>,
}

/// Certificates of one chain that are read, and different chains that are checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    certificates: usize,
    chains: usize,
}

impl Limits {
    pub(super) fn new(budget: &Budget) -> Self {
        Self { certificates: budget.chain_certificates, chains: budget.verified_chains }
    }
}

/// For which name a server was asked to prove itself, and when it sent its chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) name: Option<&'a [u8]>,
    pub(super) time: Timestamp,
}

/// Reads the body of a Certificate message. In TLS 1.3 a context stands before the list, and extensions behind each
/// certificate (RFC 8446 section 4.4.2). A server's chain is checked, for what it was `asked`.
pub(super) fn chain(
    body: &[u8],
    tls13: bool,
    limits: Limits,
    asked: Option<Asked<'_>>,
    cache: &mut CertificateCache,
) -> Chain {
    let (mut ders, mut beside): (Vec<&[u8]>, &[u8]) = (Vec::new(), &[]);
    let mut out = Chain { sound: true, ..Chain::default() };
    let context = if tls13 { body.first().map_or(0, |len| usize::from(*len).saturating_add(1)) } else { 0 };
    let body = body.get(context..).unwrap_or_default();
    let mut cursor = Cursor::new(body);
    let list = cursor.u24().and_then(|l| cursor.slice(usize::try_from(l).ok()?));
    out.sound = list.is_some() && cursor.is_empty();
    let mut list = Cursor::new(list.unwrap_or_else(|| body.get(3..).unwrap_or_default()));
    while !list.is_empty() {
        let Some(der) = list.u24().and_then(|l| list.slice(usize::try_from(l).ok()?)) else {
            out.sound = false;
            break;
        };
        let extensions = if tls13 { list.u16().and_then(|len| list.slice(usize::from(len))) } else { Some(&[][..]) };
        out.sound &= extensions.is_some();
        if out.certificates.is_empty() {
            beside = extensions.unwrap_or_default();
        }
        if der.is_empty() {
            out.sound = false;
            continue;
        }
        if out.certificates.len() >= limits.certificates {
            out.cut = true;
            break;
        }
        let (certificate, sound) = cache.of(der);
        out.sound &= sound;
        out.certificates.push(certificate);
        ders.push(der);
    }
    if let (Some(asked), Some(leaf)) = (asked, out.certificates.first()) {
        let (read, cut) = (out.certificates.as_slice(), out.cut);
        let sent = Sent { ders: &ders, leaf, read, cut, name: asked.name, time: asked.time };
        out.trust = Some(Arc::new(cache.verifier.judge(sent, limits.chains)));
        if let Some((serial, timestamps)) = ders.first().and_then(|der| leaf_facts(der)) {
            (out.serial, out.stapled.timestamps[0]) = (serial, timestamps);
        }
        beside_leaf(&mut out, beside);
    }
    out
}

/// Unpacks the body of a CompressedCertificate message (RFC 8879 section 4); `None` where it is broken, over the limit in
/// bytes, or packed in an unknown way.
pub(super) fn unpack(body: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut cursor = Cursor::new(body);
    let (algorithm, len) = (cursor.u16()?, usize::try_from(cursor.u24()?).ok()?);
    let packed_len = usize::try_from(cursor.u24()?).ok()?;
    let packed = cursor.slice(packed_len)?;
    if len > limit {
        return None;
    }
    // One byte more shows that the length is not true.
    let most = u64::try_from(len.checked_add(1)?).ok()?;
    let mut out = Vec::new();
    match algorithm {
        1 => flate2::read::ZlibDecoder::new(packed).take(most).read_to_end(&mut out).ok()?,
        2 => brotli_decompressor::Decompressor::new(packed, 4_096).take(most).read_to_end(&mut out).ok()?,
        _ => return None,
    };
    (out.len() == len).then_some(out)
}

fn read(sha256: [u8; 32], der: &[u8]) -> (Certificate, bool) {
    let mut out = Certificate {
        sha256,
        subject_cn: None,
        subject_org: None,
        names: Vec::new(),
        issuer_cn: None,
        issuer_org: None,
        not_before: Timestamp(0),
        not_after: Timestamp(0),
        der_len: u32::try_from(der.len()).unwrap_or(u32::MAX),
    };
    // Only the one extension that is shown is read, so that no other can spoil the certificate.
    let mut parser = X509CertificateParser::new().with_deep_parse_extensions(false);
    let parsed: Option<X509Certificate<'_>> = parser.parse(der).ok().map(|(_, c)| c);
    let Some(parsed) = parsed else { return (out, false) };
    // The last of several is the most specific one (RFC 4514 section 2.1 lists them in reverse).
    out.subject_cn = parsed.subject().iter_common_name().last().map(text);
    out.subject_org = parsed.subject().iter_organization().last().map(text);
    out.issuer_cn = parsed.issuer().iter_common_name().last().map(text);
    out.issuer_org = parsed.issuer().iter_organization().last().map(text);
    (out.not_before, out.not_after) = validity(&parsed);
    let mut sound = true;
    for extension in parsed.extensions().iter().filter(|e| e.oid == OID_X509_EXT_SUBJECT_ALT_NAME) {
        match SubjectAlternativeName::from_der(extension.value) {
            Ok((_, names)) => out.names.extend(names.general_names.iter().filter_map(general_name)),
            Err(_) => sound = false,
        }
    }
    (out, sound)
}

/// What a certificate itself says beside its names: its serial number, and how many timestamps of logs it holds.
fn leaf_facts(der: &[u8]) -> Option<(Box<[u8]>, u32)> {
    let mut parser = X509CertificateParser::new().with_deep_parse_extensions(false);
    let (_, parsed) = parser.parse(der).ok()?;
    let extension = parsed.extensions().iter().find(|e| e.oid == OID_CT_LIST_SCT);
    // They stand in one more OCTET STRING (RFC 6962 section 3.3).
    let list = extension.and_then(|e| der::value(&mut Cursor::new(e.value), der::OCTETS));
    Some((parsed.raw_serial().into(), list.map_or(0, stapled::timestamps)))
}

/// Notes what a TLS 1.3 server says in the extensions beside its certificate.
fn beside_leaf(out: &mut Chain, extensions: &[u8]) {
    let mut cursor = Cursor::new(extensions);
    while let Some((kind, body)) = extension(&mut cursor) {
        match kind {
            STATUS_REQUEST => stapled::staple(&mut out.stapled, body, &out.serial),
            TIMESTAMPS => out.stapled.timestamps[1] = stapled::timestamps(body),
            _ => {}
        }
    }
}

/// The `status_request` extension (RFC 6066 section 8).
const STATUS_REQUEST: u16 = 5;
/// The `signed_certificate_timestamp` extension (RFC 6962 section 3.3.1).
pub(super) const TIMESTAMPS: u16 = 18;

fn extension<'a>(cursor: &mut Cursor<'a>) -> Option<(u16, &'a [u8])> {
    let (kind, len) = (cursor.u16()?, cursor.u16()?);
    Some((kind, cursor.slice(usize::from(len))?))
}

/// When a certificate is valid, both moments included.
pub(super) fn validity(parsed: &X509Certificate<'_>) -> (Timestamp, Timestamp) {
    let (from, to) = (parsed.validity().not_before.timestamp(), parsed.validity().not_after.timestamp());
    (Timestamp::from_parts(from, 0), Timestamp::from_parts(to, 0))
}

/// What a name says of itself in short: its common name, else its organisation.
pub(super) fn own_name(name: &X509Name<'_>) -> Option<String> {
    let common = name.iter_common_name().last();
    common.or_else(|| name.iter_organization().last()).map(text)
}

/// DNS names and addresses; other kinds name no server.
fn general_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match (<[u8; 4]>::try_from(*bytes), <[u8; 16]>::try_from(*bytes)) {
            (Ok(v4), _) => Some(Ipv4Addr::from(v4).to_string()),
            (_, Ok(v6)) => Some(Ipv6Addr::from(v6).to_string()),
            _ => None,
        },
        GeneralName::Invalid(tag, bytes) if tag.0 == 2 => Some(latin1(bytes)),
        _ => None,
    }
}

/// An attribute's text. `TeletexString` is read as Latin-1, as everybody wrote it; `BMPString` is UTF-16.
fn text(attribute: &AttributeTypeAndValue<'_>) -> String {
    let bytes = attribute.as_slice();
    match attribute.attr_value().tag().0 {
        30 => {
            let (units, _) = bytes.as_chunks::<2>();
            char::decode_utf16(units.iter().map(|u| u16::from_be_bytes(*u)))
                .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect()
        }
        28 => {
            let (units, _) = bytes.as_chunks::<4>();
            units
                .iter()
                .map(|u| char::from_u32(u32::from_be_bytes(*u)).unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect()
        }
        12 => String::from_utf8_lossy(bytes).into_owned(),
        _ => core::str::from_utf8(bytes).map_or_else(|_| latin1(bytes), str::to_owned),
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|b| char::from(*b)).collect()
}
