// SPDX-License-Identifier: LGPL-2.0-or-later
//! Certificates of others from the network: WKD, VKS, HKP; and ours to the network.
//!
//! Deciding what an answer is worth is core's part ([`plombe_core::recipients`]). This module asks, and keeps a
//! server that somebody else named from sending us into a private network:
//!
//! | module | does |
//! |---|---|
//! | [`public`] | tells public addresses from all others |
//! | [`names`] | host name → addresses, the public ones only; the connection goes to these and no others |
//! | [`web`] | HTTPS with limits on time, size and redirects; no proxies |
//! | [`search`] | asks everybody in turn and notes what came |
//! | [`upload`] | hands a certificate to key servers |
//! | [`tree`] | writes a certificate into a Web Key Directory on disk |

mod names;
mod public;
mod search;
mod tree;
mod upload;
mod web;

#[cfg(test)]
mod test_server;
#[cfg(test)]
mod tests;

pub(crate) use search::{Search, Step};
pub(crate) use tree::WkdTree;
pub(crate) use upload::{Published, publish};
pub(crate) use web::WebClient;
