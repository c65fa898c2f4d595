// SPDX-License-Identifier: LGPL-2.0-or-later
//! The mail server: would it take challenge mails?

use super::{Finding, words};
use crate::{config::Config, mail::Submission};

pub(super) async fn check(config: &Config) -> Option<Finding> {
    // What is wrong with the settings themselves was said with the others.
    let mail = config.mail.as_ref().filter(|mail| mail.findings().is_empty())?;
    let server = format!("{}:{}", mail.host, mail.port());
    let checked = match Submission::new(mail) {
        Ok(submission) => submission.check().await.map_err(|error| words(&error)),
        Err(error) => Err(words(&error)),
    };
    Some(match checked {
        Ok(()) => Finding::good("mail", format!("{server} takes mail from the keystore")),
        Err(why) => Finding::error(
            "mail",
            format!("no challenge mail leaves through {server}: {why}"),
            "is it reachable from here, is tls what it speaks on that port, is its certificate from an authority in ca_file or the \
             system's, do user and password_file fit?",
        ),
    })
}
