// SPDX-License-Identifier: LGPL-2.0-or-later
//! The self-hosted key service: private keys outside the provider, every use decided and on record.
//!
//! Four verbs per endpoint: **identify** who asks, **decide** by policy, **record** (refusals too, durable before
//! anything happens), **act** (needs the decision's permit in its signature).

pub mod identity;
