// SPDX-License-Identifier: LGPL-2.0-or-later
//! SoftHSM2, a PKCS#11 token in software. Its library belongs to a process, and finds its tokens by an environment
//! variable: each test runs in a process of its own.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use plombe_keystore::root_key::{
    self, Pkcs11Config, Pkcs11RootKey, RootKey, RootKeyConfig, RootKeyError, TokenProblem,
};
use plombe_tests::peers;

use crate::program::{Made, write_secret};

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const FOLDER: &str = "PLOMBE_TEST_TOKENS";

/// A folder with a token labelled `keystore`, and what is configured for it.
struct Token {
    config: Pkcs11Config,
}

/// Runs the test `name` again, in a process that sees a fresh token. `None` in the outer process.
fn in_own_process(name: &str) -> Option<Token> {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let pin_file = PathBuf::from(folder).join("pin");
        let config = Pkcs11Config {
            module: MODULE.into(),
            token: "keystore".into(),
            key: root_key::default_label(),
            pin_file,
        };
        return Some(Token { config });
    }
    let programs = ["softhsm2-util", "pkcs11-tool"];
    if !Path::new(MODULE).exists() || programs.iter().any(|program| peers::find(program).is_none()) {
        peers::skip("SoftHSM2 and OpenSC");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("tokens")).unwrap();
    let tokens = folder.path().join("tokens");
    let conf = folder.path().join("softhsm2.conf");
    fs::write(&conf, format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display())).unwrap();
    write_secret(&folder.path().join("pin"), "1234\n");
    let run = |command: &mut Command| {
        let output = command.env("SOFTHSM2_CONF", &conf).output().unwrap();
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        text
    };
    for label in ["other", "keystore"] {
        let args = ["--init-token", "--free", "--label", label, "--pin", "1234", "--so-pin", "5678"];
        run(Command::new("softhsm2-util").args(args));
    }
    let text = run(Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("token::{name}"), "--nocapture"])
        .env(FOLDER, folder.path()));
    assert!(text.contains("1 passed"), "{text}");
    None
}

