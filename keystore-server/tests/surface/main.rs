// SPDX-License-Identifier: LGPL-2.0-or-later
//! The running keystore's surface: what strangers, wrong callers and broken clients find there.

#[path = "../served/authenticator.rs"]
mod authenticator;
mod doctor;
mod fuzz;
mod handshake;
mod hostile;
mod http2;
mod matrix;
mod operator;
mod packaging;
mod proofs;
mod proxies;
mod server;
mod slow;
mod stage;
mod step_up;
mod targets;
mod wire;
