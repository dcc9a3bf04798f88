//! The verdict's part of a JSON line.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use super::json::{Frames, Text, lossy};
use super::order::Numbers;
use crate::evidence::{cache_lines, forgeable_by, hypotheses, pack, signature_standing};
use crate::model::{Agreement, Answer, Detail, Exchange, Grade, Standing, Timestamp, WitnessKind, hex};
use crate::store::{Record, RowId};

#[derive(Serialize)]
pub(super) struct VerdictLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<NamedLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<NamedLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<RoleLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<TenantLine<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grade: Option<&'static str>,
    conflict: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    path: Vec<HopLine>,
    agreement: AgreementLine,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    caches: Vec<CacheJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    looked_up: Option<LookedUpLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handed_out_by: Option<HandOutLine<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_write: Option<FirstWriteLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custody: Option<CustodyLine>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hypotheses: Vec<HypothesisLine>,
    evidence: Vec<EvidenceLine<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    cannot_show: &'a [&'static str],
}

#[derive(Serialize)]
struct NamedLine {
    name: &'static str,
    id: &'static str,
    grade: &'static str,
}

#[derive(Serialize)]
struct RoleLine {
    name: &'static str,
    grade: &'static str,
}

#[derive(Serialize)]
struct TenantLine<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_party: Option<&'a str>,
    grade: &'static str,
}

#[derive(Serialize)]
struct HopLine {
    hop: &'static str,
    operator: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<&'static str>,
    /// Numbers of the entries that show it, from 1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<u32>,
}

/// What each kind of witness says of the operator.
struct AgreementLine(Agreement);

impl Serialize for AgreementLine {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(WitnessKind::ALL.iter().map(|kind| (kind.word(), self.0.of(*kind).words())))
    }
}

/// What a line says of a cache.
#[derive(Serialize)]
struct CacheJson {
    field: &'static str,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    says: Option<&'static str>,
}

/// The lookup before the connection, by row number.
#[derive(Serialize)]
struct LookedUpLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<u32>,
    /// Lookups of other names that gave the same address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    same_address: Vec<u32>,
}

#[derive(Serialize)]
struct HandOutLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<u32>,
    host: Cow<'a, str>,
    frame: u32,
    r#where: &'static str,
    field: &'a str,
    text: Cow<'a, str>,
    offset: u64,
    r#match: &'static str,
    lag_seconds: f64,
}

#[derive(Serialize)]
struct FirstWriteLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<u32>,
    frame: u32,
    r#match: &'static str,
}

/// What a signed request tells; the signature itself is left out.
#[derive(Serialize)]
struct CustodyLine {
    scheme: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permission: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_from: Option<Text<Rfc3339>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<Text<Rfc3339>>,
    standing: String,
}

#[derive(Serialize)]
struct HypothesisLine {
    id: &'static str,
    state: &'static str,
    /// Why it is no longer open; `explain` says more of the open ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settled_by: Option<&'static str>,
}

#[derive(Serialize)]
struct EvidenceLine<'a> {
    signature: &'static str,
    group: &'static str,
    supports: Vec<&'static str>,
    text: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_hex: Option<String>,
    frames: Frames<'a>,
    offset: u64,
    length: u32,
    forgeable_by: String,
}

