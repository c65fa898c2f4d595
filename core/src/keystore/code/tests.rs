// SPDX-License-Identifier: LGPL-2.0-or-later

use super::{
    super::{KeystoreIdentity, identity},
    BackupCode, CodeError, EnrolmentCode, RecoveryCode,
};

const SECRET: [u8; 16] = *b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff";

fn keystore() -> KeystoreIdentity {
    identity::tests::identity([7; 32])
}

#[test]
fn an_enrolment_code_goes_through_paper() {
    let text = EnrolmentCode::new(SECRET, &keystore()).to_text();
    let groups: Vec<_> = text.split('-').map(str::len).collect();
    assert_eq!(groups, [4; 11]);
    assert!(text.starts_with('E'));
    let copied = text.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
    for text in [text.as_str(), &copied, &text.replace('-', ""), &format!("  {}\n", *text)] {
        let code: EnrolmentCode = text.parse().unwrap();
        assert_eq!(code.expose(), &SECRET);
        assert!(code.matches(&keystore()));
    }
}

#[test]
fn an_enrolment_code_is_for_one_keystore() {
    let code = EnrolmentCode::new(SECRET, &keystore());
    assert!(!code.matches(&identity::tests::identity([8; 32])));
    let moved = KeystoreIdentity { origin: "https://other.example".parse().unwrap(), ..keystore() };
    assert!(code.matches(&moved));
}

#[test]
fn one_wrong_character_is_a_typing_error() {
    let text = EnrolmentCode::new(SECRET, &keystore()).to_text();
    for index in 1..text.len() {
        let mut wrong = text.as_bytes().to_vec();
        if wrong[index] == b'-' {
            continue;
        }
        wrong[index] = if wrong[index] == b'7' { b'8' } else { b'7' };
        let wrong = String::from_utf8(wrong).unwrap();
        assert_eq!(wrong.parse::<EnrolmentCode>().unwrap_err(), CodeError::Mistyped, "{wrong}");
    }
}

#[test]
fn incomplete_and_foreign_texts_are_typing_errors() {
    let text = RecoveryCode::new(SECRET).to_text();
    for wrong in [
        "",
        "R",
        &text[..text.len() - 1],
        &format!("{}0", *text),
        &text.replacen('R', "Q", 1),
        &text.replace('-', "_"),
        &"R".repeat(1000),
        "ÄÖÜ",
    ] {
        assert_eq!(wrong.parse::<RecoveryCode>().unwrap_err(), CodeError::Mistyped, "{wrong}");
    }
}

#[test]
fn codes_of_other_kinds_do_not_mix() {
    let recovery = RecoveryCode::new(SECRET).to_text();
    let backup = BackupCode::new(SECRET).to_text();
    let enrolment = EnrolmentCode::new(SECRET, &keystore()).to_text();
    assert_eq!(recovery.parse::<RecoveryCode>().unwrap().expose(), &SECRET);
    assert_eq!(backup.parse::<BackupCode>().unwrap().expose(), &SECRET);
    for wrong in [&backup, &enrolment] {
        assert_eq!(wrong.parse::<RecoveryCode>().unwrap_err(), CodeError::OtherKind);
    }
    for wrong in [&recovery, &enrolment] {
        assert_eq!(wrong.parse::<BackupCode>().unwrap_err(), CodeError::OtherKind);
    }
    // The checksum knows the kind too.
    assert_eq!(recovery.replacen('R', "B", 1).parse::<BackupCode>().unwrap_err(), CodeError::Mistyped);
    assert_ne!(RecoveryCode::hash(&SECRET), BackupCode::hash(&SECRET));
    assert_ne!(RecoveryCode::hash(&SECRET), EnrolmentCode::hash(&SECRET));
}

#[test]
fn debug_shows_no_code() {
    assert_eq!(format!("{:?}", EnrolmentCode::new(SECRET, &keystore())), "EnrolmentCode(..)");
    assert_eq!(format!("{:?}", RecoveryCode::new(SECRET)), "RecoveryCode(..)");
}
