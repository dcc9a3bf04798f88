//! Whether what a claim shows is what bytes and records give, around what was hidden.
//!
//! Comes in: texts and answers of a claim, with placeholders. Goes out: whether they fit, or the first that does not.
//! Never: trust in a placeholder: it stands for bytes, or for nothing.

use super::claim::{AnswerClaim, Callout, ExchangeClaim, PieceClaim, lossy};
use super::redact::{is_code, lowered};
use super::secrets::{SecretKind, un_hex};
use crate::evidence::pack;
use crate::model::{Grade, Supports, clean_to};

/// Characters of a text that a difference quotes.
const QUOTED_CHARS: usize = 200;

/// What the claim says, and what is there instead.
pub(super) type Difference = (String, String);

/// Whether a text of the claim is this one. Placeholders stand for one character or more, where anything was hidden at all.
pub(super) fn is_shown(shown: &str, there: &[u8], redacted: bool) -> bool {
    let there = lossy(there);
    shown == there || redacted && around_placeholders(shown, &there)
}

/// The same for texts that may be missing.
pub(super) fn is_shown_or_missing(shown: Option<&str>, there: Option<&[u8]>, redacted: bool) -> bool {
    match (shown, there) {
        (Some(shown), Some(there)) => is_shown(shown, there, redacted),
        (None, None) => true,
        _ => false,
    }
}

fn around_placeholders(shown: &str, there: &str) -> bool {
    let mut literals = vec![String::new()];
    let mut rest = shown;
    while let Some(c) = rest.chars().next() {
        if let Some((_, len)) = placeholder(rest) {
            literals.push(String::new());
            rest = rest.get(len..).unwrap_or_default();
            continue;
        }
        if let Some(last) = literals.last_mut() {
            last.push(c);
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    let [first, between @ .., last] = literals.as_slice() else { return false };
    let Some(mut rest) = there.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str())) else {
        return false;
    };
    // Each literal at its first place leaves the most for those behind it.
    let after_one = |text: &str| text.chars().next().map(char::len_utf8);
    for literal in between {
        let found = after_one(rest).and_then(|one| Some(one + rest.get(one..)?.find(literal.as_str())?));
        let Some(tail) = found.and_then(|at| rest.get(at + literal.len()..)) else { return false };
        rest = tail;
    }
    !rest.is_empty()
}

/// The placeholder that a text begins with: what it hides, and its length.
fn placeholder(text: &str) -> Option<(SecretKind, usize)> {
    let inside = text.strip_prefix('‹')?;
    let (inside, _) = inside.split_once('›')?;
    let (word, code) = inside.rsplit_once(' ')?;
    let kind = SecretKind::named(word).filter(|_| is_code(code))?;
    Some((kind, inside.len() + '‹'.len_utf8() + '›'.len_utf8()))
}

/// What is wrong with a callout in itself: its text must be what its own pieces or bytes give.
pub(super) fn unsound(callout: &Callout, redacted: bool) -> Option<Difference> {
    let differs = |there: String| Some((quoted(&callout.text), there));
    if callout.pieces.is_empty() {
        if callout.sha256.is_some() || callout.proof_hidden {
            return differs("nothing that is hidden, though the claim says so".to_owned());
        }
        let Some(digits) = &callout.hex else { return None };
        let bytes = bytes_of(digits).unwrap_or_default();
        return if lossy(&bytes) == callout.text { None } else { differs(quoted(&lossy(&bytes))) };
    }
    if !redacted || callout.hex.is_some() || callout.sha256.is_none() {
        return differs("hidden bytes in a claim that hides none of them".to_owned());
    }
    let mut rest = callout.text.as_str();
    let (mut hides, mut proves) = (false, false);
    for piece in &callout.pieces {
        let tail = match piece {
            PieceClaim::Text(text) => rest.strip_prefix(text.as_str()),
            PieceClaim::Hex(digits) => bytes_of(digits).and_then(|bytes| rest.strip_prefix(lossy(&bytes).as_str())),
            PieceClaim::Hidden(0) => None,
            PieceClaim::Hidden(_) => placeholder(rest).and_then(|(kind, len)| {
                (hides, proves) = (true, proves || kind.may_prove());
                rest.get(len..)
            }),
        };
        let Some(tail) = tail else { return differs(pieces_in_words(&callout.pieces)) };
        rest = tail;
    }
    if rest.is_empty() && hides && (callout.proof_hidden || !proves) {
        None
    } else {
        differs(pieces_in_words(&callout.pieces))
    }
}

fn pieces_in_words(pieces: &[PieceClaim]) -> String {
    let words = pieces.iter().map(|piece| match piece {
        PieceClaim::Text(text) => text.clone(),
        PieceClaim::Hex(digits) => digits.clone(),
        PieceClaim::Hidden(len) => format!("‹{len} bytes›"),
    });
    quoted(&words.collect::<String>())
}

