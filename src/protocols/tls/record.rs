//! The record layer of one side (RFC 8446 section 5.1): the stream becomes fragments, each with its content type.

/// Bytes of a record's header.
const HEADER_BYTES: usize = 5;
/// The longest record: 2^14 bytes of plaintext and what protection may add (RFC 5246 section 6.2.3).
const RECORD_BYTES: u16 = (1 << 14) + 2_048;

/// Content types.
pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
/// Content type of alerts.
pub(super) const ALERT: u8 = 21;
/// Content type of handshake messages.
pub(super) const HANDSHAKE: u8 = 22;
/// Content type of application data.
pub(super) const APPLICATION_DATA: u8 = 23;
/// Content type of heartbeats (RFC 6520).
const HEARTBEAT: u8 = 24;

/// Whether these are the content type, version and length of a record, as far as they are there.
pub(super) fn plausible(bytes: &[u8]) -> bool {
    let ok = |at: usize, fits: fn(u8) -> bool| bytes.get(at).is_none_or(|b| fits(*b));
    let len = match bytes {
        [_, _, _, high, low, ..] => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    };
    ok(0, |b| (CHANGE_CIPHER_SPEC..=HEARTBEAT).contains(&b))
        && ok(1, |b| b == 3)
        && ok(2, |b| b <= 4)
        && len.is_none_or(|l| l <= RECORD_BYTES)
}

/// Whether a protected record of TLS may begin here; its whole header must be there.
pub(super) fn begins(bytes: &[u8]) -> bool {
    matches!(bytes, [ALERT..=APPLICATION_DATA, 3, 1..=3, ..]) && bytes.len() >= HEADER_BYTES && plausible(bytes)
}

/// A piece of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fragment<'a> {
    /// The content type.
    pub(super) kind: u8,
    /// The version field of the record.
    pub(super) version: u16,
    /// Whether the record's header was complete just now.
    pub(super) begins: bool,
    /// Bytes of the record that follow in further fragments.
    pub(super) left: usize,
    /// The bytes that are there; the rest of the record follows in further fragments.
    pub(super) bytes: &'a [u8],
}

/// What stands next in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next<'a> {
    /// A piece of a record.
    Fragment(Fragment<'a>),
    /// The bytes end inside a header or between records.
    NeedMore,
    /// No record stands here.
    Bad,
}

/// The unfinished record of one side.
#[derive(Debug, Default)]
pub(super) struct Layer {
    header: [u8; HEADER_BYTES],
    have: usize,
    kind: u8,
    version: u16,
    left: usize,
}

impl Layer {
    /// Takes the next piece from the front of `bytes`.
    pub(super) fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Next<'a> {
        let begins = self.left == 0;
        if begins {
            while let (Some(slot), Some((byte, rest))) = (self.header.get_mut(self.have), bytes.split_first()) {
                *slot = *byte;
                self.have = self.have.saturating_add(1);
                *bytes = rest;
            }
            let [kind, major, minor, high, low] = self.header;
            if !self.header.get(..self.have).is_some_and(plausible) {
                return Next::Bad;
            }
            if self.have < HEADER_BYTES {
                return Next::NeedMore;
            }
            self.have = 0;
            self.kind = kind;
            self.version = u16::from_be_bytes([major, minor]);
            self.left = usize::from(u16::from_be_bytes([high, low]));
        } else if bytes.is_empty() {
            return Next::NeedMore;
        }
        let (piece, rest) = bytes.split_at(self.left.min(bytes.len()));
        self.left = self.left.saturating_sub(piece.len());
        *bytes = rest;
        let (kind, version, left) = (self.kind, self.version, self.left);
        Next::Fragment(Fragment { kind, version, begins, left, bytes: piece })
    }

    /// How many bytes of the next record's header were taken.
    pub(super) fn header_bytes(&self) -> usize {
        self.have
    }

    /// Passes over `len` bytes that are missing. Gives how many handshake bytes are among them; `None` where they go
    /// beyond the record, so that it is unknown where the next one begins.
    pub(super) fn pass(&mut self, len: u64) -> Option<usize> {
        let len = usize::try_from(len).ok().filter(|l| *l <= self.left)?;
        self.left = self.left.saturating_sub(len);
        Some(if self.kind == HANDSHAKE { len } else { 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fragments of a stream cut at `at`, joined again by record.
    fn records(stream: &[u8], at: usize) -> Vec<(u8, Vec<u8>)> {
        let mut layer = Layer::default();
        let mut out: Vec<(u8, Vec<u8>)> = Vec::new();
        for mut bytes in [&stream[..at], &stream[at..]] {
            while let Next::Fragment(f) = layer.next(&mut bytes) {
                if f.begins {
                    out.push((f.kind, Vec::new()));
                }
                out.last_mut().unwrap().1.extend(f.bytes);
            }
        }
        out
    }

    #[test]
    fn any_cut_gives_the_same_records() {
        let stream = b"\x16\x03\x01\x00\x03abc\x14\x03\x03\x00\x01\x01\x17\x03\x03\x00\x00\x17\x03\x03\x00\x02xy";
        for at in 0..=stream.len() {
            assert_eq!(
                records(stream, at),
                [(22, b"abc".to_vec()), (20, vec![1]), (23, vec![]), (23, b"xy".to_vec())],
                "{at}"
            );
        }
    }

    #[test]
    fn refuses_what_is_no_record() {
        for bytes in [&b"GET"[..], b"\x16\x02", b"\x16\x03\x05", b"\x16\x03\x01\xFF\xFF", b"\x19"] {
            assert!(!plausible(bytes), "{bytes:?}");
            assert_eq!(Layer::default().next(&mut { bytes }), Next::Bad);
        }
        assert!(plausible(b"") && plausible(b"\x16\x03\x01\x48\x00"));
    }

    #[test]
    fn passes_over_holes_inside_a_record_only() {
        let mut layer = Layer::default();
        let mut bytes = &b"\x16\x03\x01\x00\x09abc"[..];
        layer.next(&mut bytes);
        assert_eq!((layer.pass(5), layer.pass(2), layer.pass(1), layer.pass(1)), (Some(5), None, Some(1), None));
    }
}
