//! Numbers in words: counts, sizes, durations; and words that are painted where there may not be room for them.

use egui::text::{LayoutJob, TextWrapping};
use egui::{Color32, FontId, Painter, Pos2, pos2};

/// A thin space: stands between a number and its unit.
const THIN: char = '\u{2009}';

/// `5,310`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 row`, `5,310 rows`.
pub(crate) fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// Bytes for a narrow column: `812 B`, `23 K`, `1.4 M` (steps of 1,024).
pub(crate) fn size(bytes: u64) -> String {
    if bytes < 1_024 {
        return format!("{bytes}{THIN}B");
    }
    let mut value = bytes as f64 / 1_024.0;
    for unit in ["K", "M", "G"] {
        if value < 9.95 {
            return format!("{value:.1}{THIN}{unit}");
        }
        if value < 1_023.5 {
            return format!("{value:.0}{THIN}{unit}");
        }
        value /= 1_024.0;
    }
    format!("{value:.1}{THIN}T")
}

/// Bytes in full: `23,552 bytes (23 K)`.
pub(crate) fn bytes(n: u64) -> String {
    if n < 1_024 { plural(n, "byte", "bytes") } else { format!("{} bytes ({})", count(n), size(n)) }
}

/// `640 µs`, `12 ms`, `1.3 s`, `4 min`.
pub(crate) fn duration(micros: u64) -> String {
    let millis = micros as f64 / 1_000.0;
    if micros < 1_000 {
        format!("{micros}{THIN}µs")
    } else if millis < 9.95 {
        format!("{millis:.1}{THIN}ms")
    } else if millis < 999.5 {
        format!("{millis:.0}{THIN}ms")
    } else if millis < 99_950.0 {
        format!("{:.1}{THIN}s", millis / 1_000.0)
    } else {
        format!("{:.0}{THIN}min", millis / 60_000.0)
    }
}

/// The number of a DNS response code in words (RFC 6895 section 2.3).
pub(crate) fn rcode(code: u16) -> &'static str {
    match code {
        0 => "no error",
        1 => "format error",
        2 => "server failure",
        3 => "no such name",
        4 => "not implemented",
        5 => "refused",
        _ => "other code",
    }
}

/// The first letter in upper case.
pub(crate) fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Paints words cut to `room` points, their left middle at `at`. Gives where they end.
pub(crate) fn cut(painter: &Painter, at: Pos2, words: &str, (font, colour): (FontId, Color32), room: f32) -> f32 {
    if words.is_empty() || room < 8.0 {
        return at.x;
    }
    let mut job = LayoutJob::simple_singleline(words.to_owned(), font, colour);
    job.wrap = TextWrapping { break_anywhere: true, ..TextWrapping::truncate_at_width(room) };
    let galley = painter.layout_job(job);
    let end = at.x + galley.size().x;
    painter.galley(pos2(at.x, (at.y - galley.size().y / 2.0).round()), galley, colour);
    end
}

#[cfg(test)]
mod tests {
    use super::{count, duration, size};

    #[track_caller]
    fn check(got: &str, want: &str) {
        assert_eq!(got.replace('\u{2009}', " "), want);
    }

    #[test]
    fn numbers_are_short() {
        check(&count(0), "0");
        check(&count(999), "999");
        check(&count(1_000), "1,000");
        check(&count(12_345_678), "12,345,678");
        check(&size(812), "812 B");
        check(&size(1_433), "1.4 K");
        check(&size(23_552), "23 K");
        check(&size(1_048_575), "1.0 M");
        check(&size(u64::MAX), "16777216.0 T");
        check(&duration(640), "640 µs");
        check(&duration(12_000), "12 ms");
        check(&duration(1_300_000), "1.3 s");
        check(&duration(240_000_000), "4 min");
    }
}
