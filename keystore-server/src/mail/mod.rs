// SPDX-License-Identifier: LGPL-2.0-or-later
//! Mail that the keystore sends: challenges, to addresses that somebody wants a certificate shown for.
//!
//! [`config`]: the `[mail]` table. [`letter`]: what is written, sealed to the certificate that it is about, so that only who has its key
//! reads the link. [`submission`]: how it leaves. [`Challenges`]: all of it, with the limits.

pub mod config;
pub mod letter;
pub mod submission;

use std::{net::IpAddr, num::NonZeroU32};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

pub use config::{MailConfig, MailConfigError, MailTls};
pub use submission::Submission;

use crate::limits::network;

/// Sends challenges, not too many.
pub struct Challenges {
    /// How they leave.
    pub submission: Submission,
    /// How many, and for how long they are good.
    pub config: MailConfig,
    sources: DefaultKeyedRateLimiter<IpAddr>,
    uploads: DefaultKeyedRateLimiter<IpAddr>,
}

impl Challenges {
    /// As configured.
    ///
    /// # Errors
    /// When a file that the configuration names cannot be used.
    pub fn new(config: MailConfig) -> Result<Self, MailConfigError> {
        let sources = RateLimiter::keyed(Quota::per_hour(config.mails_per_source_and_hour));
        let uploads = RateLimiter::keyed(Quota::per_minute(config.uploads_per_source_and_minute));
        Ok(Self { submission: Submission::new(&config)?, config, sources, uploads })
    }

    /// May somebody there upload once more? Each is a certificate to look through.
    pub fn may_upload(&self, from: IpAddr) -> bool {
        self.uploads.check_key(&network(from)).is_ok()
    }

    /// May somebody there cause so many more mails?
    pub fn may_cause(&self, from: IpAddr, mails: NonZeroU32) -> bool {
        matches!(self.sources.check_key_n(&network(from), mails), Ok(Ok(())))
    }

    /// Forgets who has been quiet.
    pub fn tidy(&self) {
        self.sources.retain_recent();
        self.uploads.retain_recent();
    }
}
