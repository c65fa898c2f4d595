// SPDX-License-Identifier: LGPL-2.0-or-later

use proptest::prelude::*;

use super::*;

fn tree(mail: &str) -> Vec<(String, String, String)> {
    let document = parse(mail.as_bytes()).expect("within bounds");
    let row = |id: usize| {
        let entity = document.entity(id);
        let body = String::from_utf8_lossy(document.raw_body(id)).into_owned();
        (entity.path.clone(), entity.media_type.to_string(), body)
    };
    (0..document.entities().len()).map(row).collect()
}

fn leaves(mail: &str) -> Vec<String> {
    tree(mail)
        .into_iter()
        .filter(|(_, kind, _)| !kind.starts_with("multipart/"))
        .map(|(_, _, body)| body)
        .collect()
}

#[test]
fn parts_are_exact_ranges() {
    let mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\none\r\n\r\n--b \t\r\n\
                Content-Type: text/html\r\n\r\ntwo\r\n--b--\r\nepilogue";
    let rows = tree(mail);
    let paths: Vec<_> =
        rows.iter().map(|(path, kind, body)| (path.as_str(), kind.as_str(), body.as_str())).collect();
    assert_eq!(paths[1..], [("1.1", "text/plain", "one\r\n"), ("1.2", "text/html", "two")]);
    let document = parse(mail.as_bytes()).expect("within bounds");
    assert_eq!(&document.bytes()[document.root().preamble.clone()], b"preamble");
    assert_eq!(&document.bytes()[document.root().epilogue.clone()], b"epilogue");
}

#[test]
fn a_boundary_is_a_whole_line() {
    let mail = "Content-Type: multipart/mixed; boundary=foo\n\n--foo\n\na\n--foobar\n\nb\n--foo-\nc\nx--foo\n--foo--x\nd\n--foo--\n";
    assert_eq!(leaves(mail), ["a\n--foobar\n\nb\n--foo-\nc\nx--foo\n--foo--x\nd"]);
}

#[test]
fn the_outer_boundary_wins() {
    let mail = "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\n\
                inner\n--o\n\nouter\n--i--\n--o--\n";
    assert_eq!(leaves(mail), ["inner", "outer\n--i--"]);
    let duplicate = "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: multipart/mixed; boundary=x\n\n\
                     --x\n\ninner\n--x--\n";
    let document = parse(duplicate.as_bytes()).expect("within bounds");
    assert!(document.entities().iter().any(|entity| entity.ambiguous_boundary));
}

#[test]
fn line_ends_may_be_mixed_and_a_bare_cr_is_none() {
    let mail = "A: b\nContent-Type: multipart/mixed;\r\n boundary=\"b\"\n\r\n--b\r\n\nx\r--b\ry\n--b--";
    assert_eq!(leaves(mail), ["x\r--b\ry"]);
}

#[test]
fn a_missing_close_keeps_the_last_part() {
    let mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo";
    assert_eq!(leaves(mail), ["one", "two"]);
    assert!(parse(mail.as_bytes()).expect("within bounds").root().unclosed);
}

#[test]
fn fields_are_found_with_their_folds() {
    let mail = "From alice Mon\r\nSubject: one\r\n two\r\nX-A : b\r\nsubject: three\r\n\r\nbody";
    let document = parse(mail.as_bytes()).expect("within bounds");
    let fields: Vec<_> = document.fields(0).map(|field| (field.name.to_owned(), field.decoded())).collect();
    let expected = [("Subject", "one two"), ("X-A", "b"), ("subject", "three")];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(document.raw_body(0), b"body");
}

#[test]
fn a_line_that_is_no_field_begins_the_body() {
    let document = parse(&b"Subject: x\r\nthis is text\r\nmore"[..]).expect("within bounds");
    assert!(document.root().broken_header);
    assert_eq!(document.raw_body(0), b"this is text\r\nmore");
}

#[test]
fn a_forwarded_mail_is_a_child() {
    let mail = "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ntext";
    let document = parse(mail.as_bytes()).expect("within bounds");
    assert_eq!(document.field(1, "Subject").expect("it is there").decoded(), "inner");
    assert_eq!(document.descendants(0).count(), 2);
}

