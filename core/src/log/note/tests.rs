// SPDX-License-Identifier: LGPL-2.0-or-later
use super::*;

/// Published example of Go's package note: key, seed, and what the seed signs.
const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETERS_SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const LINE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn peter() -> VerifierKey {
    PETER.parse().unwrap()
}

fn witness() -> (VerifierKey, [u8; 32]) {
    (VerifierKey::of_seed("witness.example/w", KeyKind::Witness, &[8; 32]).unwrap(), [8; 32])
}

fn parse_and_verify(note: &str, keys: &[VerifierKey]) -> Result<usize, NoteError> {
    Ok(UnverifiedNote::parse(note)?.verify(keys)?.len())
}

#[test]
fn the_published_note_is_read_and_made() {
    let note = format!("{TEXT}\n{LINE}");
    let unverified = UnverifiedNote::parse(&note).unwrap();
    assert_eq!(unverified.unverified_text(), TEXT);
    assert_eq!(unverified.verify(&[peter()]).unwrap(), [Signed { by: &peter(), time: None }]);

    let seed: [u8; 32] = BASE64_STANDARD.decode(PETERS_SEED).unwrap()[1..].try_into().unwrap();
    assert_eq!(sign(TEXT, &peter(), &seed), note);
}

#[test]
fn the_last_empty_line_is_the_border() {
    let (seed, text) = ([4; 32], "first\n\nsecond\n");
    let key = VerifierKey::of_seed("log.example", KeyKind::Log, &seed).unwrap();
    let note = sign(text, &key, &seed);
    assert_eq!(UnverifiedNote::parse(&note).unwrap().unverified_text(), text);
    assert_eq!(parse_and_verify(&note, &[key]), Ok(1));
}

#[test]
fn every_flipped_byte_of_the_text_is_noticed() {
    for at in 0..TEXT.len() {
        let mut text = TEXT.as_bytes().to_vec();
        text[at] ^= 1;
        let note = format!("{}\n{LINE}", String::from_utf8(text).unwrap());
        assert!(parse_and_verify(&note, &[peter()]).is_err(), "byte {at}");
    }
}

#[test]
fn signatures_by_strangers_are_ignored_and_do_not_count() {
    let stranger = "— mallory.example AAAAAAECAwQ=\n— PeterNeumann AAAAAAECAwQ=\n";
    assert_eq!(parse_and_verify(&format!("{TEXT}\n{stranger}{LINE}"), &[peter()]), Ok(1));
    assert_eq!(parse_and_verify(&format!("{TEXT}\n{stranger}"), &[peter()]), Err(NoteError::NotSigned));
    assert_eq!(parse_and_verify(&format!("{TEXT}\n{LINE}"), &[witness().0]), Err(NoteError::NotSigned));
}

#[test]
fn a_wrong_signature_of_a_known_key_spoils_the_note() {
    let wrong = LINE.replace("ZJku", "ZJkv");
    for lines in [wrong.clone(), format!("{wrong}{LINE}"), format!("{LINE}{wrong}")] {
        assert_eq!(parse_and_verify(&format!("{TEXT}\n{lines}"), &[peter()]), Err(NoteError::BadSignature));
    }
}

#[test]
fn a_witness_signs_time_and_text() {
    let (key, seed) = witness();
    let note = cosign(&format!("{TEXT}\n{LINE}"), TEXT, &key, &seed, 1_700_000_000);
    let keys = [peter(), key];
    let parsed = UnverifiedNote::parse(&note).unwrap();
    let signed = parsed.verify(&keys).unwrap();
    assert_eq!(signed[1].time, Some(UNIX_EPOCH + Duration::from_secs(1_700_000_000)));

    let line = note.lines().last().unwrap().rsplit_once(' ').unwrap();
    let mut signature = BASE64_STANDARD.decode(line.1).unwrap();
    // The time's last byte.
    signature[11] ^= 1;
    let later = format!("{TEXT}\n{} {}\n", line.0, BASE64_STANDARD.encode(signature));
    assert_eq!(parse_and_verify(&later, &keys), Err(NoteError::BadSignature));
}

#[test]
fn a_logs_signature_is_no_witnesss_though_the_key_be_the_same() {
    let seed = [5; 32];
    let [log, witness] = [KeyKind::Log, KeyKind::Witness]
        .map(|kind| VerifierKey::of_seed("both.example", kind, &seed).unwrap());
    assert_eq!(parse_and_verify(&sign(TEXT, &log, &seed), &[witness]), Err(NoteError::NotSigned));
}

#[test]
fn malformed_notes_are_refused() {
    let good = format!("{TEXT}\n{LINE}");
    let malformed = [
        String::new(),
        "\n".into(),
        TEXT.into(),
        format!("{TEXT}\n"),
        format!("{TEXT}{LINE}"),
        good.trim_end().into(),
        format!("{good}\n"),
        format!("{good}more\n"),
        good.replace("— ", "- "),
        good.replace("— ", "—"),
        good.replace("PeterNeumann", ""),
        good.replace("PeterNeumann", "Peter+Neumann"),
        good.replace("PeterNeumann", "Peter\u{a0}Neumann"),
        good.replace("nAM=", "nAM"),
        good.replace("nAM=", "nAN="),
        good.replace('\n', "\r\n"),
        good.replace("problem,", "problem,\0"),
        format!("{TEXT}\n— PeterNeumann x08gow==\n"),
    ];
    for note in malformed {
        assert_eq!(UnverifiedNote::parse(&note), Err(NoteError::Malformed), "{note:?}");
    }
}

#[test]
fn notes_are_bounded_and_sixteen_signatures_fit() {
    let many = |count| format!("{TEXT}\n{}", LINE.repeat(count));
    assert_eq!(parse_and_verify(&many(16), &[peter()]), Ok(1));
    assert_eq!(UnverifiedNote::parse(&many(33)), Err(NoteError::TooLarge));
    assert_eq!(UnverifiedNote::parse(&"a".repeat(MAX_NOTE_BYTES + 1)), Err(NoteError::TooLarge));
}

#[test]
#[should_panic(expected = "secret half")]
fn a_foreign_seed_signs_nothing() {
    let _ = sign(TEXT, &peter(), &[1; 32]);
}
