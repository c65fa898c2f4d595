// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe sop` by itself: what the draft promises to programs that call it.

use std::{ffi::OsStr, process::Command};

use plombe_tests::{Ran, Scratch, plombe, run};

/// A folder, and `plombe sop` in it. `PLOMBE_HOME` points into it, so that anything that is kept there is noticed.
struct Sop {
    scratch: Scratch,
}

impl Sop {
    fn new() -> Self {
        Self { scratch: Scratch::new() }
    }

    fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(plombe());
        command.arg("sop").args(arguments).current_dir(self.scratch.path());
        command.env("PLOMBE_HOME", self.scratch.file("home")).env("HOME", self.scratch.file("home"));
        command
    }

    /// Runs one line; words are separated by single spaces.
    #[track_caller]
    fn run(&self, line: &str, input: &[u8]) -> Ran {
        run(&mut self.command(line.split(' ')), input)
    }

    /// A TSK and its certificate as `NAME.tsk` and `NAME.cert`.
    fn key(&self, name: &str, options: &str) -> Vec<u8> {
        let tsk = self.run(&format!("generate-key{options} {name}@example.test"), b"").ok();
        let certificate = self.run("extract-cert", &tsk).ok();
        self.scratch.write(&format!("{name}.tsk"), &tsk);
        self.scratch.write(&format!("{name}.cert"), certificate);
        tsk
    }

    fn alice_and_bob() -> Self {
        let sop = Self::new();
        sop.key("alice", "");
        sop.key("bob", "");
        sop
    }
}

#[test]
fn a_message_goes_there_and_back_and_leaves_no_trace() {
    for profile in ["rfc4880", "rfc9580"] {
        let sop = Sop::new();
        sop.key("alice", &format!(" --profile={profile}"));
        sop.key("bob", &format!(" --profile={profile}"));
        let sealed = sop.run("encrypt --sign-with=alice.tsk --session-key-out=sk bob.cert", b"for Bob").ok();
        let line = "decrypt --verify-with=alice.cert --verifications-out=v --session-key-out=sk2 bob.tsk";
        assert_eq!(sop.run(line, &sealed).ok(), b"for Bob");
        let verifications = String::from_utf8(sop.scratch.read("v")).expect("ASCII");
        assert!(verifications.trim_end().ends_with("mode:binary"), "{verifications}");
        assert_eq!(verifications.lines().count(), 1);
        assert_eq!(sop.scratch.read("sk"), sop.scratch.read("sk2"), "{profile}");
        assert_eq!(sop.run("decrypt --with-session-key=sk", &sealed).ok(), b"for Bob");
        assert!(!sop.scratch.names().contains(&"home".to_owned()), "something was kept");
    }
}

#[test]
fn a_changed_message_yields_nothing() {
    let sop = Sop::alice_and_bob();
    for profile in ["rfc4880", "rfc9580"] {
        let line = format!("encrypt --no-armor --profile={profile} --sign-with=alice.tsk bob.cert");
        let mut sealed = sop.run(&line, b"for Bob, and long enough").ok();
        *sealed.last_mut().expect("a message has a last byte") ^= 1;
        let refused = sop.run("decrypt --session-key-out=sk bob.tsk", &sealed).expect_code(29);
        assert!(refused.stdout.is_empty());
        assert!(!sop.scratch.names().contains(&"sk".to_owned()));
    }
}

#[test]
fn signatures_in_every_form_are_checked() {
    let sop = Sop::alice_and_bob();
    let data = b"one\ntwo\n";
    for kind in ["binary", "text"] {
        let signature = sop.run(&format!("sign --as={kind} --micalg-out=micalg-{kind} alice.tsk"), data).ok();
        assert_eq!(sop.scratch.read(&format!("micalg-{kind}")), b"pgp-sha512");
        sop.scratch.write("sig", signature);
        let lines = sop.run("verify sig alice.cert bob.cert", data).ok();
        assert!(String::from_utf8_lossy(&lines).trim_end().ends_with(&format!("mode:{kind}")));
        sop.run("verify sig alice.cert", b"one\nthree\n").expect_code(3);
        sop.run("verify sig bob.cert", data).expect_code(3);
        sop.run("verify --not-before=2100-01-01T00:00:00Z sig alice.cert", data).expect_code(3);
        sop.run("verify --not-after=20200101T000000Z sig alice.cert", data).expect_code(3);
    }
    // Text mode: the line endings are not signed.
    assert!(!sop.run("verify sig alice.cert", b"one\r\ntwo\r\n").ok().is_empty());
    for kind in ["binary", "text", "clearsigned"] {
        let message = sop.run(&format!("inline-sign --as={kind} alice.tsk"), data).ok();
        let out = format!("inline-verify --verifications-out=v-{kind} alice.cert");
        assert_eq!(sop.run(&out, &message).ok(), data, "{kind}");
        let refused = sop.run("inline-verify bob.cert", &message).expect_code(3);
        assert!(refused.stdout.is_empty(), "{kind}");
        let detach = format!("inline-detach --signatures-out=sig-{kind}");
        let content = sop.run(&detach, &message).ok();
        assert!(!sop.run(&format!("verify sig-{kind} alice.cert"), &content).ok().is_empty(), "{kind}");
    }
}

