// SPDX-License-Identifier: LGPL-2.0-or-later
//! Dates as people and programs write them, in UTC, and spans like `3y`.

use std::{
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const DAY: u64 = 24 * 3600;

/// `2026-11-21T22:30:00Z` (RFC 3339).
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let seconds = seconds(time);
    let (hours, minutes) = (seconds % DAY / 3600, seconds % 3600 / 60);
    format!("{}T{hours:02}:{minutes:02}:{:02}Z", day(time), seconds % 60)
}

/// `2026-11-21`.
pub(crate) fn day(time: SystemTime) -> String {
    let (year, month, day) = civil(seconds(time) / DAY);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `Sat Nov 21 22:30:05 2026`, for mbox files.
pub(crate) fn asctime(time: SystemTime) -> String {
    let days = seconds(time) / DAY;
    let (year, month, day) = civil(days);
    // 1970 began on a Thursday.
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][(days % 7) as usize];
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let second = seconds(time) % DAY;
    let (hours, minutes, seconds) = (second / 3600, second % 3600 / 60, second % 60);
    format!("{weekday} {} {day:2} {hours:02}:{minutes:02}:{seconds:02} {year}", months[month as usize - 1])
}

/// Whole seconds since 1970. Times before that do not occur in OpenPGP.
pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Days since 1970 → year, month, day. Counts in eras of 400 years, which all have the same length, from a March on,
/// so that the leap day comes last (Howard Hinnant's algorithm).
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// Days since 1970 of a date; the inverse of [`civil`].
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let from_1970 = || 1970..=year;
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    if !(1970..=2106).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let before_year: u64 = from_1970().filter(|y| *y < year).map(|y| 365 + u64::from(leap(y))).sum();
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before_month: u64 = lengths[..month as usize - 1].iter().sum();
    (day <= lengths[month as usize - 1]).then_some(before_year + before_month + day - 1)
}

/// When something ends: `3y`, `90d`, `2029-12-31`, or `never`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    Never,
    After(Duration),
    At(SystemTime),
}

impl Expiry {
    /// The moment; `None` for never.
    pub(crate) fn at(self, now: SystemTime) -> Option<SystemTime> {
        match self {
            Self::Never => None,
            Self::After(span) => Some(now + span),
            Self::At(time) => Some(time),
        }
    }

    /// The time left; `None` for never.
    pub(crate) fn span(self, now: SystemTime) -> Option<Duration> {
        self.at(now).map(|at| at.duration_since(now).unwrap_or_default())
    }
}

impl FromStr for Expiry {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected a span (3y, 18w, 90d, 12h), a date (2029-12-31), or never";
        if text == "never" {
            return Ok(Self::Never);
        }
        if let [year, month, day] = text.split('-').collect::<Vec<_>>()[..] {
            let number = |text: &str| text.parse::<u64>().map_err(|_| EXPECTED);
            let days = days(number(year)?, number(month)?, number(day)?).ok_or(EXPECTED)?;
            return Ok(Self::At(UNIX_EPOCH + Duration::from_secs(days * DAY)));
        }
        Ok(Self::After(span(text).map_err(|_| EXPECTED)?))
    }
}

/// `3y`, `18w`, `90d`, `12h`, `30s`.
pub(crate) fn span(text: &str) -> Result<Duration, &'static str> {
    const EXPECTED: &str = "expected a number with a unit: 3y, 18w, 90d, 12h, 30s";
    let unit = match text.chars().last() {
        Some('y') => 365 * DAY,
        Some('w') => 7 * DAY,
        Some('d') => DAY,
        Some('h') => 3600,
        Some('s') => 1,
        _ => return Err(EXPECTED),
    };
    // Units are ASCII, so the last character is one byte.
    let count: u64 = text[..text.len() - 1].parse().map_err(|_| EXPECTED)?;
    // More does not fit into a signature, and would overflow the clock.
    let seconds =
        count.checked_mul(unit).filter(|seconds| *seconds <= u64::from(u32::MAX)).ok_or(EXPECTED)?;
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(rfc3339(at(0)), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(at(951_782_400)), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(at(1_795_300_205)), "2026-11-21T22:30:05Z");
        assert_eq!(asctime(at(1_795_300_205)), "Sat Nov 21 22:30:05 2026");
        assert_eq!(day(at(u64::from(u32::MAX))), "2106-02-07");
    }

    #[test]
    fn every_day_is_found_again() {
        for number in 0..49_000 {
            let (year, month, day) = civil(number);
            assert_eq!(days(year, month, day), Some(number));
        }
    }

    #[test]
    fn expiry_is_a_span_a_date_or_never() {
        assert_eq!("never".parse(), Ok(Expiry::Never));
        assert_eq!("3y".parse(), Ok(Expiry::After(Duration::from_secs(3 * 365 * DAY))));
        assert_eq!("2000-02-29".parse(), Ok(Expiry::At(at(951_782_400))));
        for wrong in
            ["", "y", "3", "3m", "-1d", "3 y", "999999y", "2001-02-29", "2026-13-01", "ü", "1e3d", "1-1-1-1"]
        {
            assert!(wrong.parse::<Expiry>().is_err(), "{wrong}");
        }
    }
}
