// SPDX-License-Identifier: LGPL-2.0-or-later
//! One function per fuzz target: bytes in, and nothing but a panic says that something is wrong.
//!
//! Not crashing is the least. Alice's secret key is not in here, so whatever the fuzzer makes of her mails, a *good*
//! verdict may only stand over what she really signed ([`signed`]). Whether one was reached is returned, so that the
//! replay can see that this check is awake.
//!
//! `cargo test` calls the same functions on every file of the corpus (`replay.rs`).

mod cast;
mod signed;

use std::{
    io::{self, Write},
    ops::Range,
};

use plombe_core::{
    cert::{Certificate, LockedTsk},
    mail,
    message::{self, Opened, Quarantine, SealedMessage},
    mime,
    verdict::VerdictKind,
};

/// A sealed message for Bob, who tries his keys.
pub fn message(data: &[u8]) -> bool {
    let Ok(sealed) = SealedMessage::parse(io::Cursor::new(data)) else { return false };
    let _ = (sealed.recipients(), sealed.wrapped_session_keys(), sealed.has_password());
    let Ok(session_key) = cast::session_key(&sealed) else { return false };
    let Ok(opened) = sealed.open(&session_key, &cast::context(), Memory::default()) else { return false };
    judge(opened)
}

/// Signed messages: inline, cleartext framework, and the same bytes as a detached signature.
pub fn verdict(data: &[u8]) -> bool {
    let context = cast::context();
    let good =
        message::verify::inline(&mut io::Cursor::new(data), &context, Memory::default()).is_ok_and(judge);
    let other = "not what was signed";
    if let Ok(verified) = message::verify::detached(data, &mut io::Cursor::new(other), &context) {
        assert_ne!(verified.verdict.verdict, VerdictKind::Good, "a signature over other bytes");
    }
    let _ = message::verify::split_inline(&mut io::Cursor::new(data), &context.limits, &mut io::sink());
    good
}

/// Content beside a good verdict is what Alice signed.
fn judge(opened: Opened<Memory>) -> bool {
    let Ok((content, verdict)) = opened.release() else { return false };
    assert_ne!(verdict.verdict, VerdictKind::Bad, "released in spite of a bad signature");
    if verdict.verdict == VerdictKind::Good {
        signed::assert_by_alice(&content);
    }
    verdict.verdict == VerdictKind::Good
}

/// Armor off; what came out, armored again, comes off the same.
pub fn armor(data: &[u8]) {
    let mut binary = Vec::new();
    if message::armor::dearmor(&mut io::Cursor::new(data), &mut binary).is_err() {
        return;
    }
    let mut armored = Vec::new();
    if message::armor::enarmor(&mut io::Cursor::new(&binary), &mut armored).is_err() {
        return;
    }
    let mut again = Vec::new();
    message::armor::dearmor(&mut io::Cursor::new(&armored), &mut again).expect("our own armor comes off");
    assert_eq!(again, binary);
}

/// The structure of a mail: ranges lie in the document and nest, siblings stand in order, and what would be displayed
/// cannot drive a terminal.
pub fn mime(data: &[u8]) {
    let Ok(document) = mime::parse(data) else { return };
    assert_eq!(document.bytes(), data, "the bytes stay as they came");
    for (id, entity) in document.entities().iter().enumerate() {
        assert!(within(&entity.header, &entity.range) && within(&entity.body, &entity.range));
        assert!(entity.header.end <= entity.body.start, "a header ends before its body");
        if let Some(parent) = entity.parent {
            assert!(within(&entity.range, &document.entity(parent).body), "a part lies in its parent's body");
        }
        for pair in entity.children.windows(2) {
            let (one, next) = (document.entity(pair[0]), document.entity(pair[1]));
            assert!(one.range.end <= next.range.start, "siblings do not overlap");
        }
        for field in document.fields(id) {
            assert!(within(&field.range, &entity.header), "a field lies in its header");
            let _ = (field.decoded(), mime::mailboxes(&field.unfolded()));
        }
        if let Some(view) = mime::view::text(&entity.media_type, &document.decoded_body(id)) {
            let unsafe_char = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
            assert!(!view.text.contains(unsafe_char), "control characters in a text for display");
        }
    }
}

fn within(inner: &Range<usize>, outer: &Range<usize>) -> bool {
    inner.start <= inner.end && outer.start <= inner.start && inner.end <= outer.end
}

/// A whole mail for Bob, opened and inspected.
pub fn mail(data: &[u8]) -> bool {
    let context = cast::context();
    let _ = mail::addresses(data);
    let _ = mail::inspect(data, &context);
    let mut yields = |sealed: &SealedMessage<'_>| cast::session_key(sealed);
    let Ok(opened) = mail::open(data, &mut yields, &context, &mail::OpenOptions::default()) else {
        return false;
    };
    let _ = (opened.subject(), opened.key_candidates(), opened.to_plain_mail());
    let mut good = false;
    for part in opened.parts() {
        assert_ne!(part.verdict().verdict, VerdictKind::Bad, "shown in spite of a bad signature");
        let _ = (part.file_name(), part.content());
        if let Some((text, verdict)) = part.text()
            && verdict.verdict == VerdictKind::Good
        {
            signed::assert_mail_text_by_alice(&text);
            good = true;
        }
    }
    good
}

/// Certificates and TSKs as strangers hand them out.
pub fn certificate(data: &[u8]) {
    if let Ok(certificates) = Certificate::parse_all(data) {
        for certificate in certificates {
            let _ = certificate.can_encrypt(&cast::POLICY, cast::now());
            let _ = certificate.can_sign(&cast::POLICY, cast::now());
            let again = Certificate::parse(&certificate.to_bytes()).expect("what we write we read");
            assert_eq!(again.fingerprint(), certificate.fingerprint());
        }
    }
    for tsk in LockedTsk::parse_all(data).unwrap_or_default() {
        let _ = tsk.unlock(None);
    }
}

/// A place for plaintext, in memory.
#[derive(Default)]
struct Memory(Vec<u8>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Quarantine for Memory {
    type Released = Vec<u8>;

    fn release(self) -> io::Result<Vec<u8>> {
        Ok(self.0)
    }
}
