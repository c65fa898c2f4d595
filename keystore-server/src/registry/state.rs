// SPDX-License-Identifier: LGPL-2.0-or-later
//! The fold: every record, and the ways to find one.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
    sync::Arc,
};

use plombe_core::{
    keystore::{
        ApprovalId, CodeId, DeviceId, DeviceThumbprint, GrantId, KeyFingerprint, PasskeyId, PrincipalId,
        SessionId, TenantId,
    },
    recipients::{Address, wkd},
};

use super::{
    Approval, Backup, Certificate, Code, Device, Grant, Key, Loss, Passkey, Principal, RawUse, Record,
    RecordKey, Rules, Session, Tenant,
};

/// Every authority record. Records are shared between clones.
#[derive(Clone, Default)]
pub struct Registry {
    records: HashMap<RecordKey, Arc<Record>>,
    tenants: BTreeSet<TenantId>,
    principals: HashMap<TenantId, BTreeSet<PrincipalId>>,
    by_address: HashMap<String, PrincipalId>,
    by_wkd: HashMap<(String, String), BTreeSet<PrincipalId>>,
    by_key_id: HashMap<[u8; 8], BTreeSet<KeyFingerprint>>,
    by_subject: HashMap<(String, String), PrincipalId>,
    codes: HashMap<[u8; 32], CodeId>,
    by_thumbprint: HashMap<DeviceThumbprint, DeviceId>,
    devices_of: HashMap<PrincipalId, BTreeSet<DeviceId>>,
    by_session_hash: HashMap<[u8; 32], SessionId>,
    sessions_of: HashMap<DeviceId, BTreeSet<SessionId>>,
    keys_of: HashMap<PrincipalId, BTreeSet<KeyFingerprint>>,
    by_subkey: HashMap<KeyFingerprint, KeyFingerprint>,
    grants_on: HashMap<KeyFingerprint, BTreeSet<GrantId>>,
    grants_to: HashMap<PrincipalId, BTreeSet<GrantId>>,
    backups_of: HashMap<PrincipalId, BTreeSet<KeyFingerprint>>,
    certificates_of: HashMap<PrincipalId, BTreeSet<KeyFingerprint>>,
    certificates_by_subkey: HashMap<KeyFingerprint, BTreeSet<KeyFingerprint>>,
    certificates_by_key_id: HashMap<[u8; 8], BTreeSet<KeyFingerprint>>,
    approvals: HashMap<TenantId, BTreeSet<ApprovalId>>,
    passkeys_of: HashMap<PrincipalId, BTreeSet<PasskeyId>>,
    losses: BTreeSet<Vec<u8>>,
}

