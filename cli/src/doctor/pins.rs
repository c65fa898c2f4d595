// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which certificate belongs to whom: readable, and no decision left open.

use super::{Finding, Level};
use crate::{app::App, date};

pub(super) fn check(app: &App<'_>) -> Vec<Finding> {
    let pins = match app.pins.read() {
        Ok(pins) => pins,
        Err(error) => {
            let remedy = "mend it, or move it away to start without pins";
            return vec![Finding::new("pins", Level::Error, crate::exit::sentence(&error), remedy)];
        }
    };
    let open: Vec<Finding> = pins
        .offers()
        .map(|offer| {
            let text = format!(
                "{} of {} ({}, since {}) contradicts what was known, and nobody has decided",
                offer.fingerprint,
                offer.address,
                offer.source,
                date::day(offer.since)
            );
            let remedy =
                format!("`plombe key trust {} FINGERPRINT`, with --reject or without", offer.address);
            Finding::new("pins", Level::Warning, text, remedy)
        })
        .collect();
    match open.is_empty() {
        true => {
            vec![Finding::ok("pins", format!("{} addresses have their certificate", pins.iter().count()))]
        }
        false => open,
    }
}
