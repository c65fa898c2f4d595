// SPDX-License-Identifier: LGPL-2.0-or-later
//! What the directory shows of which key.
//!
//! By address: the keys of the address's owner while they are active, with the user IDs of that address. By fingerprint
//! or key ID: with the user IDs of the owner's own addresses, of active owners only. Keys that are revoked are shown,
//! with their revocation. Nothing of owners who are suspended or gone is. Where an address is nobody's here, what was proven for it by
//! mail.

use std::cmp::Reverse;

use plombe_core::{
    cert::Certificate,
    keystore::{Bytes, KeyFingerprint, calls::principals::PrincipalState},
    recipients::{Address, wkd},
};

use crate::{
    app::App,
    registry::{self, Key, KeyState, MailProven, Principal, Registry},
};

/// Which OpenPGP versions may be in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versions {
    /// Only version 4: the protocol is spoken by programs that know nothing else.
    V4,
    /// Version 6 too, where there is no version 4 key in use.
    V6WithoutV4,
}

/// What may be shown.
#[derive(Default)]
pub struct Found {
    /// What comes first is to be preferred.
    pub certificates: Vec<Certificate>,
    /// What stands behind them.
    pub proof: Proof,
}

/// How somebody has shown that a certificate is an address's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Proof {
    /// From a confirmed device of the person who has the address here.
    #[default]
    Device,
    /// Some of it by reading the address's mail, and nothing else.
    Mail,
}

/// A certificate that may be shown, of a key in custody or of one on its owner's devices.
struct Entry<'a> {
    certificate: &'a Bytes,
    owner: &'a Principal,
    is_v4: bool,
    /// What comes first: keys in use, those in custody, the newest.
    rank: (bool, bool, Reverse<u64>),
}

/// By mail address.
pub fn by_address(app: &App, address: &Address, versions: Versions) -> Found {
    by_wkd_name(app, address.domain(), &wkd::hash(address), versions)
}

/// By domain and hash of the local part. Where the address is somebody's, nothing else counts.
pub fn by_wkd_name(app: &App, domain: &str, hash: &str, versions: Versions) -> Found {
    let (address, found, proof) = {
        let registry = app.ledger.registry();
        match registry.principal_of_wkd(domain, hash) {
            Some(principal) if shown(&registry, principal) => {
                let mut own = own_addresses(&registry, principal).into_iter();
                let Some(address) = own.find(|own| own.domain() == domain && wkd::hash(own) == hash) else {
                    return Found::default();
                };
                (address, of_owner(&registry, principal), Proof::Device)
            }
            Some(_) => return Found::default(),
            None => {
                let proven = registry.mail_proven_at(&MailProven::place(domain, hash));
                match proven.and_then(|it| Some((own_address(&registry, it)?, it))) {
                    Some((address, proven)) => (address, vec![Candidate::of(proven)], Proof::Mail),
                    None => return Found::default(),
                }
            }
        }
    };
    let now = app.now();
    let of_address = |found: Candidate| {
        let all = Certificate::parse(&found.certificate.0).ok()?;
        Some((all.filter_to_address(&address, &app.policy, now).ok()?, found))
    };
    let mut found: Vec<_> = found.into_iter().filter_map(of_address).collect();
    // Of this address: a version 4 key of another one is no reason to hide anything.
    if versions == Versions::V4 || found.iter().any(|(_, found)| found.is_v4 && found.is_in_use) {
        found.retain(|(_, found)| found.is_v4);
    }
    Found { certificates: found.into_iter().map(|(certificate, _)| certificate).collect(), proof }
}

/// By fingerprint of the primary key, or of a subkey that is used here. A key in custody is never mistaken for one
/// that somebody published, nor either for what was proven by mail.
pub fn by_fingerprint(app: &App, fingerprint: &KeyFingerprint) -> Found {
    let found: Vec<_> = {
        let registry = app.ledger.registry();
        let key = registry.key(fingerprint).or_else(|| registry.key_of_subkey(fingerprint));
        let entries: Vec<Entry<'_>> = match (key, registry.certificate(fingerprint)) {
            (Some(key), _) => in_custody(&registry, key).into_iter().collect(),
            (None, Some(published)) => elsewhere(&registry, published).into_iter().collect(),
            (None, None) => {
                let claiming = registry.certificates_of_subkey(fingerprint);
                claiming.filter_map(|published| elsewhere(&registry, published)).collect()
            }
        };
        if entries.is_empty() {
            return by_mail(proven(&registry, registry.mail_proven_of_key(fingerprint)));
        }
        shown_to_who_knows(&registry, entries).collect()
    };
    Found { certificates: found.into_iter().filter_map(own_part).collect(), proof: Proof::Device }
}

/// By key ID, version 4 only.
pub fn by_key_id(app: &App, key_id: [u8; 8]) -> Found {
    let (found, others): (Vec<_>, _) = {
        let registry = app.ledger.registry();
        let keys = registry.keys_of_key_id(key_id).filter_map(|key| in_custody(&registry, key));
        let published = registry.certificates_of_key_id(key_id);
        let published = published.filter_map(|published| elsewhere(&registry, published));
        let others = proven(&registry, registry.mail_proven_of_key_id(key_id));
        (shown_to_who_knows(&registry, keys.chain(published)).collect(), others)
    };
    let mut found: Vec<_> = found.into_iter().filter_map(own_part).collect();
    let others = by_mail(others);
    found.extend(others.certificates);
    Found { certificates: found, proof: others.proof }
}

