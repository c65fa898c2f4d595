// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe-keystore init`: configuration, database, root key, log, and the first admin's code.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::PathBuf,
    sync::Arc,
};

use anyhow::Context as _;

use super::clock;
use crate::{
    config::Config,
    instance::{self, Organisation},
    root_key::FileRootKey,
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
    /// `postgres://USER@HOST/NAME` instead of a SQLite file in DIR
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

/// The configuration file.
fn text(args: &Init) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let origin = args.origin.as_deref().map(|origin| format!("origin = {}\n", quoted(origin)));
    format!(
        "# Every setting is explained in docs/keystore/configuration.md.\n\
         listen = {}\n{}database = {}\n\n[root_key]\nfile = \"root.key\"\n",
        quoted(&args.listen.to_string()),
        origin.unwrap_or_default(),
        quoted(args.database.as_deref().unwrap_or("sqlite:keystore.db")),
    )
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

    let text = text(&args);
    let config: Config = toml::from_str(&text).context("these settings do not fit together")?;
    let location = match config.database.as_deref().unwrap_or_default().parse()? {
        Location::Sqlite(name) => Location::Sqlite(folder.join(name)),
        postgres => postgres,
    };
    let times = config.times();
    let root_file = folder.join("root.key");
    let root = FileRootKey::create(&root_file)?;
    let store = store::open(&location, true).await.context("cannot make the database")?;
    let organisation = Organisation { name: domains[0].clone(), domains, admin, code_ttl: times.code };
    let origin = super::origin(&config)?;
    let code = instance::set_up(Arc::clone(&store), &root, origin.clone(), &organisation, clock()).await?;
    let keychain = instance::keychain(&*store, &root, origin).await?;
    let code_text = instance::code_text(&code, &keychain).context("a code has 16 bytes")?;

    // Last: with it, the keystore is complete.
    let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()?;
    println!("configuration: {}", file.display());
    println!(
        "root key: {} (keep a copy away from the database's backups: without it nothing can be read)",
        root_file.display()
    );
    println!("keystore: {}", keychain.identity().fingerprint());
    println!("administrator: {}", organisation.admin);
    println!("enrolment code: {}", &*code_text);
    println!("the code lets one device in, within {} hours", times.code.as_secs() / 3600);
    Ok(())
}
