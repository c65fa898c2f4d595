// SPDX-License-Identifier: LGPL-2.0-or-later
//! The directory, asked by other people's programs as they ask on the internet: by TLS, at the names that their protocols say.
//!
//! example.org has the host of the advanced method, direct.example has not.

use std::{fs, path::PathBuf, process::Command};

use plombe_core::{
    cert::Certificate,
    keystore::calls::{
        certificates::AddUserId,
        keys::{GenerateKey, Profile},
        login::Role,
        principals::CreatePrincipal,
    },
};
use plombe_tests::peers;

use crate::{
    directory_peers::Gpg,
    keystore::TestKeystore,
    mail::generate,
    namespace::{self, Names},
    published::{local, publish},
};

const SERVER: &str = "keys.example.org";

/// A keystore with a key in custody (Alice), one on its owner's device (Bob), one of version 6 (Carol), both versions (Dave), and
/// Erin's, whose domain has no host for the advanced method.
struct Stage {
    _keystore: TestKeystore,
    folder: tempfile::TempDir,
    names: Names,
    alice: String,
    bob: String,
    dave: String,
    erin: String,
}

impl Stage {
    fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hosts = [SERVER, "openpgpkey.example.org", "example.org", "direct.example"];
        let names = Names::begin(folder.path(), &hosts);
        let mut keystore = TestKeystore::start_with(&["--domain", "direct.example"]);

        let mut admin = keystore.log_in(keystore.admin_code());
        let addresses = vec!["alice@example.org".to_owned(), "secret.project@example.org".to_owned()];
        let create = CreatePrincipal { name: "Alice".into(), addresses, roles: vec![Role::User] };
        admin.call(&create).unwrap();
        let mut alice = keystore.log_in(&keystore.code_for("alice@example.org"));
        let key = generate(&mut alice, "alice@example.org");
        let user_id = "<secret.project@example.org>".to_owned();
        alice.call(&AddUserId { key: key.fingerprint.clone(), user_id }).unwrap();

        let tsk = local(&["Bob <bob@example.org>", "<bob@private.example>"]);
        keystore.user("bob@example.org").call(&publish(&tsk)).unwrap();

        let v6 = |address: &str| {
            let user_ids = vec![format!("<{address}>")];
            GenerateKey { user_ids, profile: Profile::Rfc9580, valid_for_seconds: None }
        };
        keystore.user("carol@example.org").call(&v6("carol@example.org")).unwrap();
        let mut dave = keystore.user("dave@example.org");
        let daves = generate(&mut dave, "dave@example.org");
        dave.call(&v6("dave@example.org")).unwrap();
        let mut erin = keystore.user("erin@direct.example");
        let erins = generate(&mut erin, "erin@direct.example");

        for (name, content) in [("tls.pem", &names.certificate), ("tls.key", &names.key)] {
            let file = keystore.config().with_file_name(name);
            fs::write(&file, content).unwrap();
            let secret = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            fs::set_permissions(&file, secret).unwrap();
        }
        let config = fs::read_to_string(keystore.config()).unwrap();
        let config = config.replacen("listen = \"127.0.0.1:0\"", "listen = \"127.0.0.1:443\"", 1);
        let origin = format!("origin = \"https://{SERVER}\"\n");
        let tls = "\n[tls]\ncertificate_file = \"tls.pem\"\nkey_file = \"tls.key\"\n";
        fs::write(keystore.config(), origin + &config + tls).unwrap();
        keystore.restart();
        Self {
            _keystore: keystore,
            alice: key.fingerprint.to_string(),
            bob: tsk.fingerprint().to_hex(),
            dave: daves.fingerprint.to_string(),
            erin: erins.fingerprint.to_string(),
            folder,
            names,
        }
    }

    fn gpg(&self) -> Gpg {
        let gpg = Gpg::new();
        fs::write(gpg.home().join("dirmngr.conf"), "standard-resolver\n").unwrap();
        gpg
    }

    fn run(&self, command: &mut Command) -> std::process::Output {
        let bundle = self.names.authority.clone();
        command.env("SSL_CERT_FILE", &bundle).env("NODE_EXTRA_CA_CERTS", &bundle).output().unwrap()
    }
}

/// Finds exactly this certificate, with user IDs of the asked address alone.
#[track_caller]
fn expect(found: &[u8], fingerprint: &str, address: &str) {
    let found = Certificate::parse(found).unwrap();
    assert_eq!(found.fingerprint().to_hex(), fingerprint, "{address}");
    let user_ids = found.unverified_user_ids();
    assert!(!user_ids.is_empty() && user_ids.iter().all(|text| text.contains(address)), "{user_ids:?}");
}

