//! How times are said in the list: by which clock, since when, and how exactly. Pure: the zone is given.

use std::borrow::Cow;

use jiff::tz::TimeZone;

use crate::case::TimeFormat;
use crate::model::{FrameNo, Timestamp};
use crate::store::{Row, RowId, Snapshot};

/// What a row shows that times count from.
pub(crate) const REFERENCE: &str = "*REF*";

/// Nanoseconds.
const DAY: i64 = 86_400 * 1_000_000_000;

/// Where times count from anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    frame: FrameNo,
    row: RowId,
    time: Timestamp,
}

/// A way to say times.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    format: TimeFormat,
    decimals: u8,
    zone: TimeZone,
    start: Option<Timestamp>,
    /// In capture order.
    references: Vec<Reference>,
}

impl Default for Clock {
    /// The time of day in UTC: for pictures.
    fn default() -> Self {
        Self::new((TimeFormat::default(), 3), TimeZone::UTC, &Snapshot::empty(), &[])
    }
}

impl Clock {
    /// `references` are rows that times count from, in any order.
    pub(crate) fn new(
        (format, decimals): (TimeFormat, u8),
        zone: TimeZone,
        snapshot: &Snapshot,
        references: &[RowId],
    ) -> Self {
        let [first, last] = [snapshot.facts().capture.first_time, snapshot.facts().capture.last_time];
        // Of several days a time of day alone would mislead.
        let day = |time: Timestamp| time.0.div_euclid(DAY);
        let one_day = first.map(day) == last.map(day);
        let format = if format == TimeFormat::Utc && !one_day { TimeFormat::UtcDate } else { format };
        let start = first.or_else(|| snapshot.rows().next().map(|(_, row)| row.time));
        let reference = |id: &RowId| {
            let row = snapshot.row(*id)?;
            Some(Reference { frame: row.first_frame, row: *id, time: row.time })
        };
        let mut references: Vec<Reference> = references.iter().filter_map(reference).collect();
        references.sort_by_key(|reference| (reference.frame, reference.row));
        Self { format, decimals, zone, start, references }
    }

    /// What the column is called; the zone is always named.
    pub(crate) fn title(&self) -> Cow<'static, str> {
        match self.format {
            TimeFormat::Utc => "Time (UTC)".into(),
            TimeFormat::UtcDate => "Date and time (UTC)".into(),
            TimeFormat::Local => format!("Time ({})", self.zone_name()).into(),
            TimeFormat::SinceStart if self.references.is_empty() => "Seconds since start".into(),
            TimeFormat::SinceStart => "Seconds since reference".into(),
            TimeFormat::SincePrevious => "Seconds since row above".into(),
        }
    }

    fn zone_name(&self) -> String {
        if self.zone.is_unknown() {
            return "UTC, local zone unknown".to_owned();
        }
        let named = self.zone.iana_name().map(str::to_owned);
        named.unwrap_or_else(|| self.offset(self.start.unwrap_or_default()))
    }

    /// The zone's short name at that time.
    fn offset(&self, time: Timestamp) -> String {
        self.zone.to_offset_info(moment(time)).abbreviation().to_owned()
    }

    /// Points that the column needs.
    pub(crate) fn width(&self) -> f32 {
        let digits = f32::from(self.decimals) * 8.0;
        match self.format {
            TimeFormat::Utc => 80.0 + digits,
            TimeFormat::UtcDate | TimeFormat::Local => 168.0 + digits,
            // Their heads are longer than most of what stands below.
            TimeFormat::SinceStart | TimeFormat::SincePrevious => 152.0_f32.max(80.0 + digits),
        }
    }

    /// Whether numbers stand in the column.
    pub(crate) fn counts(&self) -> bool {
        matches!(self.format, TimeFormat::SinceStart | TimeFormat::SincePrevious)
    }

    /// What a row's cell says. `above` is the time of the row shown before it.
    pub(crate) fn words(&self, (id, row): (RowId, &Row), above: Option<Timestamp>) -> String {
        if self.references.iter().any(|reference| reference.row == id) {
            return REFERENCE.to_owned();
        }
        let decimals = usize::from(self.decimals);
        match self.format {
            TimeFormat::Utc => row.time.time_of_day(decimals),
            TimeFormat::UtcDate => format!("{} {}", row.time.date(), row.time.time_of_day(decimals)),
            TimeFormat::Local => self.local(row.time),
            TimeFormat::SinceStart => seconds(row.time.nanos_since(self.base(row)), decimals),
            TimeFormat::SincePrevious => seconds(above.map_or(0, |above| row.time.nanos_since(above)), decimals),
        }
    }

    /// The same in full: UTC, and local time where that is shown.
    pub(crate) fn full(&self, row: &Row) -> String {
        let utc = row.time.rfc3339();
        match self.format {
            TimeFormat::Local => format!("{} {}\n{utc}", self.local(row.time), self.offset(row.time)),
            TimeFormat::Utc | TimeFormat::UtcDate | TimeFormat::SinceStart | TimeFormat::SincePrevious => utc,
        }
    }

    /// The last reference that is not after the row, else the start of the capture.
    fn base(&self, row: &Row) -> Timestamp {
        let after = self.references.partition_point(|reference| reference.frame <= row.first_frame);
        let reference = after.checked_sub(1).and_then(|at| self.references.get(at));
        reference.map(|reference| reference.time).or(self.start).unwrap_or(row.time)
    }

    /// What a clock on the wall said.
    fn local(&self, time: Timestamp) -> String {
        let offset = self.zone.to_offset(moment(time)).seconds();
        let wall = Timestamp(time.0.saturating_add(i64::from(offset) * 1_000_000_000));
        format!("{} {}", wall.date(), wall.time_of_day(usize::from(self.decimals)))
    }
}