#[test]
fn ten_thousand_parts_are_refused() {
    let mut mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned();
    mail += &"--b\r\n\r\nx\r\n".repeat(10_000);
    assert_eq!(parse(mail.as_bytes()).err(), Some(MimeError::TooManyParts { limit: 1_000 }));
}

#[test]
fn nesting_to_ten_thousand_is_refused() {
    let mut mail = String::new();
    for depth in 0..10_000 {
        mail += &format!("Content-Type: multipart/mixed; boundary=b{depth}x\r\n\r\n--b{depth}x\r\n");
    }
    assert_eq!(parse(mail.as_bytes()).err(), Some(MimeError::TooDeep { limit: 100 }));
    let forwarded = "Content-Type: message/rfc822\r\n\r\n".repeat(10_000);
    assert_eq!(parse(forwarded.as_bytes()).err(), Some(MimeError::TooDeep { limit: 100 }));
}

#[test]
fn a_header_of_ten_megabytes_is_refused() {
    let limit = MimeError::HeaderTooLarge { limit_bytes: 1 << 20 };
    let one_line = format!("Subject: {}\r\n\r\n", "x".repeat(10 << 20));
    assert_eq!(parse(one_line.as_bytes()).err(), Some(limit));
    let many_lines = format!("X: {}\r\n", "y".repeat(5_000)).repeat(2_000);
    assert_eq!(parse(many_lines.as_bytes()).err(), Some(limit));
}

fn mime_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("Content-Type: multipart/mixed; boundary=b\r\n".to_owned()),
        Just("Content-Type: multipart/signed; boundary=\"c\"\n".to_owned()),
        Just("Content-Type: message/rfc822\r\n".to_owned()),
        Just("--b\r\n".to_owned()),
        Just("--b--\r\n".to_owned()),
        Just("--c\n".to_owned()),
        Just("--c--\r\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("\n".to_owned()),
        Just("\r".to_owned()),
        Just("\0".to_owned()),
        "[ -~]{0,20}",
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn ranges_nest_and_siblings_do_not_touch(bytes in prop_oneof![mime_like(), proptest::collection::vec(any::<u8>(), 0..300)]) {
        let Ok(document) = parse(bytes.as_slice()) else { return Ok(()) };
        prop_assert_eq!(document.root().range.clone(), 0..bytes.len());
        for (id, entity) in document.entities().iter().enumerate() {
            prop_assert!(entity.range.start <= entity.header.start && entity.header.end <= entity.body.start);
            prop_assert!(entity.body.end == entity.range.end);
            let mut at = entity.body.start;
            for &child in &entity.children {
                let range = &document.entity(child).range;
                prop_assert!(child > id && at <= range.start && range.start <= range.end && range.end <= entity.body.end);
                at = range.end;
            }
            for field in document.fields(id) {
                prop_assert!(!field.name.is_empty() && entity.header.start <= field.range.start && field.range.end <= entity.header.end);
                let _ = field.decoded();
            }
            let _ = document.decoded_body(id);
        }
    }
}

#[test]
fn a_hundred_thousand_fields_are_refused() {
    let many = "X:y\r\n".repeat(100_000);
    assert_eq!(parse(many.as_bytes()).err(), Some(MimeError::TooManyFields { limit: 5_000 }));
}

#[test]
fn values_made_to_cost_time_cost_little() {
    let words = "=?a?q?".repeat(100_000);
    let parameters = format!("a/b{}", ";x=y".repeat(200_000));
    let boundary = "b".repeat(900_000);
    let mail = format!(
        "Subject: {words}\r\n\r\n--x\r\nContent-Type: {parameters}\r\n\r\n--x\r\n\
         Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n"
    );
    let started = std::time::Instant::now();
    let document = parse(mail.as_bytes()).expect("within bounds");
    let _ = document.field(0, "Subject").map(|field| field.decoded());
    let _ = MediaType::parse(parameters.as_bytes());
    // Quadratic time would be minutes.
    assert!(started.elapsed().as_secs() < 20);
}
