// SPDX-License-Identifier: LGPL-2.0-or-later
//! Points in time on the command line: ISO 8601 in UTC, `now`, or `-` for "no limit".

use std::time::SystemTime;

use super::failure::{Code, Failure, Result};

/// A moment that must be said (`--validate-at`).
pub(super) fn parse(text: &str, now: SystemTime) -> Result<SystemTime> {
    if text == "now" {
        return Ok(now);
    }
    iso_8601(text).ok_or_else(|| {
        Failure::new(
            Code::UnsupportedOption,
            format!("{text} is not a date: say 2026-11-21T08:30:00Z, now or -"),
        )
    })
}

/// When acceptable signatures may have been made.
#[derive(Clone, Copy)]
pub(super) struct Window {
    not_before: Option<SystemTime>,
    not_after: Option<SystemTime>,
}

impl Window {
    /// From what was said to `--not-before` and `--not-after`.
    pub(super) fn parse(not_before: &str, not_after: &str, now: SystemTime) -> Result<Self> {
        let limit = |text: &str| if text == "-" { Ok(None) } else { parse(text, now).map(Some) };
        Ok(Self { not_before: limit(not_before)?, not_after: limit(not_after)? })
    }

    /// Is a signature of this time acceptable? One without a time never is.
    pub(super) fn contains(self, signed_at: Option<SystemTime>) -> bool {
        signed_at.is_some_and(|at| {
            self.not_before.is_none_or(|limit| at >= limit) && self.not_after.is_none_or(|limit| at <= limit)
        })
    }
}

/// `2026-11-21T08:30:00Z`, `20261121T083000Z` or a date alone, which means its first second.
fn iso_8601(text: &str) -> Option<SystemTime> {
    let mut digits = String::with_capacity(14);
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    digits.extend(date.chars().filter(|c| *c != '-'));
    digits.extend(time.strip_suffix('Z').unwrap_or(time).chars().filter(|c| *c != ':'));
    if digits.len() != 14 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (date, time) = digits.split_at(8);
    let rfc_3339 = format!(
        "{}-{}-{}T{}:{}:{}Z",
        &date[..4],
        &date[4..6],
        &date[6..],
        &time[..2],
        &time[2..4],
        &time[4..]
    );
    humantime::parse_rfc3339(&rfc_3339).ok()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn dates_are_read_in_both_iso_forms() {
        let at = |seconds| Some(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(iso_8601("2026-11-21T08:30:00Z"), at(1_795_249_800));
        assert_eq!(iso_8601("20261121T083000Z"), at(1_795_249_800));
        assert_eq!(iso_8601("2026-11-21"), at(1_795_219_200));
        for wrong in
            ["", "tomorrow", "2026-13-01", "2026-11-21T25:00:00Z", "2026-11-21T08:30:00+01:00", "٢٠٢٦-11-21"]
        {
            assert_eq!(iso_8601(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_window_includes_its_limits() {
        let now = UNIX_EPOCH + Duration::from_secs(1_795_249_800);
        let window = Window::parse("2026-11-21T08:30:00Z", "now", now).expect("both are dates");
        assert!(window.contains(Some(now)));
        assert!(!window.contains(Some(now - Duration::from_secs(1))));
        assert!(!window.contains(Some(now + Duration::from_secs(1))));
        assert!(!window.contains(None));
    }
}
