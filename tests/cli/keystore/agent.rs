// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe agent`: an unmodified program uses a key that lives in the keystore.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::unix::{fs::PermissionsExt as _, process::ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use plombe_tests::{ALICE, BOB, Home, Ran, Scratch, peers, run};

use super::{alice_in_custody, json};

const ALLOW: &str = "allow-raw-decryption-by-unmodified-programs";
const FORBID: &str = "forbid-raw-decryption-by-unmodified-programs";

/// `plombe agent serve`, until this value is gone.
struct Agent {
    process: Child,
    file: PathBuf,
    /// `http://127.0.0.1:port/capability/`
    url: String,
}

impl Agent {
    #[track_caller]
    fn start(home: &Home) -> Self {
        let mut process = home.command(["agent", "serve"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let file = PathBuf::from(line.trim());
        let url = fs::read_to_string(&file).unwrap().trim().to_owned();
        Self { process, file, url }
    }

    fn authority(&self) -> &str {
        self.url.trim_start_matches("http://").split('/').next().unwrap()
    }

    /// Exactly this head, and a body; status, head and body of the answer.
    fn ask(&self, line: &str, fields: &[(&str, &str)], body: &[u8]) -> (u16, String, Vec<u8>) {
        let mut stream = TcpStream::connect(self.authority()).unwrap();
        let mut head = format!("{line} HTTP/1.1\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in fields {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all((head + "\r\n").as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        // Who is hung up on while they still send may miss the answer.
        let _ = stream.read_to_end(&mut answer);
        let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
            return (0, String::new(), answer);
        };
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head, answer[end + 4..].to_vec())
    }

    /// As a well-meaning program does.
    fn post(&self, path: &str, media_type: &str, body: &[u8]) -> (u16, String, Vec<u8>) {
        let fields = [("Host", self.authority()), ("Content-Type", media_type)];
        self.ask(&format!("POST {path}"), &fields, body)
    }

    fn path(&self) -> &str {
        &self.url["http://".len() + self.authority().len()..]
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Fingerprints of the subkeys that sign and that decrypt.
#[track_caller]
fn subkeys(home: &Home) -> (String, String) {
    let shown = json(&home.run(["key", "show", ALICE, "--json"], b"").expect_code(0));
    let of = |what: &str| {
        let keys = shown["certificate"]["keys"].as_array().unwrap().iter();
        let mut keys = keys.filter(|key| key["capabilities"].to_string().contains(what));
        keys.next().unwrap()["fingerprint"].as_str().unwrap().to_owned()
    };
    (of("sign"), of("encrypt"))
}

fn sq(arguments: &[&str]) -> Ran {
    let mut command = Command::new("python3");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("cli/terminal.py")).arg("-");
    // Refused, it asks for passwords of its own, and nobody answers.
    command.args(["/usr/bin/timeout", "--foreground", "10"]);
    command.arg(peers::find("sq").unwrap()).args(arguments);
    // It asks for a password whatever the store wants; this one wants none.
    run(&mut command, b"assword\tnone\nassword\tnone\n")
}

#[test]
fn an_agent_that_is_stopped_takes_its_address_along_and_no_other() {
    let (_keystore, alice) = alice_in_custody();
    let stop = |agent: &mut Agent| {
        let id = agent.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert_eq!(agent.process.wait().unwrap().signal(), Some(15));
    };
    let mut first = Agent::start(&alice);
    let mut second = Agent::start(&alice);
    stop(&mut first);
    assert_eq!(fs::read_to_string(&second.file).unwrap().trim(), second.url);
    stop(&mut second);
    assert!(!second.file.exists());
}

#[test]
fn sq_signs_and_decrypts_with_a_key_in_the_keystore() {
    if peers::find("sq").is_none() || peers::find("python3").is_none() {
        return peers::skip("sq, python3");
    }
    let (_keystore, alice) = alice_in_custody();
    let bob = Home::of(BOB);
    bob.import(&alice.certificate(ALICE));
    let scratch = Scratch::new();
    let certificate = scratch.write("alice.pgp", alice.certificate(ALICE));
    let document = scratch.write("document", b"words\n");
    let sealed = scratch.write("sealed.pgp", bob.run(["encrypt", "--to", ALICE], b"for Alice").ok());
    let agent = Agent::start(&alice);
    let text = |path: &Path| path.to_str().unwrap().to_owned();

    let signature = scratch.file("document.sig");
    let signed = sq(&[
        "sign",
        "--private-key-store",
        &agent.url,
        "--signer-key",
        &text(&certificate),
        "--detached",
        "--output",
        &text(&signature),
        &text(&document),
    ]);
    assert_eq!(signed.code, Some(0), "{signed}");
    bob.run(["verify", "--signature", &text(&signature), &text(&document)], b"").expect_code(0);

    let decrypt = || {
        let opened = scratch.file("opened");
        let _ = fs::remove_file(&opened);
        let ran = sq(&[
            "decrypt",
            "--private-key-store",
            &agent.url,
            "--recipient-key",
            &text(&certificate),
            "--output",
            &text(&opened),
            &text(&sealed),
        ]);
        (ran, fs::read(opened).unwrap_or_default())
    };
    // Off, allowed for a while, and off again.
    let (refused, content) = decrypt();
    assert!(refused.code != Some(0) && content.is_empty(), "{refused}");
    alice.run(["agent", ALLOW, ALICE, "--for", "10m"], b"").expect_code(0);
    let (opened, content) = decrypt();
    assert_eq!(opened.code, Some(0), "{opened}");
    assert_eq!(content, b"for Alice");
    alice.run(["agent", FORBID, ALICE], b"").expect_code(0);
    let (refused, content) = decrypt();
    assert!(refused.code != Some(0) && content.is_empty(), "{refused}");

    let shown = json(&alice.run(["audit", "show", "--json"], b"").expect_code(0));
    let actions: Vec<&str> =
        shown["entries"].as_array().unwrap().iter().filter_map(|e| e["entry"]["action"].as_str()).collect();
    for action in ["sign", "allow-raw-use", "raw-share-point", "forbid-raw-use"] {
        assert!(actions.contains(&action), "{action} is not in {actions:?}");
    }
}

#[test]
fn the_agent_answers_nobody_who_does_not_know_its_path_and_no_web_page() {
    let (_keystore, alice) = alice_in_custody();
    let agent = Agent::start(&alice);
    assert_eq!(fs::metadata(&agent.file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(agent.path().len(), 2 + 64, "not 256 bits: {}", agent.path());
    let (signing, _) = subkeys(&alice);
    let path = format!("{}{signing}?capability=sign", agent.path());
    let (status, head, _) = agent.post(&path, "text/plain", b"");
    assert_eq!(status, 200, "{head}");

    let line = format!("POST {path}");
    let host = ("Host", agent.authority());
    let other = format!("POST /{}/{signing}?capability=sign", "0".repeat(64));
    let short = format!("POST /{signing}?capability=sign");
    for (line, fields) in [
        (other.as_str(), vec![host]),
        (short.as_str(), vec![host]),
        ("POST /", vec![host]),
        (&format!("GET {path}"), vec![host]),
        (&format!("OPTIONS {path}"), vec![host]),
        // A page's own name may lead here, and its script may send what it likes.
        (&line, vec![("Host", "evil.example")]),
        (&line, vec![]),
        (&line, vec![host, ("Origin", "https://evil.example")]),
        (&line, vec![host, ("Sec-Fetch-Site", "cross-site")]),
    ] {
        let (status, head, _) = agent.ask(line, &fields, b"");
        assert_eq!(status, 404, "{line} {fields:?}: {head}");
        assert!(!head.to_lowercase().contains("access-control"), "{head}");
    }
    // Smuggled and oversized requests are none.
    for fields in [[host, ("Transfer-Encoding", "chunked")], [host, ("Content-Length", "3")]] {
        assert_eq!(agent.ask(&line, &fields, b"").0, 400, "{fields:?}");
    }
    assert!(matches!(agent.ask(&line, &[host], &vec![0; 20 << 10]).0, 0 | 400));
}

#[test]
fn an_operation_of_the_agent_is_for_one_key_and_one_purpose() {
    let (_keystore, alice) = alice_in_custody();
    let agent = Agent::start(&alice);
    let (signing, decrypting) = subkeys(&alice);
    let begin = |key: &str, capability: &str| {
        let (status, head, _) =
            agent.post(&format!("{}{key}?capability={capability}", agent.path()), "", b"");
        let location = head.lines().find_map(|line| line.strip_prefix("Location: ")).unwrap_or_default();
        (status, location.trim_start_matches("http://").trim_start_matches(agent.authority()).to_owned())
    };
    // What is not there, what it does not do, and what is off.
    for (key, capability, status) in [
        (decrypting.as_str(), "sign", 404),
        (&signing, "decrypt", 404),
        (&signing, "certify", 404),
        (&"0".repeat(40), "sign", 404),
        (&decrypting, "decrypt", 403),
    ] {
        let (got, location) = begin(key, capability);
        assert_eq!((got, location.as_str()), (status, ""), "{key} {capability}");
    }
    let (_, operation) = begin(&signing, "sign");
    let (_, another) = begin(&signing, "sign");
    assert!(operation.len() > 64 && operation != another, "{operation} {another}");
    let digest = [7; 32];
    let (status, _, signature) = agent.post(&operation, "application/vnd.pks.digest.sha256", &digest);
    assert_eq!((status, signature.len()), (200, 64));
    for (media_type, body, status) in [
        ("application/vnd.pks.digest.sha1", &digest[..20], 415),
        ("application/vnd.pks.ecdh.point", &digest, 415),
        ("application/vnd.pks.digest.sha512", &digest, 502),
    ] {
        let (got, head, answer) = agent.post(&operation, media_type, body);
        assert_eq!(got, status, "{media_type}: {head}");
        assert!(answer.len() != 64, "{media_type}");
    }
    alice.run(["agent", ALLOW, ALICE], b"").expect_code(0);
    let (_, operation) = begin(&decrypting, "decrypt");
    assert_eq!(agent.post(&operation, "application/vnd.pks.digest.sha256", &digest).0, 415);
    // The capability of an operation that does not exist.
    assert_eq!(agent.post(&format!("/operation/{}", "0".repeat(64)), "", b"").0, 404);
    // A week is the longest.
    alice.run(["agent", ALLOW, ALICE, "--for", "8d"], b"").expect_code(14);
}
