// SPDX-License-Identifier: LGPL-2.0-or-later
//! Thunderbird, as a person would use it: Marionette clicks, `thunderbird/run.py` looks.

use std::process::{Command, Stdio};

use plombe_tests::{
    binary::{repository, target_dir},
    peers, plombe,
};

use crate::report;

#[test]
fn each_opens_what_the_other_sent() {
    let python = target_dir().join("peers/python/bin/python");
    let driver =
        Command::new(&python).args(["-c", "import marionette_driver"]).stderr(Stdio::null()).status();
    if peers::find("thunderbird").is_none() || !driver.is_ok_and(|status| status.success()) {
        return peers::skip("Thunderbird (`cargo xtask peers --thunderbird`)");
    }
    let script = repository().join("tests/interop/thunderbird/run.py");
    let ran =
        Command::new(python).arg(script).arg(plombe()).stdin(Stdio::null()).output().expect("python runs");
    let (said, complained) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    println!("{said}");
    assert!(ran.status.success(), "{complained}");
    let version = said.lines().find_map(|line| line.strip_prefix("Thunderbird ")).expect("a version");
    let checks: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("  ok: ")).collect();
    assert!(checks.len() >= 11, "too little was looked at: {checks:?}");
    report::checked("Thunderbird", version, &checks);
}
