// SPDX-License-Identifier: LGPL-2.0-or-later
//! The API: one file per noun, each call a function that identifies, asks the ledger, and acts with its permit.
//!
//! What all calls have in common (proof, envelope, limits) is in [`sealed`]; [`router`] puts them at their paths.

mod approvals;
mod audit;
mod backup;
mod caller;
mod certificates;
mod custody;
mod devices;
mod directory;
pub mod edge;
mod failure;
mod grants;
mod history;
mod info;
mod keys;
mod log_in;
mod page;
mod passkeys;
mod principals;
mod provider_log_out;
mod raw;
mod recovery;
mod revoke;
pub mod router;
mod rules;
pub mod sealed;
mod session;
mod step_up;

use std::future::Future;

use plombe_core::keystore::calls::Call;

pub(crate) use approvals::reason;
pub use caller::Caller;
pub use failure::Failure;
pub(crate) use principals::MakeCode;

use crate::app::App;

/// A call that this keystore serves.
pub trait Serve: Call + Send + 'static {
    /// Does it.
    fn serve(self, app: &App, caller: &Caller) -> impl Future<Output = Result<Self::Answer, Failure>> + Send;
}
