// SPDX-License-Identifier: LGPL-2.0-or-later
//! The literal packet's own fields (RFC 9580 section 5.9).

/// Format, empty name, no date: no signature covers them, so they carry nothing.
pub(super) fn fields(text: bool) -> [u8; 6] {
    [if text { b'u' } else { b'b' }, 0, 0, 0, 0, 0]
}
