// SPDX-License-Identifier: LGPL-2.0-or-later
//! A network of its own for programs that insist on port 443, on names and on a certificate authority: nothing of the
//! machine's own network, names or trusted certificates is touched.
//!
//! The test runs itself again under `unshare`, with a network that has only a loopback, its own `/etc/resolv.conf`, `/etc/hosts` and
//! bundle of authorities bind-mounted, and a name server for the names that the test makes up.

use std::{
    fs,
    net::UdpSocket,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use plombe_tests::{Authority, peers};

const INSIDE: &str = "PLOMBE_IN_NAMESPACE";
const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Runs `story` (the body of the test called `name`) in a network of its own, or says why it cannot.
pub(crate) fn within(name: &str, story: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return story();
    }
    // Root may; others where the system lets them be root of a namespace.
    let ways: [&[&str]; 2] = [&["--net", "--mount"], &["--net", "--mount", "--user", "--map-root-user"]];
    let works = |way: &&&[&str]| {
        let probe = "ip link set lo up && mount -t tmpfs none /mnt";
        let mut command = Command::new("unshare");
        let command = command.args(**way).args(["sh", "-c", probe]).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let Some(way) = ways.iter().find(works) else {
        return peers::skip("this machine allows no network namespace of its own (unshare, ip, mount)");
    };
    let mut again = Command::new("unshare");
    again.args(*way).arg(std::env::current_exe().unwrap());
    // Its lines are not this run's: whoever counts results would count them twice.
    let output = again.args(["--exact", name, "--nocapture"]).env(INSIDE, "1").output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// The names and the authority of this network. Kept in `folder`.
pub(crate) struct Names {
    /// The server's certificate, with all names, and its key.
    pub(crate) certificate: String,
    pub(crate) key: String,
    /// The authority's certificate, in a file.
    pub(crate) authority: std::path::PathBuf,
}

impl Names {
    /// `hosts` are this machine; no other name exists.
    pub(crate) fn begin(folder: &Path, hosts: &[&str]) -> Self {
        shell("ip link set lo up");
        let authority = Authority::new();
        let shown = authority.certify(hosts);

        let file = folder.join("authority.pem");
        fs::write(&file, authority.pem()).unwrap();
        let bundle = fs::read_to_string(BUNDLE).unwrap_or_default();
        for (name, over, content) in [
            ("bundle.pem", BUNDLE, bundle + authority.pem()),
            ("resolv.conf", "/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1\n".to_owned()),
            ("hosts", "/etc/hosts", "127.0.0.1 localhost\n".to_owned()),
            ("nsswitch.conf", "/etc/nsswitch.conf", "hosts: files dns\n".to_owned()),
        ] {
            let own = folder.join(name);
            fs::write(&own, content).unwrap();
            // A link in its place would lead out of this namespace's view of /etc.
            let over = fs::canonicalize(over).unwrap();
            shell(&format!("mount --bind {} {}", own.display(), over.display()));
        }
        name_server(hosts.iter().map(|host| (*host).to_owned()).collect());
        Self { certificate: shown.certificate, key: shown.key, authority: file }
    }
}

#[track_caller]
fn shell(command: &str) {
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Answers with 127.0.0.1 for `names`, that a name of theirs has nothing of another kind, and that no other name exists.
fn name_server(names: Vec<String>) {
    let socket = UdpSocket::bind("127.0.0.1:53").unwrap();
    thread::spawn(move || {
        let mut question = [0; 1500];
        while let Ok((size, from)) = socket.recv_from(&mut question) {
            if let Some(answer) = answer(&question[..size], &names) {
                let _ = socket.send_to(&answer, from);
            }
        }
    });
}

/// RFC 1035 section 4: header, one question, at most one answer.
fn answer(question: &[u8], names: &[String]) -> Option<Vec<u8>> {
    let mut labels = Vec::new();
    let mut at = 12;
    loop {
        let length = usize::from(*question.get(at)?);
        let label = question.get(at + 1..at + 1 + length)?;
        at += 1 + length;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
    }
    let kind = u16::from_be_bytes([*question.get(at)?, *question.get(at + 1)?]);
    let exists = names.contains(&labels.join("."));
    let is_answered = exists && kind == 1;
    let mut answer = question.get(..at + 4)?.to_vec();
    // A response, to a recursive question if it was one; NXDOMAIN or not.
    answer[2] = 0x84 | (question[2] & 1);
    answer[3] = 0x80 | if exists { 0 } else { 3 };
    answer[4..12].copy_from_slice(&[0, 1, 0, u8::from(is_answered), 0, 0, 0, 0]);
    if is_answered {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    }
    Some(answer)
}
