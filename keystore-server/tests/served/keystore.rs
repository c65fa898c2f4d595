// SPDX-License-Identifier: LGPL-2.0-or-later
//! The running keystore, with the real client beside it.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use plombe_client::{ClientError, DeviceKey, Keystore, Options, PublicLog, Session};
use plombe_core::log::SignedCheckpoint;
use plombe_tests::{authority::ServerCertificate, keystore};

/// A keystore for example.org, running.
pub(crate) struct TestKeystore(keystore::Keystore);

impl TestKeystore {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With more arguments for `init`.
    pub(crate) fn start_with(init: &[&str]) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_plombe-keystore"));
        Self(keystore::Keystore::start(program, "example.org", init))
    }

    /// Where it really listens, whatever it calls itself.
    pub(crate) fn upstream(&self) -> &str {
        self.0.listening()
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        self.0.url()
    }

    /// The first admin's code.
    pub(crate) fn admin_code(&self) -> &str {
        self.0.admin_code()
    }

    /// Its configuration; what is written there counts after a restart.
    pub(crate) fn config(&self) -> std::path::PathBuf {
        self.0.folder().join("config.toml")
    }

    /// Another code for somebody.
    pub(crate) fn code_for(&self, address: &str) -> String {
        self.0.code_for(address)
    }

    /// Adds somebody; gives their code.
    pub(crate) fn add(&self, address: &str) -> String {
        self.0.add_user(address)
    }

    /// Logs in on a new device.
    pub(crate) fn log_in(&self, code: &str) -> Session {
        self.try_log_in(code).unwrap()
    }

    /// The same, when it may fail.
    pub(crate) fn try_log_in(&self, code: &str) -> Result<Session, ClientError> {
        self.client().log_in_with_code(DeviceKey::generate(), &code.parse().unwrap(), "test device")
    }

    /// A client without a session.
    pub(crate) fn client(&self) -> Keystore {
        Keystore::connect(self.0.url(), None, Options::new(SystemTime::now)).unwrap()
    }

    /// Adds somebody and logs in as them.
    pub(crate) fn user(&self, address: &str) -> Session {
        self.log_in(&self.0.add_user(address))
    }

    /// Ends it, and starts it again with TLS.
    pub(crate) fn serve_tls(&mut self, shows: &ServerCertificate) {
        self.0.serve_tls(shows);
    }

    /// Ends it, puts something at the top of its configuration, and starts it again.
    pub(crate) fn restart_with_first(&mut self, text: &str) {
        self.0.kill();
        let before = std::fs::read_to_string(self.config()).unwrap();
        std::fs::write(self.config(), format!("{text}{before}")).unwrap();
        self.0.start_again();
    }

    /// Ends it, puts more at the end of its configuration, and starts it again.
    pub(crate) fn restart_with(&mut self, text: &str) {
        self.0.kill();
        self.0.configure(text);
        self.0.start_again();
    }

    /// A backup, while it runs.
    pub(crate) fn backup(&self, name: &str) -> PathBuf {
        let file = self.0.folder().join(name);
        self.0.run(&["backup", file.to_str().unwrap()]);
        file
    }

    /// Its disk is lost, and a backup restored.
    pub(crate) fn restore(&mut self, backup: &Path) {
        let said = self.0.restore(backup);
        assert!(said.contains("two administrators acknowledge") && said.contains("checkpoint:\n"), "{said}");
    }

    /// Somebody shows it a checkpoint, like a witness.
    pub(crate) fn show(&self, checkpoint: &SignedCheckpoint) {
        let log = PublicLog::of(self.url(), &Options::new(SystemTime::now)).unwrap();
        log.show(checkpoint.note()).unwrap();
    }

    /// Does it say that it serves?
    pub(crate) fn is_ready(&self) -> bool {
        use std::io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect(self.url().trim_start_matches("http://")).unwrap();
        stream.write_all(b"GET /v1/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.starts_with("HTTP/1.1 200")
    }

    /// A command at the console that prints an enrolment code.
    pub(crate) fn console(&self, command: &[&str]) -> String {
        self.0.code(command)
    }

    /// Did it work, and what was said?
    pub(crate) fn try_console(&self, command: &[&str]) -> (bool, String) {
        self.0.console(command)
    }

    /// One that is refused.
    pub(crate) fn console_refuses(&self, command: &[&str]) {
        self.0.refuses(command);
    }

    /// Ends it as its operator does.
    pub(crate) fn stop(&mut self) {
        self.0.stop();
    }

    /// Starts it after [`TestKeystore::stop`].
    pub(crate) fn start_again(&mut self) {
        self.0.start_again();
    }

    /// Ends it as its operator does, so that it puts on record what it counted, and starts it again.
    pub(crate) fn stop_and_start(&mut self) {
        self.0.stop();
        self.0.start_again();
    }

    /// Kills the server and starts it again on the same database.
    pub(crate) fn restart(&mut self) {
        self.0.kill();
        self.0.start_again();
    }
}
