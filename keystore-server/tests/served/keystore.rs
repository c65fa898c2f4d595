// SPDX-License-Identifier: LGPL-2.0-or-later
//! A keystore that runs: the real program, its own folder, a port of this machine.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::SystemTime,
};

use plombe_client::{DeviceKey, Keystore, Options, Session};

const PROGRAM: &str = env!("CARGO_BIN_EXE_plombe-keystore");

/// Initialised, running, and ended with this value.
pub(crate) struct TestKeystore {
    folder: tempfile::TempDir,
    server: Child,
    url: String,
    admin_code: String,
}

impl TestKeystore {
    /// For example.org, with a SQLite file.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With more arguments for `init`.
    pub(crate) fn start_with(init: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(PROGRAM)
            .args(["init", "--domain", "example.org", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path())
            .args(init)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        let admin_code = after(&text, "enrolment code: ");
        let (server, url) = serve(&folder.path().join("config.toml"));
        Self { folder, server, url, admin_code }
    }

    /// Its configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    /// The first admin's code.
    pub(crate) fn admin_code(&self) -> &str {
        &self.admin_code
    }

    /// Adds somebody at the console; gives their code.
    pub(crate) fn add_user(&self, address: &str) -> String {
        self.console(&["user", "add", address])
    }

    /// Another code for somebody.
    pub(crate) fn code_for(&self, address: &str) -> String {
        self.console(&["user", "code", address])
    }

    fn console(&self, args: &[&str]) -> String {
        let output = Command::new(PROGRAM).args(args).arg("--config").arg(self.config()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        after(&String::from_utf8(output.stdout).unwrap(), "enrolment code: ")
    }

    /// Logs in on a new device.
    pub(crate) fn log_in(&self, code: &str) -> Session {
        self.try_log_in(code).unwrap()
    }

    /// The same, when it may fail.
    pub(crate) fn try_log_in(&self, code: &str) -> Result<Session, plombe_client::ClientError> {
        self.client().log_in_with_code(DeviceKey::generate(), &code.parse().unwrap(), "test device")
    }

    /// A client without a session.
    pub(crate) fn client(&self) -> Keystore {
        Keystore::connect(&self.url, None, Options::new(SystemTime::now)).unwrap()
    }

    /// Adds somebody and logs in as them.
    pub(crate) fn user(&self, address: &str) -> Session {
        let code = self.add_user(address);
        self.log_in(&code)
    }

    /// Kills the server and starts it again on the same database.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let (server, url) = serve(&self.config());
        self.server = server;
        self.url = url;
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

impl Drop for TestKeystore {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn serve(config: &std::path::Path) -> (Child, String) {
    let mut server =
        Command::new(PROGRAM).args(["serve", "--config"]).arg(config).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = after(&line, "listening on ");
    (server, url)
}

fn after(text: &str, words: &str) -> String {
    let rest = text.split_once(words).unwrap_or_else(|| panic!("no {words:?} in {text:?}")).1;
    rest.lines().next().unwrap().to_owned()
}
