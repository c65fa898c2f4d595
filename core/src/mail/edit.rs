// SPDX-License-Identifier: LGPL-2.0-or-later
//! Changes to a document's bytes, by range, so that everything else keeps its very bytes.

use std::ops::Range;

/// Replace a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) range: Range<usize>,
    pub(super) with: Vec<u8>,
}

/// The bytes of `within` with every edit that lies in it. Of two that overlap, the first in order counts.
pub(super) fn apply(bytes: &[u8], within: Range<usize>, edits: &[Edit]) -> Vec<u8> {
    let mut ordered: Vec<&Edit> = edits
        .iter()
        .filter(|edit| within.start <= edit.range.start && edit.range.end <= within.end)
        .collect();
    ordered.sort_by_key(|edit| edit.range.start);
    let mut edited = Vec::with_capacity(within.len());
    let mut at = within.start;
    for edit in ordered {
        if edit.range.start < at {
            continue;
        }
        edited.extend_from_slice(&bytes[at..edit.range.start]);
        edited.extend_from_slice(&edit.with);
        at = edit.range.end;
    }
    edited.extend_from_slice(&bytes[at..within.end]);
    edited
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_change_their_ranges_only() {
        let edit = |range: Range<usize>, with: &str| Edit { range, with: with.as_bytes().to_vec() };
        let edits = [
            edit(5..6, "X"),
            edit(2..2, "++"),
            edit(5..7, "overlaps"),
            edit(0..1, "outside"),
            edit(8..8, "!"),
        ];
        assert_eq!(apply(b"012345678", 1..8, &edits), b"1++234X67!");
    }
}
