//! Capture filters in libpcap's language, checked before anything is opened.
//!
//! libpcap takes every word that it does not know for the name of a host, and asks the resolver: network traffic of our own,
//! to a stranger, while somebody types. So the words are read here first, and one that may stand for a name is refused.
//! Where libpcap's scanner would see a word we must see it too; where the two differ, ours refuses more.

use core::net::{Ipv4Addr, Ipv6Addr};
use core::ops::Range;

use pcap::{Capture, Linktype};

use super::record_error::plain;
use crate::model::{LinkType, clean_to};

/// The longest filter, in bytes: libpcap's optimiser takes longer than linear time, and nobody types this much.
const MAX_FILTER: usize = 16 << 10;

/// How many shorter texts are compiled to find where an error begins.
const MAX_PREFIXES: usize = 200;

/// What is wrong with a capture filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct FilterFault {
    /// What is wrong, and what to do.
    pub what: String,
    /// Where it stands, in bytes of the text.
    pub range: Range<usize>,
}

/// Compiles a filter for a link type. Names of hosts are refused: looking them up would be network traffic of our own.
pub fn check_filter(text: &str, link: LinkType) -> Result<(), FilterFault> {
    if text.len() > MAX_FILTER {
        let what = format!("the filter is longer than {} KiB", MAX_FILTER >> 10);
        return Err(FilterFault { what, range: MAX_FILTER..text.len() });
    }
    let tokens = tokens(text)?;
    refuse_names(text, &tokens)?;
    let dead = Capture::dead(Linktype(dlt(link)))
        .map_err(|error| FilterFault { what: plain(&error), range: 0..text.len() })?;
    let Err(error) = dead.compile(text, true) else { return Ok(()) };
    Err(fault(text, &tokens, &plain(&error), |prefix| dead.compile(prefix, false).is_ok()))
}

/// The number by which libpcap itself knows a link type; in files some have another.
pub(super) fn dlt(link: LinkType) -> i32 {
    match link {
        LinkType::RAW | LinkType::IPV4 | LinkType::IPV6 => 12,
        LinkType(other) => i32::from(other),
    }
}

