// SPDX-License-Identifier: LGPL-2.0-or-later
//! The fold: every record, and what leads to it.

use std::{collections::BTreeSet, sync::Arc};

use imbl::{OrdMap, OrdSet};
use plombe_core::{
    keystore::{
        ApprovalId, CodeId, DeviceId, DeviceThumbprint, GrantId, KeyFingerprint, PasskeyId, PrincipalId,
        SessionId, TenantId,
    },
    recipients::{Address, wkd},
};

use super::{
    Key, Record, RecordId, RecordKey,
    index::{Many, Short, short, short_of},
};

/// Every authority record. Clones share everything that was not changed since, so the writer's state and the one that everybody reads
/// lie in memory once.
#[derive(Clone, Default)]
pub struct Registry {
    pub(super) records: OrdMap<RecordKey, Arc<Record>>,
    pub(super) tenants: OrdSet<TenantId>,
    pub(super) principals: Many<TenantId, PrincipalId>,
    pub(super) by_address: OrdMap<Short, PrincipalId>,
    pub(super) by_wkd: Many<Short, PrincipalId>,
    pub(super) by_key_id: Many<[u8; 8], KeyFingerprint>,
    pub(super) by_subject: OrdMap<Short, PrincipalId>,
    pub(super) codes: OrdMap<[u8; 32], CodeId>,
    pub(super) by_thumbprint: OrdMap<DeviceThumbprint, DeviceId>,
    pub(super) devices_of: Many<PrincipalId, DeviceId>,
    pub(super) by_session_hash: OrdMap<[u8; 32], SessionId>,
    pub(super) sessions_of: Many<DeviceId, SessionId>,
    pub(super) keys_of: Many<PrincipalId, KeyFingerprint>,
    pub(super) by_subkey: OrdMap<Short, KeyFingerprint>,
    pub(super) grants_on: Many<KeyFingerprint, GrantId>,
    pub(super) grants_to: Many<PrincipalId, GrantId>,
    pub(super) backups_of: Many<PrincipalId, KeyFingerprint>,
    pub(super) certificates_of: Many<PrincipalId, KeyFingerprint>,
    pub(super) certificates_by_subkey: Many<KeyFingerprint, KeyFingerprint>,
    pub(super) certificates_by_key_id: Many<[u8; 8], KeyFingerprint>,
    pub(super) approvals: Many<TenantId, ApprovalId>,
    pub(super) passkeys_of: Many<PrincipalId, PasskeyId>,
    pub(super) losses: OrdSet<RecordId>,
    pub(super) challenges: OrdSet<[u8; 32]>,
    pub(super) mail_proven_by_key: Many<KeyFingerprint, RecordId>,
    pub(super) mail_proven_by_key_id: Many<[u8; 8], RecordId>,
}

impl Registry {
    /// Puts a record in, in place of an older one of the same name.
    pub fn put(&mut self, record: Arc<Record>) {
        let key = record.key();
        self.remove(&key);
        match &*record {
            Record::Tenant(tenant) => {
                self.tenants.insert(tenant.id);
            }
            Record::Principal(principal) => {
                self.principals.insert(principal.tenant, principal.id);
                for address in &principal.addresses {
                    self.by_address.insert(short(&[address]), principal.id);
                    if let Some(name) = wkd_name(address) {
                        self.by_wkd.insert(name, principal.id);
                    }
                }
                if let Some((issuer, subject)) = &principal.subject {
                    self.by_subject.insert(short(&[issuer, subject]), principal.id);
                }
            }
            Record::Code(code) => {
                self.codes.insert(code.hash, code.id);
            }
            Record::Device(device) => {
                self.by_thumbprint.insert(device.thumbprint, device.id);
                self.devices_of.insert(device.principal, device.id);
            }
            Record::Session(session) => {
                for hash in session.hashes() {
                    self.by_session_hash.insert(hash, session.id);
                }
                self.sessions_of.insert(session.device, session.id);
            }
            Record::Key(key) => {
                self.keys_of.insert(key.owner, key.id.clone());
                for subkey in key.unwrapping.iter().chain(&key.signing) {
                    self.by_subkey.insert(short_of(subkey), key.id.clone());
                }
                for key_id in key_ids(own_keys(key)) {
                    self.by_key_id.insert(key_id, key.id.clone());
                }
            }
            Record::Grant(grant) => {
                self.grants_on.insert(grant.key.clone(), grant.id);
                self.grants_to.insert(grant.to, grant.id);
            }
            Record::Backup(backup) => self.backups_of.insert(backup.owner, backup.key.clone()),
            Record::Approval(approval) => self.approvals.insert(approval.tenant, approval.id),
            Record::Passkey(passkey) => self.passkeys_of.insert(passkey.principal, passkey.id),
            // Found by their identities alone.
            Record::RawUse(_) | Record::Rules(_) => {}
            Record::Certificate(certificate) => {
                let id = &certificate.id;
                self.certificates_of.insert(certificate.owner, id.clone());
                for subkey in &certificate.subkeys {
                    self.certificates_by_subkey.insert(subkey.clone(), id.clone());
                }
                for key_id in key_ids(std::iter::once(id).chain(&certificate.subkeys)) {
                    self.certificates_by_key_id.insert(key_id, id.clone());
                }
            }
            Record::Loss(loss) => {
                self.losses.insert(loss.id());
            }
            Record::Challenge(challenge) => {
                self.challenges.insert(challenge.hash);
            }
            Record::MailProven(proven) => {
                for its in proven.keys() {
                    self.mail_proven_by_key.insert(its.clone(), key.id);
                }
                for key_id in key_ids(proven.keys()) {
                    self.mail_proven_by_key_id.insert(key_id, key.id);
                }
            }
        }
        self.records.insert(key, record);
    }