fn moment(time: Timestamp) -> jiff::Timestamp {
    // Any 64-bit number of nanoseconds is within jiff's years.
    jiff::Timestamp::from_nanosecond(i128::from(time.0)).unwrap_or_default()
}

/// `-1.250`: what is finer than the decimals is cut off.
fn seconds(nanos: i64, decimals: usize) -> String {
    let whole = nanos.unsigned_abs();
    let fraction = format!("{:09}", whole % 1_000_000_000);
    let fraction = fraction.get(..decimals.min(9)).unwrap_or_default();
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if nanos < 0 { "-" } else { "" };
    format!("{sign}{}{point}{fraction}", whole / 1_000_000_000)
}

/// A way to say times, in words for menus.
pub(crate) fn format_words(format: TimeFormat) -> &'static str {
    match format {
        TimeFormat::Utc => "Time of day (UTC)",
        TimeFormat::UtcDate => "Date and time (UTC)",
        TimeFormat::Local => "Date and local time",
        TimeFormat::SinceStart => "Seconds since start or reference",
        TimeFormat::SincePrevious => "Seconds since the row above",
    }
}

/// How exactly times are said, in words for menus.
pub(crate) const PRECISIONS: [(u8, &str); 4] =
    [(0, "Seconds"), (3, "Milliseconds"), (6, "Microseconds"), (9, "Nanoseconds")];

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::{Clock, Reference, seconds};
    use crate::case::TimeFormat;
    use crate::model::{FrameNo, Timestamp};
    use crate::store::{RowId, Snapshot};

    const SUMMER: Timestamp = Timestamp(1_307_988_131_300_000_000);
    const WINTER: Timestamp = Timestamp(1_323_885_731_300_000_000);

    fn clock(format: TimeFormat, decimals: u8) -> Clock {
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let start = Some(Timestamp(SUMMER.0 - 1_500_000_000));
        Clock { start, ..Clock::new((format, decimals), berlin, &Snapshot::empty(), &[]) }
    }

    #[track_caller]
    fn check(format: TimeFormat, decimals: u8, time: Timestamp, want: &str) {
        let row = crate::store::sample_row(time, FrameNo(7));
        assert_eq!(
            clock(format, decimals).words((RowId(0), &row), Some(Timestamp(time.0.saturating_add(250_000_000)))),
            want
        );
    }

    #[test]
    fn each_format_says_its_time() {
        check(TimeFormat::Utc, 3, SUMMER, "18:02:11.300");
        check(TimeFormat::Utc, 0, SUMMER, "18:02:11");
        check(TimeFormat::UtcDate, 6, SUMMER, "2011-06-13 18:02:11.300000");
        check(TimeFormat::Local, 3, SUMMER, "2011-06-13 20:02:11.300");
        check(TimeFormat::Local, 1, WINTER, "2011-12-14 19:02:11.3");
        check(TimeFormat::SinceStart, 3, SUMMER, "1.500");
        check(TimeFormat::SincePrevious, 2, SUMMER, "-0.25");
        check(TimeFormat::SinceStart, 9, Timestamp(i64::MIN), "-9223372036.854775808");
        check(TimeFormat::Local, 0, Timestamp(i64::MAX), "2262-04-11 23:47:16");
    }

    #[test]
    fn the_zone_is_named() {
        assert_eq!(clock(TimeFormat::Local, 3).title(), "Time (CEST)");
        let zone = TimeZone::unknown();
        assert_eq!(Clock { zone, ..clock(TimeFormat::Local, 3) }.title(), "Time (UTC, local zone unknown)");
        assert_eq!(clock(TimeFormat::Utc, 3).title(), "Time (UTC)");
    }

    #[test]
    fn times_count_from_the_last_reference_before() {
        let mut clock = clock(TimeFormat::SinceStart, 1);
        let reference = |frame, row, seconds: i64| Reference {
            frame: FrameNo(frame),
            row: RowId(row),
            time: Timestamp(SUMMER.0 + seconds * 1_000_000_000),
        };
        clock.references = vec![reference(10, 1, 1), reference(20, 2, 5)];
        let at = |id, frame, seconds: i64| {
            let row = crate::store::sample_row(Timestamp(SUMMER.0 + seconds * 1_000_000_000), FrameNo(frame));
            clock.words((RowId(id), &row), None)
        };
        assert_eq!(at(0, 9, 0), "1.5", "before the first: since the start");
        assert_eq!(at(1, 10, 1), "*REF*");
        assert_eq!(at(3, 19, 4), "3.0");
        assert_eq!(at(2, 20, 5), "*REF*");
        assert_eq!(at(4, 21, 4), "-1.0", "clocks may go back");
    }

    #[test]
    fn what_is_finer_is_cut_off() {
        assert_eq!(seconds(-999_999_999, 0), "-0");
        assert_eq!(seconds(1_999_999_999, 3), "1.999");
        assert_eq!(seconds(0, 0), "0");
    }
}
