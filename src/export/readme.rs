//! The bundle's text for somebody who has never heard of this program.

use std::fmt::Write as _;

use super::claim::Claim;
use crate::model::clean_to;

/// Callouts that are listed; the claim has all.
const MOST_LINES: usize = 200;
/// Characters of a line that are quoted.
const LINE_CHARS: usize = 300;

/// Writes it. Lines end as they do on every system's editor.
pub(super) fn readme(claim: &Claim, picture: Option<&str>) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _never = write_all(&mut out, claim, picture);
    out
}

fn write_all(out: &mut String, claim: &Claim, picture: Option<&str>) -> std::fmt::Result {
    let name = clean_to(claim.capture.name.as_bytes(), 120);
    writeln!(out, "WHAT THIS IS\n")?;
    writeln!(
        out,
        "A picture of network traffic that can be checked. Somebody recorded what a program sent and received"
    )?;
    writeln!(out, "(a capture, here {name}) and quotes lines of it that show whose servers answered.")?;
    writeln!(
        out,
        "You do not have to believe the picture: every quoted line has a place, and can be looked up there.\n"
    )?;
    if let Some(picture) = picture {
        writeln!(out, "  {picture}: the picture; the claim is inside it too")?;
    }
    writeln!(out, "  claim.json: what the picture says, line by line, with the place of each line")?;
    writeln!(out, "  excerpt.pcapng: the frames (packets) that are quoted, and those they depend on")?;
    writeln!(out, "\nWHAT IT CLAIMS")?;
    for exchange in &claim.exchanges {
        writeln!(out, "\nExchange {}, {}, {} -> {}", exchange.number, exchange.time, exchange.client, exchange.server)?;
        for line in exchange.request.iter().chain(&exchange.response) {
            writeln!(out, "  {}", clean_to(line.as_bytes(), LINE_CHARS))?;
        }
        let verdict = &exchange.verdict;
        let answers = [
            ("operator", &verdict.operator),
            ("product", &verdict.product),
            ("role", &verdict.role),
            ("tenant", &verdict.tenant),
        ];
        for (what, answer) in answers {
            let Some(answer) = answer else { continue };
            writeln!(out, "  {what}: {} ({})", clean_to(answer.name.as_bytes(), 120), answer.grade)?;
        }
        match &verdict.grade {
            Some(grade) => writeln!(out, "  {grade}: {}", verdict.scope)?,
            None => writeln!(out, "  no operator is named")?,
        }
        if verdict.grade_unredacted.is_some() {
            writeln!(out, "  (the grade is lowered: something that may prove is hidden)")?;
        }
        if !verdict.open.is_empty() {
            let open: Vec<String> = verdict.open.iter().map(|o| format!("{} {}", o.id, o.words)).collect();
            writeln!(out, "  not ruled out: {}", open.join("; "))?;
        }
    }
    write_by_hand(out, claim)?;
    writeln!(out, "\nCHECKING IT WITH THE PROGRAM\n")?;
    writeln!(out, "  nephoscope verify THIS-FILE.zip               against the excerpt")?;
    writeln!(out, "  nephoscope verify THIS-FILE.zip CAPTURE       against the capture, if you have it\n")?;
    writeln!(out, "or drop the file on the program's window. The capture's SHA-256 is\n  {}", claim.capture.sha256)?;
    writeln!(out, "\nWHAT IS HIDDEN\n")?;
    if claim.redaction.on {
        writeln!(
            out,
            "Secrets were replaced before anything was drawn, at {} places. The same secret has the",
            claim.redaction.count
        )?;
        writeln!(
            out,
            "same placeholder; from a placeholder nobody can tell the secret. In the excerpt their bytes, and all"
        )?;
        writeln!(
            out,
            "bytes that are not quoted, are the letter X (line ends before a quoted head), hardware addresses are 0."
        )?;
    } else {
        writeln!(out, "Nothing: redaction was switched off by whoever made this.")?;
    }
    writeln!(out, "\nWHAT CHECKING DOES NOT SHOW\n")?;
    if let Some(words) = claim.left_out() {
        writeln!(out, "- whether it is right that {words} by whoever made this")?;
    }
    for line in &claim.not_shown {
        writeln!(out, "- {}", clean_to(line.as_bytes(), 400))?;
    }
    Ok(())
}

fn write_by_hand(out: &mut String, claim: &Claim) -> std::fmt::Result {
    writeln!(out, "\nCHECKING IT BY HAND\n")?;
    writeln!(
        out,
        "Open excerpt.pcapng in Wireshark (https://www.wireshark.org). The comment of each frame tells its number"
    )?;
    writeln!(
        out,
        "in the whole capture. Type the filter of a line below into the filter bar, choose the frame, and read the"
    )?;
    writeln!(out, "bytes. Without a window: tshark -r excerpt.pcapng -Y 'FILTER' -x")?;
    writeln!(out, "In the whole capture the filter is simply frame.number == N.")?;
    let mut left = MOST_LINES;
    for exchange in &claim.exchanges {
        writeln!(out, "\nExchange {}", exchange.number)?;
        for callout in exchange.callouts.iter().take(left) {
            writeln!(out, "  {}. {}", callout.number, clean_to(callout.text.as_bytes(), LINE_CHARS))?;
            let frames: Vec<String> = callout.frames.iter().map(u32::to_string).collect();
            writeln!(out, "     {}, frame {}", callout.part, frames.join(", "))?;
            if let Some(frame) = callout.frames.first() {
                writeln!(out, "     filter: frame.comment contains \"frame {frame} of \"")?;
            }
            writeln!(out, "     rule {}; could be faked by {}", callout.signature, callout.forgeable_by)?;
        }
        left = left.saturating_sub(exchange.callouts.len());
    }
    Ok(())
}