    /// Takes a record out.
    pub fn remove(&mut self, key: &RecordKey) {
        let Some(old) = self.records.remove(key) else { return };
        match &*old {
            Record::Tenant(tenant) => {
                self.tenants.remove(&tenant.id);
            }
            Record::Principal(principal) => {
                self.principals.remove(principal.tenant, principal.id);
                for address in &principal.addresses {
                    self.by_address.remove(&short(&[address]));
                    if let Some(name) = wkd_name(address) {
                        self.by_wkd.remove(name, principal.id);
                    }
                }
                if let Some((issuer, subject)) = &principal.subject {
                    self.by_subject.remove(&short(&[issuer, subject]));
                }
            }
            Record::Code(code) => {
                self.codes.remove(&code.hash);
            }
            Record::Device(device) => {
                self.by_thumbprint.remove(&device.thumbprint);
                self.devices_of.remove(device.principal, device.id);
            }
            Record::Session(session) => {
                for hash in session.hashes() {
                    self.by_session_hash.remove(&hash);
                }
                self.sessions_of.remove(session.device, session.id);
            }
            Record::Key(key) => {
                self.keys_of.remove(key.owner, key.id.clone());
                for subkey in key.unwrapping.iter().chain(&key.signing) {
                    self.by_subkey.remove(&short_of(subkey));
                }
                for key_id in key_ids(own_keys(key)) {
                    self.by_key_id.remove(key_id, key.id.clone());
                }
            }
            Record::Grant(grant) => {
                self.grants_on.remove(grant.key.clone(), grant.id);
                self.grants_to.remove(grant.to, grant.id);
            }
            Record::Backup(backup) => self.backups_of.remove(backup.owner, backup.key.clone()),
            Record::Approval(approval) => self.approvals.remove(approval.tenant, approval.id),
            Record::Passkey(passkey) => self.passkeys_of.remove(passkey.principal, passkey.id),
            Record::RawUse(_) | Record::Rules(_) => {}
            Record::Certificate(certificate) => {
                let id = &certificate.id;
                self.certificates_of.remove(certificate.owner, id.clone());
                for subkey in &certificate.subkeys {
                    self.certificates_by_subkey.remove(subkey.clone(), id.clone());
                }
                for key_id in key_ids(std::iter::once(id).chain(&certificate.subkeys)) {
                    self.certificates_by_key_id.remove(key_id, id.clone());
                }
            }
            Record::Loss(loss) => {
                self.losses.remove(&loss.id());
            }
            Record::Challenge(challenge) => {
                self.challenges.remove(&challenge.hash);
            }
            Record::MailProven(proven) => {
                for its in proven.keys() {
                    self.mail_proven_by_key.remove(its.clone(), key.id);
                }
                for key_id in key_ids(proven.keys()) {
                    self.mail_proven_by_key_id.remove(key_id, key.id);
                }
            }
        }
    }

    /// One of them.
    pub fn record(&self, key: &RecordKey) -> Option<&Record> {
        self.shared(key).map(Arc::as_ref)
    }

    /// The same, to be held elsewhere as well.
    pub(crate) fn shared(&self, key: &RecordKey) -> Option<&Arc<Record>> {
        self.records.get(key)
    }

    /// All of them.
    pub fn records(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.records.values()
    }
}

/// Domain and file name in a Web Key Directory.
fn wkd_name(address: &str) -> Option<Short> {
    let address = Address::parse(address).ok()?;
    Some(short(&[address.domain(), &wkd::hash(&address)]))
}

fn own_keys(key: &Key) -> impl Iterator<Item = &KeyFingerprint> {
    std::iter::once(&key.id).chain(&key.unwrapping).chain(&key.signing)
}

/// Key IDs of the v4 keys: the end of their fingerprints. (Nothing asks for v6 keys by key ID.)
fn key_ids<'a>(keys: impl Iterator<Item = &'a KeyFingerprint>) -> BTreeSet<[u8; 8]> {
    let v4 = keys.map(|key| key.as_fingerprint().as_bytes()).filter(|bytes| bytes.len() == 20);
    v4.filter_map(|bytes| bytes.last_chunk().copied()).collect()
}
