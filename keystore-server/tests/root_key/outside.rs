// SPDX-License-Identifier: LGPL-2.0-or-later
//! No secret that a keystore was given lies anywhere outside of it: not in its database, its log, its backups, its refusals, nor in a
//! core dump of the running server.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use plombe_client::{ClientError, DeviceKey, Keystore, Options, Session};
use plombe_core::{
    cert::{Certificate, LockedTsk, Profile, Tsk},
    crypto_policy::CryptoPolicy,
    custody,
    keystore::{
        BackupCode, EnrolmentCode, RecoveryCode, SecretBytes,
        calls::{
            backup::{FetchBackup, PutBackup},
            certificates::RotateSubkeys,
            custody::{Context, SignDigest, SignatureClaim, Unwrap},
            keys::{ImportKey, KeyInfo},
            recovery::{Recover, SetRecoveryCode},
            session::WhoAmI,
        },
    },
    message::{Seal, SealedMessage},
    secret::{Passphrase, ResidentKey},
};
use plombe_tests::{Postgres, keystore, peers};

use super::needles::{self, Needle};

const ALICE: &str = "alice@example.org";

/// Everything secret that went in, and everything that came out in the open.
struct Story {
    keystore: keystore::Keystore,
    folder: tempfile::TempDir,
    secrets: Vec<Needle>,
    /// Useless without the device key, so they may be in memory.
    sessions: Vec<Needle>,
    /// What refusals said.
    said: String,
    /// Public, and surely there.
    control: Needle,
}

#[test]
fn no_secret_lies_outside_of_a_keystore_on_sqlite() {
    let mut story = Story::tell(&[]);
    let dump = story.dump();
    // What the server has and does not hide is found, or this test shows nothing.
    let database = story.files("keystore.db");
    assert!(memchr::memmem::find(&database, b"CREATE TABLE").is_some());
    story.search("the database", &database, true);
    story.search_the_rest();
    if let Some(dump) = dump {
        assert!(!story.control.found_in(&dump).is_empty(), "the control value is in the dump");
        story.search("a core dump", &dump, false);
    }
}

#[test]
fn no_secret_lies_outside_of_a_keystore_on_postgresql() {
    let Some(postgres) = Postgres::shared() else { return peers::skip("postgresql") };
    let mut story = Story::tell(&["--database", &postgres.database()]);
    let mut database = Vec::new();
    read_all(&postgres.folder(), &mut database);
    assert!(memchr::memmem::find(&database, b"wrapped_keys").is_some());
    story.search("the database", &database, true);
    story.search_the_rest();
}

