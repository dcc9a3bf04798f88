//! One row's verdict and ledger in words.

use std::collections::BTreeSet;
use std::io::Write;

use super::explain_trace::{write_name_path, write_origin, write_readings, write_serving_path};
use super::{ExportError, Listing};
use crate::evidence::{forgeable_by, pack};
use crate::model::{
    Decryption, Detail, DnsOver, FrameNo, Grade, HttpMessage, TlsTransport, WitnessKind, clean, clean_to, hex,
};
use crate::protocols::dns::type_name;
use crate::store::{Record, RowId, Snapshot, tls_version};

/// Characters of a line of evidence that are printed.
const LINE_CHARS: usize = 400;

/// Writes what row `n` is, what the verdict says, and every piece of evidence with its place.
pub fn write_explanation(listing: &Listing<'_>, n: u32, id: RowId, out: &mut dyn Write) -> Result<(), ExportError> {
    let snapshot = listing.snapshot;
    let record = snapshot.record(id)?;
    let facts = snapshot.facts();
    writeln!(out, "Exchange {n} of {}", clean(facts.capture.name.as_bytes()))?;
    if let Some(sha256) = facts.sha256 {
        writeln!(out, "  capture sha256 {}", hex(&sha256))?;
    }
    for file in facts.capture.merged.files.iter() {
        let digest = file.sha256.map_or_else(|| "unknown".to_owned(), |sha256| hex(&sha256));
        writeln!(out, "  merged from {}, sha256 {digest}", file.name)?;
    }
    for loss in facts.losses() {
        writeln!(out, "  {loss}")?;
    }
    write_what(&record, out)?;
    if !record.verdict.cannot_show.is_empty() {
        writeln!(out, "\nWhat this capture cannot show")?;
        for line in &record.verdict.cannot_show {
            writeln!(out, "  - {line}")?;
        }
    }
    writeln!(out)?;
    write_verdict(&record, out)?;
    write_ledger(&record, out)?;
    write_name_path(listing, &record, out)?;
    write_serving_path(&record, out)?;
    write_origin(listing, &record, out)?;
    write_files(snapshot, &record, out)?;
    write_readings(&record, out)?;
    if !record.exchange.anomalies.is_empty() {
        writeln!(out, "\nOdd on the way")?;
        for anomaly in &record.exchange.anomalies {
            writeln!(out, "  - {} ({} {})", anomaly.kind.words(), record.exchange.unit(), anomaly.frame)?;
        }
    }
    Ok(())
}

/// The frames that an exchange begins and ends with and that its ledger quotes, ascending, each with the merged file that it is
/// from and its number there. None where nothing was merged.
pub(super) fn frames_in_files<'a>(
    snapshot: &'a Snapshot,
    record: &Record,
) -> impl Iterator<Item = (FrameNo, &'a str, FrameNo)> {
    let exchange = &record.exchange;
    let mut frames: BTreeSet<FrameNo> = [exchange.first_frame, exchange.last_frame].into();
    frames.extend(record.ledger.iter().flat_map(|evidence| evidence.place.frames.iter().copied()));
    let merged = &snapshot.facts().capture.merged;
    frames.into_iter().filter_map(|frame| {
        let (file, there) = merged.file_of(frame)?;
        Some((frame, file.name.as_str(), there))
    })
}

fn write_files(snapshot: &Snapshot, record: &Record, out: &mut dyn Write) -> Result<(), ExportError> {
    for (n, (frame, file, there)) in frames_in_files(snapshot, record).enumerate() {
        if n == 0 {
            writeln!(out, "\nWhere these frames stand")?;
        }
        writeln!(out, "  frame {frame} is frame {there} of {file}")?;
    }
    Ok(())
}

