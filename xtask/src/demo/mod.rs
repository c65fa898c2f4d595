// SPDX-License-Identifier: LGPL-2.0-or-later
//! `cargo xtask demo [MAIL.eml]`: the product as a story, with real programs and a real mail.
//!
//! Everything happens in `target/demo`, which is made anew each time and left there to look at.

mod gpg;
mod keystore;
mod mail;
mod stage;
mod stolen;
mod words;

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};

use self::{
    keystore::Keystore,
    mail::Mail,
    stage::{Stage, indented, tell},
    stolen::Stolen,
};
use crate::{setup, steps, target};

/// HTML beside text, umlauts in subject and names, two attachments.
const SAMPLE: &[u8] = include_bytes!("sample.eml");

/// Tells the story with the given mail, or with the sample.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let plain = match args {
        [] => Mail::new(SAMPLE.to_vec()),
        [file] => Mail::new(fs::read(file).with_context(|| format!("cannot read {file}"))?),
        _ => bail!("usage: cargo xtask demo [MAIL.eml]"),
    }?;
    setup::for_building()?;
    let stage = Stage::new(&steps::plombe()?)?;
    let program = steps::plombe_keystore()?;

    let keystore = two_people(&stage, &program, &plain)?;
    alice_seals(&stage, &plain)?;
    the_provider_looks(&stage, &plain)?;
    bob_opens(&stage)?;
    gpg_opens(&stage, &plain)?;
    somebody_tampers(&stage)?;
    mallory_tries(&stage)?;
    the_record(&stage)?;
    a_lost_laptop(&stage, &keystore, &plain)?;
    a_thief(&keystore, &plain)?;

    tell(&format!(
        "\nThat was it. The mails lie in {}, to look at.\n\
         README.md has six commands to begin with.",
        stage.folder().display()
    ));
    Ok(())
}