impl Story {
    /// A keystore's life, with secrets of every kind.
    fn tell(init: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let passphrase = random_text();
        let file = folder.path().join("passphrase");
        fs::write(&file, &passphrase).unwrap();
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let init: Vec<&str> =
            ["--passphrase-file", file.to_str().unwrap()].into_iter().chain(init.iter().copied()).collect();
        let program = Path::new(env!("CARGO_BIN_EXE_plombe-keystore"));
        let mut keystore = keystore::Keystore::start(program, "example.org", &init);
        keystore.kill();
        keystore.log_everything_to(&folder.path().join("log"));
        keystore.start_again();

        let mut secrets = vec![Needle::text("root key's passphrase", &passphrase)];
        secrets.push(code("first administrator's code", keystore.admin_code()));
        let mut said = String::new();
        let mut admin = log_in(&keystore, keystore.admin_code());
        let (first, second, unused) =
            (keystore.add_user(ALICE), keystore.code_for(ALICE), keystore.code_for(ALICE));
        for (name, text) in
            [("a code", &first), ("a second code", &second), ("a code that nobody used", &unused)]
        {
            secrets.push(code(name, text));
        }
        let mut alice = log_in(&keystore, &first);

        let recovery = RecoveryCode::new(random_array());
        secrets.push(Needle::bytes("recovery code", recovery.expose()));
        secrets.push(Needle::text("recovery code's text", &recovery.to_text()));
        alice.call(&SetRecoveryCode { hash: RecoveryCode::hash(recovery.expose()).to_vec().into() }).unwrap();

        let mut control = None;
        for kind in ["cv25519-v4", "p256-v4", "rsa2048-v4"] {
            let tsk = tsk_of_kind(kind);
            secrets.extend(needles::of_tsk(kind, &tsk));
            let bytes = custody::to_bytes(&tsk).unwrap();
            let key = alice.call(&ImportKey { tsk: SecretBytes::new(bytes.as_slice()) }).unwrap().key;
            use_key(&mut alice, &key);
            // Twice is refused, with the key in the request.
            said += &refusal(alice.call(&ImportKey { tsk: SecretBytes::new(bytes.as_slice()) }));
            said += &refusal(admin.call(&ImportKey { tsk: SecretBytes::new(bytes.as_slice()) }));
            let rotated = alice.call(&RotateSubkeys { key: key.fingerprint.clone() }).unwrap();
            control.get_or_insert_with(|| {
                let certificate = rotated.certificate.0.clone();
                Needle::bytes("a certificate", &certificate[40..104])
            });
        }
        // One that is not accepted at all.
        let bobs =
            Tsk::generate(Profile::Rfc4880, &["<bob@example.org>".to_owned()], None, SystemTime::now())
                .unwrap()
                .tsk;
        secrets.extend(needles::of_tsk("somebody else's", &bobs));
        let bytes = custody::to_bytes(&bobs).unwrap();
        said += &refusal(alice.call(&ImportKey { tsk: SecretBytes::new(bytes.as_slice()) }));
        said += &refusal(alice.call(&ImportKey { tsk: SecretBytes::new(&bytes[..bytes.len() / 2]) }));

        let backup_code = BackupCode::new(random_array());
        secrets.push(Needle::bytes("backup code", backup_code.expose()));
        secrets.push(Needle::text("backup code's text", &backup_code.to_text()));
        let fingerprint: plombe_core::keystore::KeyFingerprint = bobs.fingerprint().try_into().unwrap();
        let sealed = seal_under(&backup_code, &bytes);
        alice.call(&PutBackup { key: fingerprint.clone(), sealed: sealed.into(), replaces: None }).unwrap();
        said += &refusal(alice.call(&PutBackup {
            key: fingerprint.clone(),
            sealed: bytes.to_vec().into(),
            replaces: Some(1),
        }));
        alice.call(&FetchBackup { key: fingerprint }).unwrap();

        // A second device comes in by the recovery code, after a wrong one.
        let mut phone = log_in(&keystore, &second);
        let wrong = RecoveryCode::new(random_array());
        secrets.push(Needle::bytes("a wrong recovery code", wrong.expose()));
        said += &refusal(phone.call(&Recover { secret: SecretBytes::new(wrong.expose().as_slice()) }));
        phone.call(&Recover { secret: SecretBytes::new(recovery.expose().as_slice()) }).unwrap();
        let again = second.parse::<EnrolmentCode>().unwrap();
        said += &refusal(client(&keystore).log_in_with_code(DeviceKey::generate(), &again, "again"));

        let mut sessions = Vec::new();
        for (name, session) in [("admin", &admin), ("alice", &alice), ("phone", &phone)] {
            sessions.push(Needle::text(format!("session of {name}"), session.saved().grant.token.expose()));
        }
        phone.log_out().unwrap();
        admin.call(&WhoAmI {}).unwrap();
        Self { keystore, folder, secrets, sessions, said, control: control.unwrap() }
    }

    /// All of the running server's memory, without empty pages; `None` without gdb.
    fn dump(&self) -> Option<Vec<u8>> {
        if peers::find("gcore").is_none() {
            peers::skip("gcore (gdb)");
            return None;
        }
        let (name, process) = (self.folder.path().join("dump"), self.keystore.process());
        // All of it, whatever the process says about what belongs in a dump.
        let said =
            Command::new("gcore").arg("-a").arg("-o").arg(&name).arg(process.to_string()).output().unwrap();
        let path = self.folder.path().join(format!("dump.{process}"));
        let said = String::from_utf8_lossy(&said.stderr).into_owned();
        // The server forbids it to others of its user; root may.
        if !path.exists() && said.contains("ptrace") {
            peers::skip("gcore as root");
            return None;
        }
        let dump = fs::read(&path).unwrap_or_else(|error| panic!("{error}: {said}"));
        fs::remove_file(path).unwrap();
        Some(needles::without_empty_pages(&dump))
    }