impl Token {
    /// OpenSC's tool, on this token.
    fn tool(&self, args: &[&str]) -> String {
        let output = Command::new("pkcs11-tool")
            .args(["--module", MODULE, "--token-label", "keystore", "--login", "--pin", "1234"])
            .args(args)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    fn problem(&self) -> TokenProblem {
        match Pkcs11RootKey::open(self.config.clone()).map(|key| key.id()) {
            Err(RootKeyError::Token(problem)) => problem,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_the_token_wraps_only_the_token_unwraps() {
    let Some(token) = in_own_process("what_the_token_wraps_only_the_token_unwraps") else { return };
    let made = Pkcs11RootKey::create(token.config.clone()).unwrap();
    let wrapped = made.wrap(b"one", &[7; 32]).unwrap();
    assert_eq!(wrapped.len(), 1 + 12 + 32 + 16);
    assert!(!wrapped.windows(8).any(|bytes| bytes == [7; 8]));
    assert_ne!(wrapped, made.wrap(b"one", &[7; 32]).unwrap());
    drop(made);

    let key = Pkcs11RootKey::open(token.config.clone()).unwrap();
    assert!(key.unwrap(b"one", &wrapped).unwrap().with(|key| *key == [7; 32]));
    assert!(matches!(key.unwrap(b"two", &wrapped), Err(RootKeyError::Unwrap)), "another purpose");
    for i in 0..wrapped.len() {
        let mut damaged = wrapped.clone();
        damaged[i] ^= 1;
        assert!(matches!(key.unwrap(b"one", &damaged), Err(RootKeyError::Unwrap)), "byte {i}");
        assert!(matches!(key.unwrap(b"one", &wrapped[..i]), Err(RootKeyError::Unwrap)), "{i} bytes");
    }
    // After all these failures it works still.
    assert!(key.unwrap(b"one", &wrapped).is_ok());

    let other = Pkcs11RootKey::create(Pkcs11Config { key: "second".into(), ..token.config }).unwrap();
    assert_ne!(other.id(), key.id());
    assert!(matches!(other.unwrap(b"one", &wrapped), Err(RootKeyError::Unwrap)), "another key");
}

#[test]
fn the_key_cannot_be_taken_out() {
    let Some(token) = in_own_process("the_key_cannot_be_taken_out") else { return };
    let key = Pkcs11RootKey::create(token.config.clone()).unwrap();
    let read = token.tool(&["--read-object", "--type", "secrkey", "--label", "plombe-root"]);
    assert!(read.contains("CKR_ATTRIBUTE_SENSITIVE") || read.contains("error"), "{read}");
    let listed = token.tool(&["--list-objects", "--type", "secrkey"]);
    assert!(listed.contains("AES length 32") && listed.contains("never extractable"), "{listed}");
    let again = Pkcs11RootKey::create(token.config.clone()).map(|key| key.id());
    assert!(matches!(again, Err(RootKeyError::Token(TokenProblem::KeyExists(_)))));
    assert!(key.wrap(b"x", &[1; 32]).is_ok(), "nothing happened to it");
}

#[test]
fn a_key_that_leaves_its_token_is_refused() {
    let Some(token) = in_own_process("a_key_that_leaves_its_token_is_refused") else { return };
    token.tool(&[
        "--keygen",
        "--key-type",
        "AES:32",
        "--label",
        "plombe-root",
        "--id",
        "01",
        "--extractable",
    ]);
    assert!(matches!(token.problem(), TokenProblem::Extractable(_)));
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let Some(mut token) = in_own_process("what_is_wrong_is_said_with_what_to_do") else { return };
    let problem = token.problem();
    assert!(matches!(problem, TokenProblem::NoKey { .. }) && problem.to_string().contains("plombe-root"));
    let sound = token.config.clone();

    token.config.token = "nowhere".into();
    assert!(token.problem().to_string().contains("\"keystore\""), "{}", token.problem());
    token.config = Pkcs11Config { module: "/nowhere.so".into(), ..sound.clone() };
    assert!(token.problem().to_string().contains("/nowhere.so"));
    token.config = sound;

    write_secret(&token.config.pin_file, "9999");
    assert!(matches!(token.problem(), TokenProblem::WrongPin(_)));
    fs::set_permissions(&token.config.pin_file, fs::Permissions::from_mode(0o644)).unwrap();
    let readable = Pkcs11RootKey::open(token.config.clone()).map(|key| key.id());
    assert!(matches!(readable, Err(RootKeyError::Readable(_))));
}

#[test]
fn many_threads_use_it_at_once() {
    let Some(token) = in_own_process("many_threads_use_it_at_once") else { return };
    let config = RootKeyConfig { pkcs11: Some(token.config), ..RootKeyConfig::default() };
    root_key::create(&config, false).unwrap();
    let key = root_key::open(&config).unwrap();
    std::thread::scope(|scope| {
        for i in 0..8 {
            let key = &key;
            scope.spawn(move || {
                for _ in 0..20 {
                    let wrapped = key.wrap(&[i], &[i; 32]).unwrap();
                    assert!(key.unwrap(&[i], &wrapped).unwrap().with(|key| *key == [i; 32]));
                }
            });
        }
    });
}

#[test]
fn a_keystore_lives_on_a_token() {
    let Some(token) = in_own_process("a_keystore_lives_on_a_token") else { return };
    let pin = token.config.pin_file.to_str().unwrap();
    let keystore =
        Made::with(&["--pkcs11-module", MODULE, "--pkcs11-token", "keystore", "--pkcs11-pin-file", pin]);
    keystore.add_user("alice@example.org").unwrap();
    assert!(!keystore.config().with_file_name("root.key").exists());
    // With its key gone from the token, it is only ciphertext.
    token.tool(&["--delete-object", "--type", "secrkey", "--label", "plombe-root"]);
    let error = keystore.add_user("bob@example.org").unwrap_err();
    assert!(error.contains("no AES key labelled"), "{error}");
}
