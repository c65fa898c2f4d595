// SPDX-License-Identifier: LGPL-2.0-or-later
//! ASCII armor on and off, without looking at what is inside further than its first packet.

use std::io::{self, BufRead, Write};

use sequoia_openpgp::{
    Profile,
    armor::{self, Kind},
};

use super::{
    framing::tag,
    input::{Input, source_failure},
};

/// Armors OpenPGP data; the first packet says which header line it gets. Armored input passes through.
pub fn enarmor(
    data: &mut (dyn io::Read + Send + Sync),
    output: &mut dyn io::Write,
) -> Result<(), ArmorError> {
    let mut input = Input::open(data).map_err(failed)?.ok_or(ArmorError::Malformed)?;
    let first = *input.fill_buf().map_err(failed)?.first().ok_or(ArmorError::Malformed)?;
    let kind = kind(first).ok_or(ArmorError::Malformed)?;
    let mut writer = armor::Writer::new(output, kind).map_err(ArmorError::Output)?;
    copy(&mut input, &mut writer)?;
    writer.finalize().map_err(ArmorError::Output)?;
    if input.at_end().map_err(failed)? { Ok(()) } else { Err(ArmorError::Malformed) }
}

/// Takes armor off; binary input passes through.
pub fn dearmor(
    data: &mut (dyn io::Read + Send + Sync),
    output: &mut dyn io::Write,
) -> Result<(), ArmorError> {
    let mut input = Input::open(data).map_err(failed)?.ok_or(ArmorError::Malformed)?;
    copy(&mut input, output)?;
    if input.at_end().map_err(failed)? { Ok(()) } else { Err(ArmorError::Malformed) }
}

fn kind(first: u8) -> Option<Kind> {
    let tag = if first & 0x40 != 0 { first & 0x3f } else { (first >> 2) & 0xf };
    const SECRET_KEY: u8 = 5;
    const PUBLIC_KEY: u8 = 6;
    Some(match tag {
        tag::SIGNATURE => Kind::Signature,
        SECRET_KEY => Kind::SecretKey,
        PUBLIC_KEY => Kind::PublicKey,
        tag::PKESK
        | tag::SKESK
        | tag::SEIPD
        | tag::ONE_PASS_SIGNATURE
        | tag::COMPRESSED
        | tag::LITERAL
        | tag::MARKER
        | tag::PADDING => Kind::Message,
        _ => return None,
    })
}

fn copy(input: &mut Input<'_>, output: &mut dyn Write) -> Result<(), ArmorError> {
    loop {
        let data = input.fill_buf().map_err(failed)?;
        if data.is_empty() {
            return Ok(());
        }
        output.write_all(data).map_err(ArmorError::Output)?;
        let n = data.len();
        input.consume(n);
    }
}

fn failed(error: io::Error) -> ArmorError {
    source_failure(error).map_or(ArmorError::Malformed, ArmorError::Input)
}

/// Why armor could not be put on or taken off.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArmorError {
    /// Neither armor nor binary OpenPGP packets.
    #[error("this is not OpenPGP data")]
    Malformed,
    /// The source failed.
    #[error("cannot read the input")]
    Input(#[source] io::Error),
    /// The output failed.
    #[error("cannot write the result")]
    Output(#[source] io::Error),
}

/// Output with or without armor around it.
pub(super) enum Armored<'w> {
    Plain(&'w mut (dyn Write + Send + Sync)),
    Armored(armor::Writer<&'w mut (dyn Write + Send + Sync)>),
}

impl<'w> Armored<'w> {
    /// `modern` leaves out the checksum, which RFC 9580 says to do for version 6 signatures and SEIPDv2.
    pub(super) fn new(
        writer: &'w mut (dyn Write + Send + Sync),
        armor: bool,
        kind: Kind,
        modern: bool,
    ) -> io::Result<Self> {
        if !armor {
            return Ok(Self::Plain(writer));
        }
        let mut writer = armor::Writer::new(writer, kind)?;
        writer.set_profile(if modern { Profile::RFC9580 } else { Profile::RFC4880 })?;
        Ok(Self::Armored(writer))
    }

    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(writer) => writer.flush(),
            Self::Armored(writer) => writer.finalize()?.flush(),
        }
    }
}

impl Write for Armored<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(writer) => writer.write(data),
            Self::Armored(writer) => writer.write(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(writer) => writer.flush(),
            Self::Armored(writer) => writer.flush(),
        }
    }
}
