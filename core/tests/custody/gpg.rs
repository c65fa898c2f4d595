// SPDX-License-Identifier: LGPL-2.0-or-later
//! gpg verifies what a keystore signed.

use std::{
    path::Path,
    process::{Command, Output},
    time::{Duration, SystemTime},
};

use plombe_core::{crypto_policy::CryptoPolicy, message::Signing};
use sequoia_openpgp as openpgp;

use crate::{
    keys::{self, HAS_SAFE_RSA, SUITES},
    sign::remote,
};

fn gpg(home: &Path, args: &[&str]) -> Option<Output> {
    let gpg = Command::new("gpg").arg("--homedir").arg(home).arg("--batch").args(args).output();
    if gpg.is_err() {
        assert!(std::env::var_os("PLOMBE_REQUIRE_PEERS").is_none(), "gpg is not installed");
        println!("skipped: no gpg");
    }
    gpg.ok()
}

#[test]
fn gpg_verifies_what_a_keystore_signed() {
    // gpg judges by its own clock.
    let now = SystemTime::now() - Duration::from_secs(3600);
    let policy = CryptoPolicy::standard();
    for suite in SUITES.into_iter().filter(|suite| suite.is_supported().is_ok()) {
        let kind = format!("{suite:?}");
        if kind.starts_with("MLDSA") || keys::is_rsa(&kind) && !HAS_SAFE_RSA {
            continue;
        }
        let builder = keys::builder(suite, openpgp::Profile::RFC4880).set_creation_time(now);
        let alice = keys::tsk(builder.add_signing_subkey());
        let home = tempfile::tempdir().unwrap();
        let file = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(file("alice.asc"), alice.certificate().to_armored()).unwrap();
        let remote = remote(&alice, now);
        let signing =
            Signing { signers: vec![(&remote).into()], text: false, armor: true, policy: &policy, now };
        let mut message = Vec::new();
        signing.inline(&mut &b"attack at dawn"[..], &mut message).unwrap();
        std::fs::write(file("message"), &message).unwrap();
        let Some(imported) = gpg(home.path(), &["--import", &file("alice.asc")]) else { return };
        assert!(imported.status.success(), "{kind}: {}", String::from_utf8_lossy(&imported.stderr));
        let verified = gpg(home.path(), &["--status-fd", "1", "--verify", &file("message")]).unwrap();
        let status = String::from_utf8_lossy(&verified.stdout);
        assert!(verified.status.success() && status.contains("GOODSIG"), "{kind}: {status}");
    }
}
