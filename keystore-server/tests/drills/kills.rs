// SPDX-License-Identifier: LGPL-2.0-or-later
//! `kill -9` at random moments under load.

use std::{thread, time::Duration};

use plombe_core::keystore::calls::login::Role;
use plombe_tests::{Postgres, peers};

use crate::{
    books::{Books, verifier},
    load::{Load, below},
    people::{log_in, newcomer},
    site::Site,
};

/// `cargo xtask drill --long` has more of them.
const KILLS: &str = "PLOMBE_DRILL_KILLS";

fn kills() -> u32 {
    std::env::var(KILLS).map_or(5, |number| number.parse().expect("it is a number"))
}

fn drill(database: Option<&str>) {
    let site = Site::new(database);
    let mut server = site.server();
    let mut admin = log_in(&server.url(), &site.admin_code.parse().unwrap()).unwrap();
    let verifier = verifier(&admin);
    let roles = [Role::User, Role::Auditor];
    let mut auditor = newcomer(&mut admin, &server.url(), "auditor@example.org", &roles);
    let load = Load::start(admin, &server.url(), 4);
    for _ in 0..kills() {
        // In the middle of something: they all have been answered since the last time.
        load.wait_for(10);
        thread::sleep(Duration::from_millis(below(700)));
        server.kill();
        server.start();
    }
    load.wait_for(10);
    let mut work = load.stop();
    let books = Books::read(&mut auditor);
    books.check_tree(server.address, &verifier, &[]);
    books.check(&mut work);
    let done: usize = work.owners.iter().map(|owner| owner.done.len()).sum();
    let keys: usize = work.owners.iter().map(|owner| owner.keys.len()).sum();
    println!("{} kills, {done} uses of {keys} keys, {} guests cut off", kills(), work.cuts.len());
}

#[test]
fn what_was_acknowledged_survives_sigkill_on_sqlite() {
    drill(None);
}

#[test]
fn what_was_acknowledged_survives_sigkill_on_postgresql() {
    match Postgres::shared() {
        Some(postgres) => drill(Some(&postgres.database())),
        None => peers::skip("PostgreSQL"),
    }
}
