// SPDX-License-Identifier: LGPL-2.0-or-later
//! The running keystore, asked by the real client.

mod attacks;
mod authenticator;
mod backup;
mod certificates;
mod challenge;
mod chromium;
mod consent;
mod custody;
mod directory;
mod directory_clients;
mod directory_peers;
mod keystore;
mod kinds;
mod log_in;
mod mail;
mod namespace;
mod passkeys;
mod postfix;
mod proxy;
mod proxy_attacks;
mod published;
mod raw;
mod restored;
mod rules;
#[path = "../ledger/thief.rs"]
mod statements;
mod tenants;
mod thief;
mod tls;
mod trail;
