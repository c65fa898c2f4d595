// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe-keystore doctor` finds each thing that is wrong, and says what to do about it.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use openssl::{
    asn1::Asn1Time,
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    x509::{X509, extension::SubjectAlternativeName},
};
use plombe_tests::{Postgres, peers};
use serde_json::Value;

use crate::server::PROGRAM;

/// Made by `init`, so that nobody else comes in.
const FOLDER: &str = "keystore";

/// A keystore that does not run.
struct Patient(tempfile::TempDir);

impl Patient {
    fn new() -> Self {
        Self::with(&[])
    }

    /// With more arguments for `init`.
    fn with(init: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(PROGRAM)
            .args(["init", "--domain", "example.org", "--data"])
            .arg(folder.path().join(FOLDER))
            .args(init)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(FOLDER).join(name)
    }

    fn configure(&self, change: impl FnOnce(String) -> String) {
        let file = self.path("config.toml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(file, change(text)).unwrap();
    }

    fn command(&self, command: &str) -> Command {
        let mut all = Command::new(PROGRAM);
        all.arg(command).arg("--config").arg(self.path("config.toml"));
        all
    }

    /// What `doctor` found, and whether it was content.
    fn doctor(&self, more: &[&str]) -> (Vec<Value>, bool) {
        let output = self.command("doctor").arg("--json").args(more).output().unwrap();
        let said: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        (said["findings"].as_array().unwrap().clone(), output.status.success())
    }

    /// There is an error by this check, whose message and remedy have these words, and the exit code says so.
    #[track_caller]
    fn has_error(&self, more: &[&str], check: &str, words: &str) {
        let (findings, content) = self.doctor(more);
        let found = findings.iter().any(|finding| {
            let text = format!("{} {}", finding["message"], finding["remedy"]);
            finding["check"] == check
                && finding["level"] == "error"
                && text.contains(words)
                && finding["remedy"].is_string()
        });
        assert!(found && !content, "no {check} with {words:?}: {findings:#?}");
    }
}

fn chmod(file: &Path, mode: u32) {
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_sound_keystore_is_told_so() {
    let patient = Patient::new();
    let (findings, content) = patient.doctor(&[]);
    assert!(content, "{findings:#?}");
    for check in ["configuration", "permissions", "tls", "database", "root-key", "records", "log", "clock"] {
        let good = |finding: &Value| finding["check"] == check && finding["level"] == "good";
        assert!(findings.iter().any(good), "{check}: {findings:#?}");
    }
    // In words, warnings with what to do about them.
    let output = patient.command("doctor").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("good    log: the tree of its"), "{text}");
    let (warnings, remedies) = (text.matches("warning ").count(), text.matches("        -> ").count());
    assert_eq!(warnings, remedies, "{text}");
    assert!(text.contains("warning backup:"), "{text}");
}

#[test]
fn files_that_others_reach_are_found() {
    let patient = Patient::new();
    chmod(&patient.path("root.key"), 0o640);
    patient.has_error(&[], "configuration", "chmod 600");
    chmod(&patient.path("root.key"), 0o600);
    chmod(&patient.path("config.toml"), 0o664);
    patient.has_error(&[], "permissions", "chmod go-w");
}

#[test]
fn a_database_or_root_key_that_is_away_changed_or_anothers_is_found() {
    let (patient, other) = (Patient::new(), Patient::new());
    let root = fs::read(patient.path("root.key")).unwrap();
    fs::write(patient.path("root.key"), fs::read(other.path("root.key")).unwrap()).unwrap();
    patient.has_error(&[], "records", "root key");
    fs::remove_file(patient.path("root.key")).unwrap();
    patient.has_error(&[], "root-key", "keys.md");
    fs::write(patient.path("root.key"), root).unwrap();
    chmod(&patient.path("root.key"), 0o600);
    assert!(patient.doctor(&[]).1);

    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let url = format!("sqlite:{}", patient.path("keystore.db").display());
        let database = sqlx::SqlitePool::connect(&url).await.unwrap();
        sqlx::query("update tiles set hashes = zeroblob(length(hashes))").execute(&database).await.unwrap();
        database.close().await;
    });
    let (findings, content) = patient.doctor(&[]);
    let found = |finding: &Value| {
        (finding["check"] == "log" || finding["check"] == "records") && finding["level"] == "error"
    };
    assert!(findings.iter().any(found) && !content, "{findings:#?}");

    fs::remove_file(patient.path("keystore.db")).unwrap();
    patient.has_error(&[], "database", "init");
}

