// SPDX-License-Identifier: LGPL-2.0-or-later
//! Each claim of the threat model names the tests that fail when it is broken; here we see that they exist.

use crate::files;

#[test]
fn every_test_that_the_threat_model_leans_on_exists() {
    let model = files::all()
        .iter()
        .find(|file| file.path == "docs/threat-model.md")
        .expect("there is a threat model");
    let rows = model.text.lines().skip_while(|line| !line.starts_with("| claim")).skip(2);
    let rows: Vec<&str> = rows.take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 10, "the table of claims has {} rows", rows.len());

    let mut missing = Vec::new();
    for row in rows {
        let tests = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "a claim without a test: {row}");
        for name in names {
            let declaration = format!("fn {name}(");
            if !files::all().iter().any(|file| file.is(&["rs"]) && file.text.contains(&declaration)) {
                missing.push(name);
            }
        }
    }
    assert!(missing.is_empty(), "the threat model names tests that are not there: {}", missing.join(", "));
}
