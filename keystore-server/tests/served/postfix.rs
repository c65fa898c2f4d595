// SPDX-License-Identifier: LGPL-2.0-or-later
//! A real Postfix on loopback: takes mail for example.org over TLS, puts all of it into one Maildir, and sends nothing on.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use plombe_tests::{Authority, Scratch, peers};

/// Delivers for the system's "nobody", who owns nothing else.
const NOBODY: u32 = 65534;

/// Ends with this value.
pub(crate) struct Postfix {
    folder: Scratch,
    master: Option<Child>,
    /// TLS from the start.
    pub(crate) implicit: u16,
    /// With STARTTLS.
    pub(crate) starttls: u16,
    /// Without any.
    pub(crate) plain: u16,
}

impl Postfix {
    /// `None` where it is not installed, or may not be run.
    pub(crate) fn start() -> Option<Self> {
        let is_root =
            fs::metadata("/proc/self").is_ok_and(|about| std::os::unix::fs::MetadataExt::uid(&about) == 0);
        if !Path::new("/usr/lib/postfix/sbin/master").is_file() || !is_root {
            peers::skip("Postfix, run as root");
            return None;
        }
        let folder = Scratch::new();
        let [implicit, starttls, plain] = free_ports();
        let here = folder.path().display().to_string();
        // Its users have to get at their own parts of it.
        fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        for name in ["etc", "queue", "data", "mail"] {
            fs::create_dir(folder.file(name)).unwrap();
        }
        std::os::unix::fs::chown(folder.file("mail"), Some(NOBODY), Some(NOBODY)).unwrap();
        // What `postfix check` would make, slowly.
        let places = "cd queue && mkdir active bounce corrupt defer deferred flush hold incoming maildrop pid private public saved trace \
                      && chown postfix * ../data && chown root pid && chgrp postdrop maildrop public && chmod 700 * && chmod 755 pid \
                      && chmod 730 maildrop && chmod 710 public";
        run(Command::new("sh").args(["-c", places]).current_dir(folder.path()));
        certificates(&folder);
        fs::write(
            folder.file("etc/main.cf"),
            format!(
                "compatibility_level = 3.6\nqueue_directory = {here}/queue\ndata_directory = {here}/data\n\
                 command_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\nmail_owner = postfix\n\
                 setgid_group = postdrop\nmyhostname = mail.example.org\nmydestination =\ninet_interfaces = 127.0.0.1\n\
                 inet_protocols = ipv4\nmynetworks = 127.0.0.0/8\nlocal_recipient_maps =\nalias_maps =\nalias_database =\n\
                 virtual_mailbox_domains = example.org\nvirtual_mailbox_base = {here}/mail\nvirtual_mailbox_maps = static:inbox/\n\
                 virtual_uid_maps = static:{NOBODY}\nvirtual_gid_maps = static:{NOBODY}\nvirtual_transport = virtual\n\
                 default_transport = error:no outside mail\nrelay_transport = error:no outside mail\n\
                 smtpd_recipient_restrictions = check_recipient_access inline:{{ gone@example.org=REJECT }}, reject_unauth_destination\n\
                 smtpd_tls_cert_file = {here}/server.pem\nsmtpd_tls_key_file = {here}/server.key\n\
                 smtpd_peername_lookup = no\ndisable_dns_lookups = yes\nshlib_directory = /usr/lib/postfix\n\
                 meta_directory = /etc/postfix\nmaillog_file = {here}/maillog\nmaillog_file_prefixes = /tmp, /var\n\
                 smtpd_client_connection_count_limit = 0\n"
            ),
        )
        .unwrap();
        let listeners = format!(
            "127.0.0.1:{implicit} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n\
             127.0.0.1:{starttls} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt\n\
             127.0.0.1:{plain} inet n - n - - smtpd -o smtpd_tls_security_level=none\n"
        );
        let services = "cleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\nrewrite unix - - n - - trivial-rewrite\n\
                        bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n\
                        verify unix - - n - 1 verify\nproxymap unix - - n - - proxymap\nerror unix - - n - - error\n\
                        retry unix - - n - - error\nvirtual unix - n n - - virtual\nanvil unix - - n - 1 anvil\n\
                        pickup unix n - n 60 1 pickup\ntlsmgr unix - - n 1000? 1 tlsmgr\npostlog unix-dgram n - n - 1 postlogd\n";
        fs::write(folder.file("etc/master.cf"), listeners + services).unwrap();
        let mut this = Self { folder, master: None, implicit, starttls, plain };
        this.start_again();
        Some(this)
    }

    /// After [`stop`](Self::stop).
    pub(crate) fn start_again(&mut self) {
        // In the foreground, and gone when the test is.
        let mut master = Command::new("setpriv");
        master.args(["--pdeathsig", "TERM", "/usr/lib/postfix/sbin/master", "-d", "-c"]);
        master.arg(self.folder.file("etc"));
        master.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.master = Some(master.spawn().unwrap());
        wait(|| std::net::TcpStream::connect(("127.0.0.1", self.plain)).ok());
    }

    /// Takes no mail any more.
    pub(crate) fn stop(&mut self) {
        if let Some(mut master) = self.master.take() {
            let _ = Command::new("kill").arg(master.id().to_string()).status();
            let _ = master.wait();
        }
    }

    /// The authority that its certificate is from.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.file("authority.pem")
    }

    /// Every mail that was delivered to `address`.
    pub(crate) fn delivered(&self, address: &str) -> Vec<Vec<u8>> {
        let line = format!("\nX-Original-To: {address}\n");
        let of_address = |mail: &Vec<u8>| format!("\n{}", String::from_utf8_lossy(mail)).contains(&line);
        self.all().into_iter().filter(of_address).collect()
    }

    /// Every mail at all.
    pub(crate) fn all(&self) -> Vec<Vec<u8>> {
        let Ok(entries) = fs::read_dir(self.folder.file("mail/inbox/new")) else { return Vec::new() };
        entries.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
    }

    /// Waits for the mail that `address` gets as number `count`, and gives the newest.
    #[track_caller]
    pub(crate) fn wait_for(&self, address: &str, count: usize) -> Vec<u8> {
        wait(|| {
            let mut mails = self.delivered(address);
            (mails.len() >= count).then(|| mails.pop()).flatten()
        })
    }
}

impl Drop for Postfix {
    /// At once: its other programs end when they see that it is gone.
    fn drop(&mut self) {
        if let Some(mut master) = self.master.take() {
            let _ = master.kill();
            let _ = master.wait();
        }
    }
}

#[track_caller]
pub(crate) fn wait<T>(mut what: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(it) = what() {
            return it;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "it did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[track_caller]
fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// All are held at one time, so that none is given twice.
fn free_ports() -> [u16; 3] {
    let held = [0; 3].map(|any| TcpListener::bind(("127.0.0.1", any)).unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

/// A server's certificate for 127.0.0.1, and the authority that it is from.
fn certificates(folder: &Scratch) {
    let authority = Authority::new();
    let server = authority.certify(&["127.0.0.1"]);
    folder.write("authority.pem", authority.pem());
    folder.write("server.pem", server.certificate);
    folder.write("server.key", server.key);
}