#[test]
fn passwords_lock_keys_and_messages() {
    let sop = Sop::alice_and_bob();
    // What an editor leaves at the end of a file is not part of the password.
    sop.scratch.write("pw", "correct horse\n");
    sop.scratch.write("pw2", "battery staple");
    sop.scratch.write("strange", "bell\u{7}");
    for profile in ["default", "rfc4880", "rfc9580"] {
        let line = format!("encrypt --profile={profile} --with-password=pw");
        let sealed = sop.run(&line, b"hello").ok();
        assert_eq!(sop.run("decrypt --with-password=pw", &sealed).ok(), b"hello");
        sop.run("decrypt --with-password=pw2", &sealed).expect_code(29);
    }
    sop.run("encrypt --with-password=strange", b"").expect_code(31);

    let locked = sop.run("generate-key --with-key-password=pw carol@example.test", b"").ok();
    sop.scratch.write("carol.tsk", &locked);
    sop.scratch.write("carol.cert", sop.run("extract-cert", &locked).ok());
    sop.run("sign carol.tsk", b"").expect_code(67);
    sop.run("sign --with-key-password=pw2 carol.tsk", b"").expect_code(67);
    sop.run("sign --with-key-password=pw carol.tsk", b"").ok();
    let sealed = sop.run("encrypt carol.cert", b"hello").ok();
    sop.run("decrypt carol.tsk", &sealed).expect_code(67);
    sop.run("decrypt bob.tsk", &sealed).expect_code(29);
    assert_eq!(
        sop.run("decrypt --with-key-password=pw2 --with-key-password=pw carol.tsk", &sealed).ok(),
        b"hello"
    );
    let changed = sop.run("change-key-password --old-key-password=pw --new-key-password=pw2", &locked).ok();
    sop.scratch.write("carol2.tsk", &changed);
    sop.run("sign --with-key-password=pw carol2.tsk", b"").expect_code(67);
    sop.run("sign --with-key-password=pw2 carol2.tsk", b"").ok();
    sop.run("change-key-password --old-key-password=pw2", &locked).expect_code(67);
    let open = sop.run("change-key-password --old-key-password=pw2", &changed).ok();
    sop.scratch.write("carol3.tsk", &open);
    sop.run("sign carol3.tsk", b"").ok();
}

#[test]
fn secrets_come_from_the_environment_and_descriptors_too() {
    let sop = Sop::alice_and_bob();
    let sealed = sop.run("encrypt bob.cert", b"hello").ok();
    let mut command = sop.command(["decrypt", "@ENV:BOB_TSK"]);
    command.env("BOB_TSK", String::from_utf8(sop.scratch.read("bob.tsk")).expect("armor"));
    assert_eq!(run(&mut command, &sealed).ok(), b"hello");
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$0\" sop decrypt --session-key-out=@FD:4 @FD:3 3<bob.tsk 4>sk"]).arg(plombe());
    assert_eq!(run(shell.current_dir(sop.scratch.path()), &sealed).ok(), b"hello");
    assert!(sop.scratch.read("sk").starts_with(b"9:"));
    sop.run("decrypt @ENV:NO_SUCH_VARIABLE", &sealed).expect_code(61);
    sop.run("decrypt @HARDWARE:", &sealed).expect_code(71);
    sop.scratch.write("@ENV:BOB_TSK", "");
    sop.run("decrypt @ENV:BOB_TSK", &sealed).expect_code(73);
}

