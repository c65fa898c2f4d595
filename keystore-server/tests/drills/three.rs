// SPDX-License-Identifier: LGPL-2.0-or-later
//! Three servers on one PostgreSQL, behind something that gives each connection to the next one.

use std::{
    io::{self, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use plombe_core::keystore::calls::login::Role;
use plombe_tests::{Postgres, peers};

use crate::{
    books::{Books, verifier},
    http,
    load::Load,
    people::{log_in, newcomer},
    site::{Server, Site, free_address},
};

/// Gives each connection to the next server that takes it, and ends with the test process.
fn balance(at: SocketAddr, servers: Vec<SocketAddr>) -> Vec<Arc<AtomicUsize>> {
    let listener = TcpListener::bind(at).unwrap();
    let taken: Vec<_> = servers.iter().map(|_| Arc::new(AtomicUsize::new(0))).collect();
    let counters = taken.clone();
    thread::spawn(move || {
        for (number, client) in listener.incoming().enumerate() {
            let Ok(client) = client else { continue };
            let order = (0..servers.len()).map(|i| (number + i) % servers.len());
            let found = order.filter_map(|i| TcpStream::connect(servers[i]).ok().map(|server| (i, server)));
            if let Some((i, server)) = { found }.next() {
                taken[i].fetch_add(1, Ordering::Relaxed);
                carry(&client, &server);
                carry(&server, &client);
            }
        }
    });
    counters
}

/// Everything from one to the other, until the end.
fn carry(from: &TcpStream, to: &TcpStream) {
    let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) else { return };
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.flush();
        let _ = to.shutdown(Shutdown::Write);
        let _ = from.shutdown(Shutdown::Read);
    });
}

#[test]
fn of_three_servers_one_is_killed_and_nothing_is_lost_nor_permitted_after_its_revocation() {
    let Some(postgres) = Postgres::shared() else { return peers::skip("PostgreSQL") };
    let site = Site::new(Some(&postgres.database()));
    let front = free_address();
    let url = format!("http://{front}");
    let mut servers: Vec<Server> = (0..3).map(|_| site.server_at(free_address(), &url)).collect();
    let taken = balance(front, servers.iter().map(|server| server.address).collect());

    let mut admin = log_in(&url, &site.admin_code.parse().unwrap()).unwrap();
    let verifier = verifier(&admin);
    let mut auditor = newcomer(&mut admin, &url, "auditor@example.org", &[Role::User, Role::Auditor]);
    let load = Load::start(admin, &url, 6);
    let mut notes = Vec::new();
    let mut collect = |servers: &[Server]| {
        for _ in 0..10 {
            let asked = servers.iter().filter_map(|one| http::get(one.address, "/v1/log/checkpoint").ok());
            notes.extend(asked.map(|(_, note)| String::from_utf8(note).unwrap()));
            thread::sleep(Duration::from_millis(50));
        }
    };
    load.wait_for(30);
    collect(&servers);
    servers[1].kill();
    collect(&servers);
    // The others go on, for those of the dead one as well.
    load.wait_for(60);
    collect(&servers);
    // One that comes back takes part again.
    servers[1].start();
    load.wait_for(30);
    collect(&servers);
    let mut work = load.stop();

    assert!(taken.iter().all(|taken| taken.load(Ordering::Relaxed) > 0), "a server had nothing to do");
    assert!(work.cuts.iter().any(|cut| !cut.done.is_empty()), "nobody was cut off at work");
    let books = Books::read(&mut auditor);
    for server in &servers {
        books.check_tree(server.address, &verifier, &notes);
    }
    books.check(&mut work);
}
