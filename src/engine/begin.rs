//! Which protocol a connection begins with: the bytes that are held until one knows them, and who reads on.

use super::flow_state::{Parser, Reader};
use crate::model::{Run, RunKind, Side};
use crate::protocols::{Sniff, dns, http1, http2, socks, tls};
use crate::streams::Flow;

/// Bytes of one side that are held while its protocol is not yet clear.
pub(super) const HELD_BYTES: usize = 4_096;

/// The parser that knows these first bytes; else whether more bytes could tell.
pub(super) fn sniff(bytes: &[u8], flow: &Flow, reader: &Reader, inside: bool) -> Result<Parser, Sniff> {
    let http = http1::sniff(bytes);
    if http == Sniff::Yes {
        return Ok(http_parser(reader, inside));
    }
    let http2 = http2::sniff(bytes);
    if http2 == Sniff::Yes {
        return Ok(http2_parser(reader));
    }
    let tls = tls::Connection::sniff(bytes);
    if tls == Sniff::Yes {
        return Ok(tls_parser(reader));
    }
    if (flow.client.port == 53 || flow.server.port == 53 || bytes.len() > 2)
        && let Some(message) = bytes.get(2..)
        && bytes.len() >= 14
        && usize::from(bytes[0]) << 8 | usize::from(bytes[1]) == message.len()
        && dns::sniff(message)
    {
        return Ok(Parser::DnsTcp(Box::new(dns::TcpReader::new(&reader.budget))));
    }
    let needs_more = [http, http2, tls].contains(&Sniff::NeedMore);
    let unclear = needs_more || is_dns_port(flow) && bytes.len() < 1_024;
    Err(if unclear { Sniff::NeedMore } else { Sniff::No })
}

/// A parser for a protocol that begins in the middle of a flow.
pub(super) fn begins(bytes: &[u8], reader: &Reader, inside: bool) -> Option<Parser> {
    // A handshake record with a ClientHello: type 22, version 3.x, message type 1 (RFC 8446 section 5.1).
    if let [22, 3, _, _, _, 1, ..] = bytes {
        return (tls::Connection::sniff(bytes) == Sniff::Yes).then(|| tls_parser(reader));
    }
    if http2::sniff(bytes) == Sniff::Yes {
        return Some(http2_parser(reader));
    }
    (http1::sniff(bytes) == Sniff::Yes).then(|| http_parser(reader, inside))
}

pub(super) fn http_parser(reader: &Reader, inside_tls: bool) -> Parser {
    let connection = http1::Connection::new(&reader.budget, reader.wanted);
    Parser::Http(Box::new(if inside_tls { connection.inside_tls() } else { connection }))
}

pub(super) fn http2_parser(reader: &Reader) -> Parser {
    Parser::Http2(Box::new(http2::Connection::new(&reader.budget, reader.wanted)))
}

fn tls_parser(reader: &Reader) -> Parser {
    Parser::Tls { connection: Box::new(tls::Connection::new(&reader.budget)), inside: None, done: false }
}

/// DNS, DNS over TLS (RFC 7858 section 3.1), mDNS (RFC 6762) and LLMNR (RFC 4795): there a shorter look is enough,
/// elsewhere the whole message must be sound.
pub(super) fn is_dns_port(flow: &Flow) -> bool {
    [flow.client.port, flow.server.port].iter().any(|p| matches!(p, 53 | 853 | 5_353 | 5_355))
}

/// What the bytes so far say of a SOCKS proxy, and who asks it; `None` where they begin as no such handshake does.
pub(super) fn socks_said(held: &[Run<'static>], run: &Run<'_>) -> Option<(socks::Said, Side)> {
    let RunKind::Data(bytes) = &run.kind else { return None };
    let asker = held.first().map_or(run.side, |first| first.side);
    let mut sides = [joined(held, asker), joined(held, asker.other())];
    sides[usize::from(run.side != asker)].extend_from_slice(bytes);
    let [client, proxy] = &sides;
    matches!(client.first(), Some(4 | 5)).then(|| (socks::read(client, proxy), asker))
}

/// What stands behind a handshake that used so many bytes of the asker's side and of the other.
pub(super) fn after_handshake(
    held: &[Run<'static>],
    run: &Run<'_>,
    asker: Side,
    used: [usize; 2],
) -> Vec<Run<'static>> {
    let mut left = used;
    let mut rests = Vec::new();
    let last = owned(Run { kind: run.kind.clone(), ..owned_head(run) });
    for run in held.iter().chain([&last]) {
        let RunKind::Data(bytes) = &run.kind else { continue };
        let left = &mut left[usize::from(run.side != asker)];
        let skipped = bytes.len().min(*left);
        *left -= skipped;
        let rest = bytes.get(skipped..).unwrap_or_default();
        if !rest.is_empty() {
            let offset = run.offset.saturating_add(skipped as u64);
            rests.push(Run { offset, kind: RunKind::Data(rest.to_vec().into()), ..owned_head(run) });
        }
    }
    rests
}

/// What of a run stands after the switch to another protocol.
pub(super) fn after(run: &Run<'_>, side: Side, offset: u64) -> Option<Run<'static>> {
    if run.side != side {
        return None;
    }
    let RunKind::Data(bytes) = &run.kind else { return None };
    let rest = bytes.get(usize::try_from(offset.checked_sub(run.offset)?).ok()?..)?;
    (!rest.is_empty()).then(|| Run { offset, kind: RunKind::Data(rest.to_vec().into()), ..owned_head(run) })
}

/// What one side sent of the held runs.
pub(super) fn joined(held: &[Run<'static>], side: Side) -> Vec<u8> {
    let mut all = Vec::new();
    for run in held.iter().filter(|r| r.side == side) {
        if let RunKind::Data(bytes) = &run.kind {
            all.extend_from_slice(bytes);
        }
    }
    all
}

fn owned_head(run: &Run<'_>) -> Run<'static> {
    Run { side: run.side, offset: run.offset, frame: run.frame, time: run.time, kind: RunKind::End }
}

pub(super) fn owned(run: Run<'_>) -> Run<'static> {
    let head = owned_head(&run);
    let kind = match run.kind {
        RunKind::Data(bytes) => RunKind::Data(bytes.into_owned().into()),
        RunKind::Gap(len) => RunKind::Gap(len),
        RunKind::End => RunKind::End,
    };
    Run { kind, ..head }
}

pub(super) fn run_len(run: &Run<'_>) -> usize {
    if let RunKind::Data(bytes) = &run.kind { bytes.len() } else { 0 }
}
