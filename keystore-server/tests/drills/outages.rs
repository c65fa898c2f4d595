// SPDX-License-Identifier: LGPL-2.0-or-later
//! A disk that is full, a database that is read-only or gone, under a running server, and back.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use plombe_client::{Keystore, Session};
use plombe_core::keystore::calls::login::Role;
use plombe_tests::{Postgres, peers};

use crate::{
    books::{Books, verifier},
    load::Load,
    people::{Key, impatient, is_outage, log_in, newcomer},
    site::{Server, Site},
};

/// A small disk of its own.
struct Disk(tempfile::TempDir);

impl Disk {
    /// `None` where nothing may be mounted.
    fn new(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size},mode=700"), "tmpfs"]).arg(folder.path());
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then(|| Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn set(&self, options: &str) {
        let remount = format!("remount,{options}");
        assert!(Command::new("mount").args(["-o", &remount]).arg(self.path()).status().unwrap().success());
    }

    /// Until nothing more fits.
    fn fill(&self) -> PathBuf {
        let ballast = self.path().join("ballast");
        let mut file = File::create(&ballast).unwrap();
        for size in [1 << 16, 1 << 10, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        ballast
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

/// A server at work, somebody who does not wait, and who looks at the books afterwards.
struct Scene {
    server: Server,
    load: Load,
    carol: Session,
    key: Key,
    auditor: Session,
}

impl Scene {
    fn of(site: &Site) -> Self {
        let server = site.server();
        let url = server.url();
        let mut admin = log_in(&url, &site.admin_code.parse().unwrap()).unwrap();
        let auditor = newcomer(&mut admin, &url, "auditor@example.org", &[Role::User, Role::Auditor]);
        let mut carol = newcomer(&mut admin, &url, "carol@example.org", &[Role::User]);
        let key = Key::generate(&mut carol, "carol@example.org").unwrap();
        let carol = Session::resume(carol.saved(), copy_of(&carol), impatient()).unwrap();
        let scene = Self { load: Load::start(admin, &url, 3), server, carol, key, auditor };
        scene.load.wait_for(20);
        scene
    }

    /// Whoever asks is told so, and nothing is done.
    fn refuses(&mut self) {
        self.server.wait_until_ready(503);
        let told = self.key.unwrap_by(&mut self.carol).unwrap_err();
        assert!(is_outage(&told), "{told:?}");
        assert!(self.server.log().contains("cannot record"), "{}", self.server.log());
    }

    /// By itself.
    fn recovers(&mut self) {
        self.server.wait_until_ready(200);
        self.load.wait_for(20);
        self.key.unwrap_by(&mut self.carol).unwrap();
    }

    fn ends(mut self) {
        let mut work = self.load.stop();
        let books = Books::read(&mut self.auditor);
        books.check_tree(self.server.address, &verifier(&self.carol), &[]);
        books.check(&mut work);
    }
}

fn copy_of(session: &Session) -> plombe_client::DeviceKey {
    plombe_client::DeviceKey::from_pkcs8(session.device().to_pkcs8()).unwrap()
}

#[test]
fn a_full_disk_stops_everything_loses_nothing_and_is_over_when_it_has_room() {
    let Some(disk) = Disk::new("24m") else { return peers::skip("the right to mount a file system") };
    let site = Site::in_folder(disk.path(), None);
    let mut scene = Scene::of(&site);
    let ballast = disk.fill();
    scene.refuses();
    fs::remove_file(ballast).unwrap();
    scene.recovers();
    scene.ends();
}

#[test]
fn a_read_only_disk_keeps_a_server_from_starting_until_it_is_writable() {
    let Some(disk) = Disk::new("24m") else { return peers::skip("the right to mount a file system") };
    let site = Site::in_folder(disk.path(), None);
    let mut server = site.server();
    server.kill();
    disk.set("ro");
    let why = server.why_it_does_not_start();
    assert!(why.contains("cannot write to its file"), "{why}");
    disk.set("rw");
    server.start();
    let keystore = Keystore::connect(&server.url(), None, impatient()).unwrap();
    assert!(keystore.info().is_ok() && server.ready() == 200);
}

#[test]
fn a_postgresql_that_stops_or_turns_read_only_loses_nothing_and_is_used_again_by_itself() {
    let Some(postgres) = Postgres::own() else { return peers::skip("PostgreSQL") };
    let site = Site::new(Some(&postgres.database()));
    let mut scene = Scene::of(&site);
    postgres.stop();
    scene.refuses();
    postgres.start_again();
    scene.recovers();

    postgres.administer("ALTER SYSTEM SET default_transaction_read_only = on");
    postgres.administer("SELECT pg_reload_conf()");
    scene.refuses();
    postgres.administer("ALTER SYSTEM RESET default_transaction_read_only");
    postgres.administer("SELECT pg_reload_conf()");
    scene.recovers();
    scene.ends();
    postgres.stop();
}

#[test]
fn a_server_does_not_start_on_a_postgresql_that_could_lose_records() {
    let Some(postgres) = Postgres::own() else { return peers::skip("PostgreSQL") };
    let site = Site::new(Some(&postgres.database()));
    let mut server = site.server();
    server.kill();
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        postgres.set(setting, "off");
        let why = server.why_it_does_not_start();
        assert!(why.contains(&format!("{setting} = off")), "{why}");
        postgres.set(setting, "on");
    }
    server.start();
    assert_eq!(server.ready(), 200);
    postgres.stop();
}
