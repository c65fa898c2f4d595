// SPDX-License-Identifier: LGPL-2.0-or-later
//! Answers that keep what was confidential confidential.

use plombe_core::{
    mail::{
        HeaderPolicy, OpenOptions, OpenedMail, Seal,
        reply::{self, Answer, Draft, ReplyError, To},
    },
    mime::Mailbox,
};

use crate::cast::{self, ALICE, BOB, contains, open, open_as, pgp_mime, sealed};

const MAIL: &str = "From: Alice <alice@example.org>\r\nTo: Bob <bob@example.org>\r\nCc: carol@example.org\r\n\
                    Subject: Layoffs\r\nMessage-ID: <1@example.org>\r\nReferences: <0@example.org>\r\n\r\nsecret words\r\n";

fn bob() -> Mailbox {
    Mailbox { name: None, address: "bob@example.org".to_owned() }
}

fn seal_as_bob(draft: Draft) -> Vec<u8> {
    let Draft::Confidential(draft) = draft else { panic!("an answer to an encrypted mail must be sealed") };
    let book = cast::Book::new();
    // Even a caller who asks for no confidentiality gets it.
    let seal = Seal {
        headers: HeaderPolicy::None,
        ..Seal::new(book.recipients(), Some((&*BOB).into()), &cast::POLICY, cast::now())
    };
    draft.seal(seal).unwrap().copies.remove(0).mail
}

fn as_alice(mail: &[u8]) -> OpenedMail {
    open_as(&ALICE, mail, &OpenOptions::default()).unwrap()
}

#[test]
fn an_answer_to_an_encrypted_mail_leaves_sealed() {
    let original = open(&sealed(MAIL.as_bytes()));
    let answer = Answer { from: bob(), text: "I see.", quote: original.parts().first() };
    let mail = seal_as_bob(reply::reply(&original, To::All, &answer).unwrap());
    assert!(!contains(&mail, "Layoffs") && !contains(&mail, "secret"));
    let opened = as_alice(&mail);
    assert_eq!(opened.subject(), Some("Re: Layoffs"));
    let value =
        |name: &str| opened.fields().iter().find(|field| field.is(name)).map(|field| field.value.clone());
    assert_eq!(value("To").as_deref(), Some("Alice <alice@example.org>"));
    assert_eq!(value("Cc").as_deref(), Some("carol@example.org"));
    assert_eq!(value("In-Reply-To").as_deref(), Some("<1@example.org>"));
    assert_eq!(value("References").as_deref(), Some("<0@example.org> <1@example.org>"));
    let text = opened.parts()[0].text().unwrap().0;
    assert!(text.starts_with("I see.\n") && text.contains("> secret words"), "{text}");
}

#[test]
fn what_was_hidden_outside_stays_hidden_in_the_answer() {
    let inner = "From: Alice <alice@example.org>\r\nTo: Bob <bob@example.org>\r\nCc: carol@example.org\r\nMessage-ID: <real@example.org>\r\n\
                 Subject: s\r\nHP-Outer: From: alice@example.org\r\nHP-Outer: To: bob@example.org\r\nHP-Outer: Message-ID: <fake@example.org>\r\n\
                 Content-Type: text/plain; hp=\"cipher\"\r\n\r\nwords\r\n";
    let outside = "From: alice@example.org\r\nTo: bob@example.org\r\nMessage-ID: <fake@example.org>\r\nMIME-Version: 1.0\r\n";
    let original = open(&pgp_mime(outside, inner.as_bytes(), Some(&ALICE)));
    let answer = Answer { from: bob(), text: "ok", quote: None };
    let mail = seal_as_bob(reply::reply(&original, To::All, &answer).unwrap());
    assert!(!contains(&mail, "carol") && !contains(&mail, "real@") && !contains(&mail, "Alice"));
    let opened = as_alice(&mail);
    assert!(opened.fields().iter().any(|field| field.is("Cc") && field.value == "carol@example.org"));
}

#[test]
fn only_the_part_that_was_read_is_quoted() {
    let payload = "From: alice@example.org\r\nContent-Type: multipart/mixed; hp=\"cipher\"; boundary=b\r\n\r\n--b\r\n\r\nread me\r\n--b\r\n\
                   Content-Type: text/html\r\n\r\n<p style='display:none'>covert</p><p>other</p>\r\n--b--\r\n";
    let original = open(&pgp_mime("From: alice@example.org\r\n", payload.as_bytes(), Some(&ALICE)));
    let quote = |at: usize| {
        let answer = Answer { from: bob(), text: "", quote: Some(&original.parts()[at]) };
        as_alice(&seal_as_bob(reply::reply(&original, To::Author, &answer).unwrap())).parts()[0]
            .text()
            .unwrap()
            .0
    };
    assert!(quote(0).contains("> read me") && !quote(0).contains("other"));
    assert!(quote(1).contains("> other") && !quote(1).contains("read me") && !quote(1).contains("covert"));
    let foreign = open(b"From: alice@example.org\r\n\r\nx\r\n");
    let answer = Answer { from: bob(), text: "", quote: foreign.parts().first() };
    assert_eq!(reply::reply(&original, To::Author, &answer).err(), Some(ReplyError::ForeignPart));
}

#[test]
fn an_answer_to_a_plain_mail_may_be_plain() {
    let original = open(MAIL.as_bytes());
    let answer = Answer { from: bob(), text: "ok", quote: original.parts().first() };
    let Draft::Plain(draft) = reply::reply(&original, To::Author, &answer).unwrap() else {
        panic!("nothing was confidential")
    };
    assert_eq!(draft.addresses().to[0].address, "alice@example.org");
    assert!(contains(&draft.into_mail(), "Subject: Re: Layoffs\r\n"));
}

#[test]
fn forwarding_carries_attachments_and_stays_sealed() {
    let mail = "From: alice@example.org\r\nTo: bob@example.org\r\nSubject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n\
                look\r\n--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"../x.pdf\"\r\n\r\n%PDF\r\n--b--\r\n";
    let original = open(&sealed(mail.as_bytes()));
    let to = [Mailbox { name: None, address: "alice@example.org".to_owned() }];
    let answer = Answer { from: bob(), text: "fyi", quote: Some(&original.parts()[0]) };
    let draft = reply::forward(&original, &to, &answer, &[&original.parts()[1]]).unwrap();
    let opened = as_alice(&seal_as_bob(draft));
    assert_eq!(opened.parts()[1].file_name().as_deref(), Some("x.pdf"));
    assert_eq!(opened.parts()[1].content().0, b"%PDF");
    assert!(opened.parts()[0].text().unwrap().0.contains("From: alice@example.org"));
}

#[test]
fn an_answer_goes_where_the_author_wanted_and_not_where_the_outside_says() {
    // The older scheme may protect a part of the header only, so fields can be added outside.
    let inner = "From: Alice <alice@example.org>\r\nSubject: s\r\n\
                 Content-Type: text/plain; protected-headers=\"v1\"\r\n\r\nsecret\r\n";
    let outside = "From: alice@example.org\r\nReply-To: mallory@example.org\r\nCc: carol@example.org\r\n";
    let original = open(&pgp_mime(outside, inner.as_bytes(), Some(&ALICE)));
    let answer = Answer { from: bob(), text: "ok", quote: original.parts().first() };
    let Draft::Confidential(draft) = reply::reply(&original, To::All, &answer).unwrap() else { panic!() };
    let addresses = draft.addresses();
    let to: Vec<&str> =
        addresses.visible_recipients().into_iter().map(|mailbox| mailbox.address.as_str()).collect();
    assert_eq!(to, ["alice@example.org"]);
}
