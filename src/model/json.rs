//! Where a JSON value ends (RFC 8259), however deep it is nested and however it is cut into pieces.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

/// Looks for the end of one JSON value; takes its bytes in pieces. Counts brackets instead of descending into them, and does
/// not ask whether they match: that is for whoever reads the value.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonScan {
    depth: u64,
    in_string: bool,
    escaped: bool,
    begun: bool,
}

impl JsonScan {
    /// Takes the next bytes; gives how many of them are the value's, once it ends.
    pub fn feed(&mut self, piece: &[u8]) -> Option<usize> {
        let mut at = 0_usize;
        while let Some(rest) = piece.get(at..).filter(|rest| !rest.is_empty()) {
            if self.escaped {
                self.escaped = false;
                at = at.saturating_add(1);
                continue;
            }
            if self.in_string {
                let found = memchr::memchr2(b'"', b'\\', rest)?;
                at = at.saturating_add(found).saturating_add(1);
                if rest.get(found) == Some(&b'\\') {
                    self.escaped = true;
                    continue;
                }
                self.in_string = false;
                if self.depth == 0 {
                    return Some(at);
                }
                continue;
            }
            let byte = rest.first().copied().unwrap_or_default();
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                // What ends a number or word is not its own.
                b'}' | b']' | b',' | b':' if self.depth == 0 => return Some(at),
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at.saturating_add(1));
                    }
                }
                b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 && self.begun => return Some(at),
                b' ' | b'\t' | b'\r' | b'\n' => {
                    at = at.saturating_add(1);
                    continue;
                }
                _ => {}
            }
            self.begun = true;
            at = at.saturating_add(1);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::JsonScan;

    #[track_caller]
    fn check(text: &str, want: Option<&str>) {
        for step in [1, 3, text.len().max(1)] {
            let (mut scan, mut before, mut end) = (JsonScan::default(), 0, None);
            for piece in text.as_bytes().chunks(step) {
                if let Some(used) = scan.feed(piece) {
                    end = text.get(..before + used);
                    break;
                }
                before += piece.len();
            }
            assert_eq!(end, want, "in steps of {step}");
        }
    }

    #[test]
    fn finds_ends() {
        check(r#"{"a":[1,{"b":"}\\","c":"]\""}]},"#, Some(r#"{"a":[1,{"b":"}\\","c":"]\""}]}"#));
        check(r#" "x\\" ,"#, Some(r#" "x\\""#));
        check("-1.5e3 ,", Some("-1.5e3"));
        check("null]", Some("null"));
        check("null", None);
        check(r#"{"a":"#, None);
        check("]", Some(""));
    }

    #[test]
    fn deep_nests_cost_no_stack() {
        let text = ["[".repeat(1_000_000), "]".repeat(1_000_000)].concat();
        assert_eq!(JsonScan::default().feed(text.as_bytes()), Some(text.len()));
    }
}
