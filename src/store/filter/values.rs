//! Values with units: read from a filter, and written again.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr};

use super::keys::Kind;
use super::tree::Block;
use crate::model::{Grade, Timestamp};

/// Nanoseconds of a day.
pub(super) const DAY: i64 = 86_400_000_000_000;
const MINUTE: i64 = 60_000_000_000;
const SECOND: i64 = 1_000_000_000;

/// Bytes in the units that the size column has.
const SIZES: [(&str, u64); 13] = [
    ("k", 1 << 10),
    ("kb", 1 << 10),
    ("kib", 1 << 10),
    ("m", 1 << 20),
    ("mb", 1 << 20),
    ("mib", 1 << 20),
    ("g", 1 << 30),
    ("gb", 1 << 30),
    ("gib", 1 << 30),
    ("t", 1 << 40),
    ("tib", 1 << 40),
    ("b", 1),
    ("", 1),
];

/// Microseconds in units of time.
const DURATIONS: [(&str, u64); 6] =
    [("us", 1), ("µs", 1), ("ms", 1_000), ("s", 1_000_000), ("min", 60_000_000), ("h", 3_600_000_000)];

/// Reads a number in the units of its kind; `None` where it is none.
pub(super) fn read_number(text: &str, kind: Kind) -> Option<u64> {
    match kind {
        Kind::Size => scaled(text, &SIZES),
        Kind::Duration => scaled(text, &DURATIONS),
        _ => text.replace(['_', ','], "").parse().ok(),
    }
}

/// A number of up to nine decimals with a unit behind it.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '_')).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(split)?;
    let (_, unit) = units.iter().find(|(word, _)| word.to_lowercase() == unit.to_lowercase())?;
    let number = number.replace('_', "");
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, "0"));
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let parts = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let fraction = u128::from(fraction.parse::<u64>().ok()?) * u128::from(*unit) / u128::from(parts);
    whole.parse::<u64>().ok()?.checked_mul(*unit)?.checked_add(u64::try_from(fraction).ok()?)
}

/// Writes a number so that it is read again as it is.
pub(super) fn number(number: u64, kind: Kind) -> String {
    let units: &[(&str, u64)] = match kind {
        Kind::Size => &[("G", 1 << 30), ("M", 1 << 20), ("k", 1 << 10)],
        Kind::Duration => &[("s", 1_000_000), ("ms", 1_000)],
        _ => &[],
    };
    let fits = units.iter().find(|(_, unit)| number > 0 && number.is_multiple_of(*unit));
    match fits {
        Some((word, unit)) => format!("{}{word}", number / unit),
        None if kind == Kind::Duration => format!("{number}us"),
        None => number.to_string(),
    }
}

/// A moment as somebody writes it: on a day or on every day, to the minute or finer. UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Nanoseconds since 1970, or since midnight.
    pub nanos: i64,
    /// Nanoseconds that it spans: a day, a minute, a second or less.
    pub unit: i64,
    /// Whether it is of one day.
    pub dated: bool,
}

impl Moment {
    /// Reads `2011-06-13`, `2011-06-13T19:00`, `19:00:05.25`; `None` for anything else.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.strip_suffix(['Z', 'z']).unwrap_or(text);
        let (date, clock) = match text.split_once(['T', 't', ' ']) {
            Some((date, clock)) => (Some(date), Some(clock)),
            None if text.contains(':') => (None, Some(text)),
            None => (Some(text), None),
        };
        let day = match date {
            Some(date) => days(date)?,
            None => 0,
        };
        let (of_day, unit) = match clock {
            Some(clock) => of_day(clock)?,
            None => (0, DAY),
        };
        Some(Self { nanos: day.checked_mul(DAY)?.checked_add(of_day)?, unit, dated: date.is_some() })
    }

    /// The last nanosecond that belongs to it.
    pub(super) fn last(&self) -> i64 {
        self.nanos.saturating_add(self.unit - 1)
    }
}

