// SPDX-License-Identifier: LGPL-2.0-or-later
use super::*;

/// Signed by the checksum database of Go in 2023: a log of other people with the same formats.
const GO_KEY: &str = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
const GO_NOTE: &str = "go.sum database tree\n15368405\n/g9am3I6YWNKaZX/jkne1fqd9zEyjss+JXyPXG0WfkY=\n\n\
    — sum.golang.org Az3grqJGUaSGukG9p8nI2vKgiFn7qGHxn0W+mrwyI6Gz3F0t1J3LzmWk/p96Ybf295EjwdSwlzgijq5WA9d1Ded7owM=\n";
const GO_NOTE_2: &str = "go.sum database tree\n6476701\nmb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wk=\n\n\
    — sum.golang.org Az3grsLX85Gz+s1SiTbgkuqxgItqFq7gsMUEyVnrsa9LM7Us9S+1xbFIGu95949rj4nPRYfvimWEPWL+o3GeoWwOoAw=\n";

const SEED: [u8; 32] = [42; 32];

/// What Python's cryptography package signs with the same seeds.
const LOG_LINE: &str = "— keys.example.org/log X3sDO8l5Q6F7SI7K82jBWvJF1ouBRQrU5ov4spNvmovH6lD3NAv2rYcHDmvdsHoWWja/z70HP6DHc9QClOGm2786gAg=";
const WITNESS_LINE: &str = "— witness.example VT/mqQAAAABrSdI88lIXvQUxswAWBm7Tl0B0H6bIsUfoUijaKFk36/wiMvllulCNSXlbFnVXd5MfzoOiTjwEcdpgyWlJML15vpAEBA==";

fn key() -> VerifierKey {
    VerifierKey::of_seed("keys.example.org/log", KeyKind::Log, &SEED).unwrap()
}

fn checkpoint() -> Checkpoint {
    Checkpoint {
        origin: "keys.example.org/log".into(),
        head: TreeHead { size: 7, root: NodeHash::leaf(b"root") },
        time: Some(UNIX_EPOCH + Duration::from_secs(1_800_000_000)),
    }
}

/// Signs any text as the log.
fn note_of(text: &str) -> String {
    note::sign(text, &key(), &SEED)
}

#[test]
fn a_loss_covers_what_was_signed_before_it_was_shown_and_nothing_else() {
    let at = |size, root, time: Option<u64>| Checkpoint {
        origin: String::new(),
        head: TreeHead { size, root: NodeHash([root; 32]) },
        time: time.map(|time| UNIX_EPOCH + Duration::from_secs(time)),
    };
    let (lost, shown) = (at(100, 1, Some(1000)), 2000);
    for other in
        [at(90, 2, Some(900)), at(101, 2, Some(900)), at(5000, 2, Some(1999)), at(100, 2, Some(1500))]
    {
        assert!(lost.covers(&other, shown), "{other:?}");
    }
    assert!(lost.covers(&lost, shown) && at(9, 2, None).covers(&at(9, 2, None), shown));
    // Of a history that was signed on, however small, or of an unknown time.
    for other in [at(90, 2, Some(2000)), at(101, 2, Some(2000)), at(3, 2, Some(2001)), at(90, 2, None)] {
        assert!(!lost.covers(&other, shown), "{other:?}");
    }
    // Shown within the second in which it was signed, or by a clock that is behind.
    for shown in [1000, 500] {
        assert!(lost.covers(&lost, shown) && lost.covers(&at(99, 2, Some(1000)), shown));
        assert!(!lost.covers(&at(101, 2, Some(1000)), shown) && !lost.covers(&at(90, 2, Some(1001)), shown));
    }
}

#[test]
fn a_log_reaches_until_its_time_and_one_without_a_time_nowhere() {
    let now = checkpoint();
    assert!(now.reaches(0) && now.reaches(1_800_000_000));
    assert!(!now.reaches(1_800_000_001) && !now.reaches(u64::MAX));
    assert!(!Checkpoint { time: None, ..now }.reaches(0));
}

#[test]
fn checkpoints_of_a_public_log_are_verified_and_read() {
    let go: VerifierKey = GO_KEY.parse().unwrap();
    for (note, size) in [(GO_NOTE, 15_368_405), (GO_NOTE_2, 6_476_701)] {
        let unverified = UnverifiedNote::parse(note).unwrap();
        assert_eq!(unverified.verify(std::slice::from_ref(&go)).unwrap().len(), 1);
        let read = Checkpoint::parse(unverified.unverified_text()).unwrap();
        assert_eq!((read.head.size, read.time), (size, None));
        assert_eq!(read.body(), unverified.unverified_text());
        // Its origin is not its key's name, as ours is.
        assert_eq!(SignedCheckpoint::open(note, &go), Err(CheckpointError::WrongOrigin));
    }
}

