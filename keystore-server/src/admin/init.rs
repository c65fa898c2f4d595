// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe-keystore init`: configuration, database, root key, log, and the first admin's code.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;

use super::clock;
use crate::{
    config::Config,
    instance::{self, Organisation},
    root_key::{self, RootKey},
    store::{self, Location},
};

/// What `init` is told.
#[derive(clap::Args)]
pub struct Init {
    /// Folder for configuration, database and root key; made if it is not there
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Mail domain of the organisation; may be given several times
    #[arg(long, required = true)]
    domain: Vec<String>,
    /// Mail address of the first administrator; admin@DOMAIN when left out
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<String>,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7420")]
    listen: SocketAddr,
    /// How clients reach it, when not under that address: `https://keys.example.org`
    #[arg(long)]
    origin: Option<String>,
    /// `postgres://USER@HOST/NAME` instead of a SQLite file in DIR; one with a password goes into a file of its own, DIR/database.url
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    #[command(flatten)]
    root_key: RootKeyArgs,
}

/// Where the root key is to be.
#[derive(clap::Args)]
struct RootKeyArgs {
    /// Put the root key under a passphrase, which is asked for now and at each start
    #[arg(long, conflicts_with = "pkcs11_module")]
    passphrase: bool,
    /// File that holds the passphrase, so that the keystore starts by itself
    #[arg(long, value_name = "FILE", conflicts_with = "pkcs11_module")]
    passphrase_file: Option<PathBuf>,
    /// Have the root key made in a PKCS#11 token: its library
    #[arg(long, value_name = "FILE", requires_all = ["pkcs11_token", "pkcs11_pin_file"])]
    pkcs11_module: Option<PathBuf>,
    /// Label of the token
    #[arg(long, value_name = "LABEL", requires = "pkcs11_module")]
    pkcs11_token: Option<String>,
    /// Label of the key in the token
    #[arg(long, value_name = "LABEL", requires = "pkcs11_module", default_value_t = root_key::default_label())]
    pkcs11_key: String,
    /// File with mode 0600 that holds the token's PIN
    #[arg(long, value_name = "FILE", requires = "pkcs11_module")]
    pkcs11_pin_file: Option<PathBuf>,
}

impl RootKeyArgs {
    /// Its tables in the configuration file. Files that were named on the command line are written absolute: they are
    /// meant from where it was typed.
    fn text(&self) -> anyhow::Result<String> {
        let path = |file: &PathBuf| -> anyhow::Result<String> {
            let file = std::path::absolute(file)?;
            Ok(quoted(file.to_str().with_context(|| format!("{} is not UTF-8", file.display()))?))
        };
        match (&self.pkcs11_module, &self.pkcs11_token, &self.pkcs11_pin_file) {
            (Some(module), Some(token), Some(pin)) => Ok(format!(
                "[root_key.pkcs11]\nmodule = {}\ntoken = {}\nkey = {}\npin_file = {}\n",
                path(module)?,
                quoted(token),
                quoted(&self.pkcs11_key),
                path(pin)?
            )),
            _ => {
                let from = self.passphrase_file.as_ref().map(path).transpose()?;
                let from = from.map(|from| format!("passphrase_file = {from}\n"));
                Ok(format!("[root_key]\nfile = \"root.key\"\n{}", from.unwrap_or_default()))
            }
        }
    }
}

/// When nothing else is said.
const SQLITE: &str = "sqlite:keystore.db";

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Holds a connection string with a password.
const URL_FILE: &str = "database.url";

/// The configuration file.
fn text(args: &Init, location: &Location) -> anyhow::Result<String> {
    let database = match location.has_password() {
        true => format!("database_file = {}", quoted(URL_FILE)),
        false => format!("database = {}", quoted(args.database.as_deref().unwrap_or(SQLITE))),
    };
    let origin = args.origin.as_deref().map(|origin| format!("origin = {}\n", quoted(origin)));
    Ok(format!(
        "# Every setting is explained in docs/keystore/configuration.md.\n\
         listen = {}\n{}{database}\n\n{}",
        quoted(&args.listen.to_string()),
        origin.unwrap_or_default(),
        args.root_key.text()?,
    ))
}

/// Makes a keystore.
///
/// # Errors
/// When there is one already, or something cannot be written. What was made by then stays and is named.
pub async fn init(args: Init) -> anyhow::Result<()> {
    let domains: Vec<String> = args.domain.iter().map(|domain| domain.to_ascii_lowercase()).collect();
    let admin = args.admin.clone().unwrap_or_else(|| format!("admin@{}", domains[0]));
    let folder = &args.data;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let file = folder.join("config.toml");
    anyhow::ensure!(!file.exists(), "{} is here already", file.display());

    let location: Location = args.database.as_deref().unwrap_or(SQLITE).parse()?;
    let text = text(&args, &location)?;
    let mut config: Config = toml::from_str(&text).context("these settings do not fit together")?;
    let secret = location.has_password().then(|| args.database.clone()).flatten();
    let location = match location {
        Location::Sqlite(name) => Location::Sqlite(folder.join(name)),
        postgres => postgres,
    };
    let times = config.times();
    config.root_key.resolve(folder);
    let root: Arc<dyn RootKey> = Arc::from(root_key::create(&config.root_key, args.root_key.passphrase)?);
    let store = store::open(&location, true).await.context("cannot make the database")?;
    let organisation = Organisation { name: domains[0].clone(), domains, admin, code_ttl: times.code };
    let origin = super::origin(&config)?;
    let code =
        instance::set_up(Arc::clone(&store), Arc::clone(&root), origin.clone(), &organisation, clock())
            .await?;
    let keychain = instance::keychain(&*store, root, origin).await?;
    let code_text = instance::code_text(&code, &keychain).context("a code has 16 bytes")?;

    if let Some(url) = secret {
        write(&folder.join(URL_FILE), &url)?;
    }
    // Last: with it, the keystore is complete.
    write(&file, &text)?;
    println!("configuration: {}", file.display());
    match &config.root_key.file {
        Some(file) => println!(
            "root key: {} (keep a copy away from the database's backups: without it nothing can be read)",
            file.display()
        ),
        None => println!("root key: in the token (keep a second token: without it nothing can be read)"),
    }
    println!("keystore: {}", keychain.identity().fingerprint());
    println!("administrator: {}", organisation.admin);
    println!("enrolment code: {}", &*code_text);
    println!("the code lets one device in, within {} hours", times.code.as_secs() / 3600);
    Ok(())
}

/// A new file that its owner alone reads.
fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", file.display());
    let mut out =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).with_context(failed)?;
    out.write_all(text.as_bytes()).and_then(|()| out.sync_all()).with_context(failed)
}