#[test]
fn gpg_finds_certificates_by_both_methods_of_web_key_directory_and_by_hkp_over_tls() {
    if peers::find("gpg").is_none() || peers::find("dirmngr").is_none() {
        return peers::skip("gpg, dirmngr");
    }
    let name =
        "directory_clients::gpg_finds_certificates_by_both_methods_of_web_key_directory_and_by_hkp_over_tls";
    namespace::within(name, || {
        let stage = Stage::begin();
        for (address, fingerprint) in [
            ("alice@example.org", &stage.alice),
            ("bob@example.org", &stage.bob),
            ("dave@example.org", &stage.dave),
            ("erin@direct.example", &stage.erin),
        ] {
            let gpg = stage.gpg();
            gpg.run(&["--auto-key-locate", "clear,nodefault,wkd", "--locate-external-keys", address]);
            expect(gpg.run(&["--armor", "--export"]).as_bytes(), fingerprint, address);
        }
        // Over TLS, at the keystore's own name. Carol's only certificate is nothing that gpg reads.
        let server = format!("hkps://{SERVER}");
        for (address, fingerprint) in [("alice@example.org", &stage.alice), ("bob@example.org", &stage.bob)] {
            let gpg = stage.gpg();
            let locate = ["--keyserver", &server, "--auto-key-locate", "clear,nodefault,keyserver"];
            gpg.run(&[&locate[..], &["--locate-external-keys", address]].concat());
            expect(gpg.run(&["--armor", "--export"]).as_bytes(), fingerprint, address);
        }
        let gpg = stage.gpg();
        let listed = gpg.try_run(&["--keyserver", &server, "--search-keys", "carol@example.org"]);
        assert!(!listed.contains("uid:"), "{listed}");
        let listed = gpg.try_run(&["--keyserver", &server, "--search-keys", "dave@example.org"]);
        assert_eq!(listed.matches("\npub:").count(), 1, "{listed}");
    });
}

#[test]
fn sq_finds_certificates_by_both_methods_of_web_key_directory_and_by_hkp_over_tls() {
    if peers::find("sq").is_none() {
        return peers::skip("sq");
    }
    let name =
        "directory_clients::sq_finds_certificates_by_both_methods_of_web_key_directory_and_by_hkp_over_tls";
    namespace::within(name, || {
        let stage = Stage::begin();
        for (address, fingerprint) in [
            ("alice@example.org", &stage.alice),
            ("bob@example.org", &stage.bob),
            ("dave@example.org", &stage.dave),
            ("erin@direct.example", &stage.erin),
        ] {
            let output = stage.run(Command::new("sq").args(["wkd", "get", address]));
            assert!(output.status.success(), "{address}: {}", String::from_utf8_lossy(&output.stderr));
            expect(&output.stdout, fingerprint, address);
        }
        let server = format!("hkps://{SERVER}");
        let ask =
            |what: &str| stage.run(Command::new("sq").args(["keyserver", "--server", &server, "get", what]));
        for (address, fingerprint) in [("alice@example.org", &stage.alice), ("bob@example.org", &stage.bob)] {
            let output = ask(address);
            assert!(output.status.success(), "{address}: {}", String::from_utf8_lossy(&output.stderr));
            expect(&output.stdout, fingerprint, address);
        }
        assert!(!ask("carol@example.org").status.success());
    });
}

#[test]
fn openpgp_js_finds_certificates_by_web_key_directory_and_by_hkp() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/interop/directory"));
    if peers::find("node").is_none() || !folder.join("node_modules").exists() {
        return peers::skip("node, @openpgp/wkd-client, @openpgp/hkp-client");
    }
    let name = "directory_clients::openpgp_js_finds_certificates_by_web_key_directory_and_by_hkp";
    namespace::within(name, || {
        let stage = Stage::begin();
        let ask = |protocol: &str, what: &str| {
            let mut node = Command::new("node");
            node.arg(folder.join("ask.mjs")).args([protocol, &format!("https://{SERVER}"), what]);
            let output = stage.run(node.current_dir(stage.folder.path()));
            output.status.success().then_some(output.stdout).ok_or(output.stderr)
        };
        for (address, fingerprint) in [
            ("alice@example.org", &stage.alice),
            ("bob@example.org", &stage.bob),
            ("dave@example.org", &stage.dave),
            ("erin@direct.example", &stage.erin),
        ] {
            for protocol in ["wkd", "hkp"] {
                let found = ask(protocol, address);
                let found = found.unwrap_or_else(|why| panic!("{}", String::from_utf8_lossy(&why)));
                expect(&found, fingerprint, address);
            }
        }
        assert!(ask("wkd", "nobody@example.org").is_err());
        assert!(ask("hkp", "nobody@example.org").is_err());
        // This client would read version 6; the protocol does not promise that, so it is not sent.
        assert!(ask("hkp", "carol@example.org").is_err());
    });
}
