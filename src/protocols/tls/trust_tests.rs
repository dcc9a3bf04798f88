//! Chains of our own, and two real ones, against lists of roots.

use ahash::HashMap;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::certificate::{Asked, CertificateCache, Limits, chain};
use super::roots::Roots;
use super::trust::Verifier;
use crate::model::{Budget, ChainStanding, Timestamp, Trust};

const CHAINS: &str = include_str!("../../../tests/captures/chains.json");

fn sent(label: &str) -> Vec<Vec<u8>> {
    let all: HashMap<String, Vec<String>> = serde_json::from_str(CHAINS).unwrap();
    all[label].iter().map(|text| BASE64_STANDARD.decode(text).unwrap()).collect()
}

fn message(ders: &[Vec<u8>]) -> Vec<u8> {
    let part = |body: &[u8]| [&u32::try_from(body.len()).unwrap().to_be_bytes()[1..], body].concat();
    part(&ders.iter().flat_map(|d| part(d)).collect::<Vec<u8>>())
}

/// Midday of a date.
fn at(day: &str) -> Timestamp {
    let moment: jiff::Timestamp = format!("{day}T12:00:00Z").parse().unwrap();
    Timestamp::from_parts(moment.as_second(), 0)
}

/// Lists of which the second, of 2026, has our root, and the first, of 2012, has not.
fn own_lists() -> &'static Roots {
    let root = &sent("root")[0];
    let body = BASE64_STANDARD.encode(root);
    let text = format!(
        "lists 2010-02-01 2012-01-01 2026-01-01\nin 0 2\n-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
    );
    Box::leak(Box::new(Roots::read(&text)))
}

fn judged(ders: &[Vec<u8>], name: &str, day: &str, cache: &mut CertificateCache, limits: &Budget) -> Trust {
    let name = (!name.is_empty()).then_some(name.as_bytes());
    let asked = Asked { name, time: at(day) };
    let chain = chain(&message(ders), false, Limits::new(limits), Some(asked), cache);
    chain.trust.unwrap().as_ref().clone()
}

/// Against lists that have our root.
#[track_caller]
fn check(label: &str, name: &str, day: &str, want: ChainStanding) -> Trust {
    let mut cache = CertificateCache::with_verifier(Verifier::new(own_lists()));
    let trust = judged(&sent(label), name, day, &mut cache, &Budget::default());
    assert_eq!(trust.standing, want, "{label} {name} {day}: {}", trust.sentence());
    trust
}

/// Against Mozilla's lists.
#[track_caller]
fn public(label: &str, name: &str, day: &str, want: ChainStanding) -> Trust {
    let trust = judged(&sent(label), name, day, &mut CertificateCache::default(), &Budget::default());
    assert_eq!(trust.standing, want, "{label} {name} {day}: {}", trust.sentence());
    trust
}

const SITE: &str = "www.example.com";
const NOW: &str = "2026-06-15";

#[test]
fn a_chain_up_to_a_root_is_verified() {
    for label in ["good", "good-with-root", "rsa-sha512", "pss", "p384", "ed25519"] {
        let trust = check(label, SITE, NOW, ChainStanding::Verified);
        assert_eq!(trust.root.unwrap().name, "Example Root", "{label}");
    }
    check("good", "a.shop.example.com", NOW, ChainStanding::Verified);
    check("good", "www.example.com.", NOW, ChainStanding::Verified);
    assert!(!check("good", "", NOW, ChainStanding::Verified).named);
    check("no-alternative-name", SITE, NOW, ChainStanding::Verified);
}

#[test]
fn what_is_wrong_with_a_chain_is_said() {
    check("good", "www.example.org", NOW, ChainStanding::WrongName);
    check("good", "a.b.shop.example.com", NOW, ChainStanding::WrongName);
    assert!(check("expired", SITE, NOW, ChainStanding::Expired).root.is_some());
    check("good", SITE, "2025-05-31", ChainStanding::NotYetValid);
    check("self-signed", SITE, NOW, ChainStanding::SelfSigned);
    let missing = check("no-issuer", SITE, NOW, ChainStanding::NoIssuer);
    assert_eq!(missing.authority.as_deref(), Some("Example Issuing"));
    let unknown = check("guard-own", "intranet.example.com", NOW, ChainStanding::UnknownRoot);
    assert_eq!(unknown.authority.as_deref(), Some("Example Guard CA"));
    check("bad-signature", SITE, NOW, ChainStanding::BadSignature);
    check("not-a-ca", SITE, NOW, ChainStanding::Unfit);
    check("for-clients", SITE, NOW, ChainStanding::Unfit);
    check("p521", SITE, NOW, ChainStanding::Unsupported);
}