impl Registry {
    /// Puts a record in, in place of an older one of the same name, which is given back.
    pub fn put(&mut self, record: Arc<Record>) -> Option<Arc<Record>> {
        let key = record.key();
        let old = self.remove(&key);
        match &*record {
            Record::Tenant(tenant) => {
                self.tenants.insert(tenant.id);
            }
            Record::Principal(principal) => {
                self.principals.entry(principal.tenant).or_default().insert(principal.id);
                for address in &principal.addresses {
                    self.by_address.insert(address.clone(), principal.id);
                    if let Some(name) = wkd_name(address) {
                        self.by_wkd.entry(name).or_default().insert(principal.id);
                    }
                }
                if let Some(subject) = &principal.subject {
                    self.by_subject.insert(subject.clone(), principal.id);
                }
            }
            Record::Code(code) => {
                self.codes.insert(code.hash, code.id);
            }
            Record::Device(device) => {
                self.by_thumbprint.insert(device.thumbprint, device.id);
                self.devices_of.entry(device.principal).or_default().insert(device.id);
            }
            Record::Session(session) => {
                for hash in session.hashes() {
                    self.by_session_hash.insert(hash, session.id);
                }
                self.sessions_of.entry(session.device).or_default().insert(session.id);
            }
            Record::Key(key) => {
                self.keys_of.entry(key.owner).or_default().insert(key.id.clone());
                for subkey in key.unwrapping.iter().chain(&key.signing) {
                    self.by_subkey.insert(subkey.clone(), key.id.clone());
                }
                for key_id in key_ids(own_keys(key)) {
                    self.by_key_id.entry(key_id).or_default().insert(key.id.clone());
                }
            }
            Record::Grant(grant) => {
                self.grants_on.entry(grant.key.clone()).or_default().insert(grant.id);
                self.grants_to.entry(grant.to).or_default().insert(grant.id);
            }
            Record::Backup(backup) => {
                self.backups_of.entry(backup.owner).or_default().insert(backup.key.clone());
            }
            Record::Approval(approval) => {
                self.approvals.entry(approval.tenant).or_default().insert(approval.id);
            }
            // Found by their identities alone.
            Record::RawUse(_) => {}
            Record::Certificate(certificate) => {
                let id = &certificate.id;
                self.certificates_of.entry(certificate.owner).or_default().insert(id.clone());
                for subkey in &certificate.subkeys {
                    self.certificates_by_subkey.entry(subkey.clone()).or_default().insert(id.clone());
                }
                for key_id in key_ids(std::iter::once(id).chain(&certificate.subkeys)) {
                    self.certificates_by_key_id.entry(key_id).or_default().insert(id.clone());
                }
            }
            Record::Passkey(passkey) => {
                self.passkeys_of.entry(passkey.principal).or_default().insert(passkey.id);
            }
            // Found by its name.
            Record::Rules(_) => {}
            Record::Loss(loss) => {
                self.losses.insert(loss.id());
            }
        }
        self.records.insert(key, record);
        old
    }

    /// Takes a record out.
    pub fn remove(&mut self, key: &RecordKey) -> Option<Arc<Record>> {
        let old = self.records.remove(key)?;
        match &*old {
            Record::Tenant(tenant) => {
                self.tenants.remove(&tenant.id);
            }
            Record::Principal(principal) => {
                forget(&mut self.principals, &principal.tenant, &principal.id);
                for address in &principal.addresses {
                    self.by_address.remove(address);
                    if let Some(name) = wkd_name(address) {
                        forget(&mut self.by_wkd, &name, &principal.id);
                    }
                }
                if let Some(subject) = &principal.subject {
                    self.by_subject.remove(subject);
                }
            }
            Record::Code(code) => {
                self.codes.remove(&code.hash);
            }
            Record::Device(device) => {
                self.by_thumbprint.remove(&device.thumbprint);
                forget(&mut self.devices_of, &device.principal, &device.id);
            }
            Record::Session(session) => {
                for hash in session.hashes() {
                    self.by_session_hash.remove(&hash);
                }
                forget(&mut self.sessions_of, &session.device, &session.id);
            }
            Record::Key(key) => {
                forget(&mut self.keys_of, &key.owner, &key.id);
                for subkey in key.unwrapping.iter().chain(&key.signing) {
                    self.by_subkey.remove(subkey);
                }
                for key_id in key_ids(own_keys(key)) {
                    forget(&mut self.by_key_id, &key_id, &key.id);
                }
            }
            Record::Grant(grant) => {
                forget(&mut self.grants_on, &grant.key, &grant.id);
                forget(&mut self.grants_to, &grant.to, &grant.id);
            }
            Record::Passkey(passkey) => forget(&mut self.passkeys_of, &passkey.principal, &passkey.id),
            Record::Approval(approval) => forget(&mut self.approvals, &approval.tenant, &approval.id),
            Record::Rules(_) => {}
            Record::Loss(loss) => {
                self.losses.remove(&loss.id());
            }
            Record::Backup(backup) => forget(&mut self.backups_of, &backup.owner, &backup.key),
            Record::RawUse(_) => {}
            Record::Certificate(certificate) => {
                let id = &certificate.id;
                forget(&mut self.certificates_of, &certificate.owner, id);
                for subkey in &certificate.subkeys {
                    forget(&mut self.certificates_by_subkey, subkey, id);
                }
                for key_id in key_ids(std::iter::once(id).chain(&certificate.subkeys)) {
                    forget(&mut self.certificates_by_key_id, &key_id, id);
                }
            }
        }
        Some(old)
    }

