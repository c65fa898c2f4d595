// SPDX-License-Identifier: LGPL-2.0-or-later
//! The account at a keystore: for one's own eyes, whole, and with one keystore only. Nobody is asked over the network.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

use plombe_core::log::{SignedCheckpoint, VerifierKey};

use super::{Finding, Level, mode, stores::private_folder, unreadable};
use crate::{app::App, keystore::Account};

/// An agent is on this machine.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) fn check(app: &App<'_>) -> Vec<Finding> {
    let folder = &app.config.paths.keystore;
    let account = Account::new(app);
    let mut findings = Vec::from_iter(private_folder("keystore", folder));
    if findings.is_empty() {
        return findings;
    }
    findings.extend(files(folder));
    findings.extend(pin(&account));
    findings.extend(session(&account));
    findings.extend(agent(&folder.join("agent.url")));
    findings
}

/// Each of them is a secret, or says whom to believe.
fn files(folder: &Path) -> Vec<Finding> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries.filter_map(Result::ok),
        Err(error) => return vec![unreadable("keystore-file-mode", &error.into())],
    };
    let open = entries.filter_map(|entry| {
        let path = entry.path();
        let shown = path.display();
        match mode(&path) {
            Ok(mode) if mode & 0o077 == 0 => None,
            Ok(mode) => Some(Finding::new(
                "keystore-file-mode",
                Level::Error,
                format!("others on this machine may use {shown} (mode {mode:03o})"),
                format!(
                    "chmod 600 {shown}; if somebody else works on this machine: `plombe revoke device`, and log in anew"
                ),
            )),
            Err(error) => Some(unreadable("keystore-file-mode", &error)),
        }
    });
    open.collect()
}

/// Which keystore this is, and what was seen of its log.
fn pin(account: &Account) -> Option<Finding> {
    let remedy = "keep the folder as evidence if you did not do that; `plombe logout --forget-everything`, and log in anew";
    let damaged = |text: String| Some(Finding::new("keystore-pin", Level::Error, text, remedy));
    let known = match account.known() {
        Ok(known) => known?,
        Err(error) => return damaged(crate::exit::sentence(&error)),
    };
    let Ok(key) = known.keystore.log_verifier.parse::<VerifierKey>() else {
        return damaged("the pinned key of the keystore's log is none".to_owned());
    };
    let seen = [&known.log.proven, &known.log.latest, &known.log.pending];
    if seen.into_iter().flatten().any(|note| SignedCheckpoint::open(note, &key).is_err()) {
        return damaged("what is kept of the keystore's log is not signed by its pinned key".to_owned());
    }
    Some(Finding::ok("keystore-pin", format!("{} is pinned", known.keystore.origin)))
}

/// Whose sessions are here, and with which keystore.
fn session(account: &Account) -> Option<Finding> {
    if !account.exists() {
        return None;
    }
    let remedy = "`plombe login`, as the first time";
    let session = match account.session() {
        Ok(session) => session,
        Err(error) => {
            let text = crate::exit::sentence(&error);
            return Some(Finding::new("keystore-session", Level::Error, text, remedy));
        }
    };
    let identity = session.keystore().identity();
    let is_pinned = |known: &Option<_>| known.as_ref().is_some_and(|pin| identity.is_same_keystore(pin));
    match account.known().map(|known| known.map(|known| known.keystore)) {
        Ok(known) if !is_pinned(&known) => Some(Finding::new(
            "keystore-session",
            Level::Error,
            "this machine's session is with another keystore than the one that is pinned",
            "keep the folder as evidence if you did not do that; `plombe logout --forget-everything`, and log in anew",
        )),
        _ => Some(Finding::ok("keystore-session", format!("logged in at {}", identity.origin))),
    }
}

/// An address of an agent that has ended may be somebody else's by now.
fn agent(file: &Path) -> Option<Finding> {
    let url = fs::read_to_string(file).ok()?;
    let authority = url.trim().strip_prefix("http://").and_then(|rest| rest.split('/').next());
    let address = authority.and_then(|authority| authority.parse::<SocketAddr>().ok());
    let answers = address.is_some_and(|address| TcpStream::connect_timeout(&address, PATIENCE).is_ok());
    Some(match answers {
        true => Finding::ok("agent", "an agent answers at the address that is kept"),
        false => Finding::new(
            "agent",
            Level::Warning,
            format!("{} has the address of an agent that has ended", file.display()),
            format!("rm {}", file.display()),
        ),
    })
}
