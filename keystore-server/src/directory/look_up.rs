// SPDX-License-Identifier: LGPL-2.0-or-later
//! What the directory shows of which key.
//!
//! By address: the keys of the address's owner while they are active, with the user IDs of that address. By fingerprint
//! or key ID: with the user IDs of the owner's own addresses, of active owners only. Keys that are revoked are shown,
//! with their revocation. Nothing of owners who are suspended or gone is.

use plombe_core::{
    cert::Certificate,
    keystore::{Bytes, KeyFingerprint, calls::principals::PrincipalState},
    recipients::{Address, wkd},
};

use crate::{
    app::App,
    registry::{Key, KeyState, Principal, Registry},
};

/// Which OpenPGP versions may be in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versions {
    /// Only version 4: the protocol is spoken by programs that know nothing else.
    V4,
    /// Version 6 too, where there is no version 4 key in use.
    V6WithoutV4,
}

/// By mail address.
pub fn by_address(app: &App, address: &Address, versions: Versions) -> Vec<Certificate> {
    by_wkd_name(app, address.domain(), &wkd::hash(address), versions)
}

/// By domain and hash of the local part.
pub fn by_wkd_name(app: &App, domain: &str, hash: &str, versions: Versions) -> Vec<Certificate> {
    let (address, found) = {
        let registry = app.ledger.registry();
        let Some(principal) = registry.principal_of_wkd(domain, hash).filter(|who| shown(&registry, who))
        else {
            return Vec::new();
        };
        let Some(address) = own_addresses(&registry, principal)
            .into_iter()
            .find(|address| address.domain() == domain && wkd::hash(address) == hash)
        else {
            return Vec::new();
        };
        (address, of_owner(&registry, principal, versions))
    };
    let now = app.now();
    let parsed = found.iter().filter_map(|bytes| Certificate::parse(&bytes.0).ok());
    parsed.filter_map(|all| all.filter_to_address(&address, &app.policy, now).ok()).collect()
}

/// By fingerprint of the primary key, or of a subkey that is used here.
pub fn by_fingerprint(app: &App, fingerprint: &KeyFingerprint) -> Vec<Certificate> {
    let found = {
        let registry = app.ledger.registry();
        let key = registry.key(fingerprint).or_else(|| registry.key_of_subkey(fingerprint));
        key.and_then(|key| with_addresses(&registry, key))
    };
    found.into_iter().filter_map(own_part).collect()
}

/// By key ID, version 4 only.
pub fn by_key_id(app: &App, key_id: [u8; 8]) -> Vec<Certificate> {
    let found: Vec<_> = {
        let registry = app.ledger.registry();
        registry.keys_of_key_id(key_id).filter_map(|key| with_addresses(&registry, key)).collect()
    };
    found.into_iter().filter_map(own_part).collect()
}

/// Is it some tenant's domain?
pub fn has_domain(app: &App, domain: &str) -> bool {
    app.ledger.registry().tenants().any(|tenant| tenant.domains.iter().any(|own| own == domain))
}

fn shown(registry: &Registry, principal: &Principal) -> bool {
    principal.state == PrincipalState::Active && registry.tenant(principal.tenant).is_some()
}

/// In the tenant's domains, whatever else is on record.
fn own_addresses(registry: &Registry, principal: &Principal) -> Vec<Address> {
    let tenant = registry.tenant(principal.tenant);
    let own = principal.addresses.iter().filter(|address| tenant.is_some_and(|it| it.has_address(address)));
    own.filter_map(|address| Address::parse(address).ok()).collect()
}

/// Keys in use first, newest first.
fn of_owner(registry: &Registry, principal: &Principal, versions: Versions) -> Vec<Bytes> {
    let mut keys: Vec<&Key> = registry.keys_of(principal.id).collect();
    let in_use = |key: &Key| key.state == KeyState::Active;
    if versions == Versions::V4 || keys.iter().any(|key| is_v4(key) && in_use(key)) {
        keys.retain(|key| is_v4(key));
    }
    keys.sort_by_key(|key| (!in_use(key), std::cmp::Reverse(key.since)));
    keys.into_iter().map(|key| key.certificate.clone()).collect()
}

fn is_v4(key: &Key) -> bool {
    key.id.as_fingerprint().as_bytes().len() == 20
}

fn with_addresses(registry: &Registry, key: &Key) -> Option<(Bytes, Vec<Address>)> {
    let owner = registry.principal(key.owner).filter(|owner| shown(registry, owner))?;
    Some((key.certificate.clone(), own_addresses(registry, owner)))
}

fn own_part((certificate, addresses): (Bytes, Vec<Address>)) -> Option<Certificate> {
    Certificate::parse(&certificate.0).ok()?.filter_to_addresses(&addresses).ok()
}
