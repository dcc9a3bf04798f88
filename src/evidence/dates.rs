//! Dates as servers and signers write them, read to Unix seconds.
//!
//! Comes in: the text of a date. Goes out: seconds since 1970-01-01 UTC, or `None` for what is no date. Never: a clock,
//! a locale, a list of leap seconds (second 60 counts as the first of the next minute).
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

/// Longest date that is read, in bytes: `Wednesday, 09-Nov-1994 08:49:37 GMT` has 35; a longer text is none.
const LONGEST: usize = 40;
/// Two-digit years from here on are of the twentieth century, those below of the twenty-first.
const PIVOT: i64 = 70;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const LONG_DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Unix seconds of a date in one of the three forms of HTTP (RFC 9110 section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`,
/// the obsolete `Sunday, 06-Nov-94 08:49:37 GMT`, and asctime's `Sun Nov  6 08:49:37 1994`. The day's name must be one,
/// but need not be the right one.
///
/// The RFC reads a two-digit year against today's date, which this floor does not know: 70 to 99 are taken for 19xx,
/// 00 to 69 for 20xx, as C libraries do.
pub(super) fn http_date(value: &[u8]) -> Option<i64> {
    let text = text(value)?;
    let Some((weekday, rest)) = text.split_once(", ") else { return asctime(text) };
    let rest = rest.strip_suffix(" GMT")?;
    let mut parts = rest.split(' ');
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next());
    if let Some(year) = third {
        DAYS.contains(&weekday).then_some(())?;
        let clock = time_of_day(parts.next()?)?;
        parts.next().is_none().then_some(())?;
        return moment(number(year, 4, 4)?, month(second)?, number(first, 1, 2)?, clock);
    }
    LONG_DAYS.contains(&weekday).then_some(())?;
    let mut date = first.split('-');
    let (day, name, year) = (date.next()?, date.next()?, date.next()?);
    date.next().is_none().then_some(())?;
    let year = match number(year, 2, 2)? {
        y if y < PIVOT => y.checked_add(2_000)?,
        y => y.checked_add(1_900)?,
    };
    moment(year, month(name)?, number(day, 1, 2)?, time_of_day(second)?)
}

/// Unix seconds of an ISO 8601 date in UTC or with an offset: extended `2011-06-14`, `2011-06-14T19:00Z`,
/// `2011-06-14T19:00:00Z`, `2011-06-14T19:00:00.0000000Z` (the forms that Microsoft's "Formatting `DateTime` values"
/// for Azure Storage lists, with `Z` or `+02:00`), and basic `20110614T190000Z` (AWS Signature Version 4 and its
/// relatives) and `20110614`. A date alone is its midnight; a fraction is dropped.
pub(super) fn iso8601(value: &[u8]) -> Option<i64> {
    let text = text(value)?;
    let (date, rest) = match text.split_once(['T', 't']) {
        Some((date, rest)) => (date, Some(rest)),
        None => (text, None),
    };
    let extended = date.contains('-');
    let (year, month, day) = if extended {
        let mut parts = date.split('-');
        let ymd = (number(parts.next()?, 4, 4)?, number(parts.next()?, 2, 2)?, number(parts.next()?, 2, 2)?);
        parts.next().is_none().then_some(ymd)?
    } else {
        (date.len() == 8).then_some(())?;
        (number(date.get(..4)?, 4, 4)?, number(date.get(4..6)?, 2, 2)?, number(date.get(6..)?, 2, 2)?)
    };
    let Some(rest) = rest else { return moment(year, month, day, 0) };
    let (clock, offset) = zone(rest)?;
    let clock = match clock.split_once('.') {
        Some((clock, fraction)) => {
            (!fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit())).then_some(clock)?
        }
        None => clock,
    };
    let seconds = match (extended, clock.len()) {
        (true, 5) => hours_and_minutes(clock)?.checked_mul(60)?,
        (true, 8) => time_of_day(clock)?,
        (false, 6) => {
            let (hour, minute) = (number(clock.get(..2)?, 2, 2)?, number(clock.get(2..4)?, 2, 2)?);
            clock_seconds(hour, minute, number(clock.get(4..)?, 2, 2)?)?
        }
        _ => return None,
    };
    moment(year, month, day, seconds)?.checked_sub(offset)
}

/// Unix seconds written as a decimal number, as the `Expires` of signed URLs has them; at most 12 digits (the year
/// 33658), so that sums with them cannot overflow.
pub(super) fn epoch(value: &[u8]) -> Option<i64> {
    number(text(value)?, 1, 12)
}

fn text(value: &[u8]) -> Option<&str> {
    (value.len() <= LONGEST && value.is_ascii()).then(|| str::from_utf8(value).ok())?
}

/// `Sun Nov  6 08:49:37 1994`; a day of one digit stands after two spaces.
fn asctime(text: &str) -> Option<i64> {
    let mut parts = text.split(' ').filter(|p| !p.is_empty());
    DAYS.contains(&parts.next()?).then_some(())?;
    let (month, day) = (month(parts.next()?)?, number(parts.next()?, 1, 2)?);
    let clock = time_of_day(parts.next()?)?;
    let year = number(parts.next()?, 4, 4)?;
    parts.next().is_none().then_some(())?;
    moment(year, month, day, clock)
}

/// Time of day without its zone, and the zone's seconds east of UTC. A time without zone is no moment.
fn zone(rest: &str) -> Option<(&str, i64)> {
    if let Some(clock) = rest.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let at = rest.rfind(['+', '-'])?;
    let (clock, offset) = rest.split_at_checked(at)?;
    let seconds = hours_and_minutes(offset.get(1..)?)?.checked_mul(60)?;
    Some((clock, if offset.starts_with('-') { seconds.checked_neg()? } else { seconds }))
}

/// Minutes of `19:00`.
fn hours_and_minutes(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    clock_seconds(number(hour, 2, 2)?, number(minute, 2, 2)?, 0)?.checked_div(60)
}

/// Seconds since midnight of `08:49:37`.
fn time_of_day(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then_some(())?;
    clock_seconds(number(hour, 2, 2)?, number(minute, 2, 2)?, number(second, 2, 2)?)
}

fn clock_seconds(hour: i64, minute: i64, second: i64) -> Option<i64> {
    (hour < 24 && minute < 60 && second <= 60).then_some(())?;
    hour.checked_mul(3_600)?.checked_add(minute.checked_mul(60)?)?.checked_add(second)
}

/// The month's number, from 1.
fn month(name: &str) -> Option<i64> {
    (1..).zip(MONTHS).find(|(_, m)| *m == name).map(|(n, _)| n)
}

/// A number of `least` to `most` decimal digits; no sign, no space.
fn number(digits: &str, least: usize, most: usize) -> Option<i64> {
    let fits = (least..=most).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| digits.parse().ok())?
}

/// Unix seconds of a civil date and seconds since its midnight. `None` for a day that its month lacks.
fn moment(year: i64, month: i64, day: i64, seconds: i64) -> Option<i64> {
    let leap = year.checked_rem(4)? == 0 && (year.checked_rem(100)? != 0 || year.checked_rem(400)? == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    (year > 0 && (1..=last).contains(&day)).then_some(())?;
    days_from_civil(year, month, day)?.checked_mul(86_400)?.checked_add(seconds)
}

/// Days since 1970-01-01 (Howard Hinnant's `days_from_civil`, public domain), months counted from March.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let (year, month) =
        if month <= 2 { (year.checked_sub(1)?, month.checked_add(9)?) } else { (year, month.checked_sub(3)?) };
    let of_era = year.rem_euclid(400);
    let of_year = month.checked_mul(153)?.checked_add(2)?.checked_div(5)?.checked_add(day)?.checked_sub(1)?;
    let leaps = of_era.checked_div(4)?.checked_sub(of_era.checked_div(100)?)?;
    let days = of_era.checked_mul(365)?.checked_add(leaps)?.checked_add(of_year)?;
    year.div_euclid(400).checked_mul(146_097)?.checked_add(days)?.checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Timestamp;

    #[track_caller]
    fn http(text: &str, want: Option<i64>) {
        assert_eq!(http_date(text.as_bytes()), want, "{text}");
    }

    #[track_caller]
    fn iso(text: &str, want: Option<i64>) {
        assert_eq!(iso8601(text.as_bytes()), want, "{text}");
    }

    #[test]
    fn reads_the_dates_of_http() {
        http("Thu, 01 Jan 1970 00:00:00 GMT", Some(0));
        http("Mon, 12 May 2025 05:38:37 GMT", Some(1_747_028_317));
        http("Mon, 2 May 2011 05:38:37 GMT", Some(1_304_314_717));
        http("Tue, 29 Feb 2000 23:59:59 GMT", Some(951_868_799));
        http("Sat, 31 Dec 2016 23:59:60 GMT", Some(1_483_228_800));
        http("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777));
        http("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777));
        http("Tuesday, 14-Jun-11 19:00:00 GMT", Some(1_308_078_000));
        http("Sun Nov  6 08:49:37 1994", Some(784_111_777));
        http("Wed Nov 16 08:49:37 1994", Some(784_975_777));
    }

    #[test]
    fn what_is_no_date_of_http_is_none() {
        for text in [
            "",
            "yesterday",
            "0",
            "-1",
            "Mon, 12 Mey 2025 05:38:37 GMT",
            "Mon, 12 May 2025 05:38:37",
            "Mon, 12 May 2025 05:38:37 UTC",
            "Mon, 12 May 2025 05:38 GMT",
            "Mon, 12 May 2025 05:38:37 1 GMT",
            "Mon, 12 May 2025 24:00:00 GMT",
            "Mon, 12 May 2025 +5:38:37 GMT",
            "Mon, 31 Apr 2025 05:38:37 GMT",
            "Tue, 29 Feb 1900 00:00:00 GMT",
            "Mon, 00 Jan 2025 05:38:37 GMT",
            "Mon, 12 May 99999 05:38:37 GMT",
            "Mon, 12 May 0000 05:38:37 GMT",
            "Mon, 9223372036854775807 May 2025 05:38:37 GMT",
            "Someday, 12 May 2025 05:38:37 GMT",
            "Sunday, 06-Nov-1994-x 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994 x",
            "Sun Nov  6 08:49:37",
            "Mon, 12 May 2025 05:38:37 GMT                          ",
        ] {
            http(text, None);
        }
        assert_eq!(http_date("Mon, 12 Mäy 2025 05:38:37 GMT".as_bytes()), None);
        assert_eq!(http_date(b"\xff\xfe"), None);
    }

    #[test]
    fn reads_the_dates_of_signers() {
        iso("2011-06-14T19:00Z", Some(1_308_078_000));
        iso("2011-06-14T19:00:00Z", Some(1_308_078_000));
        iso("2011-06-14T19:00:00.0000000Z", Some(1_308_078_000));
        iso("2011-06-14T21:00:00+02:00", Some(1_308_078_000));
        iso("2011-06-14T12:00-07:00", Some(1_308_078_000));
        iso("2011-06-14", Some(1_308_009_600));
        iso("20110614T190000Z", Some(1_308_078_000));
        iso("20110614", Some(1_308_009_600));
        iso("9999-12-31T23:59:59Z", Some(253_402_300_799));
    }

    #[test]
    fn what_is_no_date_of_signers_is_none() {
        for text in [
            "",
            "T",
            "2011-06-14T",
            "2011-06-14T19:00",
            "2011-06-14T19Z",
            "2011-06-14T19:00:00.Z",
            "2011-06-14T19:00:00.xZ",
            "2011-13-14",
            "2011-06-31",
            "2011-6-14",
            "2011-06-14-01",
            "20110614T19:00:00Z",
            "2011-06-14T190000Z",
            "2011061",
            "201106144",
            "2011-06-14T19:60Z",
            "2011-06-14T19:00+2:00",
            "1308078000",
        ] {
            iso(text, None);
        }
    }

    #[test]
    fn reads_unix_seconds() {
        assert_eq!(epoch(b"1308078000"), Some(1_308_078_000));
        for text in ["", "-1", "+1", "1.5", "1e9", "0x10", "9999999999999", "99999999999999999999999999"] {
            assert_eq!(epoch(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), near in "[0-9TZ:, +.a-zA-Z-]{0,41}") {
            for value in [bytes.as_slice(), near.as_bytes()] {
                let _read = (http_date(value), iso8601(value), epoch(value));
            }
        }

        #[test]
        fn reads_back_what_a_timestamp_prints(seconds in -2_000_000_000_i64..9_000_000_000) {
            prop_assert_eq!(iso8601(Timestamp::from_parts(seconds, 0).rfc3339().as_bytes()), Some(seconds));
        }
    }
}
