// SPDX-License-Identifier: LGPL-2.0-or-later
//! Whole mails (RFC 3156): what `plombe mail seal` writes is opened by the peer, what is built around the peer's
//! message and signature is opened by `plombe mail open`.

use plombe_tests::{ALICE, BOB, Home, plombe, run};
use serde_json::Value;

use crate::{
    peer::{Key, Outcome, Peer, With},
    task::Direction,
};

const SUBJECT: &str = "=?utf-8?q?Figures_from_K=C3=B6ln?=";
const BODY: &str = "Dear Bob,\r\n\r\nFrom here on it is confidential.\r\n- 1\r\n";
const ATTACHMENT: &str = "ZmlndXJlcw0KYW5kIG1vcmUgZmlndXJlcw==";

/// One mail in this direction, with an attachment and a subject that is protected.
pub(crate) fn exchange(peer: &mut dyn Peer, direction: Direction) -> Outcome<()> {
    let (alice, bob) = Home::pair(ALICE, BOB);
    let alice_key = Key { tsk: alice.tsk(ALICE), certificate: alice.certificate(ALICE) };
    let bob_key = Key { tsk: bob.tsk(BOB), certificate: bob.certificate(BOB) };
    match direction {
        Direction::OursToTheirs => {
            let mail = format!("{}\r\n{}", outer_headers(SUBJECT), entity(""));
            let sealed = alice.run(["mail", "seal"], mail.as_bytes()).succeeded()?;
            let read = peer.decrypt(With::Key(&bob_key), Some(&alice_key), encrypted_part(&sealed)?)?;
            let read = String::from_utf8_lossy(&read).replace("\r\n", "\n");
            let wanted = [format!("Subject: {SUBJECT}"), BODY.replace("\r\n", "\n"), ATTACHMENT.to_owned()];
            match wanted.iter().find(|wanted| !read.contains(wanted.as_str())) {
                Some(missing) => Err(format!("the decrypted part lacks {missing:?}")),
                None => Ok(()),
            }
        }
        Direction::TheirsToOurs => {
            let protected =
                entity(&format!("; protected-headers=\"v1\"\r\nSubject: {SUBJECT}\r\nFrom: <{ALICE}>"));
            let message = peer.encrypt(With::Key(&bob_key), Some(&alice_key), protected.as_bytes())?;
            opens(&bob, &format!("{}{}", outer_headers("..."), encrypted(&armored(&message)?)))?;
            let signature = peer.sign(&alice_key, protected.as_bytes())?;
            opens(&bob, &format!("{}{}", outer_headers(SUBJECT), signed(&protected, &armored(&signature)?)))
        }
    }
}

fn outer_headers(subject: &str) -> String {
    format!(
        "From: <{ALICE}>\r\nTo: <{BOB}>\r\nSubject: {subject}\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\n\
         Message-ID: <interop@example.test>\r\nMIME-Version: 1.0"
    )
}

/// A text and an attachment. `more` goes behind the content type.
fn entity(more: &str) -> String {
    format!(
        "Content-Type: multipart/mixed; boundary=\"m\"{more}\r\n\r\n\
         --m\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{BODY}\r\n\
         --m\r\nContent-Type: application/octet-stream; name=\"figures.bin\"\r\n\
         Content-Disposition: attachment; filename=\"figures.bin\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{ATTACHMENT}\r\n--m--\r\n"
    )
}

/// RFC 3156 section 4, behind the other headers.
fn encrypted(message: &str) -> String {
    format!(
        "\r\nContent-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=\"e\"\r\n\r\n\
         --e\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n\
         --e\r\nContent-Type: application/octet-stream\r\n\r\n{message}\r\n--e--\r\n"
    )
}

/// RFC 3156 section 5, behind the other headers.
fn signed(entity: &str, signature: &str) -> String {
    format!(
        "\r\nContent-Type: multipart/signed; protocol=\"application/pgp-signature\"; micalg=pgp-sha512; \
         boundary=\"s\"\r\n\r\n--s\r\n{entity}\r\n\
         --s\r\nContent-Type: application/pgp-signature\r\n\r\n{signature}\r\n--s--\r\n"
    )
}

fn opens(bob: &Home, mail: &str) -> Outcome<()> {
    let ran = bob.run(["mail", "open", "--json"], mail.as_bytes());
    let judged: Value = serde_json::from_str(ran.stderr.lines().last().unwrap_or_default())
        .map_err(|error| format!("{error}: {ran}"))?;
    let opened = String::from_utf8_lossy(&ran.succeeded()?).into_owned();
    let verdicts = judged["verdicts"].as_array().map_or(&[][..], Vec::as_slice);
    if verdicts.is_empty() || verdicts.iter().any(|part| part["verdict"] != "good") {
        return Err(format!("verdicts of plombe mail open: {judged}"));
    }
    let wanted = [format!("Subject: {SUBJECT}"), BODY.to_owned(), ATTACHMENT.to_owned()];
    match wanted.iter().find(|wanted| !opened.contains(wanted.as_str())) {
        Some(missing) => Err(format!("plombe mail open lost {missing:?}: {opened}")),
        None => Ok(()),
    }
}

fn encrypted_part(sealed: &[u8]) -> Outcome<&[u8]> {
    let find = |what: &[u8]| sealed.windows(what.len()).position(|window| window == what);
    let end = b"-----END PGP MESSAGE-----";
    match (find(b"-----BEGIN PGP MESSAGE-----"), find(end)) {
        (Some(from), Some(to)) => Ok(&sealed[from..to + end.len()]),
        _ => Err("plombe mail seal wrote no armored message".to_owned()),
    }
}

/// Peers write armor or binary as they like; a mail wants armor, and line endings of mail.
fn armored(bytes: &[u8]) -> Outcome<String> {
    let armored = run(std::process::Command::new(plombe()).args(["sop", "armor"]), bytes).succeeded()?;
    Ok(String::from_utf8_lossy(&armored).replace("\r\n", "\n").replace('\n', "\r\n"))
}