fn write_what(record: &Record, out: &mut dyn Write) -> Result<(), ExportError> {
    let exchange = &record.exchange;
    let (from, to) = (exchange.client, exchange.server);
    if let Some(told) = exchange.reported {
        let (number, end) = (exchange.first_frame, told.offset.saturating_add(told.len));
        writeln!(out, "  asked of {to}, as the HAR file has it, {}", exchange.time.rfc3339())?;
        writeln!(out, "  entry {number}, bytes {} to {end} of the file", told.offset)?;
    } else {
        writeln!(out, "  {} → {}, {}", from, to, exchange.time.rfc3339())?;
        writeln!(out, "  frames {} to {}", exchange.first_frame, exchange.last_frame)?;
    }
    if let Some(envelope) = &exchange.envelope {
        let name = envelope.name.as_ref().map_or_else(|| "no server name".into(), |n| clean_to(&n.text, LINE_CHARS));
        let session = if envelope.transport == TlsTransport::Quic { "QUIC connection" } else { "TLS session" };
        writeln!(out, "  decrypted with keys from a {session}, {name}")?;
    }
    if let Some(proxied) = &exchange.proxied {
        let target = clean_to(proxied.target.as_bytes(), LINE_CHARS);
        writeln!(out, "  through a proxy: {} to {target}, frame {}", proxied.kind.words(), proxied.frame)?;
    }
    if let Some(trust) = exchange.trust() {
        writeln!(out, "  certificate {}", trust.sentence())?;
        if let Some(root) = &trust.root {
            writeln!(out, "    that root is {}", root.lists())?;
        }
        writeln!(out, "    checked against {}", trust.list_words())?;
    }
    if let Detail::Tls(tls) = &exchange.detail {
        match &tls.stapled.ocsp {
            Some(answer) => writeln!(out, "  stapled OCSP answer, not checked: {}", answer.words(exchange.time))?,
            None if tls.stapled.ocsp_unread => writeln!(out, "  a stapled OCSP answer that cannot be read")?,
            None => {}
        }
        let timestamps = tls.stapled.timestamp_words();
        if !timestamps.is_empty() {
            writeln!(out, "  timestamps of certificate logs, not checked: {timestamps}")?;
        }
    }
    match &exchange.detail {
        Detail::Http(http) => {
            for message in [&http.request, &http.response].into_iter().flatten() {
                writeln!(out, "  {}", clean_to(&message.start_line(), LINE_CHARS))?;
            }
            if let Some(host) = http.request.as_ref().and_then(HttpMessage::host) {
                writeln!(out, "  Host: {}", clean_to(host, LINE_CHARS))?;
            }
        }
        Detail::Tls(tls) => {
            if let Some(hello) = &tls.client_hello {
                let sni = hello.sni_bytes().map_or_else(|| "no server name".into(), |s| clean_to(s, LINE_CHARS));
                writeln!(out, "  TLS, {sni}, offers {}, JA4 {}", tls_version(hello.version), hello.ja4)?;
            }
            if let Some(hello) = &tls.server_hello {
                writeln!(out, "  answered with {}, cipher suite 0x{:04x}", tls_version(hello.version), hello.cipher)?;
            }
            match tls.decryption {
                Decryption::NotTried => {}
                Decryption::Opened { records, failed } => {
                    let (one, many) = Decryption::unit(tls.transport);
                    let unit = if records == 1 { one } else { many };
                    write!(out, "  {records} {unit} opened with keys")?;
                    if failed > 0 {
                        write!(out, ", {failed} could not be authenticated")?;
                    }
                    writeln!(out)?;
                }
                sealed => writeln!(out, "  not opened: {}", sealed.why_not())?,
            }
        }
        Detail::Dns(dns) => {
            if dns.over != DnsOver::Plain {
                writeln!(out, "  DNS{}", dns.over.words())?;
            }
            for question in &dns.questions {
                writeln!(
                    out,
                    "  asks {} {}",
                    clean_to(question.name.as_bytes(), LINE_CHARS),
                    type_name(question.qtype)
                )?;
            }
            for answer in dns.response.iter().flat_map(|r| &r.answers) {
                let (name, value) = (clean_to(answer.name.as_bytes(), 120), clean_to(answer.value.as_bytes(), 120));
                writeln!(out, "  {name} {} {value} (TTL {} s)", type_name(answer.rtype), answer.ttl)?;
            }
        }
    }
    Ok(())
}

