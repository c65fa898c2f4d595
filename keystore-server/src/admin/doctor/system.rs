// SPDX-License-Identifier: LGPL-2.0-or-later
//! What the machine allows: locked memory, no core dumps, a clock that is kept.

use std::{fs, path::Path};

use super::Finding;
use crate::harden::HardenFinding;

/// What `timesyncd`, `chrony` and `ntpd` leave behind when they run.
const TIME_KEEPERS: [&str; 4] =
    ["/run/systemd/timesync/synchronized", "/run/chrony/chronyd.pid", "/run/chronyd.pid", "/run/ntpd.pid"];

pub(super) fn check(hardening: Vec<HardenFinding>) -> Vec<Finding> {
    let mut findings: Vec<_> = hardening.iter().map(hardened).collect();
    if findings.is_empty() {
        findings
            .push(Finding::good("memory", "it is locked, in no core dump, and closed to other processes"));
    }
    let is_kept = TIME_KEEPERS.iter().any(|file| Path::new(file).exists());
    findings.push(match is_kept {
        true => Finding::good("time", "something keeps the clock right"),
        false => Finding::warning(
            "time",
            "nothing that keeps the clock right was found on this machine",
            "run systemd-timesyncd or chrony; proofs of devices and sessions depend on the time",
        ),
    });
    findings
}

fn hardened(finding: &HardenFinding) -> Finding {
    let (check, remedy) = match finding {
        HardenFinding::MemoryLock(_) if !swaps() => (
            "memory-lock",
            "there is no swap space now, so nothing is written there; LimitMEMLOCK=infinity keeps it so",
        ),
        HardenFinding::MemoryLock(_) => {
            ("memory-lock", "LimitMEMLOCK=infinity in the systemd unit, or encrypt the swap space")
        }
        HardenFinding::CoreDumps(_) => ("core-dumps", "LimitCORE=0 in the systemd unit"),
        HardenFinding::Dumpable(_) => ("tracing", "run it as a user of its own, without other programs"),
        HardenFinding::NewPrivileges(_) => ("privileges", "NoNewPrivileges=yes in the systemd unit"),
    };
    Finding::warning(check, finding.to_string(), remedy)
}

fn swaps() -> bool {
    fs::read_to_string("/proc/swaps").is_ok_and(|swaps| swaps.lines().count() > 1)
}
