// SPDX-License-Identifier: LGPL-2.0-or-later
//! A secret, and how it could lie somewhere.

use std::collections::BTreeSet;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use plombe_core::{cert::Tsk, custody};

/// Something that must not be found.
pub(crate) struct Needle {
    /// For messages.
    pub(crate) name: String,
    forms: Vec<(&'static str, Vec<u8>)>,
}

impl Needle {
    /// Bytes, 16 or more.
    pub(crate) fn bytes(name: impl Into<String>, secret: &[u8]) -> Self {
        assert!(secret.len() >= 16, "less is found by chance");
        let reversed: Vec<u8> = secret.iter().rev().copied().collect();
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        // Half a key is as bad as a whole one, and where bytes were overwritten in part, one half may remain.
        let half = |bytes: &[u8], from: usize| bytes[from..from + (secret.len() / 2).max(16)].to_vec();
        let mut forms = vec![
            ("first half", half(secret, 0)),
            ("second half", half(secret, secret.len() - (secret.len() / 2).max(16))),
            // As arithmetic on this machine holds numbers.
            ("first half, backwards", half(&reversed, 0)),
            ("second half, backwards", half(&reversed, secret.len() - (secret.len() / 2).max(16))),
            ("upper-case hex", hex.to_uppercase().into_bytes()),
            ("hex", hex.into_bytes()),
        ];
        for shift in 0..3 {
            forms.push(("base64", encoded(secret, shift, |bytes| STANDARD_NO_PAD.encode(bytes))));
            forms.push(("base64url", encoded(secret, shift, |bytes| URL_SAFE_NO_PAD.encode(bytes))));
        }
        Self { name: name.into(), forms }
    }

    /// Text: as it is, as people may type it, and as bytes.
    pub(crate) fn text(name: impl Into<String>, secret: &str) -> Self {
        let mut needle = Self::bytes(name, secret.as_bytes());
        let plain: String = secret.chars().filter(|c| *c != '-').collect();
        needle.forms.push(("without dashes", plain.clone().into_bytes()));
        needle.forms.push(("in lower case", secret.to_lowercase().into_bytes()));
        needle.forms.push(("in lower case without dashes", plain.to_lowercase().into_bytes()));
        needle
    }

    /// In which forms it is there.
    pub(crate) fn found_in(&self, hay: &[u8]) -> Vec<&'static str> {
        search(&[self], hay).into_iter().map(|(_, form)| form).collect()
    }
}

