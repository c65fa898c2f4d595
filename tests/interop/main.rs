// SPDX-License-Identifier: LGPL-2.0-or-later
//! Plombe beside other people's OpenPGP programs.
//!
//! One test per peer runs the whole [`matrix`]: every kind of key that the peer knows, every operation, both
//! directions, contents that tend to break things. What a peer cannot do stands in its table with the reason, and
//! is tried all the same, so that the table stays true. `cargo xtask interop` collects the results into
//! `docs/interop.md`.

mod mail;
mod matrix;
mod peer;
mod report;
mod stateless;
mod task;
mod thunderbird;

use peer::Peer;

/// Runs the matrix, or says that the peer is not installed.
fn beside<P: Peer>(name: &str, peer: Option<P>) {
    match peer {
        Some(mut peer) => matrix::run(&mut peer),
        None => plombe_tests::peers::skip(name),
    }
}

#[test]
fn gpg() {
    beside("gpg", peer::gpg::Gpg::find());
}

#[test]
fn sq() {
    beside("sq", peer::sq::Sq::find());
}

#[test]
fn sqop() {
    beside("sqop", peer::sop::SopPeer::sqop());
}

#[test]
fn gosop() {
    beside("gosop", peer::sop::SopPeer::gosop());
}

#[test]
fn pgpainless() {
    beside("pgpainless-cli", peer::sop::SopPeer::pgpainless());
}

/// Only from source (`cargo install rsop`), so it is no failure when it is absent: its engine is rPGP, which is
/// tested in any case.
#[test]
fn rsop() {
    match peer::sop::SopPeer::rsop() {
        Some(mut peer) => matrix::run(&mut peer),
        None => println!("no rsop here; rPGP itself is tested"),
    }
}

#[test]
fn rnp() {
    beside("rnp", peer::rnp::Rnp::find());
}

#[test]
fn openpgpjs() {
    beside("OpenPGP.js (npm)", peer::scripted::openpgpjs());
}

#[test]
fn pysequoia() {
    beside("pysequoia (PyPI)", peer::scripted::pysequoia());
}

#[test]
fn rpgp() {
    beside("rPGP (tests/interop/rpgp)", peer::scripted::rpgp());
}
