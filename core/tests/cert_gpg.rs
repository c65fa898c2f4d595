// SPDX-License-Identifier: LGPL-2.0-or-later
//! gpg 2.2 takes in what we make, and we take in what gpg makes.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

use plombe_core::{
    cert::{
        self, CertError, Certificate, LockedTsk, Profile, Reason, SecretState, Tsk, UnlockError, Unusable,
    },
    crypto_policy::CryptoPolicy,
    secret::Passphrase,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// gpg judges by its own clock.
fn now() -> SystemTime {
    SystemTime::now() - DAY
}

/// A gpg home of its own; its agent goes with it.
struct Gpg {
    home: tempfile::TempDir,
}

impl Gpg {
    /// `None` where gpg is missing and need not be there.
    fn new() -> Option<Self> {
        if Command::new("gpg").arg("--version").output().is_err() {
            assert!(std::env::var_os("PLOMBE_REQUIRE_PEERS").is_none(), "gpg is not installed");
            println!("SKIPPED: no gpg");
            return None;
        }
        Some(Self { home: tempfile::tempdir().unwrap() })
    }

    fn run(&self, args: &[&str], input: &[u8]) -> String {
        let mut gpg = Command::new("gpg")
            .env("GNUPGHOME", self.home.path())
            .args(["--batch", "--yes", "--pinentry-mode", "loopback", "--with-colons", "--fixed-list-mode"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        gpg.stdin.take().unwrap().write_all(input).unwrap();
        let output = gpg.wait_with_output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "gpg {args:?}: {err}");
        out.into_owned()
    }

    /// Validity letters of the lines of this kind: `-` or `u` is good, `e` expired, `r` revoked, `i` invalid.
    fn states(&self, kind: &str) -> Vec<String> {
        let listing = self.run(&["--list-keys"], b"");
        let fields = listing.lines().map(|line| line.split(':').collect::<Vec<_>>());
        fields.filter(|fields| fields[0] == kind).map(|fields| fields[1].to_owned()).collect()
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf").env("GNUPGHOME", self.home.path()).args(["--kill", "all"]).status();
    }
}

fn alice() -> cert::Generated {
    let user_id = cert::user_id(Some("Alice Ä."), "alice@example.org").unwrap();
    Tsk::generate(Profile::Rfc4880, &[user_id], Some(cert::DEFAULT_TTL), now()).unwrap()
}

#[test]
fn gpg_takes_our_certificate_for_valid() {
    let Some(gpg) = Gpg::new() else { return };
    gpg.run(&["--import"], alice().tsk.certificate().to_armored().as_bytes());
    assert_eq!(gpg.states("pub"), ["-"]);
    assert_eq!(gpg.states("uid"), ["-"]);
    assert_eq!(gpg.states("sub"), ["-", "-"]);
    let listing = gpg.run(&["--list-keys"], b"");
    let capabilities = |kind: &str| {
        let lines = listing.lines().filter(|line| line.starts_with(kind));
        lines.map(|line| line.split(':').nth(11).unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(capabilities("pub:"), ["cESC"], "{listing}");
    assert_eq!(capabilities("sub:"), ["s", "e"], "{listing}");
}

#[test]
fn gpg_opens_what_we_lock_and_uses_it_to_sign_and_decrypt() {
    let Some(gpg) = Gpg::new() else { return };
    let locked = alice().tsk.lock(Some(&Passphrase::new("correct horse"))).unwrap();
    gpg.run(&["--import"], locked.to_armored().as_bytes());
    let with_passphrase = ["--passphrase", "correct horse", "--trust-model", "always"];
    let sealed = gpg.run(&["--trust-model", "always", "-r", "alice@example.org", "-a", "-e"], b"hello");
    let opened = gpg.run(&[&with_passphrase[..], &["-d"]].concat(), sealed.as_bytes());
    assert_eq!(opened, "hello");
    let signed =
        gpg.run(&[&with_passphrase[..], &["-u", "alice@example.org", "-a", "-s"]].concat(), b"hello");
    assert!(signed.contains("BEGIN PGP MESSAGE"));
}

#[test]
fn gpg_understands_expiry_rotation_user_ids_and_revocation() {
    let Some(gpg) = Gpg::new() else { return };
    let policy = CryptoPolicy::standard();
    let day_before = now() - DAY * 20;
    let generated =
        Tsk::generate(Profile::Rfc4880, &["alice@example.org".into()], Some(DAY), day_before).unwrap();
    gpg.run(&["--import"], generated.tsk.certificate().to_armored().as_bytes());
    assert_eq!(gpg.states("pub"), ["e"]);

    let extended = generated.tsk.set_expiry(None, &policy, now()).unwrap();
    let extended = extended.add_user_id("alice@work.example", &policy, now()).unwrap();
    gpg.run(&["--import"], extended.certificate().to_armored().as_bytes());
    assert_eq!(gpg.states("pub"), ["-"]);
    assert_eq!(gpg.states("uid"), ["-", "-"]);

    let fewer = extended.revoke_user_id("alice@example.org", &policy, now() + DAY / 2).unwrap();
    let rotated = fewer.rotate(Duration::ZERO, &policy, now() + DAY / 2).unwrap().tsk;
    gpg.run(&["--import"], rotated.certificate().to_armored().as_bytes());
    let mut states = gpg.states("uid");
    states.sort();
    assert_eq!(states, ["-", "r"]);
    let mut states = gpg.states("sub");
    states.sort();
    assert_eq!(states, ["-", "-", "r", "r"]);

    gpg.run(&["--import"], generated.revocation.as_bytes());
    assert_eq!(gpg.states("pub"), ["r"]);
}

#[test]
fn gpgs_own_keys_unlock_and_can_be_changed_here() {
    let Some(gpg) = Gpg::new() else { return };
    // Ed25519 and RSA.
    for algorithm in ["future-default", "default"] {
        let address = format!("{algorithm}@example.org");
        let quick = ["--passphrase", "pw", "--quick-generate-key", &address, algorithm, "-", "1y"];
        gpg.run(&quick, b"");
        let exported = gpg.run(&["--passphrase", "pw", "-a", "--export-secret-keys", &address], b"");
        let locked = LockedTsk::parse_all(exported.as_bytes()).unwrap().remove(0);
        assert!(matches!(locked.clone().unlock(None), Err(UnlockError::PassphraseNeeded)));
        let tsk = locked.unlock(Some(&Passphrase::new("pw"))).unwrap();
        let policy = CryptoPolicy::standard();
        let at = SystemTime::now() + Duration::from_secs(2);
        assert_eq!(tsk.certificate().can_sign(&policy, at), Ok(()), "{algorithm}");
        assert_eq!(tsk.certificate().can_encrypt(&policy, at), Ok(()), "{algorithm}");
        let rotated = tsk.set_expiry(None, &policy, at).unwrap().rotate(DAY, &policy, at).unwrap();
        let later = at + DAY * 700;
        assert_eq!(rotated.tsk.certificate().can_encrypt(&policy, later), Ok(()), "{algorithm}");
        assert_eq!(rotated.tsk.certificate().can_sign(&policy, later), Ok(()), "{algorithm}");
    }
}

#[test]
fn a_key_without_its_primary_secret_works_and_says_what_it_cannot_do() {
    let Some(gpg) = Gpg::new() else { return };
    let pw = Passphrase::new("pw");
    gpg.run(&["--import"], alice().tsk.lock(Some(&pw)).unwrap().to_armored().as_bytes());
    let laptop = gpg.run(&["--passphrase", "pw", "-a", "--export-secret-subkeys", "alice@example.org"], b"");
    let locked = LockedTsk::parse_all(laptop.as_bytes()).unwrap().remove(0);
    let states: Vec<_> = locked.secrets().into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, [SecretState::Stub, SecretState::Locked, SecretState::Locked]);
    let tsk = locked.unlock(Some(&pw)).unwrap();
    let policy = CryptoPolicy::standard();
    assert_eq!(tsk.certificate().can_sign(&policy, now() + DAY), Ok(()));
    let revoked = tsk.clone().revoke(Reason::Retired, "", now());
    assert!(matches!(revoked, Err(CertError::PrimarySecretMissing)));
    // The stub is still there after locking, as gpg wants it.
    let relocked = tsk.lock(Some(&pw)).unwrap();
    assert_eq!(relocked.secrets()[0].1, SecretState::Stub);
    let Some(other_gpg) = Gpg::new() else { return };
    other_gpg.run(&["--import"], relocked.to_armored().as_bytes());
    assert_eq!(other_gpg.run(&["--list-secret-keys"], b"").matches("ssb:").count(), 2);
}

#[test]
fn a_weak_certificate_is_told_from_a_useless_one() {
    let Some(gpg) = Gpg::new() else { return };
    let quick =
        ["--passphrase", "", "--quick-generate-key", "old@example.org", "rsa1024", "default", "never"];
    gpg.run(&quick, b"");
    let exported = gpg.run(&["-a", "--export", "old@example.org"], b"");
    let old = Certificate::parse(exported.as_bytes()).unwrap();
    let policy = CryptoPolicy::standard();
    let at = SystemTime::now() + Duration::from_secs(2);
    assert_eq!(old.can_encrypt(&policy, at), Err(Unusable::Weak));
    assert_eq!(old.check(&policy, at)[0].code(), "weak");
}