#[test]
fn certificates_are_merged_updated_certified_and_revoked() {
    let sop = Sop::alice_and_bob();
    let bob = sop.scratch.read("bob.cert");
    let certified = sop.run("certify-userid --userid=bob@example.test alice.tsk", &bob).ok();
    sop.run("validate-userid bob@example.test alice.cert", &certified).ok();
    sop.run("validate-userid --addr-spec-only bob@example.test alice.cert", &certified).ok();
    sop.run("validate-userid bob@example.test alice.cert", &bob).expect_code(107);
    sop.run("validate-userid mallory@example.test alice.cert", &certified).expect_code(107);
    sop.run("certify-userid --userid=mallory@example.test alice.tsk", &bob).expect_code(107);
    sop.scratch.write("certified.cert", &certified);
    let merged = sop.run("merge-certs certified.cert alice.cert", &bob).ok();
    sop.run("validate-userid bob@example.test alice.cert", &merged).ok();

    let signing_only = sop.key("signer", " --signing-only");
    sop.run("encrypt signer.cert", b"").expect_code(17);
    let updated = sop.run("update-key --signing-only", &signing_only).ok();
    sop.scratch.write("updated.cert", sop.run("extract-cert", &updated).ok());
    sop.run("encrypt updated.cert", b"").expect_code(17);
    let updated = sop.run("update-key", &signing_only).ok();
    sop.scratch.write("updated2.cert", sop.run("extract-cert", &updated).ok());
    let sealed = sop.run("encrypt updated2.cert", b"hello").ok();
    sop.scratch.write("updated2.tsk", &updated);
    assert_eq!(sop.run("decrypt updated2.tsk", &sealed).ok(), b"hello");

    let revocation = sop.run("revoke-key", &sop.scratch.read("bob.tsk")).ok();
    sop.scratch.write("revoked.cert", &revocation);
    sop.run("encrypt revoked.cert", b"").expect_code(17);
    sop.scratch.write(
        "revoked.tsk",
        sop.run("update-key --merge-certs=revoked.cert", &sop.scratch.read("bob.tsk"))
            .expect_code(103)
            .stdout,
    );
}

#[test]
fn armor_goes_on_and_comes_off() {
    let sop = Sop::new();
    let tsk = sop.key("alice", "");
    let binary = sop.run("dearmor", &tsk).ok();
    assert!(binary[0] & 0x80 != 0);
    assert!(sop.run("armor", &binary).ok().starts_with(b"-----BEGIN PGP PRIVATE KEY BLOCK-----"));
    assert_eq!(sop.run("dearmor", &sop.run("armor", &binary).ok()).ok(), binary);
    assert_eq!(sop.run("extract-cert --no-armor", &tsk).ok()[0] & 0x80, 0x80);
    sop.run("armor", b"this is not OpenPGP").expect_code(41);
}

#[test]
fn mistakes_have_the_drafts_codes() {
    let sop = Sop::alice_and_bob();
    sop.scratch.write("there", "");
    for (line, input, code) in [
        ("encrypt", "", 19),
        ("sign", "", 19),
        ("no-such-subcommand", "", 69),
        ("sign --no-such-option alice.tsk", "", 37),
        ("sign --as=morse alice.tsk", "", 37),
        ("version --backend --extended", "", 83),
        ("generate-key --profile=no-such-profile", "", 89),
        ("list-profiles sign", "", 89),
        ("sign no-such-file", "", 61),
        ("sign alice.cert", "", 41),
        ("encrypt alice.tsk", "", 41),
        ("extract-cert", "junk", 41),
        ("decrypt bob.tsk", "junk", 41),
        ("verify there alice.cert", "", 41),
        ("sign --micalg-out=there alice.tsk", "", 59),
        ("decrypt --verify-with=alice.cert bob.tsk", "", 23),
        ("decrypt --verifications-out=v bob.tsk", "", 23),
        ("decrypt --verify-not-before=now bob.tsk", "", 23),
        ("verify --not-before=yesterday there alice.cert", "", 37),
    ] {
        let ran = sop.run(line, input.as_bytes()).expect_code(code);
        assert!(ran.stdout.is_empty() && !ran.stderr.is_empty(), "{ran}");
    }
    let not_text = [0xff, 0xfe];
    sop.run("sign --as=text alice.tsk", &not_text).expect_code(53);
    sop.run("inline-sign --as=clearsigned alice.tsk", &not_text).expect_code(53);
    sop.run("encrypt --as=text bob.cert", &not_text).expect_code(53);
}

#[test]
fn it_says_what_it_is() {
    let sop = Sop::new();
    let version = sop.run("version", b"").ok();
    assert_eq!(version, format!("plombe {}\n", env!("CARGO_PKG_VERSION")).as_bytes());
    assert!(sop.run("version --extended", b"").ok().starts_with(&version));
    assert!(sop.run("version --backend", b"").ok().starts_with(b"sequoia-openpgp "));
    assert_eq!(sop.run("version --sopv", b"").ok(), b"1.0\n");
    assert!(sop.run("version --sop-spec", b"").ok().starts_with(b"~draft-dkg-openpgp-stateless-cli-"));
    assert!(sop.run("list-profiles generate-key", b"").ok().starts_with(b"default: "));
}
