// SPDX-License-Identifier: LGPL-2.0-or-later
//! The self-hosted key service: private keys outside the provider, every use decided and on record.
//!
//! Four verbs per endpoint: **identify** who asks, **decide** by policy, **record** (refusals too, durable before
//! anything happens), **act** (needs the decision's permit in its signature).
//!
//! In reading order:
//!
//! * [`registry`]: who there is, and what they have. [`access_policy`]: who may do what.
//! * [`ledger`]: decides in order, records, hands out permits. Start here.
//! * [`custody`]: keys, used with a permit.
//! * [`identity`]: what proves a name, a device, a passkey.
//! * [`root_key`], [`keychain`], [`hierarchy`]: the server's own keys, and how everything is sealed. [`harden`]: memory that
//!   stays where it is.
//! * [`tenant_keys`]: tenants' keys under the root key; [`rotation`]: new ones for old, while the server runs.
//! * [`admin`]: the commands; [`config`]: the file; [`instance`]: coming into being, and coming up.
//! * [`store`]: SQLite and PostgreSQL, trusted for availability only. [`backup`]: all of it in one sealed file.
//! * [`api`]: the calls; [`app`], [`limits`], [`refusals`], [`fresh`]: what every endpoint gets.
//! * [`directory`]: certificates for everybody, by Web Key Directory, HKP and VKS. [`mail`]: challenges for addresses that are nobody's.
//! * [`connections`], [`proxies`]: who may connect, and where from; [`metrics`], [`server_log`]: what the operator sees.
//! * [`openapi`]: the description of everything that is served.
//! * [`proofs_of_history`]: proofs about the log, and what others have seen of it; [`known_checkpoints`]: what needs no second look.

use zeroizing_alloc::ZeroAlloc;

/// What is freed is wiped: secrets pass through many buffers on their way, and not all of them are ours. Here and not in
/// `main`, so that tests look at memory that is kept as the server keeps it.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<std::alloc::System> = ZeroAlloc(std::alloc::System);

pub mod access_policy;
pub mod admin;
pub mod api;
pub mod app;
pub mod backup;
pub mod config;
pub mod connections;
pub mod custody;
pub mod directory;
pub mod fresh;
pub mod harden;
pub mod hierarchy;
pub mod identity;
pub mod instance;
pub mod keychain;
pub mod known_checkpoints;
pub mod ledger;
pub mod limits;
pub mod mail;
pub mod metrics;
pub mod openapi;
pub mod proofs_of_history;
pub mod proxies;
pub mod refusals;
pub mod registry;
pub mod root_key;
pub mod rotation;
pub mod server_log;
pub mod store;
pub mod tenant_keys;
