//! Every signature of the built-in pack against values made from it: what it must match and what it must let go.

use std::collections::BTreeMap;

use super::{Kind, Trials, pack};

/// Signatures that cannot be tried, each with the reason. A row that is not here and has no case fails the test.
const NOT_TRIED: &[(&str, &str)] = &[];

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
        let excused = s.kind == Kind::BodyRegex || NOT_TRIED.iter().any(|(id, _)| *id == s.id);
        let tried = trial.matched > 0 && trial.let_go > 0;
        if excused {
            count[3] += 1;
        }
        if tried == excused {
            wrong.push(format!("{}: tried {tried}, excused {excused}, {:?}", s.id, trial.left_out));
        }
    }
    for (kind, [signatures, matched, let_go, not_tried]) in &counts {
        println!("{kind:<22} {signatures:>4} signatures, {matched:>5} matched, {let_go:>5} let go, {not_tried} not tried");
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}