/// Which of them are there, and in which forms. One pass for all: what is searched is large.
pub(crate) fn search<'n>(needles: &[&'n Needle], hay: &[u8]) -> BTreeSet<(&'n str, &'static str)> {
    let mut by_beginning: Vec<Vec<(&Needle, &'static str, &[u8])>> = vec![Vec::new(); 1 << 16];
    for needle in needles {
        for (name, form) in &needle.forms {
            by_beginning[beginning(form[0], form[1])].push((needle, name, form));
        }
    }
    let mut found = BTreeSet::new();
    let mut before = 0;
    for (at, byte) in hay.iter().enumerate() {
        let at_hand = &by_beginning[beginning(before, *byte)];
        if !at_hand.is_empty() && at > 0 {
            let from = &hay[at - 1..];
            found.extend(
                at_hand
                    .iter()
                    .filter(|(.., form)| from.starts_with(form))
                    .map(|(n, name, _)| (n.name.as_str(), *name)),
            );
        }
        before = *byte;
    }
    found
}

fn beginning(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

/// Without the pages that nothing was written to.
pub(crate) fn without_empty_pages(bytes: &[u8]) -> Vec<u8> {
    bytes.chunks(4096).filter(|page| page.iter().any(|byte| *byte != 0)).flatten().copied().collect()
}

/// What base64 makes of `secret` behind `shift` other bytes, without the digits that depend on what is around it.
fn encoded(secret: &[u8], shift: usize, encode: impl Fn(&[u8]) -> String) -> Vec<u8> {
    let text = encode(&[&[0; 2][..shift], secret].concat());
    let from = [0, 2, 3][shift];
    let to = (shift + secret.len()) * 8 / 6;
    text.as_bytes()[from..to].to_vec()
}

/// The secret numbers of a version 4 TSK: of RSA the private exponent and a prime, of others the scalar or seed.
pub(crate) fn of_tsk(kind: &str, tsk: &Tsk) -> Vec<Needle> {
    let bytes = custody::to_bytes(tsk).unwrap();
    let mut needles = Vec::new();
    for (number, packet) in secret_key_packets(&bytes).into_iter().enumerate() {
        let name = |what: &str| format!("{kind}, key {number}, {what}");
        if packet[5] == 1 {
            let mut rest = &packet[6..];
            let _ = (mpi(&mut rest), mpi(&mut rest));
            assert_eq!(rest[0], 0, "not under a passphrase");
            rest = &rest[1..];
            needles.push(Needle::bytes(name("private exponent"), mpi(&mut rest)));
            needles.push(Needle::bytes(name("prime"), mpi(&mut rest)));
        } else {
            // Number and checksum stand at the end.
            let size = (24..=66).rev().find(|size| {
                let at = packet.len() - 4 - size;
                let bits = usize::from(u16::from_be_bytes([packet[at], packet[at + 1]]));
                bits.div_ceil(8) == *size && *size >= 24
            });
            let size = size.expect("a secret number of some size");
            needles.push(Needle::bytes(name("secret"), &packet[packet.len() - 2 - size..packet.len() - 2]));
        }
    }
    assert!(needles.len() >= 3);
    needles
}

fn mpi<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let size = usize::from(u16::from_be_bytes([rest[0], rest[1]])).div_ceil(8);
    let (number, behind) = rest[2..].split_at(size);
    *rest = behind;
    number
}

/// Bodies of all secret key packets.
fn secret_key_packets(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while let [tag, length @ ..] = bytes {
        let (size, body) = match *length {
            [one @ 0..192, ..] => (usize::from(one), &length[1..]),
            [one @ 192..224, two, ..] => {
                ((usize::from(one) - 192) * 256 + usize::from(two) + 192, &length[2..])
            }
            [255, a, b, c, d, ..] => (u32::from_be_bytes([a, b, c, d]) as usize, &length[5..]),
            _ => panic!("not a packet"),
        };
        if matches!(tag & 0x3f, 5 | 7) {
            found.push(&body[..size]);
        }
        bytes = &body[size..];
    }
    found
}

#[test]
fn what_is_there_is_found_in_every_form() {
    let secret: Vec<u8> = (1..=32).collect();
    let needle = Needle::bytes("x", &secret);
    let reversed: Vec<u8> = secret.iter().rev().copied().collect();
    let hex: String = secret.iter().map(|byte| format!("{byte:02X}")).collect();
    for (form, hay) in [
        ("first half", &secret),
        ("second half, backwards", &reversed),
        ("upper-case hex", &hex.into_bytes()),
    ] {
        assert!(needle.found_in(&[b"before", &hay[..], b"after"].concat()).contains(&form), "{form}");
    }
    for before in 0..6 {
        let around = [&b"abcdef"[..before], &secret, b"xyz"].concat();
        for (form, text) in
            [("base64", STANDARD_NO_PAD.encode(&around)), ("base64url", URL_SAFE_NO_PAD.encode(&around))]
        {
            assert!(needle.found_in(text.as_bytes()).contains(&form), "{form} behind {before} bytes");
        }
    }
    assert!(needle.found_in(&[7; 4096]).is_empty());
    let code = Needle::text("code", "EABC-DEFG-HIJK-LMNO");
    assert_eq!(code.found_in(b"x eabcdefghijklmno x"), ["in lower case without dashes"]);
}
