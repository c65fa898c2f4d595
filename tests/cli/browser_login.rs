// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe login` through a certified identity provider, with somebody who does in the browser what they are asked.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use plombe_tests::{ALICE, Home, Keystore, MALLORY, binary::repository, peers, plombe_keystore};

/// The provider's process, and where it is.
struct Provider {
    process: Child,
    url: String,
}

fn folder() -> PathBuf {
    repository().join("tests/interop/oidc")
}

impl Provider {
    /// `None` when it is not installed and may be missing.
    fn begin() -> Option<Self> {
        if !folder().join("node_modules/oidc-provider").is_dir() {
            peers::skip("oidc-provider");
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut process = Command::new("node")
            .args(["provider.mjs", &port.to_string()])
            .current_dir(folder())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready");
        Some(Self { process, url: format!("http://127.0.0.1:{port}") })
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs `plombe login` and, in the browser, what `user` does. Gives the exit code and what it said.
fn log_in(home: &Home, keystore: &Keystore, user: &str) -> (Option<i32>, String) {
    let mut command = home.command(["login", keystore.url(), "--json"]);
    let mut plombe =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(plombe.stderr.take().unwrap());
    let mut said = String::new();
    let page = loop {
        let mut line = String::new();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "no page to open: {said}");
        if let Some((_, url)) = line.split_once("open this page in your browser: ") {
            break url.trim().to_owned();
        }
        said.push_str(&line);
    };
    let browser =
        Command::new("node").args(["browser.mjs", &page, user]).current_dir(folder()).output().unwrap();
    assert!(browser.status.success(), "{}", String::from_utf8_lossy(&browser.stderr));
    stderr.read_to_string(&mut said).unwrap();
    plombe.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    (plombe.wait().unwrap().code(), said)
}

#[test]
fn log_in_needs_no_code_where_there_is_an_identity_provider() {
    let Some(provider) = Provider::begin() else { return };
    let mut keystore = Keystore::start(plombe_keystore(), "example.test", &[]);
    keystore.stop();
    keystore.configure(&format!(
        "[[issuers]]\nname = \"example\"\nissuer = \"{}\"\nclient_id = \"plombe-rs256\"\ntenant = \"example.test\"\n\
         domains = [\"example.test\"]\n",
        provider.url
    ));
    keystore.start_again();
    keystore.add_user(ALICE);
    let alice = Home::new();
    let (code, said) = log_in(&alice, &keystore, ALICE);
    assert_eq!(code, Some(0), "{said}");
    alice.run(["key", "generate", ALICE, "--custody", "keystore"], b"").ok();
    let sealed = alice.run(["encrypt", "--to", ALICE], b"hello").ok();
    assert_eq!(alice.run(["decrypt"], &sealed).ok(), b"hello");

    // Another machine waits; somebody whom the keystore does not know gets nothing.
    let (code, said) = log_in(&Home::new(), &keystore, ALICE);
    assert!(code == Some(0) && said.contains("\"pending\""), "{said}");
    let (code, said) = log_in(&Home::new(), &keystore, MALLORY);
    assert_eq!(code, Some(14), "{said}");
}
