// SPDX-License-Identifier: LGPL-2.0-or-later
//! Why a mail's structure is refused.

/// Why a mail's structure is refused. Everything else that is odd about a mail is a finding, not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MimeError {
    /// More parts within parts than any honest mail has.
    #[error("refused: this mail nests more than {limit} parts within each other")]
    TooDeep {
        /// The bound.
        limit: usize,
    },
    /// More parts than any honest mail has.
    #[error("refused: this mail has more than {limit} parts")]
    TooManyParts {
        /// The bound.
        limit: usize,
    },
    /// More header fields than any honest mail has.
    #[error("refused: the header of this mail, or of one of its parts, has more than {limit} fields")]
    TooManyFields {
        /// The bound.
        limit: usize,
    },
    /// A header section that is larger than any honest one.
    #[error("refused: the header of this mail, or of one of its parts, is larger than {limit_bytes} bytes")]
    HeaderTooLarge {
        /// The bound.
        limit_bytes: usize,
    },
}
