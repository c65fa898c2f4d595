// SPDX-License-Identifier: LGPL-2.0-or-later
//! Six words that two people, or one person with two devices, compare before a new device is trusted.

use sha2::{Digest, Sha256};

use super::super::{DeviceThumbprint, KeystoreIdentity, PrincipalId, fields};

/// Six words of eight bits would let an attacker look for a device key with the same words: 2^48 tries. Each try costs this many
/// hashes, 2^66 in all, and some milliseconds for who does it once.
const ROUNDS: u32 = 1 << 18;

/// The words for a device of a principal at a keystore. Both sides compute them; neither is told them.
pub fn comparison_words(
    device: &DeviceThumbprint,
    principal: &PrincipalId,
    keystore: &KeystoreIdentity,
) -> [&'static str; 6] {
    let input =
        fields(&[b"plombe device words v1", &device.0, principal.0.as_bytes(), &keystore.fingerprint().0]);
    let mut hash: [u8; 32] = Sha256::digest(&input).into();
    for _ in 1..ROUNDS {
        hash = Sha256::digest(hash).into();
    }
    std::array::from_fn(|index| WORDS[usize::from(hash[index])])
}

/// Short plain words, no two alike in their first four letters.
const WORDS: [&str; 256] = [
    "acorn", "actor", "album", "amber", "angle", "ankle", "apple", "apron", "arrow", "atlas", "attic",
    "autumn", "badge", "baker", "bamboo", "banjo", "basket", "beach", "beetle", "bench", "blanket", "board",
    "bottle", "branch", "bread", "brick", "bridge", "broom", "brush", "bucket", "button", "cabin", "cable",
    "cactus", "camel", "candle", "canoe", "carpet", "castle", "cedar", "cello", "chair", "chalk", "cherry",
    "chess", "circle", "clock", "cloud", "clover", "cobweb", "coffee", "comet", "compass", "copper", "coral",
    "cotton", "cradle", "crane", "crayon", "cricket", "crown", "curtain", "daisy", "dancer", "desert",
    "diamond", "dinner", "dolphin", "donkey", "door", "dragon", "drum", "duck", "eagle", "earth", "easel",
    "echo", "elbow", "elephant", "engine", "falcon", "farm", "feather", "fence", "fern", "ferry", "fiddle",
    "field", "finger", "flag", "flute", "forest", "fork", "fountain", "frog", "garden", "garlic", "gate",
    "ginger", "giraffe", "glass", "globe", "glove", "goat", "gold", "grape", "gravel", "guitar", "hammer",
    "harbour", "harp", "hawk", "hazel", "hedge", "helmet", "hill", "honey", "hook", "horn", "horse", "hotel",
    "igloo", "island", "ivory", "jacket", "jaguar", "jelly", "jewel", "jigsaw", "jungle", "kettle", "king",
    "kite", "kitten", "knot", "ladder", "lake", "lamp", "lantern", "leaf", "lemon", "letter", "lily", "lion",
    "lizard", "lobster", "magnet", "mango", "maple", "marble", "market", "meadow", "melon", "mill", "mirror",
    "monkey", "moon", "mosaic", "moss", "mountain", "mouse", "muffin", "museum", "napkin", "needle", "nest",
    "nickel", "novel", "oasis", "ocean", "olive", "onion", "opera", "orange", "orchard", "organ", "otter",
    "oyster", "paddle", "palace", "panda", "paper", "parrot", "pasture", "peach", "pearl", "pebble",
    "pencil", "penguin", "pepper", "piano", "pigeon", "pillow", "pine", "pirate", "planet", "plum", "pocket",
    "pond", "poppy", "potato", "prince", "puzzle", "pyramid", "quartz", "queen", "quilt", "rabbit", "radio",
    "railway", "rain", "raven", "ribbon", "river", "robin", "rocket", "roof", "rope", "rose", "ruby",
    "saddle", "salmon", "sand", "satin", "scarf", "school", "seal", "shadow", "shell", "silver", "skate",
    "sled", "snail", "soap", "sparrow", "spider", "spoon", "star", "sugar", "swan", "table", "tiger",
    "tower", "train", "tulip", "turtle", "valley", "velvet", "violin", "walnut", "wheel", "window", "wolf",
    "yacht", "zebra", "zipper",
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{WORDS, comparison_words};
    use crate::keystore::{DeviceThumbprint, PrincipalId, identity::tests::identity};

    #[test]
    fn words_are_told_apart_by_their_beginnings() {
        let beginnings: HashSet<_> = WORDS.iter().map(|word| &word[..word.len().min(4)]).collect();
        assert_eq!(beginnings.len(), 256);
        assert!(
            WORDS
                .iter()
                .all(|word| (3..=8).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase()))
        );
    }

    #[test]
    fn another_device_principal_or_keystore_has_other_words() {
        let principal = |text: &str| text.parse::<PrincipalId>().unwrap();
        let alice = principal("0193e3a0-0000-7000-8000-000000000001");
        let words = comparison_words(&DeviceThumbprint([1; 32]), &alice, &identity([7; 32]));
        for other in [
            comparison_words(&DeviceThumbprint([2; 32]), &alice, &identity([7; 32])),
            comparison_words(
                &DeviceThumbprint([1; 32]),
                &principal("0193e3a0-0000-7000-8000-000000000002"),
                &identity([7; 32]),
            ),
            comparison_words(&DeviceThumbprint([1; 32]), &alice, &identity([8; 32])),
        ] {
            assert_ne!(words, other);
        }
        assert_eq!(words.join(" "), "silver velvet ladder lake clock ribbon");
    }
}