#[test]
fn what_counted_once_does_not_count_for_ever() {
    check("sha1", SITE, "2010-03-15", ChainStanding::Verified);
    check("sha1", SITE, NOW, ChainStanding::Weak);
    check("short-key", SITE, "2010-03-15", ChainStanding::Verified);
    check("short-key", SITE, NOW, ChainStanding::Weak);
    // The list of 2012 has not got the root, and neither list around 2011 is that of 2026.
    check("sha1", SITE, "2010-03-15", ChainStanding::Verified);
}

#[test]
fn a_root_of_other_lists_is_called_that() {
    // A root that is valid and in a list, but in none of those around the time.
    let root = &sent("root")[0];
    let body = BASE64_STANDARD.encode(root);
    let text = format!(
        "lists 2010-02-01 2012-01-01 2013-01-01 2026-01-01\nin 3\n-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
    );
    let lists = Box::leak(Box::new(Roots::read(&text)));
    let mut cache = CertificateCache::with_verifier(Verifier::new(lists));
    let trust = judged(&sent("sha1"), SITE, "2012-06-15", &mut cache, &Budget::default());
    assert_eq!(trust.standing, ChainStanding::RootOfOtherTime);
    assert!(trust.sentence().contains("Example Root"));
}

#[test]
fn no_bytes_of_a_chain_may_change() {
    let good = sent("good");
    let lists = own_lists();
    // A sample of places: each certificate's every 37th byte.
    for (which, der) in good.iter().enumerate() {
        for at in (0..der.len()).step_by(37) {
            let mut ders = good.clone();
            ders[which][at] ^= 0x20;
            let mut cache = CertificateCache::with_verifier(Verifier::new(lists));
            let trust = judged(&ders, SITE, NOW, &mut cache, &Budget::default());
            assert_ne!(trust.standing, ChainStanding::Verified, "certificate {which}, byte {at}");
        }
    }
}

#[test]
fn a_cut_chain_is_called_that() {
    let mut cache = CertificateCache::with_verifier(Verifier::new(own_lists()));
    let one = Budget { chain_certificates: 1, ..Budget::default() };
    assert_eq!(judged(&sent("good"), SITE, NOW, &mut cache, &one).standing, ChainStanding::Cut);
}

#[test]
fn past_the_limit_chains_are_not_checked_and_known_ones_still_are() {
    let mut cache = CertificateCache::with_verifier(Verifier::new(own_lists()));
    let two = Budget { verified_chains: 2, ..Budget::default() };
    let mut standing = |label| judged(&sent(label), SITE, NOW, &mut cache, &two).standing;
    assert_eq!(standing("good"), ChainStanding::Verified);
    assert_eq!(standing("self-signed"), ChainStanding::SelfSigned);
    assert_eq!(standing("p384"), ChainStanding::NotChecked);
    assert_eq!(standing("good"), ChainStanding::Verified);
}

#[test]
fn real_chains_lead_to_the_roots_of_their_time() {
    let trust = public("public-2015", "www.cryptography.io", "2016-06-15", ChainStanding::Verified);
    let root = trust.root.unwrap();
    assert_eq!(root.name, "GeoTrust Global CA");
    // Symantec's authorities left the list in 2020 and 2021: no attack on who used them in 2016.
    assert!(root.lists().contains("not in today's"), "{}", root.lists());
    public("public-2015", "www.cryptography.io", "2026-06-15", ChainStanding::Expired);
    public("public-2015", "www.example.com", "2016-06-15", ChainStanding::WrongName);
    let trust = public("public-2018", "cryptography.io", "2018-11-01", ChainStanding::Verified);
    assert_eq!(trust.root.as_ref().unwrap().name, "DST Root CA X3");
    assert!(!trust.list_words().contains("off"));
    assert!(public("public-2015", "www.cryptography.io", "2032-01-01", ChainStanding::Expired).is_undated());
}

#[test]
fn no_outcome_depends_on_what_was_checked_before() {
    let days = ["2011-01-01", "2012-06-01", "2017-06-01", "2023-06-01", "2024-01-02", "2026-06-15", "2031-01-01"];
    let labels = ["good", "expired", "sha1", "short-key", "guard-own", "self-signed"];
    let lists = own_lists();
    let mut shared = CertificateCache::with_verifier(Verifier::new(lists));
    for day in days.iter().chain(days.iter().rev()) {
        for label in labels {
            let mut alone = CertificateCache::with_verifier(Verifier::new(lists));
            let (first, second) = (
                judged(&sent(label), SITE, day, &mut shared, &Budget::default()),
                judged(&sent(label), SITE, day, &mut alone, &Budget::default()),
            );
            assert_eq!(first, second, "{label} {day}");
        }
    }
}
