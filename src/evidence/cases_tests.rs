//! Every signature of the built-in pack against values made from it: what it must match and what it must let go.

use std::collections::BTreeMap;

use super::{Trials, pack};

/// Signatures that cannot be tried, each with the reason. A row that is not here and has no case fails the test.
const NOT_TRIED: &[(&str, &str)] = &[
    ("generic-software.computed.etag-s3-etag-md5", MD5),
    ("microsoft-azure.ip-range-ref.feed-azure-service-tags-appservice", FEED),
    ("apple.ip-range-ref.feed-icloud-private-relay-egress", FEED),
    ("google.ip-range-ref.feed-goog-json-minus-feed-gcp-cloud-json", FEED),
    ("oracle-oci.ip-range-ref.feed-oci-public-ip-ranges-object-storage", FEED),
    ("linode.ip-range-ref.feed-linode-geofeed", FEED),
    ("gcore.ip-range-ref.feed-gcore-public-ip-list", FEED),
    ("zscaler.ip-range-ref.feed-zscaler-cenr", FEED),
    ("amazon-aws.body-regex.code-nosuchkey-accessdenied-nosuchbucket", BODY),
    ("amazon-aws.body-regex.generated-by-cloudfront-cloudfront", BODY),
];
const MD5: &str = "its value is the MD5 of a body: see the tests of computed.rs and readings_tests.rs";
const FEED: &str = "the feed is not among the sources of assets/addresses: no block of the table has this label";
const BODY: &str = "it looks into a body: see readings_tests.rs";

#[test]
fn every_signature_has_cases() {
    let mut trials = Trials::default();
    let mut counts: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (number, s) in (0_u16..).zip(pack().signatures) {
        let trial = trials.of(number);
        let count = counts.entry(s.kind.word()).or_default();
        count[0] += 1;
        count[1] += trial.matched;
        count[2] += trial.let_go;
        wrong.extend(trial.failures.iter().take(3).map(|f| format!("{}: {f}", s.id)));
        let excuse = NOT_TRIED.iter().find(|(id, _)| *id == s.id);
        let excused = excuse.is_some();
        if let Some((id, why)) = excuse {
            println!("not tried: {id}: {why}");
        }
        let tried = trial.matched > 0 && trial.let_go > 0;
        if excused {
            count[3] += 1;
        }
        if tried == excused {
            wrong.push(format!("{}: tried {tried}, excused {excused}, {:?}", s.id, trial.left_out));
        }
    }
    for (kind, [signatures, matched, let_go, not_tried]) in &counts {
        println!(
            "{kind:<22} {signatures:>4} signatures, {matched:>5} matched, {let_go:>5} let go, {not_tried} not tried"
        );
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}
