// SPDX-License-Identifier: LGPL-2.0-or-later
//! A running keystore with settings of the test's own.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use plombe_client::{DeviceKey, Keystore, Options, PublicLog, Session};
use plombe_core::keystore::{
    EnrolmentCode, PrincipalId,
    calls::{
        login::Role,
        principals::{CreateCode, CreatePrincipal},
    },
};
use plombe_keystore::{
    identity::Nonces,
    instance,
    root_key::{FileRootKey, RootKey},
    store::{self, Location},
};
use plombe_tests::{authority::ServerCertificate, keystore};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_plombe-keystore");

/// A keystore for example.org.
pub(crate) struct Server(keystore::Keystore);

impl Server {
    /// With more in its configuration: lines for the top, and tables.
    pub(crate) fn start(top: &str, tables: &str) -> Self {
        let mut server = Self(keystore::Keystore::start(Path::new(PROGRAM), "example.org", &[]));
        server.configure(top, tables);
        server
    }

    /// The same again, later.
    pub(crate) fn configure(&mut self, top: &str, tables: &str) {
        self.0.kill();
        let file = self.config();
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, format!("{top}\n{text}\n{tables}\n")).unwrap();
        self.0.start_again();
    }

    /// The same, with TLS from then on.
    pub(crate) fn serve_tls(&mut self, shows: &ServerCertificate) {
        self.0.serve_tls(shows);
    }

    /// From the next start on.
    pub(crate) fn log_to(&mut self, name: &str, level: &str) -> PathBuf {
        let file = self.0.folder().join(name);
        self.0.log_to(&file, level);
        file
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.listening().trim_start_matches("http://").parse().unwrap()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.0.folder().join("config.toml")
    }

    /// Nonces for device proofs, as this keystore makes them: with its root key, beside it.
    pub(crate) fn nonces(&self) -> Nonces {
        let folder = self.0.folder();
        let root: Arc<dyn RootKey> = Arc::new(FileRootKey::open(&folder.join("root.key")).unwrap());
        let database = Location::Sqlite(folder.join("keystore.db"));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let store = store::open(&database, false).await.unwrap();
            let keychain = instance::keychain(&*store, root, self.0.url().parse().unwrap()).await.unwrap();
            Nonces::new(&keychain.derived(b"plombe keystore proof nonces v1"))
        })
    }

    pub(crate) fn client(&self) -> Keystore {
        Keystore::connect(self.0.url(), None, Options::new(SystemTime::now)).unwrap()
    }

    pub(crate) fn log_in(&self, code: &str) -> Session {
        self.client().log_in_with_code(DeviceKey::generate(), &code.parse().unwrap(), "test device").unwrap()
    }

    pub(crate) fn admin(&self) -> Session {
        self.log_in(self.0.admin_code())
    }

    pub(crate) fn user(&self, address: &str) -> Session {
        self.log_in(&self.0.add_user(address))
    }

    /// Somebody with other roles, let in by an administrator.
    pub(crate) fn with_roles(&self, admin: &mut Session, address: &str, roles: Vec<Role>) -> Session {
        let create = CreatePrincipal { name: String::new(), addresses: vec![address.into()], roles };
        let principal = admin.call(&create).unwrap().principal.id;
        self.log_in(&self.new_code(admin, principal))
    }

    /// Another organisation; gives its administrator's code.
    pub(crate) fn add_tenant(&self, domain: &str) -> String {
        let (done, said) = self.0.console(&["tenant", "add", domain, "--domain", domain]);
        assert!(done, "{said}");
        said.split_once("enrolment code: ").unwrap().1.lines().next().unwrap().to_owned()
    }

    /// A code by an administrator.
    pub(crate) fn new_code(&self, admin: &mut Session, principal: PrincipalId) -> String {
        let code = admin.call(&CreateCode { principal, valid_for_seconds: None }).unwrap();
        let secret = code.secret.expose().try_into().unwrap();
        EnrolmentCode::new(secret, admin.keystore().identity()).to_text().to_string()
    }

    /// The same device and session in another program.
    pub(crate) fn again(&self, session: &Session) -> Session {
        let device = DeviceKey::from_pkcs8(session.device().to_pkcs8()).unwrap();
        Session::resume(session.saved(), device, Options::new(SystemTime::now)).unwrap()
    }

    /// Tells it to stop, and starts it again.
    pub(crate) fn stop_and_start(&mut self) {
        self.0.stop();
        self.0.start_again();
    }

    /// A backup, while it runs.
    pub(crate) fn backup(&self) -> PathBuf {
        let file = self.0.folder().join("backup");
        self.0.run(&["backup", file.to_str().unwrap()]);
        file
    }

    /// Its disk is lost, and a backup restored.
    pub(crate) fn restore(&mut self, backup: &Path) {
        self.0.restore(backup);
    }

    /// Shows it a checkpoint, like a witness.
    pub(crate) fn show(&self, checkpoint: &str) {
        PublicLog::of(self.0.url(), &Options::new(SystemTime::now)).unwrap().show(checkpoint).unwrap();
    }

    pub(crate) fn code_for(&self, address: &str) -> String {
        self.0.code_for(address)
    }

    /// Resident memory, KiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.process())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}
