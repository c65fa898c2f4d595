// SPDX-License-Identifier: LGPL-2.0-or-later
//! The ways to find a record.

use plombe_core::{
    keystore::{
        ApprovalId, CodeId, DeviceId, DeviceThumbprint, GrantId, KeyFingerprint, PasskeyId, PrincipalId,
        SessionId, TenantId,
    },
    recipients::{Address, wkd},
};

use super::{
    Approval, Backup, Certificate, Code, Device, Grant, Key, Kind, Loss, Passkey, Principal, RawUse, Record,
    RecordId, RecordKey, Registry, Rules, Session, Tenant,
    index::{short, short_of},
};

/// One record of a kind, by its identity.
macro_rules! find {
    ($(#[$doc:meta])* $name:ident, $variant:ident, $id:ty, |$it:ident| $bytes:expr) => {
        $(#[$doc])*
        pub fn $name(&self, $it: $id) -> Option<&$variant> {
            let key = RecordKey { kind: Kind::$variant, id: RecordId::of(&[$bytes]) };
            match self.record(&key) {
                Some(Record::$variant(found)) => Some(found),
                _ => None,
            }
        }
    };
}

impl Registry {
    find!(
        /// A tenant, by identity.
        tenant, Tenant, TenantId, |id| id.0.as_bytes()
    );
    find!(
        /// A principal, by identity.
        principal, Principal, PrincipalId, |id| id.0.as_bytes()
    );
    find!(
        /// An enrolment code, by identity.
        code, Code, CodeId, |id| id.0.as_bytes()
    );
    find!(
        /// A device, by identity.
        device, Device, DeviceId, |id| id.0.as_bytes()
    );
    find!(
        /// A session, by identity.
        session, Session, SessionId, |id| id.0.as_bytes()
    );
    find!(
        /// A key, by the fingerprint of its primary key.
        key, Key, &KeyFingerprint, |id| id.as_fingerprint().as_bytes()
    );
    find!(
        /// A grant, by identity.
        grant, Grant, GrantId, |id| id.0.as_bytes()
    );
    find!(
        /// The published certificate of a key that is elsewhere, by the fingerprint of its primary key.
        certificate, Certificate, &KeyFingerprint, |id| id.as_fingerprint().as_bytes()
    );
    find!(
        /// A tenant's own rules.
        rules, Rules, TenantId, |id| id.0.as_bytes()
    );
    find!(
        /// An approval, by identity.
        approval, Approval, ApprovalId, |id| id.0.as_bytes()
    );
    find!(
        /// A passkey, by identity.
        passkey, Passkey, PasskeyId, |id| id.0.as_bytes()
    );

    /// All tenants.
    pub fn tenants(&self) -> impl Iterator<Item = &Tenant> {
        self.tenants.iter().filter_map(|id| self.tenant(*id))
    }

    /// All approvals of a tenant.
    pub fn approvals(&self, tenant: TenantId) -> impl Iterator<Item = &Approval> {
        self.approvals.of(&tenant).filter_map(|id| self.approval(*id))
    }

    /// Whose domain it is.
    pub fn tenant_of_address(&self, address: &str) -> Option<&Tenant> {
        self.tenants().find(|tenant| tenant.has_address(address))
    }

    /// All principals of a tenant.
    pub fn principals(&self, tenant: TenantId) -> impl Iterator<Item = &Principal> {
        self.principals.of(&tenant).filter_map(|id| self.principal(*id))
    }

    /// Whose address it is, in whatever state they are.
    pub fn principal_of_address(&self, address: &str) -> Option<&Principal> {
        let found = self.by_address.get(&short(&[address])).and_then(|id| self.principal(*id));
        found.filter(|principal| principal.addresses.iter().any(|own| own == address))
    }

    /// Whose address has this file name in the Web Key Directory of `domain`: of two that differ in case only, the
    /// older principal's.
    pub fn principal_of_wkd(&self, domain: &str, hash: &str) -> Option<&Principal> {
        self.by_wkd.of(&short(&[domain, hash])).next().and_then(|id| self.principal(*id))
    }

    /// Whose address it is for the directory, upper and lower case apart.
    pub fn owner_of_address(&self, address: &Address) -> Option<&Principal> {
        self.principal_of_wkd(address.domain(), &wkd::hash(address))
    }

    /// Keys of which some v4 key has this key ID.
    pub fn keys_of_key_id(&self, key_id: [u8; 8]) -> impl Iterator<Item = &Key> {
        self.by_key_id.of(&key_id).filter_map(|id| self.key(id))
    }

    /// Whom an identity provider knows by this subject.
    pub fn principal_of_subject(&self, issuer: &str, subject: &str) -> Option<&Principal> {
        let found = self.by_subject.get(&short(&[issuer, subject])).and_then(|id| self.principal(*id));
        let is_theirs = |own: &(String, String)| own.0 == issuer && own.1 == subject;
        found.filter(|principal| principal.subject.as_ref().is_some_and(is_theirs))
    }

    /// By the hash of its secret. How long the look-up takes depends on SHA-256 of 128 random bits, which nobody can approach byte by
    /// byte, so it tells nothing of the codes that there are.
    pub fn code_of_hash(&self, hash: &[u8; 32]) -> Option<&Code> {
        self.codes.get(hash).and_then(|id| self.code(*id))
    }

    /// Every code that was not used.
    pub fn codes(&self) -> impl Iterator<Item = &Code> {
        self.codes.values().filter_map(|id| self.code(*id))
    }

    /// By its key.
    pub fn device_of_thumbprint(&self, thumbprint: &DeviceThumbprint) -> Option<&Device> {
        self.by_thumbprint.get(thumbprint).and_then(|id| self.device(*id))
    }

    /// All devices of a principal, oldest first.
    pub fn devices_of(&self, principal: PrincipalId) -> impl Iterator<Item = &Device> {
        self.devices_of.of(&principal).filter_map(|id| self.device(*id))
    }

    /// By the hash of its value.
    pub fn session_of_hash(&self, hash: &[u8; 32]) -> Option<&Session> {
        self.by_session_hash.get(hash).and_then(|id| self.session(*id))
    }

    /// All passkeys of a principal, oldest first.
    pub fn passkeys_of(&self, principal: PrincipalId) -> impl Iterator<Item = &Passkey> {
        self.passkeys_of.of(&principal).filter_map(|id| self.passkey(*id))
    }

    /// All sessions of a device.
    pub fn sessions_of(&self, device: DeviceId) -> impl Iterator<Item = &Session> {
        self.sessions_of.of(&device).filter_map(|id| self.session(*id))
    }

    /// Every session.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions_of.all().filter_map(|id| self.session(*id))
    }

    /// By the fingerprint of any key that is used for something.
    pub fn key_of_subkey(&self, subkey: &KeyFingerprint) -> Option<&Key> {
        let found = self.by_subkey.get(&short_of(subkey)).and_then(|id| self.key(id));
        found.filter(|key| key.unwrapping.contains(subkey) || key.signing.contains(subkey))
    }

    /// All keys that a principal owns.
    pub fn keys_of(&self, owner: PrincipalId) -> impl Iterator<Item = &Key> {
        self.keys_of.of(&owner).filter_map(|id| self.key(id))
    }

    /// Who else may use a key.
    pub fn grants_on(&self, key: &KeyFingerprint) -> impl Iterator<Item = &Grant> {
        self.grants_on.of(key).filter_map(|id| self.grant(*id))
    }

    /// Whose keys a principal may use.
    pub fn grants_to(&self, principal: PrincipalId) -> impl Iterator<Item = &Grant> {
        self.grants_to.of(&principal).filter_map(|id| self.grant(*id))
    }

    /// Somebody's backup of a key.
    pub fn backup(&self, owner: PrincipalId, key: &KeyFingerprint) -> Option<&Backup> {
        let key = RecordKey { kind: Kind::Backup, id: Backup::id(owner, key) };
        match self.record(&key) {
            Some(Record::Backup(found)) => Some(found),
            _ => None,
        }
    }

    /// What a principal has published of keys that are elsewhere.
    pub fn certificates_of(&self, owner: PrincipalId) -> impl Iterator<Item = &Certificate> {
        self.certificates_of.of(&owner).filter_map(|id| self.certificate(id))
    }

    /// Published certificates that have this subkey. There may be several: a subkey for encryption is easily claimed.
    pub fn certificates_of_subkey(&self, subkey: &KeyFingerprint) -> impl Iterator<Item = &Certificate> {
        self.certificates_by_subkey.of(subkey).filter_map(|id| self.certificate(id))
    }

    /// Published certificates of which some v4 key has this key ID.
    pub fn certificates_of_key_id(&self, key_id: [u8; 8]) -> impl Iterator<Item = &Certificate> {
        self.certificates_by_key_id.of(&key_id).filter_map(|id| self.certificate(id))
    }

    /// May a device use a key in the raw, and until when?
    pub fn raw_use(&self, key: &KeyFingerprint, device: DeviceId) -> Option<&RawUse> {
        let key = RecordKey { kind: Kind::RawUse, id: RawUse::id(key, device) };
        match self.record(&key) {
            Some(Record::RawUse(found)) => Some(found),
            _ => None,
        }
    }

    /// A loss, by size and root.
    pub fn loss(&self, id: RecordId) -> Option<&Loss> {
        let key = RecordKey { kind: Kind::Loss, id };
        match self.record(&key) {
            Some(Record::Loss(found)) => Some(found),
            _ => None,
        }
    }

    /// What this keystore has signed and does not have any more, smallest first.
    pub fn losses(&self) -> impl Iterator<Item = &Loss> {
        self.losses.iter().filter_map(|id| self.loss(*id))
    }

    /// What stops a tenant: a loss that neither itself nor one of which it is part was acknowledged by its administrators.
    pub fn stops(&self, tenant: TenantId) -> Option<&Loss> {
        // Whoever came after it was shown has lost nothing.
        let since = self.tenant(tenant).map_or(0, |tenant| tenant.created);
        let known = |loss: &Loss| {
            let mut acknowledged = self.losses().filter(|known| known.acknowledgement(tenant).is_some());
            acknowledged.any(|known| known.covers(&loss.checkpoint()))
        };
        self.losses().find(|loss| loss.shown >= since && !known(loss))
    }

    /// Are all tenants stopped?
    pub fn is_stopped(&self) -> bool {
        !self.losses.is_empty() && self.tenants().all(|tenant| self.stops(tenant.id).is_some())
    }

    /// All backups of a principal.
    pub fn backups_of(&self, owner: PrincipalId) -> impl Iterator<Item = &Backup> {
        self.backups_of.of(&owner).filter_map(move |key| self.backup(owner, key))
    }
}