/// What may be shown of this, as it is.
fn proven<'a>(registry: &Registry, all: impl Iterator<Item = &'a MailProven>) -> Vec<Bytes> {
    let shown = all.filter(|proven| own_address(registry, proven).is_some());
    shown.map(|proven| proven.certificate.clone()).collect()
}

/// One certificate for each key, whatever number of its addresses was proven.
fn by_mail(proven: Vec<Bytes>) -> Found {
    let parsed = proven.iter().filter_map(|bytes| Certificate::parse(&bytes.0).ok());
    let certificates = Certificate::merge_all(parsed.collect());
    let proof = if certificates.is_empty() { Proof::Device } else { Proof::Mail };
    Found { certificates, proof }
}

/// Its address, while that is in a domain here and nobody's.
fn own_address(registry: &Registry, proven: &MailProven) -> Option<Address> {
    let address = Address::parse(&proven.address).ok()?;
    let is_shown = registry.owner_of_mailbox(&address).is_none()
        && registry.tenant(proven.tenant).is_some_and(|tenant| tenant.has_address(&proven.address))
        && registry.stops(proven.tenant).is_none();
    is_shown.then_some(address)
}

/// Is it some tenant's domain?
pub fn has_domain(app: &App, domain: &str) -> bool {
    app.ledger.registry().tenants().any(|tenant| tenant.domains.iter().any(|own| own == domain))
}

/// Addresses that the directory shows somebody's certificates for: in the tenant's domains, whatever else is on record, and nobody's
/// before them but for upper and lower case.
pub fn own_addresses(registry: &Registry, principal: &Principal) -> Vec<Address> {
    let tenant = registry.tenant(principal.tenant);
    let own = principal.addresses.iter().filter(|address| tenant.is_some_and(|it| it.has_address(address)));
    let own = own.filter_map(|address| Address::parse(address).ok());
    own.filter(|own| registry.owner_of_address(own).is_some_and(|owner| owner.id == principal.id)).collect()
}

fn shown(registry: &Registry, principal: &Principal) -> bool {
    // A restored older state may have forgotten a revocation.
    principal.state == PrincipalState::Active
        && registry.tenant(principal.tenant).is_some()
        && registry.stops(principal.tenant).is_none()
}

fn in_custody<'a>(registry: &'a Registry, key: &'a Key) -> Option<Entry<'a>> {
    Some(Entry {
        certificate: &key.certificate,
        owner: registry.principal(key.owner)?,
        is_v4: is_v4(&key.id),
        rank: (key.state != KeyState::Active, false, Reverse(key.since)),
    })
}

fn elsewhere<'a>(registry: &'a Registry, published: &'a registry::Certificate) -> Option<Entry<'a>> {
    Some(Entry {
        certificate: &published.certificate,
        owner: registry.principal(published.owner)?,
        is_v4: is_v4(&published.id),
        rank: (published.revoked, true, Reverse(published.since)),
    })
}

fn is_v4(key: &KeyFingerprint) -> bool {
    key.as_fingerprint().as_bytes().len() == 20
}

/// One of an address's certificates, with other addresses still in it.
struct Candidate {
    certificate: Bytes,
    is_v4: bool,
    is_in_use: bool,
}

impl Candidate {
    fn of(proven: &MailProven) -> Self {
        Self {
            certificate: proven.certificate.clone(),
            is_v4: is_v4(&proven.key),
            is_in_use: !proven.revoked,
        }
    }
}

/// What comes first is first.
fn of_owner(registry: &Registry, principal: &Principal) -> Vec<Candidate> {
    let keys = registry.keys_of(principal.id).filter_map(|key| in_custody(registry, key));
    let published = registry.certificates_of(principal.id).filter_map(|it| elsewhere(registry, it));
    let mut entries: Vec<Entry<'_>> = keys.chain(published).collect();
    entries.sort_by_key(|entry| entry.rank);
    let candidate = |entry: Entry<'_>| Candidate {
        certificate: entry.certificate.clone(),
        is_v4: entry.is_v4,
        is_in_use: !entry.rank.0,
    };
    entries.into_iter().map(candidate).collect()
}

/// With the addresses that may go with it.
fn shown_to_who_knows<'a>(
    registry: &'a Registry,
    entries: impl IntoIterator<Item = Entry<'a>>,
) -> impl Iterator<Item = (Bytes, Vec<Address>)> {
    let entries = entries.into_iter().filter(|entry| shown(registry, entry.owner));
    entries.map(|entry| (entry.certificate.clone(), own_addresses(registry, entry.owner)))
}

fn own_part((certificate, addresses): (Bytes, Vec<Address>)) -> Option<Certificate> {
    Certificate::parse(&certificate.0).ok()?.filter_to_addresses(&addresses).ok()
}
