// SPDX-License-Identifier: LGPL-2.0-or-later
//! Names of tiles (C2SP tlog-tiles): `tile/<level or kind>/x001/x234/067`, partial ones with `.p/<width>` behind.

use std::{fmt, str::FromStr};

use crate::log::{MAX_TREE_SIZE, NodeId};

/// Hashes of a full tile, and entries of a full bundle.
pub const TILE_WIDTH: u16 = 256;

/// Levels of the tree from one level of tiles to the next: 2^8 = [`TILE_WIDTH`].
pub(super) const TILE_HEIGHT: u8 = 8;

/// Tiles above this level belong to trees that nobody has.
const MAX_TILE_LEVEL: u8 = 7;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes of complete subtrees of height `8 * level`; level 0 is the leaves.
    Hashes {
        /// Level of tiles, not of the tree.
        level: u8,
    },
    /// Contents of leaves. Public: they hold places and commitments.
    Leaves,
    /// Entries with their salts, or what erasure left. For auditors.
    Disclosures,
}

/// One file: which hashes or entries, and how many of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    kind: TileKind,
    index: u64,
    width: u16,
}

/// Not the path of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not the path of a tile")]
pub struct NotATile;

impl TileId {
    /// The tile at `index` with its first `width` hashes or entries, 1 to [`TILE_WIDTH`].
    ///
    /// # Errors
    ///
    /// When no tree has such a tile.
    pub fn new(kind: TileKind, index: u64, width: u16) -> Result<Self, NotATile> {
        let id = Self { kind, index, width };
        let sound = (1..=TILE_WIDTH).contains(&width)
            && id.level() <= MAX_TILE_LEVEL
            && index <= MAX_TREE_SIZE / u64::from(TILE_WIDTH)
            && id.is_in(MAX_TREE_SIZE);
        if sound { Ok(id) } else { Err(NotATile) }
    }

    /// The tile in which a tree of `size` leaves has the root of a complete subtree or, between two levels of tiles, the
    /// hashes from which it is made.
    pub(super) fn holding(node: NodeId, size: u64) -> Self {
        let level = node.level / TILE_HEIGHT;
        // The first hash of that level of tiles that the node covers.
        let first = node.index << (node.level % TILE_HEIGHT);
        let index = first / u64::from(TILE_WIDTH);
        Self { kind: TileKind::Hashes { level }, index, width: width_in(size, level, index) }
    }

    /// All tiles of one kind that a tree of `size` leaves consists of; the last one may be partial.
    pub fn all_in(kind: TileKind, size: u64) -> impl Iterator<Item = Self> {
        let level = level_of(kind);
        let hashes = size >> (u32::from(level) * u32::from(TILE_HEIGHT));
        let tiles = hashes.div_ceil(u64::from(TILE_WIDTH));
        (0..tiles).map(move |index| Self { kind, index, width: width_in(size, level, index) })
    }

    /// Whether a tree of `size` leaves has all that this tile holds. Others must not be served.
    pub fn is_in(self, size: u64) -> bool {
        let end = self.first().checked_add(u64::from(self.width));
        end.is_some_and(|end| end <= size >> (u32::from(self.level()) * u32::from(TILE_HEIGHT)))
    }

    /// What it holds.
    pub fn kind(self) -> TileKind {
        self.kind
    }

    /// How many tiles of its kind are to the left.
    pub fn index(self) -> u64 {
        self.index
    }

    /// How many hashes or entries it holds.
    pub fn width(self) -> u16 {
        self.width
    }

    /// Place of its first hash among those of its level, or of its first entry in the log.
    pub fn first(self) -> u64 {
        self.index * u64::from(TILE_WIDTH)
    }

    /// Whether hashes or entries will be added.
    pub fn is_partial(self) -> bool {
        self.width < TILE_WIDTH
    }

    /// The same tile when it is full: what a log may serve once it no longer has the partial one.
    #[must_use]
    pub fn full(self) -> Self {
        Self { width: TILE_WIDTH, ..self }
    }

    /// Level of tiles; entries belong to level 0.
    pub(super) fn level(self) -> u8 {
        level_of(self.kind)
    }
}

fn level_of(kind: TileKind) -> u8 {
    match kind {
        TileKind::Hashes { level } => level,
        TileKind::Leaves | TileKind::Disclosures => 0,
    }
}

