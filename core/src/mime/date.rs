// SPDX-License-Identifier: LGPL-2.0-or-later
//! Dates of mail headers (RFC 5322 section 3.3).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// `Sat, 21 Nov 2026 22:10:00 +0000`. Times before 1970 read as 1970.
pub fn format_utc(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let days = seconds / 86_400;
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let weekday = DAYS[(days % 7) as usize];
    let month = MONTHS[month as usize - 1];
    format!("{weekday}, {day} {month} {year} {hour:02}:{minute:02}:{second:02} +0000")
}

/// Reads a Date field; obsolete forms (two-digit years, zone names, comments) too. `None` before 1970.
pub fn parse(value: &str) -> Option<SystemTime> {
    let without_comments = value.split('(').next()?;
    let after_weekday = without_comments.rsplit_once(',').map_or(without_comments, |(_, date)| date);
    let mut words = after_weekday.split_ascii_whitespace();
    let day: i64 = words.next()?.parse().ok().filter(|day| (1..=31).contains(day))?;
    let month_name = words.next()?.get(..3)?;
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month_name))? as i64 + 1;
    let year: i64 = match words.next()?.parse::<u16>().ok()? {
        short @ 0..50 => i64::from(short) + 2000,
        short @ 50..1000 => i64::from(short) + 1900,
        year => i64::from(year),
    };
    let mut clock = words.next()?.split(':');
    let mut part =
        |most: i64| -> Option<i64> { clock.next()?.parse().ok().filter(|n| (0..=most).contains(n)) };
    let (hour, minute) = (part(23)?, part(59)?);
    let second = part(60).unwrap_or(0);
    let offset = words.next().map_or(Some(0), zone_seconds)?;
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}

fn zone_seconds(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        // Obsolete names: the North American ones have a meaning, the rest counts as UTC (RFC 5322 section 4.3).
        _ => {
            let hours = match zone.to_ascii_uppercase().as_str() {
                "EDT" => -4,
                "EST" | "CDT" => -5,
                "CST" | "MDT" => -6,
                "MST" | "PDT" => -7,
                "PST" => -8,
                _ => 0,
            };
            return Some(hours * 3_600);
        }
    };
    let digits: i64 = zone[1..].parse().ok().filter(|digits| (0..=9_999).contains(digits))?;
    Some(sign * (digits / 100 * 3_600 + digits % 100 * 60))
}

/// Days since 1970 to a date; years begin in March, so that the leap day is the last of its year.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_dates() {
        let time = UNIX_EPOCH + Duration::from_secs(1_571_668_200);
        assert_eq!(parse("Mon, 21 Oct 2019 07:30:00 -0700"), Some(time));
        assert_eq!(parse("21 Oct 19 14:30 GMT"), Some(time));
        assert_eq!(parse("Mon, 21 Oct 2019 10:30:00 EDT (comment)"), Some(time));
        assert_eq!(format_utc(time), "Mon, 21 Oct 2019 14:30:00 +0000");
        assert_eq!(
            format_utc(UNIX_EPOCH + Duration::from_secs(951_782_400)),
            "Tue, 29 Feb 2000 00:00:00 +0000"
        );
        for nonsense in
            ["", "yesterday", "Mon, 99 Oct 2019 07:30:00", "1 Jan 1960 00:00 +0000", "1 ééé 2000 1:1"]
        {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
    }

    proptest! {
        #[test]
        fn formatting_and_parsing_give_the_same_time(seconds in 0_u64..32_000_000_000) {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            prop_assert_eq!(parse(&format_utc(time)), Some(time));
        }

        #[test]
        fn any_text_is_survived(text in "\\PC{0,60}") {
            let _ = parse(&text);
        }
    }
}