/// What libpcap's words point at.
fn fault(text: &str, tokens: &[Token], error: &str, compiles: impl Fn(&str) -> bool) -> FilterFault {
    if let Some(what) = error.strip_prefix("can't parse filter expression: ") {
        let start = tokens
            .iter()
            .rev()
            .take(MAX_PREFIXES)
            .find(|token| {
                text.get(..token.range.start).is_some_and(|prefix| !prefix.trim().is_empty() && compiles(prefix))
            })
            .map_or(0, |token| token.range.start);
        let what =
            if what == "syntax error" { "this is not understood, or something is missing after it" } else { what };
        return FilterFault { what: what.to_owned(), range: start..text.trim_end().len().max(start) };
    }
    // unknown port 'htttp', unknown ether proto 'x', illegal port number 99999 > 65535
    let named = error.split_once('\'').and_then(|(_, rest)| rest.split_once('\'')).map(|(name, _)| name);
    let range = tokens
        .iter()
        .filter(|token| token.kind != TokenKind::Sign)
        .find(|token| {
            let word = text.get(token.range.clone()).unwrap_or_default();
            let bare = word.strip_prefix('\\').unwrap_or(word);
            named.map_or_else(
                || !is_keyword(bare) && error.split([' ', '"', ',', ':']).any(|part| part == bare),
                |name| bare == name,
            )
        })
        .map_or(0..text.len(), |token| token.range.clone());
    FilterFault { what: clean_to(error.as_bytes(), 200).into_owned(), range }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenKind {
    /// A word that may be a keyword or a name.
    Word,
    /// A word after a backslash, which makes it a name even where it is a keyword.
    Escaped,
    /// A number, or an address of any kind.
    Number,
    /// Anything else: one character.
    Sign,
}

#[derive(Clone, Debug)]
struct Token {
    kind: TokenKind,
    range: Range<usize>,
}

/// Cuts a filter into what libpcap's scanner sees as words, numbers and signs.
fn tokens(text: &str) -> Result<Vec<Token>, FilterFault> {
    let mut tokens = Vec::new();
    let mut at = 0_usize;
    while let Some(rest) = text.get(at..) {
        let Some(first) = rest.chars().next() else { break };
        let mut add = |kind, len: usize| {
            tokens.push(Token { kind, range: at..at.saturating_add(len) });
            at = at.saturating_add(len);
        };
        match first {
            ' ' | '\t' | '\n' | '\r' => at = at.saturating_add(1),
            '\\' => {
                let end = rest.find([' ', '!', '(', ')', '\n', '\t']).unwrap_or(rest.len());
                add(TokenKind::Escaped, end);
            }
            c if !c.is_ascii() || c.is_ascii_control() => {
                let what = "capture filters know no such character".to_owned();
                return Err(FilterFault { what, range: at..at.saturating_add(c.len_utf8()) });
            }
            c => {
                let address = address_len(rest);
                if address > 0 {
                    add(TokenKind::Number, address);
                } else if c.is_ascii_alphanumeric() {
                    let run = rest.find(|c: char| !in_word(c)).unwrap_or(rest.len());
                    let word = rest.get(..run).unwrap_or_default().trim_end_matches(['-', '_']);
                    add(if is_number(word) { TokenKind::Number } else { TokenKind::Word }, word.len());
                } else {
                    add(TokenKind::Sign, 1);
                }
            }
        }
    }
    Ok(tokens)
}

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// The length of the address with colons that a text begins with (MAC or IPv6), or 0.
fn address_len(rest: &str) -> usize {
    let run = rest.find(|c: char| !(c.is_ascii_hexdigit() || matches!(c, ':' | '.'))).unwrap_or(rest.len());
    let (Some(address), after) = (rest.get(..run), rest.get(run..).and_then(|after| after.chars().next())) else {
        return 0;
    };
    let good = address.contains(':')
        && !after.is_some_and(in_word)
        && (is_mac(address, ':') || address.parse::<Ipv6Addr>().is_ok());
    if good { run } else { 0 }
}

/// Six groups of one or two hexadecimal digits.
fn is_mac(word: &str, between: char) -> bool {
    word.split(between).count() == 6 && word.split(between).all(|group| is_hex(group, 1, 2))
}

fn is_hex(text: &str, min: usize, max: usize) -> bool {
    (min..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether a word is a number, a whole or cut IPv4 address, or a MAC address with dashes or dots.
fn is_number(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit());
    let hex = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
    digits(word)
        || hex.is_some_and(|hex| is_hex(hex, 1, 16))
        || word.parse::<Ipv4Addr>().is_ok()
        || (word.split('.').count() <= 4 && word.split('.').all(digits))
        || is_mac(word, '-')
        || is_mac(word, '.')
        || (word.split('.').count() == 3 && word.split('.').all(|group| is_hex(group, 4, 4)))
}

/// Refuses every word that libpcap would look up.
fn refuse_names(text: &str, tokens: &[Token]) -> Result<(), FilterFault> {
    // `port http or https`: a bare word takes the qualifier of the one before it. Any other keyword ends that.
    let mut named = false;
    let mut once = false;
    for token in tokens {
        let word = text.get(token.range.clone()).unwrap_or_default();
        match token.kind {
            // `port (http or https)` goes on; what stands after a bracket has closed is not asked about.
            TokenKind::Sign => named = named && matches!(word, "(" | "!" | "&" | "|"),
            TokenKind::Number => {}
            TokenKind::Word | TokenKind::Escaped if named && !is_keyword(word) => named = !once,
            TokenKind::Word if NAMED.contains(&word) => (named, once) = (true, false),
            TokenKind::Word if NAMED_ONCE.contains(&word) => (named, once) = (true, true),
            TokenKind::Word if named && matches!(word, "and" | "or" | "not") => {}
            TokenKind::Word if KEYWORDS.contains(&word) => named = false,
            TokenKind::Word | TokenKind::Escaped => return Err(name_refused(word, token.range.clone())),
        }
    }
    Ok(())
}

fn is_keyword(word: &str) -> bool {
    KEYWORDS.contains(&word) || NAMED.contains(&word) || NAMED_ONCE.contains(&word)
}

fn name_refused(word: &str, range: Range<usize>) -> FilterFault {
    let shown = clean_to(word.as_bytes(), 60);
    let lower = word.to_ascii_lowercase();
    let what = if word != lower && is_keyword(&lower) {
        format!("capture filters are written in small letters: {lower}")
    } else if word.starts_with('\\') {
        format!(
            "{shown} would be looked up here: after a backslash stands the name of a protocol, as in: ip proto \\tcp"
        )
    } else {
        format!(
            "{shown} is no word of capture filters. If it is the name of a host or network, write its address: \
             looking names up would send traffic of our own"
        )
    };
    FilterFault { what, range }
}

/// Keywords after which a name is looked up in a table of this machine or of libpcap, never in the network.
const NAMED: &[&str] = &["port", "portrange", "proto", "protochain"];

/// The same for one word only: the next bare word would be a host's.
const NAMED_ONCE: &[&str] = &["type", "subtype", "direction", "dir", "ifname", "on"];

/// The other keywords of libpcap 1.10 (pcap-filter(7)).
#[rustfmt::skip]
const KEYWORDS: &[&str] = &[
    "dst", "src", "link", "ether", "ppp", "slip", "fddi", "tr", "wlan", "arp", "rarp", "ip", "sctp", "tcp", "udp", "icmp",
    "igmp", "igrp", "pim", "vrrp", "carp", "radio", "ip6", "icmp6", "ah", "esp", "atalk", "aarp", "decnet", "lat", "sca",
    "moprc", "mopdl", "iso", "esis", "es-is", "isis", "is-is", "l1", "l2", "iih", "lsp", "snp", "csnp", "psnp", "clnp",
    "stp", "ipx", "netbeui", "host", "net", "mask", "netmask", "gateway", "address1", "addr1", "address2", "addr2",
    "address3", "addr3", "address4", "addr4", "ra", "ta", "less", "greater", "byte", "broadcast", "multicast", "and", "or",
    "not", "len", "length", "inbound", "outbound", "ifindex", "vlan", "mpls", "pppoed", "pppoes", "geneve", "lane", "llc",
    "metac", "bcc", "oam", "oamf4", "oamf4ec", "oamf4sc", "sc", "ilmic", "vpi", "vci", "connectmsg", "metaconnect",
    "rset", "ruleset", "rnr", "rulenum", "srnr", "subrulenum", "reason", "action", "fisu", "lssu", "lsu", "msu", "hfisu",
    "hlssu", "hmsu", "sio", "opc", "dpc", "sls", "hsio", "hopc", "hdpc", "hsls", "icmptype", "icmpcode", "icmp-echoreply",
    "icmp-unreach", "icmp-sourcequench", "icmp-redirect", "icmp-echo", "icmp-routeradvert", "icmp-routersolicit",
    "icmp-timxceed", "icmp-paramprob", "icmp-tstamp", "icmp-tstampreply", "icmp-ireq", "icmp-ireqreply", "icmp-maskreq",
    "icmp-maskreply", "icmp6type", "icmp6code", "icmp6-destinationunreach", "icmp6-packettoobig", "icmp6-timeexceeded",
    "icmp6-parameterproblem", "icmp6-echo", "icmp6-echoreply", "icmp6-multicastlistenerquery",
    "icmp6-multicastlistenerreportv1", "icmp6-multicastlistenerdone", "icmp6-routersolicit", "icmp6-routeradvert",
    "icmp6-neighborsolicit", "icmp6-neighboradvert", "icmp6-redirect", "icmp6-multicastlistenerreportv2", "tcpflags",
    "tcp-fin", "tcp-syn", "tcp-rst", "tcp-push", "tcp-ack", "tcp-urg", "tcp-ece", "tcp-cwr",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks what is refused: the marked part of the text, and a piece of the words.
    #[track_caller]
    fn check(text: &str, part: &str, words: &str) {
        let fault = check_filter(text, LinkType::ETHERNET).unwrap_err();
        assert_eq!((text.get(fault.range.clone()), fault.what.contains(words)), (Some(part), true), "{fault:?}");
    }

    #[track_caller]
    fn good(text: &str) {
        assert_eq!(check_filter(text, LinkType::ETHERNET), Ok(()), "{text}");
    }

    #[test]
    fn what_people_type_compiles() {
        for text in [
            "",
            "  ",
            "tcp",
            "tcp port 80 or tcp port 443",
            "port http or https",
            "port (http or https) and not udp",
            "tcp and not port ssh",
            "portrange 8000-8100",
            "host 192.0.2.1 and (udp port 53 || tcp port 53)",
            "net 192.168 or net 10.0.0.0/8 or net 198.18.0.0 mask 255.254.0.0",
            "ip6 host 2001:db8::1 or net fe80::/10 or host ::1",
            "ether host 00:11:22:aa:bb:cc or ether dst 0-1-2-aa-bb-cc or ether src 0011.22aa.bbcc",
            "tcp[tcpflags] & (tcp-syn|tcp-ack) != 0",
            "tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420",
            "ip[6:2] & 0x1fff = 0 && !icmp",
            "icmp[icmptype] == icmp-echo or icmp6[icmp6type] == icmp6-echo",
            "ip proto \\tcp or ether proto \\arp",
            "ether proto 0x88cc",
            "vlan 100 and mpls and ip broadcast or greater 100",
            "src 10.0.0.1 and dst net 10.0.1",
        ] {
            good(text);
        }
    }

    #[test]
    fn names_of_hosts_are_never_looked_up() {
        check("host www.example.com", "www.example.com", "write its address");
        check("tcp and example", "example", "write its address");
        check("port 80 or host evil.example", "evil.example", "write its address");
        check("port 80 and src x.example", "x.example", "write its address");
        check("(port http) or x.example", "x.example", "write its address");
        check("gateway router", "router", "write its address");
        check("net loopback", "loopback", "write its address");
        check("ether host station", "station", "write its address");
        check("host 1.2.3.4.5", "1.2.3.4.5", "write its address");
        check("len-5 > 3", "len-5", "write its address");
        check("host \\tcp", "\\tcp", "name of a protocol");
        check("host dead:beef", "dead", "write its address");
        check("host fe80::1foo", "fe80", "write its address");
        check("host 001122aabbcg", "001122aabbcg", "write its address");
        check("TCP port 80", "TCP", "small letters: tcp");
    }

    #[test]
    fn errors_point_at_what_is_wrong() {
        check("tcp port htttp", "htttp", "unknown port");
        check("port http or htttp", "htttp", "unknown port");
        check("tcp port 99999", "99999", "illegal port number");
        check("portrange ftp-data-ftp", "ftp-data-ftp", "unknown port in range");
        check("ip proto \\foo", "\\foo", "unknown ip proto");
        check("tcp and", "and", "something is missing");
        check("tcp port 80 and (udp", "and (udp", "something is missing");
        check("tcp 80 80 or udp", "80 80 or udp", "");
        check("tcp = ", "= ".trim(), "");
        check("host 192.0.2.1 ü", "ü", "no such character");
        check("tcp\0", "\0", "no such character");
        let long = format!("tcp{}", " or tcp".repeat(4_000));
        check(&long, long.get(MAX_FILTER..).unwrap(), "longer than 16 KiB");
    }

    #[test]
    fn a_link_type_that_libpcap_does_not_know_is_said() {
        assert!(check_filter("tcp", LinkType::RAW).is_ok());
        assert!(check_filter("tcp", LinkType::LINUX_SLL).is_ok());
        assert!(check_filter("tcp", LinkType(65_000)).is_err());
    }

    /// Whatever is let through, libpcap asks nobody. Should this fail, then it has just asked for `zz`.
    #[test]
    fn no_order_of_words_leads_to_a_lookup() {
        let words: Vec<&str> =
            "port proto protochain portrange type subtype dir ifname host net gateway src dst ether ip tcp \
            zz zz zz \\zz and or not ( ) ! && || 80 6 1.2.3.4 / [ ] : = < wlan mask on action"
                .split_whitespace()
                .collect();
        let dead = Capture::dead(Linktype(1)).unwrap();
        let (mut seed, mut let_through) = (1_u64, 0);
        for _ in 0..60_000 {
            let mut text = String::new();
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let mut rest = usize::try_from(seed >> 8).unwrap();
            for _ in 0..(seed >> 60).max(2) {
                text.push_str(words[rest % words.len()]);
                text.push(' ');
                rest = rest.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7;
            }
            if refuse_names(&text, &tokens(&text).unwrap()).is_ok() {
                let_through += 1;
                let said = dead.compile(&text, false).err().map(|error| error.to_string()).unwrap_or_default();
                assert!(!said.contains("unknown host") && !said.contains("unknown network"), "{text}: {said}");
            }
        }
        assert!(let_through > 5_000, "{let_through}");
    }

    /// A keyword that the linked libpcap does not know would be looked up as a name.
    #[test]
    fn the_keywords_are_those_of_libpcap() {
        let dead = Capture::dead(Linktype(1)).unwrap();
        for word in KEYWORDS.iter().chain(NAMED).chain(NAMED_ONCE) {
            if let Err(error) = dead.compile(word, false) {
                assert!(!error.to_string().contains("unknown host"), "{word}: {error}");
            }
        }
    }
}