    /// One of them.
    pub fn record(&self, key: &RecordKey) -> Option<&Record> {
        self.records.get(key).map(Arc::as_ref)
    }

    /// All of them.
    pub fn records(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.records.values()
    }
}

/// Domain and file name in a Web Key Directory.
fn wkd_name(address: &str) -> Option<(String, String)> {
    let address = Address::parse(address).ok()?;
    Some((address.domain().to_owned(), wkd::hash(&address)))
}

fn own_keys(key: &Key) -> impl Iterator<Item = &KeyFingerprint> {
    std::iter::once(&key.id).chain(&key.unwrapping).chain(&key.signing)
}

/// Key IDs of the v4 keys: the end of their fingerprints. (Nothing asks for v6 keys by key ID.)
fn key_ids<'a>(keys: impl Iterator<Item = &'a KeyFingerprint>) -> BTreeSet<[u8; 8]> {
    let v4 = keys.map(|key| key.as_fingerprint().as_bytes()).filter(|bytes| bytes.len() == 20);
    v4.filter_map(|bytes| bytes.last_chunk().copied()).collect()
}

fn forget<K: Hash + Eq, V: Ord>(index: &mut HashMap<K, BTreeSet<V>>, of: &K, what: &V) {
    if let Some(set) = index.get_mut(of) {
        set.remove(what);
        if set.is_empty() {
            index.remove(of);
        }
    }
}