/// Days since 1970 by the civil calendar, as the inverse of [`Timestamp::civil`].
fn days(date: &str) -> Option<i64> {
    let mut parts = date.splitn(3, '-').map(|part| digits(part).and_then(|n| i64::try_from(n).ok()));
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1_678..=2_261).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    // A day that its month does not have comes out as another one.
    let (.., real, _, _, _, _) = Timestamp(days * DAY).civil();
    (i64::from(real) == day).then_some(days)
}

/// Nanoseconds since midnight and the unit, from `19:00`, `19:00:05` or `19:00:05.25`.
fn of_day(clock: &str) -> Option<(i64, i64)> {
    let mut parts = clock.splitn(3, ':');
    let (hour, minute) = (digits(parts.next()?)?, digits(parts.next()?)?);
    let minutes = i64::try_from(hour * 60 + minute).ok()? * MINUTE;
    if hour > 23 || minute > 59 {
        return None;
    }
    let Some(second) = parts.next() else { return Some((minutes, MINUTE)) };
    let (second, fraction) = second.split_once('.').map_or((second, None), |(second, rest)| (second, Some(rest)));
    let second = digits(second).filter(|s| *s < 60)?;
    let whole = minutes + i64::try_from(second).ok()? * SECOND;
    let Some(fraction) = fraction else { return Some((whole, SECOND)) };
    let unit = 10_i64.checked_pow(9_u32.checked_sub(u32::try_from(fraction.len()).ok()?)?)?;
    let fraction = i64::try_from(digits_of(fraction, 9)?).ok()?;
    Some((whole + fraction * unit, unit))
}

/// A number of one to four digits.
fn digits(text: &str) -> Option<u64> {
    digits_of(text, 4)
}

fn digits_of(text: &str, most: usize) -> Option<u64> {
    let fits = (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = Timestamp(self.nanos);
        if self.dated {
            f.write_str(&time.date())?;
            if self.unit == DAY {
                return Ok(());
            }
            f.write_str("T")?;
        }
        let decimals = (0..9).find(|n| 10_i64.pow(9 - n) <= self.unit).unwrap_or(9);
        let clock = time.time_of_day(decimals as usize);
        let shown = if self.unit == MINUTE { clock.get(..5).unwrap_or(&clock) } else { &clock };
        f.write_str(shown)
    }
}

/// Reads an address, a block `10.0.0.0/8`, or the beginning of an IPv4 address `10.0.`.
pub(super) fn read_block(text: &str) -> Option<Block> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse::<IpAddr>() {
        let address = address.to_canonical();
        return Some(Block { address, bits: if address.is_ipv4() { 32 } else { 128 } });
    }
    if let Some((address, bits)) = bare.split_once('/') {
        let address: IpAddr = address.parse().ok()?;
        let bits = u8::try_from(digits(bits)?).ok()?;
        return Some(Block { address: masked(address, bits)?, bits });
    }
    let parts: Vec<&str> = bare.trim_end_matches('.').split('.').collect();
    if parts.len() > 3 || !bare.contains('.') {
        return None;
    }
    let mut octets = [0; 4];
    for (octet, part) in octets.iter_mut().zip(&parts) {
        *octet = u8::try_from(digits(part)?).ok()?;
    }
    Some(Block { address: Ipv4Addr::from(octets).into(), bits: u8::try_from(parts.len() * 8).ok()? })
}

/// The first address of a block; `None` where there are not so many bits.
fn masked(address: IpAddr, bits: u8) -> Option<IpAddr> {
    let bits = u32::from(bits);
    match address {
        IpAddr::V4(ip) => {
            let free = 32_u32.checked_sub(bits)?;
            Some(Ipv4Addr::from_bits(ip.to_bits() & u32::MAX.checked_shl(free).unwrap_or(0)).into())
        }
        IpAddr::V6(ip) => {
            let free = 128_u32.checked_sub(bits)?;
            Some(core::net::Ipv6Addr::from_bits(ip.to_bits() & u128::MAX.checked_shl(free).unwrap_or(0)).into())
        }
    }
}

