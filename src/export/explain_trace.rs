//! The second half of an explanation: the way of the name, of the answer and of the URL; other readings; attempts to break
//! the verdict.

use std::io::Write;

use super::{ExportError, Listing};
use crate::evidence::{cache_lines, challenges, hypotheses, name_path, pack, signature_standing, via, vintage};
use crate::model::{Attempt, Detail, FrameNo, Standing, clean, clean_to};
use crate::protocols::dns::type_name;
use crate::store::{Record, RowId};

/// Characters of a quoted text.
const QUOTED_CHARS: usize = 400;

/// Writes how the name led to the address.
pub(super) fn write_name_path(listing: &Listing<'_>, record: &Record, out: &mut dyn Write) -> Result<(), ExportError> {
    let Some(looked_up) = &record.verdict.looked_up else { return Ok(()) };
    let lookup = listing.snapshot.record(RowId(looked_up.lookup.0))?;
    let Some(path) = name_path(&lookup.exchange, record.exchange.server.ip) else { return Ok(()) };
    let n = listing.numbers().of(RowId(looked_up.lookup.0)).unwrap_or(0);
    writeln!(out, "\nName path (lookup {n})")?;
    let frames: Vec<String> =
        path.query_frame.into_iter().chain([path.answer_frame]).map(|f: FrameNo| f.to_string()).collect();
    writeln!(
        out,
        "  {} asked of {}{}, frame {}",
        clean_to(path.asked.as_bytes(), 255),
        path.resolver,
        path.over.words(),
        frames.join(" and ")
    )?;
    for r in &path.records {
        let value = clean_to(r.value.as_bytes(), 255);
        writeln!(out, "  → {} {value}, time to live {} s", type_name(r.rtype), r.ttl)?;
    }
    if let Some(seconds) = path.expired_seconds(record.exchange.time) {
        writeln!(out, "  The shortest time to live had run out {seconds} s before this exchange began.")?;
    }
    if !looked_up.others.is_empty() {
        let mut names = Vec::new();
        for other in &looked_up.others {
            let other = listing.snapshot.record(RowId(other.0))?;
            if let Detail::Dns(dns) = &other.exchange.detail {
                names.extend(dns.questions.first().map(|q| clean_to(q.name.as_bytes(), 120).into_owned()));
            }
        }
        writeln!(out, "  Other names led to the same address before: {}", names.join(", "))?;
    }
    Ok(())
}

/// Writes the hops, each with the numbers of its lines, and what lines say of caches.
pub(super) fn write_serving_path(record: &Record, out: &mut dyn Write) -> Result<(), ExportError> {
    let Detail::Http(http) = &record.exchange.detail else { return Ok(()) };
    if record.verdict.path.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nServing path, as far as lines show")?;
    let mut text = "client".to_owned();
    for hop in &record.verdict.path {
        let provider = pack().provider(hop.provider).map_or("", |p| p.name);
        let service = hop.service.and_then(|s| pack().service(s)).map_or("", |s| s.name);
        let named = if service.is_empty() { provider.to_owned() } else { format!("{provider}, {service}") };
        text = format!("{text} → {} ({named}{})", hop.kind, numbered(&hop.lines));
    }
    writeln!(out, "  {text}")?;
    let Some(response) = &http.response else { return Ok(()) };
    let caches = cache_lines(response);
    for line in &caches {
        let says = line.cache.map_or("names itself", crate::evidence::Cache::words);
        writeln!(out, "  {}: {} {says}", line.field, clean_to(line.name.as_bytes(), 120))?;
    }
    for hop in via(response) {
        writeln!(out, "  Via: {} {}", clean_to(hop.protocol.as_bytes(), 20), clean_to(hop.by.as_bytes(), 120))?;
    }
    if caches.iter().all(|l| l.cache.is_none()) {
        writeln!(out, "  Whether a cache served it: cannot tell, no line says so.")?;
    }
    Ok(())
}

