//! What the exchanges of a capture together say of each site.

use std::io::Write;

use serde::Serialize;

use super::json::write_line;
use super::{ExportError, Listing};
use crate::evidence::pack;
use crate::model::{Grade, bytes_short, clean_to, middle};
use crate::store::{Counts, FindingKey, SiteFindings};

/// The name of the JSON form; it changes when a field is renamed or its meaning changes.
const SCHEMA: &str = "nephoscope-findings/1";
/// Widths in characters of operator with product, role, and the site that gave the URLs.
const WIDTHS: [usize; 3] = [40, 16, 30];

/// Writes each site with its sentences and its lines. Only sites that hold `word`; all where it is empty.
pub fn write_findings(listing: &Listing<'_>, word: &str, out: &mut dyn Write) -> Result<(), ExportError> {
    let [who_width, role_width, giver_width] = WIDTHS;
    let losses = listing.snapshot.facts().losses();
    for loss in &losses {
        writeln!(out, "{loss}")?;
    }
    let ignored = listing.snapshot.ignored();
    if ignored > 0 {
        writeln!(out, "{ignored} ignored by the user, in the case beside the capture: not counted here")?;
    }
    if !losses.is_empty() || ignored > 0 {
        writeln!(out)?;
    }
    for site in chosen(listing, word) {
        writeln!(out, "{}", clean_to(site.site.as_bytes(), 255))?;
        for sentence in site.sentences() {
            writeln!(out, "  {sentence}")?;
        }
        for (key, counts) in &site.lines {
            let giver = key
                .handed_out_by
                .as_ref()
                .map_or_else(String::new, |g| format!("given by {}", clean_to(g.as_bytes(), 120)));
            let line = format!(
                "  {:>6}  {:>8} sent  {:>8} received  {:<who_width$}  {:<role_width$}  {:<12}  {}{}",
                counts.exchanges,
                bytes_short(counts.sent_bytes),
                bytes_short(counts.received_bytes),
                middle(&who(key), who_width, 8),
                middle(key.role.unwrap_or("·"), role_width, 0),
                key.grade.map_or("·", Grade::word),
                middle(&giver, giver_width + 9, 12),
                if counts.conflicts > 0 { "  (witnesses disagree)" } else { "" }
            );
            writeln!(out, "{}", line.trim_end())?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn who(key: &FindingKey) -> String {
    let operator = key.operator.and_then(|o| pack().provider(o)).map_or("no operator", |p| p.name);
    match key.product.and_then(|p| pack().service(p)) {
        Some(service) if service.name != operator => format!("{operator} · {}", service.name),
        _ => operator.to_owned(),
    }
}

fn chosen(listing: &Listing<'_>, word: &str) -> Vec<SiteFindings> {
    let word = word.to_ascii_lowercase();
    let mut sites = listing.snapshot.findings();
    sites.retain(|s| s.site.contains(&word));
    sites
}

#[derive(Serialize)]
struct CaptureLine<'a> {
    schema: &'static str,
    capture: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    losses: Vec<String>,
    /// Exchanges that the user ignores: they are not counted.
    #[serde(skip_serializing_if = "is_zero")]
    ignored: usize,
    signatures: &'static str,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

#[derive(Serialize)]
struct SiteLine<'a> {
    site: &'a str,
    #[serde(flatten)]
    total: CountsLine,
    sentences: Vec<String>,
    findings: Vec<FindingLine<'a>>,
}

#[derive(Serialize)]
struct FindingLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grade: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handed_out_by: Option<&'a str>,
    #[serde(flatten)]
    counts: CountsLine,
}

#[derive(Serialize)]
struct CountsLine {
    exchanges: u64,
    sent_bytes: u64,
    received_bytes: u64,
    conflicts: u64,
}

impl From<Counts> for CountsLine {
    fn from(c: Counts) -> Self {
        let Counts { exchanges, sent_bytes, received_bytes, conflicts } = c;
        Self { exchanges, sent_bytes, received_bytes, conflicts }
    }
}

/// Writes the capture, then a JSON object a site.
pub fn write_findings_json(listing: &Listing<'_>, word: &str, out: &mut dyn Write) -> Result<(), ExportError> {
    let facts = listing.snapshot.facts();
    let mut line = Vec::new();
    let losses = facts.losses();
    let ignored = listing.snapshot.ignored();
    let capture =
        CaptureLine { schema: SCHEMA, capture: &facts.capture.name, losses, ignored, signatures: pack().version };
    write_line(&mut line, &capture, out)?;
    for site in chosen(listing, word) {
        let findings = site.lines.iter().map(|(key, counts)| FindingLine {
            operator: key.operator.and_then(|o| pack().provider(o)).map(|p| p.name),
            product: key.product.and_then(|p| pack().service(p)).map(|s| s.name),
            role: key.role,
            grade: key.grade.map(Grade::word),
            handed_out_by: key.handed_out_by.as_deref(),
            counts: (*counts).into(),
        });
        let entry = SiteLine {
            site: &site.site,
            total: site.total.into(),
            sentences: site.sentences(),
            findings: findings.collect(),
        };
        write_line(&mut line, &entry, out)?;
    }
    Ok(())
}
