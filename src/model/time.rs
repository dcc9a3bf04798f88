//! Capture time: nanoseconds since 1970-01-01 UTC, as the frames tell it.

/// A moment of capture time: nanoseconds since the Unix epoch, UTC. Holds the years 1677 to 2262; a time outside is
/// clamped to the nearest end, so that no file can make arithmetic overflow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// Frames stand a little out of order in many captures; a time further back than this is a clock that was set back.
const STEP_BACK_NANOS: i64 = 5_000_000_000;

impl Timestamp {
    /// Goes on to the next time that frames tell, as their clock does: small disorder does not turn it back, a step back of
    /// more than five seconds does; gives whether that was one. 0 is a frame without time.
    pub fn follow(&mut self, next: Self) -> bool {
        let stepped = next.0 != 0 && self.0 != i64::MIN && self.nanos_since(next) > STEP_BACK_NANOS;
        if stepped || (next.0 != 0 && next > *self) {
            *self = next;
        }
        stepped
    }

    /// From whole seconds and nanoseconds, clamped.
    pub fn from_parts(seconds: i64, nanos: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
    }

    /// From nanoseconds of any size, clamped.
    pub fn from_nanos(nanos: i128) -> Self {
        Self(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
    }

    /// From ISO 8601 as programs write it (`2011-06-13T18:02:11.3+02:00`), and whether the zone stands there; without one it is
    /// taken as UTC. `None`: no such time.
    pub fn from_iso(text: &[u8]) -> Option<(Self, bool)> {
        let text = str::from_utf8(text).ok()?.trim_ascii();
        let (day, rest) = text.split_once(['T', 't', ' '])?;
        let [year, month, of_month] = numbers(day, '-', [4, 2, 2])?;
        let zone_at = rest.find(['Z', 'z', '+', '-', ' ']).unwrap_or(rest.len());
        let (clock, zone) = rest.split_at_checked(zone_at)?;
        let (clock, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, ""));
        let [hour, minute, second] = match clock.len() {
            5 => numbers(clock, ':', [2, 2]).map(|[hour, minute]| [hour, minute, 0])?,
            _ => numbers(clock, ':', [2, 2, 2])?,
        };
        if !(1..=12).contains(&month) || !(1..=31).contains(&of_month) || hour > 24 || minute > 59 || second > 60 {
            return None;
        }
        if !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let nanos: i64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
        let (east, zoned) = zone_seconds(zone.trim_ascii())?;
        let days = days_from_civil(year, month, of_month);
        let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - east;
        Some((Self::from_parts(seconds, nanos), zoned))
    }

    /// So many nanoseconds later.
    #[must_use]
    pub fn after(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// Nanoseconds from `earlier` to this moment; negative when the clock went back.
    pub fn nanos_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// RFC 3339 in UTC with nine decimals, `2011-06-13T18:02:11.300000000Z`. Days are counted by the civil calendar of
    /// Howard Hinnant's `days_from_civil`, so no clock, locale or time zone file is asked.
    pub fn rfc3339(self) -> String {
        let (year, month, day, hour, minute, second, nanos) = self.civil();
        if !(0..=9_999).contains(&year) {
            return format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z");
        }
        // Written some hundred thousand times a list: digits by hand cost a fifth of the format machinery.
        let mut text = String::with_capacity(30);
        let parts = [(year as u32, 4, '-'), (month, 2, '-'), (day, 2, 'T'), (hour, 2, ':'), (minute, 2, ':')];
        for (value, digits, after) in parts.into_iter().chain([(second, 2, '.'), (nanos, 9, 'Z')]) {
            let mut unit = 10_u32.pow(digits - 1);
            while unit > 0 {
                text.push(char::from(b'0' + (value / unit % 10) as u8));
                unit /= 10;
            }
            text.push(after);
        }
        text
    }

    /// Time of day in UTC with `decimals` (0 to 9) decimals, `18:02:11.3`.
    pub fn time_of_day(self, decimals: usize) -> String {
        let (_, _, _, hour, minute, second, nanos) = self.civil();
        let fraction = format!("{nanos:09}");
        match fraction.get(..decimals.min(9)) {
            Some(f) if !f.is_empty() => format!("{hour:02}:{minute:02}:{second:02}.{f}"),
            _ => format!("{hour:02}:{minute:02}:{second:02}"),
        }
    }

    /// The day in UTC, `2011-06-13`.
    pub fn date(self) -> String {
        let (year, month, day, ..) = self.civil();
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// Year, month, day, hour, minute, second and nanoseconds in UTC.
    pub fn civil(self) -> (i64, u32, u32, u32, u32, u32, u32) {
        let nanos = self.0.rem_euclid(1_000_000_000) as u32;
        let seconds = self.0.div_euclid(1_000_000_000);
        let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400) as u32);
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let day_of_era = z.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let mp = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * mp + 2) / 5 + 1) as u32;
        let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year, month, day, of_day / 3_600, of_day / 60 % 60, of_day % 60, nanos)
    }
}