/// Writes who gave the URL, whose key signed it, and whether this client wrote the bytes itself.
pub(super) fn write_origin(listing: &Listing<'_>, record: &Record, out: &mut dyn Write) -> Result<(), ExportError> {
    let verdict = &record.verdict;
    if let Some(h) = &verdict.handed_out {
        let n = listing.numbers().of_giver(h.giver).map_or_else(|| "not ended".to_owned(), |n| n.to_string());
        let (unit, host) = (record.exchange.unit(), clean_to(h.host.as_bytes(), 255));
        writeln!(out, "\nHanded out by {host}, exchange {n}, {unit} {}", h.frame)?;
        let field = if h.field.is_empty() { String::new() } else { format!(", field {}", clean(h.field.as_bytes())) };
        let lag = record.exchange.time.nanos_since(h.time).max(0) as f64 / 1e9;
        writeln!(out, "  {}{field}, offset {}; {}; {lag:.3} s before", h.form, h.offset, h.how.words())?;
        writeln!(out, "  {}", clean_to(&h.text, QUOTED_CHARS))?;
    } else if !verdict.no_hand_out.is_empty() {
        writeln!(out, "\nNo earlier response of this capture gives this URL")?;
        for reason in &verdict.no_hand_out {
            writeln!(out, "  - {reason}")?;
        }
    }
    if let Some((signed, standing)) = signature_standing(&record.exchange) {
        writeln!(out, "\nCustody: {}, {}", signed.scheme.words(), standing.words())?;
        for (what, value) in [("key", &signed.key_id), ("permits", &signed.permission), ("scope", &signed.scope)] {
            if let Some(value) = value {
                writeln!(out, "  {what}: {}", clean_to(value.as_bytes(), QUOTED_CHARS))?;
            }
        }
        for (what, time) in [("valid from", signed.valid_from), ("valid until", signed.valid_until)] {
            if let Some(time) = time {
                writeln!(out, "  {what}: {}", time.rfc3339())?;
            }
        }
    }
    if let Some(write) = verdict.first_write {
        let n = listing.numbers().of(RowId(write.upload.0)).unwrap_or(0);
        let unit = record.exchange.unit();
        writeln!(out, "\nFirst write, exchange {n}, from {unit} {} on: {}", write.frame, write.how.words())?;
    }
    Ok(())
}

/// Writes the seven readings, and what was tried to break the verdict.
pub(super) fn write_readings(record: &Record, out: &mut dyn Write) -> Result<(), ExportError> {
    let Record { exchange, ledger, verdict } = record;
    let readings = hypotheses(exchange, ledger, verdict);
    if !readings.is_empty() {
        writeln!(out, "\nOther readings")?;
    }
    for h in &readings {
        writeln!(out, "  {} {}: {}", h.alternative.id(), h.alternative.words(), h.standing.words())?;
        writeln!(out, "     {}{}", h.why, numbered(&h.entries))?;
        if let Some(test) = h.settled_by.filter(|_| h.standing != Standing::RuledOut) {
            writeln!(out, "     settled by: {test}")?;
        }
    }
    let tried = challenges(exchange, ledger, verdict);
    if tried.is_empty() {
        return Ok(());
    }
    let count = |outcome| tried.iter().filter(|c| c.outcome == outcome).count();
    writeln!(
        out,
        "\nTried to break it: {} held, {} broke, {} cannot be tried",
        count(Attempt::Held),
        count(Attempt::Broke),
        count(Attempt::NotPossible)
    )?;
    for c in &tried {
        writeln!(out, "  {:<15} {} {}", c.outcome.words(), c.question, clean_to(c.seen.as_bytes(), QUOTED_CHARS))?;
    }
    if let Some((table, months)) = vintage(exchange, ledger) {
        writeln!(out, "\nAddress list of {table}: {months} months from the capture. Signatures: {}", pack().version)?;
    }
    Ok(())
}

/// The numbers of ledger entries, in brackets.
fn numbered(entries: &[u8]) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let numbers: Vec<String> = entries.iter().map(|n| (u32::from(*n) + 1).to_string()).collect();
    format!(" [{}]", numbers.join(" "))
}