#[test]
fn settings_that_do_not_fit_and_issuers_that_do_not_answer_are_found() {
    let patient = Patient::new();
    patient.configure(|text| text.replace("127.0.0.1", "0.0.0.0"));
    patient.has_error(&[], "configuration", "TLS");
    patient.configure(|text| text.replace("0.0.0.0", "127.0.0.1") + "[no_such_table]\n");
    patient.has_error(&[], "configuration", "no_such_table");
    patient.configure(|text| {
        let text = text.replace("[no_such_table]\n", "[metrics]\nlisten = \"0.0.0.0:7421\"\n");
        text.replace("sqlite:keystore.db", "postgres://plombe:secret@127.0.0.1:1/k")
    });
    patient.has_error(&[], "configuration", "database_file");
    patient.has_error(&[], "configuration", "metrics.listen");
    assert!(!format!("{:?}", patient.doctor(&[]).0).contains("secret"));

    let patient = Patient::new();
    patient.configure(|text| text + "[metrics]\nlisten = \"0.0.0.0:7421\"\nbeyond_this_machine = true\n");
    let (findings, content) = patient.doctor(&[]);
    let open = |finding: &Value| finding["check"] == "metrics" && finding["level"] == "warning";
    assert!(content && findings.iter().any(open), "{findings:#?}");

    let patient = Patient::new();
    patient.configure(|text| {
        text + "[[issuers]]\nname = \"nobody\"\nissuer = \"http://127.0.0.1:1\"\nclient_id = \"x\"\ntenant = \"example.org\"\n\
                domains = [\"example.org\"]\n"
    });
    patient.has_error(&[], "issuer", "nobody can log in");

    let patient = Patient::new();
    patient.configure(|text| {
        text + "[mail]\nhost = \"127.0.0.1\"\nport = 1\ntls = \"none\"\nfrom = \"keystore@example.org\"\n"
    });
    patient.has_error(&[], "mail", "no challenge mail leaves");
}

#[test]
fn init_puts_a_password_into_a_file_of_its_own() {
    let Some(postgres) = Postgres::shared() else { return peers::skip("PostgreSQL") };
    let url = postgres.database().replacen("test@", "test:planted-password@", 1);
    let patient = Patient::with(&["--database", &url]);
    let text = fs::read_to_string(patient.path("config.toml")).unwrap();
    assert!(text.contains("database_file = \"database.url\"") && !text.contains("planted"), "{text}");
    assert_eq!(fs::read_to_string(patient.path("database.url")).unwrap(), url);
    let mode = fs::metadata(patient.path("database.url")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (findings, content) = patient.doctor(&[]);
    assert!(content && !format!("{findings:?}").contains("planted"), "{findings:#?}");
}

/// A certificate that is its own issuer, for these days from now on.
fn certificate(key: &PKey<Private>, name: &str, days: u32) -> X509 {
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(0).unwrap()).unwrap();
    let end = Asn1Time::days_from_now(days).unwrap();
    builder.set_not_after(if days == 0 { Asn1Time::from_unix(1).unwrap() } else { end }.as_ref()).unwrap();
    let names = SubjectAlternativeName::new().dns(name).build(&builder.x509v3_context(None, None)).unwrap();
    builder.append_extension(names).unwrap();
    builder.sign(key, MessageDigest::sha256()).unwrap();
    builder.build()
}

fn key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

#[test]
fn certificates_that_are_over_anothers_or_without_their_key_are_found() {
    let patient = Patient::new();
    patient.configure(|text| {
        format!("origin = \"https://keys.example.org\"\n{text}\n[tls]\ncertificate_file = \"tls.pem\"\nkey_file = \"tls.key\"\n")
    });
    let put = |certificate: &X509, key: &PKey<Private>| {
        fs::write(patient.path("tls.pem"), certificate.to_pem().unwrap()).unwrap();
        fs::write(patient.path("tls.key"), key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        chmod(&patient.path("tls.key"), 0o600);
    };
    let (own, other) = (key(), key());
    for name in ["keys.example.org", "*.example.org"] {
        put(&certificate(&own, name, 90), &own);
        assert!(patient.doctor(&[]).1, "{name}");
    }
    for name in ["example.org", "keys.example.com", "*.org", "*.keys.example.org"] {
        put(&certificate(&own, name, 90), &own);
        patient.has_error(&[], "tls-name", "keys.example.org");
    }
    put(&certificate(&own, "keys.example.org", 0), &own);
    patient.has_error(&[], "tls-expiry", "renew");
    put(&certificate(&own, "keys.example.org", 90), &other);
    patient.has_error(&[], "tls-key", "not the key");
    put(&certificate(&own, "keys.example.org", 5), &own);
    let (findings, content) = patient.doctor(&[]);
    let soon = |finding: &Value| finding["check"] == "tls-expiry" && finding["level"] == "warning";
    assert!(content && findings.iter().any(soon), "{findings:#?}");
    fs::write(patient.path("tls.pem"), "nothing").unwrap();
    patient.has_error(&[], "tls", "no certificate");
}

#[test]
fn how_old_the_newest_backup_is_is_said() {
    let patient = Patient::new();
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().to_str().unwrap().to_owned();
    fs::write(folder.path().join("notes.txt"), "no backup").unwrap();
    patient.has_error(&["--backups", &name], "backup", "there is no backup");
    assert!(patient.command("backup").arg(folder.path().join("1")).output().unwrap().status.success());
    let (findings, _) = patient.doctor(&["--backups", &name]);
    let good = |finding: &Value| finding["check"] == "backup" && finding["level"] == "good";
    assert!(findings.iter().any(good), "{findings:#?}");
}
