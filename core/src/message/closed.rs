// SPDX-License-Identifier: LGPL-2.0-or-later
//! A message whose session key is known, before the bulk cipher.

use std::io::BufRead;

use super::{OpenContext, OpenError, Opened, Quarantine, content, payload::Task};

/// The host runs its cipher over [`Closed::task`]; only then can it be opened. See
/// [`super::SealedMessage::into_closed`].
pub struct Closed {
    pub(super) task: Task,
}

impl Closed {
    /// What is left to do.
    pub fn task(&mut self) -> &mut Task {
        &mut self.task
    }

    /// Reads the plaintext into `quarantine` and judges every signature.
    ///
    /// # Errors
    /// As [`super::SealedMessage::open`]; `Unreadable` also for a task that is not done.
    pub fn open<Q: Quarantine>(
        self,
        context: &OpenContext<'_>,
        mut quarantine: Q,
    ) -> Result<Opened<Q>, OpenError> {
        let mut content = None;
        let consumed = self.task.consume(&mut |plaintext: &mut dyn BufRead| {
            let read = content::read(plaintext, &context.limits, context.hash_content, &mut quarantine);
            content = Some(read);
            // Everything was authenticated before, so what is wrong with it can be said.
            super::open::drain(plaintext)
        });
        match content {
            Some(content) => {
                consumed?;
                Ok(Opened::judge(content?, context, quarantine))
            }
            None => Err(consumed.err().map_or(OpenError::Unreadable, OpenError::from)),
        }
    }
}