/// How wide the tile is in a tree of this size; the tile is one that the tree has.
fn width_in(size: u64, level: u8, index: u64) -> u16 {
    let hashes = size >> (u32::from(level) * u32::from(TILE_HEIGHT));
    let from_here = hashes - index * u64::from(TILE_WIDTH);
    u16::try_from(from_here).map_or(TILE_WIDTH, |width| width.min(TILE_WIDTH))
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes { level } => write!(f, "tile/{level}/")?,
            TileKind::Leaves => f.write_str("tile/entries/")?,
            TileKind::Disclosures => f.write_str("tile/disclosures/")?,
        }
        let mut thousands = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            thousands.push(rest % 1000);
            rest /= 1000;
        }
        for (place, digits) in thousands.iter().enumerate().rev() {
            if place > 0 { write!(f, "x{digits:03}/")? } else { write!(f, "{digits:03}")? }
        }
        if self.is_partial() { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

impl FromStr for TileId {
    type Err = NotATile;

    /// Takes exactly what `Display` writes, so that each tile has one path.
    fn from_str(path: &str) -> Result<Self, NotATile> {
        // The longest path is far shorter; this bounds the work.
        if path.len() > 64 {
            return Err(NotATile);
        }
        let (kind, rest) =
            path.strip_prefix("tile/").and_then(|rest| rest.split_once('/')).ok_or(NotATile)?;
        let kind = match kind {
            "entries" => TileKind::Leaves,
            "disclosures" => TileKind::Disclosures,
            level => TileKind::Hashes { level: level.parse().map_err(|_| NotATile)? },
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, width.parse().map_err(|_| NotATile)?),
            None => (rest, TILE_WIDTH),
        };
        let digits: String = index.chars().filter(char::is_ascii_digit).collect();
        let id = Self::new(kind, digits.parse().map_err(|_| NotATile)?, width)?;
        if id.to_string() == path { Ok(id) } else { Err(NotATile) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        for path in [
            "tile/0/000",
            "tile/0/x001/x234/067",
            "tile/2/000.p/1",
            "tile/1/001.p/255",
            "tile/entries/x001/000.p/8",
            "tile/disclosures/999",
        ] {
            assert_eq!(path.parse::<TileId>().unwrap().to_string(), path);
        }
        let id: TileId = "tile/0/x001/x234/067.p/12".parse().unwrap();
        assert_eq!((id.index(), id.width(), id.kind()), (1_234_067, 12, TileKind::Hashes { level: 0 }));
    }

    #[test]
    fn other_spellings_are_refused() {
        for path in [
            "",
            "tile/0",
            "tile/0/",
            "/tile/0/000",
            "tile//000",
            "tile/00/000",
            "tile/+0/000",
            "tile/8/000",
            "tile/256/000",
            "tile/0/0",
            "tile/0/0000",
            "tile/0/x000/001",
            "tile/0/001/234",
            "tile/0/x001/x234",
            "tile/0/x001234",
            "tile/0/../000",
            "tile/0/000.p/0",
            "tile/0/000.p/01",
            "tile/0/000.p/256",
            "tile/0/000.p/",
            "tile/0/000/",
            "tile/7/x999/999",
            "tile/data/000",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
        ] {
            assert_eq!(path.parse::<TileId>(), Err(NotATile), "{path}");
        }
    }

    #[test]
    fn a_tree_of_seventy_thousand_has_the_tiles_of_the_specification() {
        let of = |level| TileId::all_in(TileKind::Hashes { level }, 70_000).collect::<Vec<_>>();
        let widths = |level| of(level).iter().map(|id| id.width()).collect::<Vec<_>>();
        assert_eq!(of(0).len(), 274);
        assert_eq!(widths(0)[272..], [256, 112]);
        assert_eq!(widths(1), [256, 17]);
        assert_eq!(widths(2), [1]);
        assert!(widths(3).is_empty());
        // A full tile and the first hash above it.
        let last = |level| TileId::all_in(TileKind::Hashes { level }, 256).last().map(|id| id.to_string());
        assert_eq!(last(0).as_deref(), Some("tile/0/000"));
        assert_eq!(last(1).as_deref(), Some("tile/1/000.p/1"));
    }

    #[test]
    fn only_tiles_of_the_tree_are_in_it() {
        for (path, inside) in [
            ("tile/0/001.p/44", true),
            ("tile/0/001.p/45", false),
            ("tile/0/001", false),
            ("tile/0/000", true),
            ("tile/0/000.p/3", true),
            ("tile/1/000.p/1", true),
            ("tile/1/000.p/2", false),
            ("tile/2/000.p/1", false),
            ("tile/entries/001.p/44", true),
            ("tile/disclosures/001.p/45", false),
        ] {
            assert_eq!(path.parse::<TileId>().unwrap().is_in(300), inside, "{path}");
        }
    }
}
