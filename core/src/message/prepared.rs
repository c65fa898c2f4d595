// SPDX-License-Identifier: LGPL-2.0-or-later
//! A message that is sealed but for the bulk cipher.

use std::io::{self, Write as _};

use sequoia_openpgp::armor::Kind;

use super::{
    Container, SealError, SealReport,
    armor::Armored,
    framing::{definite_length, tag},
    payload::Task,
};

/// Recipients, session key and signatures are decided; the content waits for its cipher. See [`super::Seal::prepare`].
pub struct Prepared {
    /// Session key packets.
    pub(super) head: Vec<u8>,
    /// Beginning of the container's body, in the clear.
    pub(super) clear: Vec<u8>,
    pub(super) task: Task,
    pub(super) armor: bool,
    pub(super) report: SealReport,
}

impl Prepared {
    /// What is left to do.
    pub fn task(&mut self) -> &mut Task {
        &mut self.task
    }

    /// How long the message will be, about.
    pub fn size(&self) -> usize {
        let binary = self.head.len() + self.clear.len() + self.task.size() + 8;
        if self.armor { binary / 48 * 65 + 256 } else { binary }
    }

    /// Writes the message. Plaintext that did not go through the cipher is never written.
    pub fn finish(self, output: &mut (dyn io::Write + Send + Sync)) -> Result<SealReport, SealError> {
        let body = self.task.sealed()?;
        let checksum = self.report.container == Container::Seipdv2;
        let mut armored =
            Armored::new(output, self.armor, Kind::Message, checksum).map_err(SealError::Output)?;
        let length = u32::try_from(self.clear.len() + body.len())
            .map_err(|_| SealError::Unsupported("more than 4 GiB in one piece".into()))?;
        let mut head = self.head;
        head.push(0xc0 | tag::SEIPD);
        head.extend(definite_length(length.into()));
        head.extend(self.clear);
        armored.write_all(&head).and_then(|()| armored.write_all(body)).map_err(SealError::Output)?;
        armored.finish().map_err(SealError::Output)?;
        Ok(self.report)
    }
}
