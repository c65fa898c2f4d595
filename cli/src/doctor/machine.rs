// SPDX-License-Identifier: LGPL-2.0-or-later
//! This machine: clock, crypto backend, room for spools, other OpenPGP programs.

use std::{
    env, fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use plombe_core::cert::Profile;

use super::{Finding, Level};
use crate::date;

/// 2026-11-01. This program is not older than that, so a clock before it is wrong.
const NOT_BEFORE: Duration = Duration::from_secs(1_793_491_200);
/// Signatures and certificates count their time in 32 bits: until 2106.
const NOT_AFTER: Duration = Duration::from_secs(u32::MAX as u64);

pub(super) fn check() -> Vec<Finding> {
    let mut findings = vec![clock(), backend(), post_quantum(), spool()];
    findings.extend(peer("gpg"));
    findings.extend(peer("sq"));
    findings
}

fn clock() -> Finding {
    let now = SystemTime::now();
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let text = format!("the clock says {}", date::rfc3339(now));
    match (NOT_BEFORE..NOT_AFTER).contains(&since) {
        true => Finding::ok("clock", text),
        false => Finding::new(
            "clock",
            Level::Error,
            format!("{text}, which cannot be: signatures and expiry are judged wrongly"),
            "set it: `timedatectl set-ntp true`, or `date -s`",
        ),
    }
}

fn backend() -> Finding {
    Finding::ok("backend", format!("plombe {} with {}", env!("CARGO_PKG_VERSION"), plombe_core::engine()))
}

fn post_quantum() -> Finding {
    match Profile::Pqc.is_supported() {
        true => Finding::ok("post-quantum", "post-quantum certificates can be made and used"),
        false => Finding::new(
            "post-quantum",
            Level::Note,
            "this build's crypto backend has no post-quantum algorithms",
            "for them, use a build with the feature crypto-rust, or OpenSSL 3.5 or newer",
        ),
    }
}

/// Plaintext for standard output that is too large for memory waits here, encrypted.
fn spool() -> Finding {
    let dir = env::temp_dir();
    match tempfile::tempfile() {
        Ok(_) => Finding::ok("spool", format!("large results can wait in {}", dir.display())),
        Err(error) => Finding::new(
            "spool",
            Level::Error,
            format!("nothing can be written into {}: {error}", dir.display()),
            "make room there, or name another folder in TMPDIR",
        ),
    }
}

/// Other OpenPGP programs are good to have, and nothing depends on them.
fn peer(name: &'static str) -> Option<Finding> {
    let path = find(name)?;
    let output =
        Command::new(&path).arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let version = String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned();
    Some(Finding::ok("peer", format!("{version} is here, too ({})", path.display())))
}

fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    // Relative entries would run what lies in the folder that one happens to be in.
    let mut candidates = env::split_paths(&path).filter(|dir| dir.is_absolute()).map(|dir| dir.join(name));
    candidates.find(|candidate| fs::metadata(candidate).is_ok_and(|found| found.is_file()))
}