    /// Files of the keystore's folder whose names begin like that.
    fn files(&self, beginning: &str) -> Vec<u8> {
        let entries = fs::read_dir(self.keystore.folder()).unwrap().map(|entry| entry.unwrap());
        let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(beginning));
        named.flat_map(|entry| fs::read(entry.path()).unwrap()).collect()
    }

    /// Log, refusals, a backup, and what commands say that fail.
    fn search_the_rest(&mut self) {
        let backup = self.folder.path().join("backup");
        let (worked, said) = self.keystore.console(&["backup", backup.to_str().unwrap()]);
        assert!(worked, "{said}");
        self.said += &said;
        self.search("a backup", &fs::read(&backup).unwrap(), true);
        self.keystore.kill();
        let passphrase = self.folder.path().join("passphrase");
        let wrong = random_text();
        fs::write(&passphrase, &wrong).unwrap();
        self.secrets.push(Needle::text("a wrong passphrase", &wrong));
        let (worked, said) = self.keystore.console(&["user", "add", "carol@example.org"]);
        assert!(!worked && said.contains("passphrase"), "{said}");
        self.said += &said;
        let log = fs::read(self.folder.path().join("log")).unwrap();
        // All that it ever says: what libraries tell of what passes through them is left out whatever is asked for.
        assert!(memchr::memmem::find(&log, b"answered").is_some(), "each request is in it");
        self.search("the log", &log, true);
        assert!(self.said.contains("this is here already"), "{}", self.said);
        self.search("what refusals say", self.said.as_bytes(), true);
    }

    fn search(&self, place: &str, hay: &[u8], sessions_too: bool) {
        let sessions = self.sessions.iter().filter(|_| sessions_too);
        let needles: Vec<&Needle> = self.secrets.iter().chain(sessions).collect();
        let found = needles::search(&needles, hay);
        let found: Vec<String> = found.into_iter().map(|(name, form)| format!("{name}: {form}")).collect();
        assert!(found.is_empty(), "in {place}:\n{}", found.join("\n"));
    }
}

fn client(keystore: &keystore::Keystore) -> Keystore {
    Keystore::connect(keystore.url(), None, Options::new(SystemTime::now)).unwrap()
}

fn log_in(keystore: &keystore::Keystore, code: &str) -> Session {
    client(keystore).log_in_with_code(DeviceKey::generate(), &code.parse().unwrap(), "device").unwrap()
}

/// The part of an enrolment code that lets somebody in; the text also names the keystore, which is public.
fn code(name: &str, text: &str) -> Needle {
    Needle::bytes(name, text.parse::<EnrolmentCode>().unwrap().expose())
}

fn use_key(session: &mut Session, key: &KeyInfo) {
    let certificate = Certificate::parse(&key.certificate.0).unwrap();
    let (policy, now) = (CryptoPolicy::standard(), SystemTime::now());
    let mut sealed = Vec::new();
    Seal::new(vec![&certificate], &policy, now).seal(&mut &b"hello"[..], &mut sealed).unwrap();
    let message = SealedMessage::parse(&sealed[..]).unwrap();
    let unwrap = Unwrap {
        key: key.fingerprint.clone(),
        pkesk: message.wrapped_session_keys()[0].to_bytes().into(),
        session_key_size: message.session_key_size().map(|size| u8::try_from(size).unwrap()),
        context: Context::default(),
    };
    session.call(&unwrap).unwrap();
    let sign = SignDigest {
        key: key.fingerprint.clone(),
        subkey: key.signing[0].clone(),
        hash: 10,
        digest: vec![7; 64].into(),
        claim: SignatureClaim { signature_type: 0, created: 0 },
        context: Context::default(),
    };
    session.call(&sign).unwrap();
}

fn seal_under(code: &BackupCode, content: &[u8]) -> Vec<u8> {
    let (policy, now) = (CryptoPolicy::standard(), SystemTime::now());
    let passwords = vec![Passphrase::new(code.to_text().as_bytes())];
    let mut sealed = Vec::new();
    Seal { passwords, ..Seal::new(Vec::new(), &policy, now) }.seal(&mut &content[..], &mut sealed).unwrap();
    sealed
}

fn refusal<T>(result: Result<T, ClientError>) -> String {
    match result {
        Ok(_) => panic!("it was not refused"),
        Err(error) => format!("{error} {error:?}\n"),
    }
}

fn tsk_of_kind(kind: &str) -> Tsk {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/served/kinds");
    let file = fs::read(folder.join(format!("{kind}.pgp"))).unwrap();
    LockedTsk::parse_all(&file).unwrap().remove(0).unlock(None).unwrap()
}

fn random_array() -> [u8; 16] {
    ResidentKey::generate().with(|bytes| *bytes.first_chunk().unwrap())
}

/// Something that nobody else has written.
fn random_text() -> String {
    ResidentKey::generate().with(|bytes| bytes.iter().map(|byte| char::from(b'a' + byte % 26)).collect())
}

fn read_all(folder: &Path, into: &mut Vec<u8>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => read_all(&entry.path(), into),
            // A file may go while it is looked at.
            _ => into.extend(needles::without_empty_pages(&fs::read(entry.path()).unwrap_or_default())),
        }
    }
}