/// That the story can still be told, to Bob and to its own author. What it says is shown when it cannot.
pub(crate) fn check() -> Result<()> {
    steps::say("demo, with a mail to somebody else and with one to oneself");
    let begun = Instant::now();
    let to_oneself = target().join("demo-to-oneself.eml");
    fs::write(&to_oneself, sample_to_oneself()?)?;
    for mail in [None, Some(&to_oneself)] {
        let mut demo = Command::new(env::current_exe().context("where is this program?")?);
        demo.arg("demo").args(mail).stdin(Stdio::null());
        let told = demo.output().context("cannot start the demo")?;
        if !told.status.success() {
            print!("{}{}", String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
            bail!("{}: ended with {}", steps::shown(&demo), told.status);
        }
    }
    fs::remove_file(&to_oneself)?;
    println!("    done in {} s", begun.elapsed().as_secs());
    Ok(())
}

/// The sample with its author as its only recipient.
fn sample_to_oneself() -> Result<String> {
    let sample = std::str::from_utf8(SAMPLE)?;
    let author = Mail::new(SAMPLE.to_vec())?.author().to_owned();
    let (before, rest) = sample.split_once("\nTo: ").context("the sample has no recipient")?;
    let (_, after) = rest.split_once('\n').context("the sample ends in its header")?;
    Ok(format!("{before}\nTo: {author}\n{after}"))
}

fn two_people(stage: &Stage, program: &Path, plain: &Mail) -> Result<Keystore> {
    let (alice, bob) = (plain.author(), plain.first_recipient());
    let to_oneself = alice.eq_ignore_ascii_case(bob);
    tell(
        "\n1. A keystore and two computers\n\n\
         Alice's organisation runs a keystore on a machine of its own: secret keys live there, not with the mail provider\n\
         and not on laptops. Alice is let in with a code that works once.\n",
    );
    let domain = alice.rsplit_once('@').map_or("example.test", |(_, domain)| domain).to_ascii_lowercase();
    let keystore = Keystore::start(program, stage.folder().join("keystore"), &domain)?;
    let code = keystore.add(alice)?;
    stage.shown("alice", &["login", keystore.url(), "--code", &code, "--device-name", "laptop"], None)?;
    stage.shown("alice", &["key", "generate", alice, "--custody", "keystore"], None)?;
    if to_oneself {
        tell("\nThis mail goes to its own author: Bob is her second computer.\n");
        second_device(stage, &keystore, "bob", alice)?;
        stage.shown("alice", &["key", "export", alice], Some(&format!("{alice}.pgp")))?;
        return Ok(keystore);
    }
    tell(&format!(
        "\nBob ({bob}) keeps his key on his own computer.\n\
         (A real one has a passphrase. This one has none, so that the demo need not ask.)\n"
    ));
    stage.shown("bob", &["key", "generate", bob, "--no-passphrase"], None)?;
    // Whoever else the mail goes to lives with Bob, and has nothing to say in this story.
    for other in plain.recipients().iter().skip(1) {
        stage.plombe("bob", &["key", "generate", other, "--no-passphrase"], &[])?;
    }

    tell("\nThey exchange certificates, the public halves. (`plombe key find` gets them from the web.)\n");
    for address in plain.recipients() {
        give(stage, "bob", address, "alice")?;
    }
    give(stage, "alice", alice, "bob")?;
    Ok(keystore)
}

/// Another computer of Alice's: it waits until she compares six words.
fn second_device(stage: &Stage, keystore: &Keystore, home: &str, alice: &str) -> Result<String> {
    let code = keystore.code_for(alice)?;
    stage.shown(home, &["login", keystore.url(), "--code", &code, "--device-name", home], None)?;
    let told = stage.plombe(home, &["whoami", "--json"], &[])?.stdout;
    let told: serde_json::Value = serde_json::from_slice(&told)?;
    let words = told["words"].as_str().context("no words")?;
    tell("\nA code lets a computer in, and no further. Alice compares the words on both screens:\n");
    stage.shown("alice", &["devices", "confirm", "--words", words], None)?;
    stage.plombe(home, &["whoami"], &[])?;
    Ok(told["identity"]["device"].as_str().context("no device")?.to_owned())
}

/// Exports the certificate of `address` from one home and imports it into the other.
fn give(stage: &Stage, from: &str, address: &str, to: &str) -> Result<()> {
    let file = format!("{address}.pgp");
    stage.shown(from, &["key", "export", address], Some(&file))?;
    stage.shown(to, &["key", "import", &file], None)
}

fn alice_seals(stage: &Stage, plain: &Mail) -> Result<()> {
    tell(&format!(
        "\n2. Alice seals a mail\n\n    \
         Subject:      {}\n    Attachments:  {}\n    Size:         {} bytes\n",
        plain.subject(),
        plain.attachments().join(", "),
        plain.bytes().len()
    ));
    stage.write("plain.eml", plain.bytes())?;
    stage.piped("alice", &["mail", "seal"], "plain.eml", "sealed.eml")?;
    if plain.author().eq_ignore_ascii_case(plain.first_recipient()) {
        return Ok(());
    }
    tell(
        "\nThe first time that she writes to somebody, her computer notes whose certificate that is. Should another one\n\
         turn up for the address one day, she is asked, and nothing is sealed for it by itself.",
    );
    Ok(())
}

fn the_provider_looks(stage: &Stage, plain: &Mail) -> Result<()> {
    let sealed = Mail::new(stage.read("sealed.eml")?)?;
    let lines = plain.telling_lines();
    let found = lines.iter().filter(|line| contains(sealed.bytes(), line)).count();
    tell(&format!(
        "\n3. What the provider sees, and whoever breaks into it\n\n{}\n\
         and then, in a mail of {} bytes, pages of this:\n\n{}    …\n\n\
         So: who writes to whom and when, how large it is, and that it is sealed. The subject is `{}`.\n\
         Of {} lines of text and attachments in Alice's mail, {found} can be found in this.",
        indented(&sealed.header_for_show()),
        sealed.bytes().len(),
        indented(&sealed.armor_start(5)),
        sealed.subject(),
        lines.len(),
    ));
    if found > 0 {
        bail!(
            "plaintext was found in the sealed mail: this must never happen, please report it (SECURITY.md)"
        );
    }
    Ok(())
}

fn bob_opens(stage: &Stage) -> Result<()> {
    tell("\n4. Bob opens it\n");
    stage.piped("bob", &["mail", "open"], "sealed.eml", "opened.eml")?;
    let opened = Mail::new(stage.read("opened.eml")?)?;
    tell(&format!(
        "\nThe last line is the verdict: the signature is Alice's, she is the sender, and the mail is for this reader.\n\
         The attachments are back ({}), and so is the subject:\n",
        opened.attachments().join(", ")
    ));
    let text = stage.plombe("bob", &["mail", "open", "--text"], &stage.read("sealed.eml")?)?;
    print!("{}", indented(&first_lines(&String::from_utf8_lossy(&text.stdout), 14)));
    Ok(())
}

fn gpg_opens(stage: &Stage, plain: &Mail) -> Result<()> {
    tell("\n5. Nobody needs Plombe to read it\n");
    let Some(version) = gpg::version() else {
        tell("GnuPG is not installed here, so this part is left out. (`apt-get install gpg` brings it.)");
        return Ok(());
    };
    if plain.author().eq_ignore_ascii_case(plain.first_recipient()) {
        tell(
            "Here the key is in the keystore, which gives it to nobody, so there is nothing to hand to another program.",
        );
        return Ok(());
    }
    tell(&format!("{version} is on this machine. It gets Bob's key and the sealed part of the mail:\n"));
    let bob = plain.first_recipient();
    let tsk = stage.plombe("bob", &["key", "export", "--secret", bob], &[])?.stdout;
    let alice = stage.read(&format!("{}.pgp", plain.author()))?;
    let sealed = Mail::new(stage.read("sealed.eml")?)?;
    let opened = gpg::open(&[&tsk, &alice], sealed.armor()?.as_bytes())?;
    print!("{}", indented(&opened.signature));
    if !opened.signature.contains("Good signature") {
        bail!("GnuPG does not find the signature good");
    }
    let lines = plain.telling_lines();
    let found = lines.iter().filter(|line| contains(&opened.content, line)).count();
    // Text in base64 looks different once the subject is repeated in it.
    let how_many = if found == lines.len() {
        format!(": all {found} lines of text and attachments")
    } else {
        String::new()
    };
    tell(&format!(
        "\nThe same mail{how_many}. (With the subject repeated in the text, for programs that\n\
         do not know protected headers.)"
    ));
    Ok(())
}

fn somebody_tampers(stage: &Stage) -> Result<()> {
    tell("\n6. Somebody on the way changes one character\n");
    let sealed = Mail::new(stage.read("sealed.eml")?)?;
    let (tampered, place) = sealed.tampered()?;
    stage.write("tampered.eml", &tampered)?;
    tell(&format!("One of {} bytes, at {place}. Bob tries to open it:\n", tampered.len()));
    let out = stage.folder().join("tampered-opened.eml");
    stage.refused("bob", &["mail", "open"], "tampered.eml", &out)?;
    nothing_was_written(&out)?;
    tell("\nNot a word of it was written: nothing comes out before integrity and signature were checked.");
    Ok(())
}

fn mallory_tries(stage: &Stage) -> Result<()> {
    tell("\n7. Mallory has a copy, and a key of her own\n");
    stage.plombe("mallory", &["key", "generate", "mallory@example.test", "--no-passphrase"], &[])?;
    let out = stage.folder().join("mallory-opened.eml");
    stage.refused("mallory", &["mail", "open"], "sealed.eml", &out)?;
    nothing_was_written(&out)
}

fn the_record(stage: &Stage) -> Result<()> {
    tell(
        "\n8. Every use of Alice's key is on record\n\n\
         Her key has signed, in the keystore. The entry was durable before it did. The log only grows; Alice's computer checks that\n\
         each entry is in the tree that the keystore has signed, and that nothing that it saw before is gone.\n",
    );
    stage.shown("alice", &["audit", "show"], None)?;
    stage.shown("alice", &["audit", "verify"], None)
}

fn a_lost_laptop(stage: &Stage, keystore: &Keystore, plain: &Mail) -> Result<()> {
    tell("\n9. A laptop is lost\n\nAlice has had another one:\n");
    let lost = second_device(stage, keystore, "old-laptop", plain.author())?;
    tell("\nIt lies in a train now. One command, and it is cut off, whoever has it:\n");
    stage.shown("alice", &["devices", "revoke", &lost], None)?;
    let out = stage.folder().join("old-laptop-opened.eml");
    stage.refused("old-laptop", &["mail", "open"], "sealed.eml", &out)?;
    nothing_was_written(&out)
}

fn a_thief(keystore: &Keystore, plain: &Mail) -> Result<()> {
    let stolen = Stolen::from(keystore)?;
    let database = stolen.bytes()?;
    let alice = plain.author();
    for word in [alice, "log-in", "PGP PRIVATE KEY"] {
        if contains(&database, word) {
            bail!("{word:?} was found in the keystore's database: please report it (SECURITY.md)");
        }
    }
    tell(&format!(
        "\n10. Somebody steals the keystore's database\n\n\
         {} bytes. This is in them:\n",
        database.len()
    ));
    match stolen.look()? {
        Some(look) => print!("{}", indented(&look)),
        None => {
            tell("    (sqlite3 is not installed here, so nobody looks. `apt-get install sqlite3` brings it.)")
        }
    }
    tell(
        "\nNeither Alice's address nor a word of the log nor a key is to be found: names are pseudonyms, and everything else is\n\
         sealed under keys that hang on the root key, which lies elsewhere. Whoever writes to it without those keys is noticed.",
    );
    Ok(())
}

fn nothing_was_written(out: &Path) -> Result<()> {
    if fs::metadata(out).is_ok_and(|file| file.len() > 0) {
        bail!("{} has content although opening was refused: please report it (SECURITY.md)", out.display());
    }
    Ok(())
}

fn contains(bytes: &[u8], line: &str) -> bool {
    // Line ends may have changed on the way, lines may not.
    bytes.windows(line.len()).any(|window| window == line.as_bytes())
}

fn first_lines(text: &str, count: usize) -> String {
    let mut lines: Vec<&str> = text.lines().take(count).collect();
    if text.lines().count() > count {
        lines.push("…");
    }
    lines.join("\n")
}
