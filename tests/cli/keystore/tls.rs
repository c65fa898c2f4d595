// SPDX-License-Identifier: LGPL-2.0-or-later
//! A keystore with TLS whose authority is the organisation's own.

use plombe_tests::{ALICE, Authority, Home, Keystore, Ran, Scratch, plombe_keystore, run};

#[test]
fn an_authority_that_the_machine_believes_is_enough_and_any_other_is_not() {
    let (authority, mallory) = (Authority::new(), Authority::new());
    let mut keystore = Keystore::start(plombe_keystore(), "example.test", &[]);
    keystore.serve_tls(&authority.certify(&["127.0.0.1"]));
    let scratch = Scratch::new();
    let (right, wrong) =
        (scratch.write("right.pem", authority.pem()), scratch.write("wrong.pem", mallory.pem()));
    let alice = Home::new();
    let believing = |file: &std::path::Path, arguments: &[&str], input: &[u8]| -> Ran {
        run(alice.command(arguments).env("SSL_CERT_FILE", file), input)
    };
    let code = keystore.add_user(ALICE);
    let log_in = ["login", keystore.url(), "--code", &code];

    let refused = believing(&wrong, &log_in, b"").expect_code(13);
    assert!(refused.stderr.contains("certificate"), "{refused}");
    // The code is still good: it was not sent.
    believing(&right, &log_in, b"").ok();
    believing(&right, &["key", "generate", ALICE, "--custody", "keystore"], b"").ok();
    let sealed = believing(&right, &["encrypt", "--to", ALICE], b"over TLS").ok();
    assert_eq!(believing(&right, &["decrypt"], &sealed).ok(), b"over TLS");
    // The session that stands does not help somebody in between.
    believing(&wrong, &["decrypt"], &sealed).expect_code(13);
}
