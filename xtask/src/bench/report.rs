// SPDX-License-Identifier: LGPL-2.0-or-later
//! Medians, ratios and peak memory, for people and for programs.

use std::fmt::Write as _;

use super::measure::Measurement;

/// One job, by several programs; the first is the yardstick.
pub(super) struct Row {
    pub(super) what: String,
    pub(super) results: Vec<(String, Measurement)>,
}

pub(super) fn row(what: &str, results: Vec<(String, Measurement)>) -> Row {
    Row { what: what.into(), results }
}

/// A table per job. A ratio above 1 says how many times faster than that program Plombe's first line is.
pub(super) fn markdown(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let _ = writeln!(
            text,
            "| {} | median | peak memory | times as long as the first |\n|---|---|---|---|",
            row.what
        );
        let first = row.results.first().and_then(|(_, m)| m.median());
        for (name, measurement) in &row.results {
            let Some(run) = measurement.median() else { continue };
            let ratio = first.map_or(1.0, |first| run.time.as_secs_f64() / first.time.as_secs_f64());
            let (time, peak) = (run.time.as_secs_f64(), run.peak_kib as f64 / 1024.0);
            let _ = writeln!(text, "| {name} | {time:.3} s | {peak:.0} MiB | {ratio:.2} |");
        }
        text.push('\n');
    }
    text
}

pub(super) fn json(rows: &[Row]) -> String {
    let mut results = Vec::new();
    for row in rows {
        for (name, measurement) in &row.results {
            let Some(run) = measurement.median() else { continue };
            results.push(format!(
                "{{\"job\":\"{}\",\"program\":\"{name}\",\"seconds\":{:.4},\"peak_kib\":{}}}",
                row.what,
                run.time.as_secs_f64(),
                run.peak_kib
            ));
        }
    }
    format!("[{}]", results.join(","))
}