/// Numbers of so many digits each with `between` between them.
fn numbers<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(between);
    let mut read = [0; N];
    for (value, digits) in read.iter_mut().zip(digits) {
        let part = parts.next().filter(|p| p.len() == digits && p.bytes().all(|b| b.is_ascii_digit()))?;
        *value = part.parse().ok()?;
    }
    parts.next().is_none().then_some(read)
}

/// Seconds east of UTC that a zone names (`Z`, `+02:00`, `+0200`, `+02`), and whether there is one.
fn zone_seconds(zone: &str) -> Option<(i64, bool)> {
    let (sign, digits) = match zone.as_bytes().first() {
        None => return Some((0, false)),
        Some(b'Z' | b'z') => return (zone.len() == 1).then_some((0, true)),
        Some(b'+') => (1, zone.get(1..)?),
        Some(b'-') => (-1, zone.get(1..)?),
        Some(_) => return None,
    };
    let plain: String = digits.chars().filter(|c| *c != ':').collect();
    let [hours, minutes] = match plain.len() {
        2 => numbers(&plain, ':', [2]).map(|[hours]| [hours, 0])?,
        4 => [numbers(plain.get(..2)?, ':', [2])?, numbers(plain.get(2..)?, ':', [2])?].map(|[n]| n),
        _ => return None,
    };
    Some((sign * (hours * 3_600 + minutes * 60), true))
}

/// Days since 1970-01-01 (Howard Hinnant's `days_from_civil`).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[track_caller]
    fn iso(text: &str, want: Option<(&str, bool)>) {
        let read = Timestamp::from_iso(text.as_bytes()).map(|(time, zoned)| (time.rfc3339(), zoned));
        assert_eq!(read, want.map(|(time, zoned)| (time.to_owned(), zoned)), "{text}");
    }

    #[test]
    fn reads_what_programs_write() {
        let want = Some(("2011-06-13T18:02:11.300000000Z", true));
        iso("2011-06-13T18:02:11.3Z", want);
        iso("2011-06-13T20:02:11.300+02:00", want);
        iso("2011-06-13T11:02:11.3000000-0700", want);
        iso("2011-06-13 23:32:11,300 +05:30", want);
        iso("2011-06-13T18:02:11.300000", Some(("2011-06-13T18:02:11.300000000Z", false)));
        iso("2000-02-29T00:00Z", Some(("2000-02-29T00:00:00.000000000Z", true)));
        iso("1969-12-31T23:59:59.9999999991Z", Some(("1969-12-31T23:59:59.999999999Z", true)));
        iso("9999-12-31T23:59:59Z", Some(("2262-04-11T23:47:16.854775807Z", true)));
        for wrong in
            ["", "now", "2011-13-01T00:00:00Z", "2011-06-13", "2011-06-13T25:00:00Z", "2011-06-13T18:02:11+2", "-"]
        {
            iso(wrong, None);
        }
    }

    #[track_caller]
    fn check(seconds: i64, nanos: i64, want: &str) {
        assert_eq!(Timestamp::from_parts(seconds, nanos).rfc3339(), want);
    }

    #[test]
    fn prints_what_date_prints() {
        check(0, 0, "1970-01-01T00:00:00.000000000Z");
        check(1_307_988_131, 300_000_000, "2011-06-13T18:02:11.300000000Z");
        check(951_782_400, 1, "2000-02-29T00:00:00.000000001Z");
        check(-1, 999_999_999, "1969-12-31T23:59:59.999999999Z");
        check(4_294_967_295, 0, "2106-02-07T06:28:15.000000000Z");
    }

    #[test]
    fn follows_a_clock_that_is_set() {
        const HOUR: i64 = 3_600_000_000_000;
        let mut clock = Timestamp(i64::MIN);
        let steps = [10 * HOUR, 10 * HOUR - 1, 9 * HOUR, 33 * HOUR, 0, i64::MAX, 9 * HOUR, i64::MIN, 1];
        let seen: Vec<(bool, i64)> = steps.iter().map(|t| (clock.follow(Timestamp(*t)), clock.0)).collect();
        let want = [
            (false, 10 * HOUR),
            (false, 10 * HOUR),
            (true, 9 * HOUR),
            (false, 33 * HOUR),
            (false, 33 * HOUR),
            (false, i64::MAX),
            (true, 9 * HOUR),
            (true, i64::MIN),
            (false, 1),
        ];
        assert_eq!(seen, want);
    }

    #[test]
    fn clamps_instead_of_overflowing() {
        assert_eq!(Timestamp::from_nanos(i128::MAX), Timestamp(i64::MAX));
        assert_eq!(Timestamp::from_parts(i64::MAX, 5), Timestamp(i64::MAX));
        assert!(Timestamp(i64::MAX).rfc3339().starts_with("2262-"));
    }
}
