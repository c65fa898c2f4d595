// SPDX-License-Identifier: LGPL-2.0-or-later
//! Scripts and people rely on these lines, so they are run by a shell, as they are written.

use std::process::Command;

use plombe_tests::{ALICE, BOB, Home, Scratch, plombe, run};

/// Runs `script` with `sh` in `scratch`, in Alice's home, `plombe` on the PATH.
#[track_caller]
fn shell(home: &Home, scratch: &Scratch, script: &str) {
    let folder = plombe().parent().expect("a program lies in a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("sh");
    command
        .args(["-euc", script])
        .current_dir(scratch.path())
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("PLOMBE_HOME", home.path());
    run(&mut command, b"").ok();
}

const MAIL: &str = "From: Alice <alice@example.test>\nTo: bob@example.test\nSubject: The secret plan\n\
                    Content-Type: text/plain; charset=utf-8\n\nGrüße, and mind the gap.\n";

#[test]
fn the_eight_lines_work_as_written() {
    let (home, scratch) = (Home::new(), Scratch::new());
    scratch.write("bob.pgp", Home::of(BOB).certificate(BOB));
    scratch.write("FILE", "content");
    scratch.write("plain.eml", MAIL);
    shell(&home, &scratch, "plombe key generate alice@example.test --no-passphrase");
    shell(&home, &scratch, "plombe key import bob.pgp");
    shell(&home, &scratch, "plombe key export alice@example.test > alice.pgp");
    shell(
        &home,
        &scratch,
        "plombe encrypt --to bob@example.test --to alice@example.test --sign-as alice@example.test -o OUT FILE",
    );
    shell(&home, &scratch, "plombe decrypt -o AGAIN OUT && cmp AGAIN FILE");
    shell(&home, &scratch, "plombe mail seal < plain.eml > sealed.eml");
    shell(&home, &scratch, "plombe mail open < sealed.eml > opened.eml");
    shell(&home, &scratch, "plombe mail inspect --json < sealed.eml > inspection.json");

    assert!(
        String::from_utf8(scratch.read("alice.pgp"))
            .unwrap()
            .starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----")
    );
    let sealed = String::from_utf8(scratch.read("sealed.eml")).unwrap();
    assert!(
        sealed.contains("Subject: [...]")
            && !sealed.contains("secret plan")
            && !sealed.contains("mind the gap")
    );
    let opened = String::from_utf8(scratch.read("opened.eml")).unwrap();
    assert!(opened.contains("Subject: The secret plan") && opened.contains("mind the gap"), "{opened}");
    let inspection: serde_json::Value = serde_json::from_slice(&scratch.read("inspection.json")).unwrap();
    assert_eq!(inspection["verdicts"][0]["verdict"], "good", "{inspection}");
    assert!(!inspection.to_string().contains("secret plan"));
}

#[test]
fn a_passphrase_file_does_instead_of_no_passphrase() {
    let (home, scratch) = (Home::new(), Scratch::new());
    scratch.write("F", "correct horse\n");
    shell(&home, &scratch, "plombe key generate alice@example.test --passphrase-file F");
    shell(&home, &scratch, "echo content | plombe encrypt --to alice@example.test -o OUT");
    shell(&home, &scratch, "test \"$(plombe decrypt --passphrase-file F OUT)\" = content");
    shell(&home, &scratch, "test \"$(plombe decrypt --passphrase-fd 3 OUT 3<F)\" = content");
}

#[test]
fn the_secret_key_is_exported_only_when_asked_for() {
    let home = Home::of(ALICE);
    assert!(!home.run(["key", "export", ALICE], b"").text().contains("PRIVATE"));
    assert!(
        home.run(["key", "export", ALICE, "--secret"], b"").text().contains("BEGIN PGP PRIVATE KEY BLOCK")
    );
}
