// SPDX-License-Identifier: LGPL-2.0-or-later
//! Sequoia's collection: messages to many kinds of keys, containers that never end, signatures over a collision.

use super::*;

fn data(path: &str) -> PathBuf {
    crates::folder("sequoia-openpgp").join("tests/data").join(path)
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

#[test]
fn messages_to_every_kind_of_key_open() {
    for kind in ["rsa", "cv25519", "cv25519.unclamped", "nistp256", "nistp384", "nistp521"] {
        let file = |what: &str| data(&format!("messages/encrypted/{kind}.{what}.pgp"));
        let tsks = tsks(&file("sec")).unwrap_or_else(|| panic!("{kind}"));
        let text = open(&file("msg"), &tsks).unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert!(!text.is_empty(), "{kind}");
        // Somebody else's key does not open it.
        let other = if kind == "rsa" { "nistp256" } else { "rsa" };
        let other = super::tsks(&data(&format!("messages/encrypted/{other}.sec.pgp"))).expect("a TSK");
        assert!(open(&file("msg"), &other).is_err(), "{kind}");
    }
}

#[test]
fn messages_to_passwords_open() {
    let manifesto = fs::read(data("messages/a-cypherpunks-manifesto.txt")).unwrap();
    for (name, password) in [
        ("encrypted-aes128-password-123456789.pgp", "123456789"),
        ("encrypted-aes192-password-123456.pgp", "123456"),
        ("encrypted-aes256-password-123.pgp", "123"),
    ] {
        let message = data("messages").join(name);
        assert_eq!(open_with_password(&message, password).expect(name), manifesto, "{name}");
        assert!(open_with_password(&message, "1234").is_err(), "{name}");
    }
}

#[test]
fn containers_without_an_end_are_refused() {
    let (policy, nobody) = (CryptoPolicy::standard(), Vec::<Certificate>::new());
    for name in ["compression-quine", "recursive-1", "recursive-2", "recursive-3", "recursive-4"] {
        let message = fs::read(data(&format!("messages/{name}.pgp"))).unwrap();
        let opened = verify::inline(&mut &message[..], &context(&nobody, &policy), Memory(Vec::new()));
        assert!(opened.is_err(), "{name}");
    }
}

#[test]
fn a_signature_over_a_collision_is_never_good() {
    let policy = CryptoPolicy::standard();
    let known: Vec<Certificate> = files_below(&data("keys"))
        .iter()
        .filter_map(|path| Certificate::parse_all(&fs::read(path).unwrap()).ok())
        .flatten()
        .collect();
    assert!(known.len() > 60, "{}", known.len());
    for (signature, document) in [("1", "1"), ("1", "2"), ("2", "1"), ("2", "2")] {
        let signature = fs::read(data(&format!("messages/shattered-{signature}.pdf.sig"))).unwrap();
        let document = fs::read(data(&format!("messages/shattered-{document}.pdf"))).unwrap();
        let judged = verify::detached(&signature, &mut &document[..], &context(&known, &policy));
        // Not even whether it fits is worth saying.
        assert_eq!(judged.expect("a signature").verdict.verdict, VerdictKind::InvalidSigner);
    }
}

/// Valid, broken and absurd alike; what they mean is Sequoia's business, that nothing panics is ours.
#[test]
fn every_file_of_the_collection_is_survived() {
    let (policy, nobody) = (CryptoPolicy::standard(), Vec::<Certificate>::new());
    let files = files_below(&data(""));
    assert!(files.len() > 300, "{}", files.len());
    for bytes in files.iter().map(|file| fs::read(file).unwrap()).filter(|bytes| bytes.len() < 1 << 20) {
        let _ = Certificate::parse_all(&bytes);
        let _ = LockedTsk::parse_all(&bytes);
        let _ = SealedMessage::parse(io::Cursor::new(&bytes[..]));
        let _ = verify::inline(&mut &bytes[..], &context(&nobody, &policy), Memory(Vec::new()));
        let _ = verify::detached(&bytes, &mut &b"data"[..], &context(&nobody, &policy));
    }
}