#[test]
fn body_and_note_have_the_documented_form() {
    let signed = checkpoint().sign(&key(), &SEED);
    assert_eq!(
        checkpoint().body(),
        "keys.example.org/log\n7\nPAb5plclr2BSYfY2ZyyWINQJcx2JpFHXRV/pxK4WeCk=\ntime 1800000000\n"
    );
    assert_eq!(signed.note(), format!("{}\n{LOG_LINE}\n", checkpoint().body()));
    assert_eq!(SignedCheckpoint::open(signed.note(), &key()).unwrap(), signed);
}

#[test]
fn fractions_of_a_second_do_not_survive_signing() {
    let mut precise = checkpoint();
    precise.time = precise.time.map(|time| time + Duration::from_millis(900));
    assert_eq!(precise.sign(&key(), &SEED), checkpoint().sign(&key(), &SEED));
}

#[test]
fn signed_texts_that_are_no_checkpoints_are_refused() {
    let good = checkpoint().body();
    let root = checkpoint().head.root.to_base64();
    let malformed = [
        "keys.example.org/log\n".to_owned(),
        "keys.example.org/log\n7\n".to_owned(),
        good.replace("\n7\n", "\n07\n"),
        good.replace("\n7\n", "\n+7\n"),
        good.replace("\n7\n", "\n-7\n"),
        good.replace("\n7\n", "\n\n"),
        good.replace("\n7\n", "\n4611686018427387905\n"),
        good.replace("\n7\n", "\n18446744073709551616\n"),
        // An empty tree has the empty root.
        good.replace("\n7\n", "\n0\n"),
        good.replace(&root, &root[..40]),
        good.replace(&root, root.trim_end_matches('=')),
        good.replace("time 18", "time 0018"),
        good.replace("time 1800000000", "time 9223372036854775808"),
        good.replace("time ", "Time "),
        good.replace("time 1800000000", "policy 7"),
        format!("{good}time 1800000001\n"),
        format!("{good}more\n"),
    ];
    for text in malformed {
        let opened = SignedCheckpoint::open(&note_of(&text), &key());
        assert_eq!(opened, Err(CheckpointError::Malformed), "{text:?}");
    }
}

#[test]
fn another_logs_checkpoint_is_not_ours() {
    let theirs = VerifierKey::of_seed("mallory.example", KeyKind::Log, &[1; 32]).unwrap();
    let note = Checkpoint { origin: "mallory.example".into(), ..checkpoint() }.sign(&theirs, &[1; 32]);
    assert_eq!(SignedCheckpoint::open(note.note(), &key()), Err(CheckpointError::WrongOrigin));
    // Our key under another log's text.
    let text = checkpoint().body().replace("keys.example.org", "mallory.example");
    assert_eq!(SignedCheckpoint::open(&note_of(&text), &key()), Err(CheckpointError::WrongOrigin));
    // Our text under another key.
    let renamed = VerifierKey::of_seed("keys.example.org/log", KeyKind::Log, &[1; 32]).unwrap();
    let forged = checkpoint().sign(&renamed, &[1; 32]);
    assert_eq!(SignedCheckpoint::open(forged.note(), &key()), Err(NoteError::NotSigned.into()));
}

#[test]
fn a_witness_stands_beside_the_log_and_not_instead_of_it() {
    let witness = VerifierKey::of_seed("witness.example", KeyKind::Witness, &[6; 32]).unwrap();
    let witnesses = [witness.clone()];
    let now = UNIX_EPOCH + Duration::from_secs(1_800_000_060);
    let signed = checkpoint().sign(&key(), &SEED);
    assert_eq!(signed.witnessed_by(&witnesses), Ok(vec![]));

    let cosigned = signed.cosign(&witness, &[6; 32], now);
    assert_eq!(cosigned.note(), format!("{}{WITNESS_LINE}\n", signed.note()));
    let opened = SignedCheckpoint::open(cosigned.note(), &key()).unwrap();
    assert_eq!(opened.witnessed_by(&witnesses).unwrap()[0].time, Some(now));
    let alone = format!("{}\n{}\n", checkpoint().body(), cosigned.note().lines().last().unwrap());
    assert_eq!(SignedCheckpoint::open(&alone, &key()), Err(NoteError::NotSigned.into()));
    assert_eq!(SignedCheckpoint::open(&alone, &witness), Err(NoteError::NotSigned.into()));
}

#[test]
fn what_others_add_to_a_note_is_left_out_and_it_still_proves_itself() {
    let signed = checkpoint().sign(&key(), &SEED);
    let mut grown = signed.note().to_owned();
    for line in [format!("{WITNESS_LINE}\n"), format!("{LOG_LINE}\n")] {
        grown += &line;
    }
    let alone = SignedCheckpoint::open_alone(&grown, &key()).unwrap();
    assert_eq!(alone.note(), signed.note());
    assert_eq!(SignedCheckpoint::open(alone.note(), &key()).unwrap(), signed);
    assert!(SignedCheckpoint::open_alone(&grown.replace("\n7\n", "\n8\n"), &key()).is_err());
}