impl<'a> VerdictLine<'a> {
    pub(super) fn new(record: &'a Record, numbers: &Numbers) -> Self {
        let Record { exchange, ledger, verdict } = record;
        let pack = pack();
        let service = |index: u16| pack.services.get(usize::from(index));
        Self {
            operator: verdict.operator.and_then(|o| {
                let provider = pack.providers.get(usize::from(o.value.0))?;
                Some(NamedLine { name: provider.name, id: provider.id, grade: o.grade.word() })
            }),
            product: verdict.product.and_then(|p| {
                let service = service(p.value)?;
                Some(NamedLine { name: service.name, id: service.id, grade: p.grade.word() })
            }),
            role: verdict.role.map(|r| RoleLine { name: r.value, grade: r.grade.word() }),
            tenant: verdict.tenant.as_ref().map(|Answer { value, grade }| TenantLine {
                name: &value.name,
                first_party: value.first_party.as_deref(),
                grade: grade.word(),
            }),
            grade: verdict.grade.map(Grade::word),
            conflict: verdict.conflict,
            path: verdict
                .path
                .iter()
                .filter_map(|hop| {
                    let operator = pack.providers.get(usize::from(hop.provider.0))?.name;
                    let product = hop.service.and_then(service).map(|s| s.name);
                    Some(HopLine { hop: hop.kind, operator, product, evidence: from_one(&hop.lines) })
                })
                .collect(),
            agreement: AgreementLine(verdict.agreement),
            caches: caches(exchange),
            looked_up: verdict.looked_up.as_ref().map(|l| LookedUpLine {
                n: numbers.of(RowId(l.lookup.0)),
                same_address: l.others.iter().filter_map(|o| numbers.of(RowId(o.0))).collect(),
            }),
            handed_out_by: verdict.handed_out.as_ref().map(|h| HandOutLine {
                n: numbers.of_giver(h.giver),
                host: lossy(h.host.as_bytes()),
                frame: h.frame.0,
                r#where: h.form,
                field: &h.field,
                text: lossy(&h.text),
                offset: h.offset,
                r#match: h.how.words(),
                lag_seconds: exchange.time.nanos_since(h.time).max(0) as f64 / 1e9,
            }),
            first_write: verdict.first_write.map(|w| FirstWriteLine {
                n: numbers.of(RowId(w.upload.0)),
                frame: w.frame.0,
                r#match: w.how.words(),
            }),
            custody: custody(exchange),
            hypotheses: hypotheses(exchange, ledger, verdict)
                .into_iter()
                .map(|h| HypothesisLine {
                    id: h.alternative.id(),
                    state: h.standing.words(),
                    why: (h.standing != Standing::Open).then_some(h.why),
                    evidence: from_one(&h.entries),
                    settled_by: h.settled_by.filter(|_| h.standing == Standing::Open),
                })
                .collect(),
            evidence: ledger
                .iter()
                .map(|e| {
                    let signature = pack.signatures.get(usize::from(e.signature));
                    EvidenceLine {
                        signature: signature.map_or("", |s| s.id),
                        group: e.group.words(),
                        supports: e.supports.words().collect(),
                        text: lossy(&e.text),
                        text_hex: str::from_utf8(&e.text).is_err().then(|| hex(&e.text)),
                        frames: Frames(&e.place.frames),
                        offset: e.place.offset,
                        length: if e.place.range.len > 0 { e.place.range.len } else { e.text.len() as u32 },
                        forgeable_by: forgeable_by(e, exchange),
                    }
                })
                .collect(),
            cannot_show: &verdict.cannot_show,
        }
    }
}

/// Indexes of entries as the numbers that people see.
pub(super) fn from_one(entries: &[u8]) -> Vec<u32> {
    entries.iter().map(|n| u32::from(*n) + 1).collect()
}

fn caches(exchange: &Exchange) -> Vec<CacheJson> {
    let Detail::Http(http) = &exchange.detail else { return Vec::new() };
    let lines = http.response.as_ref().map(cache_lines).unwrap_or_default();
    lines
        .into_iter()
        .map(|l| CacheJson { field: l.field, name: l.name, says: l.cache.map(crate::evidence::Cache::words) })
        .collect()
}

fn custody(exchange: &Exchange) -> Option<CustodyLine> {
    let (signed, standing) = signature_standing(exchange)?;
    Some(CustodyLine {
        scheme: signed.scheme.words(),
        key_id: signed.key_id,
        permission: signed.permission,
        scope: signed.scope,
        valid_from: signed.valid_from.map(|t| Text(Rfc3339(t))),
        valid_until: signed.valid_until.map(|t| Text(Rfc3339(t))),
        standing: standing.words().to_owned(),
    })
}

struct Rfc3339(Timestamp);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.rfc3339())
    }
}