/// The bytes of hexadecimal digits; `None` where they are none.
fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    let sound = digits.len().is_multiple_of(2) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    sound.then(|| un_hex(digits.as_bytes()))
}

/// What is wrong with the answers of a claim in themselves: names are those of the pack, and a grade is the one before
/// redaction, or one step lower where a line that speaks for the answer lost what may prove it.
pub(super) fn unsound_answers(claim: &ExchangeClaim) -> Option<Difference> {
    let verdict = &claim.verdict;
    let name_of = |id: &str| {
        let provider = pack().provider_named(id).and_then(|provider| pack().provider(provider));
        provider.map_or("", |p| p.name)
    };
    let is_service = |a: &AnswerClaim| pack().services.iter().any(|s| s.id == a.id && s.name == a.name);
    let named = |a: &Option<AnswerClaim>, fits: &dyn Fn(&AnswerClaim) -> bool| {
        a.as_ref().filter(|a| !fits(a)).map(|a| (quoted(&a.name), format!("another name for {}", quoted(&a.id))))
    };
    let first_party = |a: &Option<AnswerClaim>| a.as_ref().and_then(|a| a.first_party.clone());
    named(&verdict.operator, &|a| name_of(&a.id) == a.name)
        .or_else(|| named(&verdict.product, &is_service))
        .or_else(|| named(&verdict.role, &|a| a.id == a.name))
        .or_else(|| named(&verdict.tenant, &|a| a.id == a.name))
        .or_else(|| {
            let answers = [&verdict.operator, &verdict.product, &verdict.role];
            let party = answers.into_iter().find_map(first_party)?;
            Some((quoted(&party), "an answer that has no first party".to_owned()))
        })
        .or_else(|| unsound_grades(claim))
}

fn unsound_grades(claim: &ExchangeClaim) -> Option<Difference> {
    let verdict = &claim.verdict;
    let graded = [
        (Supports::OPERATOR, &verdict.operator),
        (Supports::PRODUCT, &verdict.product),
        (Supports::ROLE, &verdict.role),
        (Supports::TENANT, &verdict.tenant),
    ];
    let answers = graded.into_iter().filter_map(|(of, a)| {
        let answer = a.as_ref()?;
        Some((of, answer.grade.as_str(), answer.grade_unredacted.as_deref()))
    });
    let whole = verdict.grade.as_deref().map(|grade| (Supports::OPERATOR, grade, verdict.grade_unredacted.as_deref()));
    answers.chain(whole).find_map(|(of, shown, before)| {
        let speaks = |c: &Callout| of.words().all(|word| c.supports.iter().any(|s| s == word));
        let hidden = claim.callouts.iter().any(|c| c.proof_hidden && speaks(c));
        let was = grade_named(before.unwrap_or(shown));
        let is = was.map(|was| if hidden { lowered(was) } else { was });
        let told = is.is_some_and(|is| is.word() == shown) && before.is_none_or(|before| before != shown);
        // Without a grade from before there must have been no step to take.
        let there = is.map_or("a grade that there is not", Grade::word);
        (!told).then(|| (quoted(shown), there.to_owned()))
    })
}

fn grade_named(word: &str) -> Option<Grade> {
    use Grade as G;
    [G::Contradicted, G::NameOnly, G::Suggests, G::Supports, G::Conclusive].into_iter().find(|g| g.word() == word)
}

fn quoted(text: &str) -> String {
    clean_to(text.as_bytes(), QUOTED_CHARS).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(shown: &str, there: &str, want: bool) {
        assert_eq!(is_shown(shown, there.as_bytes(), true), want, "{shown} for {there}");
    }

    #[test]
    fn placeholders_stand_for_bytes() {
        check("/a?sig=‹signature K4T›&x=1", "/a?sig=abc&x=1", true);
        check("‹word ABC›", "anything", true);
        check("‹word ABC›‹word ABD›x", "abx", true);
        check("‹e-mail ABC›/‹cookie ABC›", "a/b/c", true);
        check("/a?sig=‹signature K4T›&x=1", "/a?sig=&x=1", false);
        check("/a?sig=‹signature K4T›&x=2", "/a?sig=abc&x=1", false);
        check("‹word ABC›‹word ABD›x", "ax", false);
        check("‹›", "anything", false);
        check("‹word abc›", "anything", false);
        check("‹secret ABC›", "anything", false);
        check("forged‹›", "honest", false);
    }

    #[test]
    fn without_redaction_a_placeholder_is_a_text_like_any_other() {
        assert!(!is_shown("‹word ABC›", b"anything", false));
        assert!(is_shown("‹word ABC›", "‹word ABC›".as_bytes(), false));
    }
}
