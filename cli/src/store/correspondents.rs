// SPDX-License-Identifier: LGPL-2.0-or-later
//! What mails told about other people's certificates: `autocrypt/`, one file for each address.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use plombe_core::recipients::{Address, Correspondent, wkd};

use super::unwritable;
use crate::{config::Paths, output::replace_file};

/// A handle to the folder. Nothing is read before something is asked.
pub(crate) struct Correspondents {
    folder: PathBuf,
}

impl Correspondents {
    pub(crate) fn new(paths: &Paths) -> Self {
        Self { folder: paths.autocrypt.clone() }
    }

    /// What is known about `address`. A damaged file says nothing: what was in it came from mails and comes again.
    pub(crate) fn of(&self, address: &Address) -> anyhow::Result<Option<Correspondent>> {
        let path = self.path(address);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(None),
            other => other.with_context(|| format!("cannot read {}", path.display()))?,
        };
        // The name of a file proves nothing.
        let known = toml::from_str::<Correspondent>(&text).ok();
        Ok(known.filter(|known| known.address == *address))
    }

    /// Changes what is known about `address`, or begins to know something. Runs at the same time wait for each other.
    pub(crate) fn update<T>(
        &self,
        address: &Address,
        change: impl FnOnce(&mut Correspondent) -> T,
    ) -> anyhow::Result<T> {
        let path = self.path(address);
        let _lock = self.lock(&path).map_err(|error| unwritable(&path, &error))?;
        let before = self.of(address)?.unwrap_or_else(|| Correspondent::new(address.clone()));
        let mut after = before.clone();
        let result = change(&mut after);
        // Who brought nothing is not written down: this is no list of everybody who ever wrote.
        if after != before && !after.brought.is_empty() {
            let text = toml::to_string(&after).context("cannot write what mails told as TOML")?;
            replace_file(&path, text.as_bytes()).map_err(|error| unwritable(&path, &error))?;
        }
        Ok(result)
    }

    /// Held until it is dropped. A file of its own, since the others are replaced as a whole.
    fn lock(&self, path: &Path) -> io::Result<File> {
        let folder = path.parent().unwrap_or(&self.folder);
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let lock = File::options().create(true).truncate(false).write(true).open(self.folder.join("lock"))?;
        lock.lock()?;
        Ok(lock)
    }

    /// By domain and the name that a Web Key Directory gives to the local part: one name for all spellings, whatever
    /// strangers put into their addresses.
    fn path(&self, address: &Address) -> PathBuf {
        self.folder.join(address.domain()).join(format!("{}.toml", wkd::hash(address)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use plombe_core::{
        cert::{Profile, Tsk},
        crypto_policy::CryptoPolicy,
        recipients::Source,
    };

    use super::*;

    #[test]
    fn what_was_learned_is_read_back_and_a_damaged_file_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Correspondents { folder: folder.path().join("autocrypt") };
        let address = Address::parse("Bob@example.org").unwrap();
        let now = SystemTime::now();
        let made = now - Duration::from_secs(60);
        let tsk = Tsk::generate(Profile::Rfc4880, &["bob@example.org".to_owned()], None, made).unwrap().tsk;
        let keydata = tsk.certificate().to_bytes();
        let policy = CryptoPolicy::standard();
        store.update(&address, |known| known.saw(now)).unwrap();
        assert_eq!(store.of(&address).unwrap(), None, "somebody who brought nothing was written down");
        let learned = store.update(&address, |known| {
            known.saw(now);
            known.learn(&keydata, &Source::Autocrypt, true, now, &policy, now)
        });
        learned.unwrap().unwrap();
        // Seconds are enough.
        let other_spelling = Address::parse("bob@Example.org").unwrap();
        let known = store.of(&other_spelling).unwrap().expect("bob is known");
        assert_eq!(known.candidates()[0].certificate.fingerprint(), tsk.fingerprint());
        assert!(known.brought[0].prefer_encrypt && known.last_seen.is_some());

        fs::write(store.path(&address), "address = \"mallory@example.org\"\n").unwrap();
        assert_eq!(store.of(&address).unwrap(), None);
        fs::write(store.path(&address), [0xff, 0xfe]).unwrap();
        assert_eq!(store.of(&address).unwrap(), None);
    }
}