/// One record of a kind, by its identity.
macro_rules! find {
    ($(#[$doc:meta])* $name:ident, $variant:ident, $id:ty, |$it:ident| $bytes:expr) => {
        $(#[$doc])*
        pub fn $name(&self, $it: $id) -> Option<&$variant> {
            let key = RecordKey { kind: super::Kind::$variant, id: $bytes.to_vec() };
            match self.records.get(&key).map(|record| &**record) {
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
        self.approvals.get(&tenant).into_iter().flatten().filter_map(|id| self.approval(*id))
    }

    /// Whose domain it is.
    pub fn tenant_of_address(&self, address: &str) -> Option<&Tenant> {
        self.tenants().find(|tenant| tenant.has_address(address))
    }

    /// All principals of a tenant.
    pub fn principals(&self, tenant: TenantId) -> impl Iterator<Item = &Principal> {
        self.principals.get(&tenant).into_iter().flatten().filter_map(|id| self.principal(*id))
    }

    /// Whose address it is, in whatever state they are.
    pub fn principal_of_address(&self, address: &str) -> Option<&Principal> {
        self.by_address.get(address).and_then(|id| self.principal(*id))
    }

    /// Whose address has this file name in the Web Key Directory of `domain`: of two that differ in case only, the
    /// older principal's.
    pub fn principal_of_wkd(&self, domain: &str, hash: &str) -> Option<&Principal> {
        let found = self.by_wkd.get(&(domain.to_owned(), hash.to_owned()))?;
        found.first().and_then(|id| self.principal(*id))
    }

    /// Whose address it is for the directory, upper and lower case apart.
    pub fn owner_of_address(&self, address: &Address) -> Option<&Principal> {
        self.principal_of_wkd(address.domain(), &wkd::hash(address))
    }

    /// Keys of which some v4 key has this key ID.
    pub fn keys_of_key_id(&self, key_id: [u8; 8]) -> impl Iterator<Item = &Key> {
        self.by_key_id.get(&key_id).into_iter().flatten().filter_map(|id| self.key(id))
    }

    /// Whom an identity provider knows by this subject.
    pub fn principal_of_subject(&self, issuer: &str, subject: &str) -> Option<&Principal> {
        self.by_subject.get(&(issuer.to_owned(), subject.to_owned())).and_then(|id| self.principal(*id))
    }

    /// By the hash of its secret.
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
        self.devices_of.get(&principal).into_iter().flatten().filter_map(|id| self.device(*id))
    }

    /// By the hash of its value.
    pub fn session_of_hash(&self, hash: &[u8; 32]) -> Option<&Session> {
        self.by_session_hash.get(hash).and_then(|id| self.session(*id))
    }

    /// All passkeys of a principal, oldest first.
    pub fn passkeys_of(&self, principal: PrincipalId) -> impl Iterator<Item = &Passkey> {
        self.passkeys_of.get(&principal).into_iter().flatten().filter_map(|id| self.passkey(*id))
    }

    /// All sessions of a device.
    pub fn sessions_of(&self, device: DeviceId) -> impl Iterator<Item = &Session> {
        self.sessions_of.get(&device).into_iter().flatten().filter_map(|id| self.session(*id))
    }

    /// Every session.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions_of.values().flatten().filter_map(|id| self.session(*id))
    }

    /// By the fingerprint of any key that is used for something.
    pub fn key_of_subkey(&self, subkey: &KeyFingerprint) -> Option<&Key> {
        self.by_subkey.get(subkey).and_then(|id| self.key(id))
    }

    /// All keys that a principal owns.
    pub fn keys_of(&self, owner: PrincipalId) -> impl Iterator<Item = &Key> {
        self.keys_of.get(&owner).into_iter().flatten().filter_map(|id| self.key(id))
    }

    /// Who else may use a key.
    pub fn grants_on(&self, key: &KeyFingerprint) -> impl Iterator<Item = &Grant> {
        self.grants_on.get(key).into_iter().flatten().filter_map(|id| self.grant(*id))
    }

    /// Whose keys a principal may use.
    pub fn grants_to(&self, principal: PrincipalId) -> impl Iterator<Item = &Grant> {
        self.grants_to.get(&principal).into_iter().flatten().filter_map(|id| self.grant(*id))
    }

    /// Somebody's backup of a key.
    pub fn backup(&self, owner: PrincipalId, key: &KeyFingerprint) -> Option<&Backup> {
        let key = RecordKey { kind: super::Kind::Backup, id: Backup::id(owner, key) };
        match self.records.get(&key).map(|record| &**record) {
            Some(Record::Backup(found)) => Some(found),
            _ => None,
        }
    }

    /// What a principal has published of keys that are elsewhere.
    pub fn certificates_of(&self, owner: PrincipalId) -> impl Iterator<Item = &Certificate> {
        self.certificates_of.get(&owner).into_iter().flatten().filter_map(|id| self.certificate(id))
    }

    /// Published certificates that have this subkey. There may be several: a subkey for encryption is easily claimed.
    pub fn certificates_of_subkey(&self, subkey: &KeyFingerprint) -> impl Iterator<Item = &Certificate> {
        self.certificates_by_subkey.get(subkey).into_iter().flatten().filter_map(|id| self.certificate(id))
    }

    /// Published certificates of which some v4 key has this key ID.
    pub fn certificates_of_key_id(&self, key_id: [u8; 8]) -> impl Iterator<Item = &Certificate> {
        self.certificates_by_key_id.get(&key_id).into_iter().flatten().filter_map(|id| self.certificate(id))
    }

    /// May a device use a key in the raw, and until when?
    pub fn raw_use(&self, key: &KeyFingerprint, device: DeviceId) -> Option<&RawUse> {
        let key = RecordKey { kind: super::Kind::RawUse, id: RawUse::id(key, device) };
        match self.records.get(&key).map(|record| &**record) {
            Some(Record::RawUse(found)) => Some(found),
            _ => None,
        }
    }

    /// A loss, by size and root.
    pub fn loss(&self, id: &[u8]) -> Option<&Loss> {
        let key = RecordKey { kind: super::Kind::Loss, id: id.to_vec() };
        match self.records.get(&key).map(|record| &**record) {
            Some(Record::Loss(found)) => Some(found),
            _ => None,
        }
    }

    /// What this keystore has signed and does not have any more, smallest first.
    pub fn losses(&self) -> impl Iterator<Item = &Loss> {
        self.losses.iter().filter_map(|id| self.loss(id))
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
        self.backups_of.get(&owner).into_iter().flatten().filter_map(move |key| self.backup(owner, key))
    }
}
