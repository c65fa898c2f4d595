// SPDX-License-Identifier: LGPL-2.0-or-later
//! Outputs: whole or not at all, and never over what is there.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::{PermissionsExt as _, symlink},
    process::Stdio,
};

use plombe_tests::{ALICE, Home, Scratch, run, samples};

#[test]
fn existing_output_is_left_alone_unless_told() {
    let (home, scratch) = (Home::of(ALICE), Scratch::new());
    let out = scratch.write("out", "precious");
    let out = out.to_str().unwrap();
    let ran = home.run(["encrypt", "--to", ALICE, "-o", out], b"content").expect_code(10);
    assert!(ran.stderr.contains("already exists") && ran.stderr.contains("--force"), "{ran}");
    assert_eq!(scratch.read("out"), b"precious");
    home.run(["encrypt", "--to", ALICE, "-o", out, "--force"], b"content").ok();
    assert_ne!(scratch.read("out"), b"precious");
    assert_eq!(scratch.names(), ["out"]);
}

#[test]
fn failed_replacement_leaves_the_old_file() {
    let (home, scratch) = (Home::of(ALICE), Scratch::new());
    let out = scratch.write("out", "precious");
    home.run(["decrypt", "-o", out.to_str().unwrap(), "--force"], b"not a message").expect_code(7);
    assert_eq!(scratch.read("out"), b"precious");
    assert_eq!(scratch.names(), ["out"]);
}

#[test]
fn symbolic_link_is_not_written_through() {
    let (home, scratch) = (Home::of(ALICE), Scratch::new());
    scratch.write("target", "precious");
    symlink("target", scratch.file("link")).unwrap();
    symlink("nowhere", scratch.file("dangling")).unwrap();
    for name in ["link", "dangling"] {
        let out = scratch.file(name);
        home.run(["encrypt", "--to", ALICE, "-o", out.to_str().unwrap()], b"content").expect_code(10);
    }
    let out = scratch.file("link");
    home.run(["encrypt", "--to", ALICE, "--force", "-o", out.to_str().unwrap()], b"content").ok();
    assert_eq!(scratch.read("target"), b"precious");
    assert!(!scratch.file("nowhere").exists());
}

#[test]
fn plaintext_and_secret_keys_are_for_their_owner_only() {
    let (home, scratch) = (Home::of(ALICE), Scratch::new());
    let sealed = home.run(["encrypt", "--to", ALICE], b"content").ok();
    home.run(["decrypt", "-o", scratch.file("plain").to_str().unwrap()], &sealed).ok();
    home.run(["key", "export", ALICE, "--secret", "-o", scratch.file("tsk").to_str().unwrap()], b"").ok();
    for name in ["plain", "tsk"] {
        assert_eq!(fs::metadata(scratch.file(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn large_plaintext_comes_back_through_the_spool() {
    let home = Home::of(ALICE);
    let content = samples::noise(20 << 20);
    let sealed = home.run(["encrypt", "--to", ALICE], &content).ok();
    assert!(home.run(["decrypt"], &sealed).ok() == content, "the content changed on its way");
}

#[test]
fn devices_and_pipes_are_outputs_too() {
    let (home, scratch) = (Home::of(ALICE), Scratch::new());
    home.run(["encrypt", "--to", ALICE, "-o", "/dev/null"], b"content").ok();
    let pipe = scratch.file("pipe");
    run(std::process::Command::new("mkfifo").arg(&pipe), b"").ok();
    let sealed = home.run(["encrypt", "--to", ALICE], b"content").ok();
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read(pipe).unwrap()
    });
    home.run(["decrypt", "-o", pipe.to_str().unwrap()], &sealed).ok();
    assert_eq!(reader.join().unwrap(), b"content");
}

#[test]
fn killed_process_leaves_nothing_behind() {
    let (home, scratch) = (Home::of(ALICE), Scratch::new());
    let out = scratch.file("out");
    let mut child = home
        .command(["encrypt", "--to", ALICE, "-o", out.to_str().unwrap()])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // More than fits into the pipe: when this returns, it has opened its output.
    stdin.write_all(&samples::noise(4 << 20)).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(scratch.names(), Vec::<String>::new());
}

#[test]
fn disk_full_has_its_code_and_leaves_nothing_behind() {
    let home = Home::of(ALICE);
    let content = samples::noise(4 << 20);
    let sealed = home.run(["encrypt", "--to", ALICE], &content).ok();

    let full = home.run(["decrypt", "-o", "/dev/full"], &sealed).expect_code(11);
    assert!(full.stderr.contains("cannot write") || full.stderr.contains("No space"), "{full}");
    let full = home.run(["encrypt", "--to", ALICE, "-o", "/dev/full"], &content).expect_code(11);
    assert!(full.stderr.contains("No space"), "{full}");

    // A file system of one megabyte. Only root may mount one; /dev/full above holds for everybody.
    let mount = Scratch::new();
    let path = mount.path().to_str().unwrap().to_owned();
    let mounted =
        run(std::process::Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs", &path]), b"");
    if mounted.code != Some(0) {
        println!("not root: tried with /dev/full only");
        return;
    }
    let out = format!("{path}/out");
    let refused = home.run(["decrypt", "-o", &out], &sealed);
    let names = mount.names();
    run(std::process::Command::new("umount").arg(&path), b"").ok();
    let refused = refused.expect_code(11);
    assert!(refused.stderr.contains("disk is full"), "{refused}");
    assert_eq!(names, Vec::<String>::new());
}

#[test]
fn closed_pipe_ends_quietly() {
    let home = Home::of(ALICE);
    let content = samples::noise(4 << 20);
    let sealed = home.run(["encrypt", "--to", ALICE], &content).ok();
    for (arguments, input) in [(&["decrypt"][..], &sealed), (&["encrypt", "--to", ALICE], &content)] {
        let mut child = home
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut stdin = child.stdin.take().unwrap();
        let _ = stdin.write_all(input);
        drop(stdin);
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(11), "{said}");
        assert!(!said.contains("error") && !said.contains("panicked"), "{said}");
    }
}

#[test]
fn output_into_a_missing_folder_or_over_a_folder_is_refused() {
    let (home, scratch) = (Home::of(ALICE), Scratch::new());
    let missing = scratch.file("missing/out");
    home.run(["encrypt", "--to", ALICE, "-o", missing.to_str().unwrap()], b"content").expect_code(11);
    let folder = scratch.path().to_str().unwrap();
    let ran = home.run(["encrypt", "--to", ALICE, "-o", folder, "--force"], b"content").expect_code(11);
    assert!(ran.stderr.contains("is a directory"), "{ran}");
}

#[test]
fn sender_chosen_name_is_never_a_path() {
    let Some(gpg) = crate::gpg::Gpg::new() else { return };
    let (home, scratch) = (Home::of(ALICE), Scratch::new());
    let certificate = scratch.write("alice.pgp", home.certificate(ALICE));
    let certificate = certificate.to_str().unwrap();
    let hostile = format!("{}/escaped\u{1b}[2J", scratch.path().display());
    let sealed =
        gpg.run(&["--encrypt", "--recipient-file", certificate, "--set-filename", &hostile], b"content").ok();
    let ran = home.run(["decrypt"], &sealed).expect_code(0);
    assert_eq!(ran.stdout, b"content");
    assert!(!ran.stderr.contains('\u{1b}') && ran.stderr.contains("\\u{1b}[2J"), "{ran}");
    assert_eq!(scratch.names(), ["alice.pgp"]);
}
