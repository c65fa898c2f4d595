// SPDX-License-Identifier: LGPL-2.0-or-later
//! A core dump of a process that holds long-lived keys, and has used them, does not hold their bytes.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use memchr::memmem;
use plombe_core::secret::ResidentKey;
use plombe_keystore::{
    hierarchy::{BlobName, TenantKey, TenantKeys},
    keychain::InstanceSecrets,
    root_key::{self, RootKey, RootKeyConfig},
};
use plombe_tests::peers;
use uuid::Uuid;
use zeroize::Zeroizing;

const CHILD: &str = "PLOMBE_TEST_CORE_DUMP";
const NAME: &str = "core_dump::a_core_dump_has_no_long_lived_key";
const TENANT: Uuid = Uuid::from_u128(7);
const SECRETS: BlobName<'static> = BlobName { kind: "instance-secrets", id: b"instance", version: 0 };

/// Keys and secrets that the parent knows, and that the child gets as a server gets them.
struct Planted {
    tenant: [u8; 32],
    passphrase: String,
    secrets: Zeroizing<Vec<u8>>,
    in_the_open: [u8; 32],
}

#[test]
fn a_core_dump_has_no_long_lived_key() {
    if let Some(folder) = std::env::var_os(CHILD) {
        return serve_until_told(Path::new(&folder));
    }
    if peers::find("gcore").is_none() {
        return peers::skip("gcore (gdb)");
    }
    let folder = tempfile::tempdir().unwrap();
    let planted = plant(folder.path());
    let dump = dump_of_child(folder.path());

    let finds = |secret: &[u8]| memmem::find(&dump, secret).is_some();
    assert!(finds(&planted.in_the_open), "what lies in the open is found, or this test shows nothing");
    // Half a key is as bad as a whole one, and where bytes were overwritten in part, one half may remain.
    let finds_half = |key: &[u8]| finds(&key[..16]) || finds(&key[16..32]);
    assert!(!finds_half(&planted.tenant), "the tenant's key");
    for (number, secret) in planted.secrets.chunks_exact(32).enumerate() {
        assert!(!finds_half(secret), "the instance's secret number {number}");
    }
    let text = fs::read_to_string(folder.path().join("root.key")).unwrap();
    let encoded = text.trim_end().rsplit(' ').next().unwrap();
    assert!(!finds_half(&STANDARD.decode(encoded).unwrap()), "the root key");
    assert!(!finds(&encoded.as_bytes()[..20]), "the root key as it stands in its file");
    assert!(!finds(&planted.passphrase.as_bytes()[..16]), "the passphrase");
}

/// A keystore's keys, as far as they are needed: files in `folder`.
fn plant(folder: &Path) -> Planted {
    let passphrase = ResidentKey::generate().with(|bytes| STANDARD.encode(bytes));
    fs::write(folder.join("passphrase"), &passphrase).unwrap();
    fs::set_permissions(folder.join("passphrase"), fs::Permissions::from_mode(0o600)).unwrap();
    let root = root_key::create(&plain(folder), false).unwrap();
    let under_passphrase = root_key::create(&guarded(folder), true).unwrap();
    let tenant = ResidentKey::generate();
    let planted = Planted {
        tenant: tenant.with(|key| *key),
        passphrase,
        secrets: InstanceSecrets::generate().to_bytes(),
        in_the_open: ResidentKey::generate().with(|key| *key),
    };
    let wrap = |root: &dyn RootKey| root.wrap(b"tenant", &planted.tenant).unwrap();
    fs::write(folder.join("wrapped"), wrap(&*root)).unwrap();
    fs::write(folder.join("wrapped-guarded"), wrap(&*under_passphrase)).unwrap();
    let sealed = TenantKey::new(TENANT, 1, tenant).seal(&SECRETS, &planted.secrets);
    fs::write(folder.join("secrets"), sealed).unwrap();
    fs::write(folder.join("in-the-open"), planted.in_the_open).unwrap();
    planted
}

fn plain(folder: &Path) -> RootKeyConfig {
    RootKeyConfig { file: Some(folder.join("root.key")), ..RootKeyConfig::default() }
}

fn guarded(folder: &Path) -> RootKeyConfig {
    RootKeyConfig {
        file: Some(folder.join("guarded.key")),
        passphrase_file: Some(folder.join("passphrase")),
        pkcs11: None,
    }
}

fn dump_of_child(folder: &Path) -> Vec<u8> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(CHILD, folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    assert!(output.lines().any(|line| line.unwrap().contains("the keys are here")));
    // All of it, whatever the process says about what belongs in a dump.
    let mut gcore = Command::new("gcore");
    let said =
        gcore.arg("-a").arg("-o").arg(folder.join("dump")).arg(child.id().to_string()).output().unwrap();
    let dump = fs::read(folder.join(format!("dump.{}", child.id())));
    child.kill().unwrap();
    child.wait().unwrap();
    dump.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&said.stderr)))
}

/// Comes up as a server does, works a little, and keeps its keys.
fn serve_until_told(folder: &Path) {
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let root = root_key::open(&plain(folder)).unwrap();
    let guarded = root_key::open(&guarded(folder)).unwrap();
    let tenant = root.unwrap(b"tenant", &read("wrapped")).unwrap();
    let again = guarded.unwrap(b"tenant", &read("wrapped-guarded")).unwrap();
    let keys = TenantKeys::new(TenantKey::new(TENANT, 1, tenant));
    let secrets = InstanceSecrets::from_bytes(&keys.open(&SECRETS, &read("secrets")).unwrap()).unwrap();
    for version in 0..20 {
        let name = BlobName { version, ..SECRETS };
        let blob = keys.seal(&name, b"something");
        keys.open(&name, &blob).unwrap();
        keys.verify_mac("test v1", &[b"x"], &keys.mac("test v1", &[b"x"])).unwrap();
        secrets.hpke.with(|key| std::hint::black_box(key[0]));
    }
    let in_the_open = read("in-the-open");
    println!("\nthe keys are here");
    let _ = std::io::stdin().read(&mut [0]);
    drop((root, guarded, again, keys, secrets, in_the_open));
}
