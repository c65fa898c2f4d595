// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which certificate belongs to which address: `pins.toml`.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::PathBuf,
};

use anyhow::Context as _;
use plombe_core::recipients::Pins;

use super::unwritable;
use crate::{
    config::Paths,
    exit::{Exit, Failure},
    output::replace_file,
};

/// A handle to the file. It is read anew each time: another run may have changed it.
pub(crate) struct PinStore {
    path: PathBuf,
}

impl PinStore {
    pub(crate) fn new(paths: &Paths) -> Self {
        Self { path: paths.pins.clone() }
    }

    /// What is pinned now.
    ///
    /// A file that cannot be read is a failure, not an empty list: forgetting the pins would let a changed key pass.
    pub(crate) fn read(&self) -> anyhow::Result<Pins> {
        let text = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Pins::default()),
            other => other.with_context(|| format!("cannot read {}", self.path.display()))?,
        };
        toml::from_str(&text).map_err(|error| {
            let message = format!("{} is damaged: {}", self.path.display(), error.message());
            Failure::new(Exit::Failed, message).hint("mend it, or move it away to start without pins").into()
        })
    }

    /// Changes the pins. Runs at the same time wait for each other, so that no pin is lost.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Pins)) -> anyhow::Result<()> {
        let _lock = self.lock().map_err(|error| unwritable(&self.path, &error))?;
        let before = self.read()?;
        let mut pins = before.clone();
        change(&mut pins);
        if pins == before {
            return Ok(());
        }
        let text = toml::to_string(&pins).context("cannot write the pins as TOML")?;
        Ok(replace_file(&self.path, text.as_bytes()).map_err(|error| unwritable(&self.path, &error))?)
    }

    /// Held until it is dropped. A file of its own, since the pins are replaced as a whole.
    fn lock(&self) -> io::Result<File> {
        if let Some(folder) = self.path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.path.with_extension("toml.lock"))?;
        lock.lock()?;
        Ok(lock)
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::SystemTime};

    use plombe_core::recipients::{Address, Source};

    use super::*;

    fn store(folder: &Path) -> PinStore {
        PinStore { path: folder.join("deep/pins.toml") }
    }

    #[test]
    fn pins_survive_writing_and_reading() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        assert_eq!(store.read().unwrap(), Pins::default());
        let address = Address::parse("bob@example.org").unwrap();
        let fingerprint = "B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0".parse().unwrap();
        store.update(|pins| pins.trust(&address, &fingerprint, Source::Store, SystemTime::now())).unwrap();
        assert_eq!(store.read().unwrap().of(&address).unwrap().fingerprint, fingerprint);
    }

    #[test]
    fn a_damaged_file_is_not_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        fs::create_dir(folder.path().join("deep")).unwrap();
        fs::write(&store.path, "[[pin]]\naddress = \"nobody\"\n").unwrap();
        assert!(store.read().is_err());
        assert!(store.update(|_| ()).is_err());
    }

    #[test]
    fn runs_at_the_same_time_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let addresses: Vec<Address> = (0..8).map(|n| format!("a{n}@example.org").parse().unwrap()).collect();
        std::thread::scope(|scope| {
            for address in &addresses {
                scope.spawn(|| {
                    let fingerprint = "B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0".parse().unwrap();
                    let now = SystemTime::now();
                    store(folder.path())
                        .update(|pins| pins.trust(address, &fingerprint, Source::Store, now))
                        .unwrap();
                });
            }
        });
        assert_eq!(store(folder.path()).read().unwrap().iter().count(), addresses.len());
    }
}