/// All grades, the weakest first.
pub(super) const GRADES: [Grade; 5] =
    [Grade::Contradicted, Grade::NameOnly, Grade::Suggests, Grade::Supports, Grade::Conclusive];

/// How a grade is written.
pub(super) fn grade_word(grade: Grade) -> &'static str {
    match grade {
        Grade::NameOnly => "name-only",
        other => other.word(),
    }
}

/// The grade of that word.
pub(super) fn read_grade(text: &str) -> Option<Grade> {
    let text = text.replace(' ', "-");
    GRADES.into_iter().find(|g| grade_word(*g).eq_ignore_ascii_case(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn number_is(text: &str, kind: Kind, want: Option<u64>) {
        assert_eq!(read_number(text, kind), want, "{text}");
        if let Some(n) = want {
            assert_eq!(read_number(&number(n, kind), kind), want, "{}", number(n, kind));
        }
    }

    #[test]
    fn numbers_have_units() {
        number_is("10k", Kind::Size, Some(10_240));
        number_is("1.5KiB", Kind::Size, Some(1_536));
        number_is("2G", Kind::Size, Some(2 << 30));
        number_is("0", Kind::Size, Some(0));
        number_is("k", Kind::Size, None);
        number_is("99999999999999999999", Kind::Size, None);
        number_is("99999999999T", Kind::Size, None);
        number_is("200ms", Kind::Duration, Some(200_000));
        number_is("0.25s", Kind::Duration, Some(250_000));
        number_is("200", Kind::Duration, None);
        number_is("8_075", Kind::Number, Some(8_075));
        number_is("-1", Kind::Number, None);
    }

    #[track_caller]
    fn moment_is(text: &str, want: Option<&str>) {
        let moment = Moment::read(text);
        assert_eq!(moment.map(|m| m.to_string()).as_deref(), want, "{text}");
        if let Some(moment) = moment {
            assert_eq!(Moment::read(&moment.to_string()), Some(moment));
        }
    }

    #[test]
    fn moments_are_of_a_day_or_of_every_day() {
        moment_is("2011-06-13", Some("2011-06-13"));
        moment_is("2011-06-13 19:00", Some("2011-06-13T19:00"));
        moment_is("2012-02-29T23:59:59.25Z", Some("2012-02-29T23:59:59.25"));
        moment_is("19:00", Some("19:00"));
        moment_is("9:05:07", Some("09:05:07"));
        moment_is("2011-02-29", None);
        moment_is("2011-13-01", None);
        moment_is("24:00", None);
        moment_is("19", None);
        moment_is("9999-01-01", None);
        moment_is("19:00:00.1234567890", None);
        assert_eq!(Moment::read("2011-06-13T18:02:11").map(|m| m.nanos), Some(1_307_988_131_000_000_000));
    }

    #[track_caller]
    fn block_is(text: &str, want: Option<&str>) {
        assert_eq!(read_block(text).map(|b| b.to_string()).as_deref(), want, "{text}");
    }

    #[test]
    fn blocks_are_read() {
        block_is("10.1.2.3/8", Some("10.0.0.0/8"));
        block_is("10.1.2.3/0", Some("0.0.0.0/0"));
        block_is("65.52.", Some("65.52.0.0/16"));
        block_is("65.52.106.14", Some("65.52.106.14"));
        block_is("2001:db8::/32", Some("2001:db8::/32"));
        block_is("[2001:db8::1]", Some("2001:db8::1"));
        block_is("::ffff:10.0.0.1", Some("10.0.0.1"));
        block_is("10.0.0.0/33", None);
        block_is("10", None);
        block_is("host", None);
        assert!(read_block("10.0.0.0/8").unwrap().holds("::ffff:10.9.9.9".parse().unwrap()));
    }
}