fn write_verdict(record: &Record, out: &mut dyn Write) -> Result<(), ExportError> {
    let (verdict, pack) = (&record.verdict, pack());
    writeln!(out, "Verdict")?;
    let mut line = |what: &str, value: &str, grade: Grade| writeln!(out, "  {what:<9} {value}: {}", grade.word());
    if let Some(o) = verdict.operator {
        line("operator", pack.providers.get(usize::from(o.value.0)).map_or("", |p| p.name), o.grade)?;
    }
    if let Some(p) = verdict.product {
        line("product", pack.services.get(usize::from(p.value)).map_or("", |s| s.name), p.grade)?;
    }
    if let Some(r) = verdict.role {
        line("role", r.value, r.grade)?;
    }
    if let Some(t) = &verdict.tenant {
        let name = clean_to(t.value.name.as_bytes(), 120);
        let party = t.value.first_party.as_ref().map(|p| format!(" (for {})", clean_to(p.as_bytes(), 120)));
        line("tenant", &format!("{name}{}", party.unwrap_or_default()), t.grade)?;
    }
    match verdict.grade {
        None => writeln!(out, "  Nothing in this exchange points at a known provider.")?,
        Some(_) if verdict.conflict => {
            writeln!(out, "  Witnesses disagree: read the ledger before quoting any of this.")?;
        }
        Some(_) => {}
    }
    if verdict.grade.is_some() {
        writeln!(out, "  This holds for this exchange, at this time, from this network.")?;
        if let Some(lacks) = verdict.grade.and_then(|grade| record.exchange.lacks(grade)) {
            writeln!(out, "  {lacks}.")?;
        }
    }
    let strip: Vec<String> = WitnessKind::ALL
        .iter()
        .map(|kind| format!("{} {}", kind.word(), verdict.agreement.of(*kind).words()))
        .collect();
    if verdict.operator.is_some() {
        writeln!(out, "  witnesses: {}", strip.join(", "))?;
    }
    Ok(())
}

fn write_ledger(record: &Record, out: &mut dyn Write) -> Result<(), ExportError> {
    if record.ledger.is_empty() {
        return Ok(());
    }
    let pack = pack();
    writeln!(out, "\nLedger")?;
    for (i, entry) in record.ledger.iter().enumerate() {
        let provider = pack.providers.get(usize::from(entry.provider.0)).map_or("", |p| p.name);
        let speaks: Vec<&str> = entry.supports.words().collect();
        writeln!(out, "{:>3}  {}", i + 1, clean_to(&entry.text, LINE_CHARS))?;
        let speaks =
            if speaks.is_empty() { "a hint only".to_owned() } else { format!("speaks for {}", speaks.join(", ")) };
        writeln!(out, "     {provider}, {}: {speaks}", entry.group.words())?;
        let frames: Vec<String> = entry.place.frames.iter().map(ToString::to_string).collect();
        let place = entry.place.part.words();
        let unit = record.exchange.unit();
        let frames = if frames.is_empty() { "no frame".to_owned() } else { format!("{unit} {}", frames.join(", ")) };
        writeln!(out, "     {place}, {frames}, offset {}, {} bytes", entry.place.offset, entry.text.len())?;
        if let Some(signature) = pack.signatures.get(usize::from(entry.signature)) {
            writeln!(out, "     signature {}; forgeable by {}", signature.id, forgeable_by(entry, &record.exchange))?;
            for source in signature.sources {
                writeln!(out, "     source {source}")?;
            }
        }
    }
    Ok(())
}
