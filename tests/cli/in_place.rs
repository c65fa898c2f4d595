// SPDX-License-Identifier: LGPL-2.0-or-later
//! `--in-place` over Maildirs and mbox files.

use std::{fs, path::PathBuf, time::Duration};

use plombe_tests::{ALICE, BOB, Home, Scratch};

fn mail(number: usize) -> String {
    format!(
        "From: alice@example.test\nTo: bob@example.test\nSubject: Mail {number}\n\nFrom here on it is number {number}.\n"
    )
}

/// `count` mails in a Maildir, half of them new.
fn maildir(scratch: &Scratch, count: usize) -> PathBuf {
    let dir = scratch.file("maildir");
    for folder in ["cur", "new", "tmp"] {
        fs::create_dir_all(dir.join(folder)).unwrap();
    }
    for number in 0..count {
        let name = match number % 2 {
            0 => format!("cur/{number:04}.M1P1.host,S={}:2,S", mail(number).len()),
            _ => format!("new/{number:04}.M1P1.host"),
        };
        fs::write(dir.join(name), mail(number)).unwrap();
    }
    dir
}

fn contents(dir: &std::path::Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["cur", "new", "tmp"] {
        for entry in fs::read_dir(dir.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            found.push((
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                fs::read_to_string(&path).unwrap(),
            ));
        }
    }
    found.sort();
    found
}

#[test]
fn maildir_is_sealed_and_opened_where_it_lies() {
    let ((alice, bob), scratch) = (Home::pair(ALICE, BOB), Scratch::new());
    let dir = maildir(&scratch, 20);
    let path = dir.to_str().unwrap();
    let old = std::time::SystemTime::now() - Duration::from_secs(1_000_000);
    let dated = dir.join("new/0001.M1P1.host");
    fs::File::options().write(true).open(&dated).unwrap().set_modified(old).unwrap();

    let ran = alice.run(["mail", "seal", "--json", "--in-place", path], b"").expect_code(0);
    let told: serde_json::Value = serde_json::from_str(ran.text()).unwrap();
    assert_eq!((told["sealed"].as_u64(), told["left"].as_u64()), (Some(20), Some(0)));
    let sealed = contents(&dir);
    assert_eq!(sealed.len(), 20);
    for (name, content) in &sealed {
        assert!(content.contains("multipart/encrypted") && !content.contains("number"), "{name}");
        assert!(!content.contains('\r'), "{name} had LF line ends");
        if let Some((_, size)) = name.split_once(",S=") {
            assert_eq!(size.split_once(':').unwrap().0, content.len().to_string(), "{name}");
        }
    }
    let modified = fs::metadata(&dated).unwrap().modified().unwrap();
    assert!(
        modified.duration_since(old).unwrap_or_default() < Duration::from_secs(1),
        "time of arrival was lost"
    );

    // Once more: all are sealed already, and stay.
    let again = alice.run(["mail", "seal", "--json", "--in-place", path], b"").expect_code(0);
    let told: serde_json::Value = serde_json::from_str(again.text()).unwrap();
    assert_eq!((told["sealed"].as_u64(), told["left"].as_u64()), (Some(0), Some(20)));
    assert_eq!(contents(&dir), sealed);

    bob.run(["mail", "open", "--in-place", path], b"").ok();
    let opened = contents(&dir);
    for (number, (name, content)) in opened.iter().enumerate() {
        assert!(content.contains(&format!("From here on it is number {number}.")), "{name}: {content}");
    }
}

#[test]
fn mails_that_fail_stay_and_are_named() {
    let ((alice, _), scratch) = (Home::pair(ALICE, BOB), Scratch::new());
    let dir = maildir(&scratch, 5);
    let stranger = mail(7).replace(BOB, "carol@example.test");
    fs::write(dir.join("new/0007.M1P1.host"), &stranger).unwrap();
    let ran = alice.run(["mail", "seal", "--in-place", dir.to_str().unwrap()], b"").expect_code(9);
    assert!(ran.stderr.contains("0007.M1P1.host") && ran.stderr.contains("carol@example.test"), "{ran}");
    assert!(ran.stderr.contains("sealed: 5 mails"), "{ran}");
    assert_eq!(fs::read_to_string(dir.join("new/0007.M1P1.host")).unwrap(), stranger);
}

#[test]
fn mbox_is_sealed_and_opened_and_keeps_what_fails() {
    let ((alice, bob), scratch) = (Home::pair(ALICE, BOB), Scratch::new());
    let stranger = mail(2).replace(BOB, "carol@example.test");
    let mut mbox = String::new();
    for (number, mail) in [mail(0), mail(1), stranger.clone(), mail(3)].iter().enumerate() {
        let quoted = mail.replace("\nFrom ", "\n>From ");
        mbox.push_str(&format!("From alice@example.test Sat Nov 21 22:30:0{number} 2026\n{quoted}\n"));
    }
    let path = scratch.write("mbox", &mbox);
    let path = path.to_str().unwrap();
    alice.run(["mail", "seal", "--in-place", path], b"").expect_code(9);
    let sealed = String::from_utf8(scratch.read("mbox")).unwrap();
    assert_eq!(sealed.matches("multipart/encrypted").count(), 3);
    assert!(sealed.contains(&stranger.replace("\nFrom ", "\n>From ")), "the mail that failed was changed");
    assert_eq!(sealed.lines().filter(|line| line.starts_with("From ")).count(), 4);
    assert!(sealed.starts_with("From alice@example.test Sat Nov 21 22:30:00 2026\n"));

    bob.run(["mail", "open", "--in-place", path], b"").ok();
    let opened = String::from_utf8(scratch.read("mbox")).unwrap();
    for number in 0..4 {
        assert!(opened.contains(&format!(">From here on it is number {number}.")), "{opened}");
    }
    assert_eq!(scratch.names(), ["mbox"]);
}

#[test]
fn what_is_not_a_mailbox_is_refused() {
    let (home, scratch) = (Home::of(ALICE), Scratch::new());
    home.run(["mail", "seal", "--in-place", scratch.path().to_str().unwrap()], b"").expect_code(2);
    home.run(["mail", "seal", "--in-place", "/dev/null"], b"").expect_code(2);
}

#[test]
fn single_file_is_a_mailbox_of_one() {
    let ((alice, _), scratch) = (Home::pair(ALICE, BOB), Scratch::new());
    let path = scratch.write("draft.eml", mail(1));
    alice.run(["mail", "seal", "--in-place", path.to_str().unwrap()], b"").ok();
    assert!(String::from_utf8(scratch.read("draft.eml")).unwrap().contains("multipart/encrypted"));
    assert_eq!(scratch.names(), ["draft.eml"]);
}
