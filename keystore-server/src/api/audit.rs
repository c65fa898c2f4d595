// SPDX-License-Identifier: LGPL-2.0-or-later
//! The log: to those concerned their entries, to auditors all, to everybody its growth.

use axum::{
    Json,
    extract::{FromRequestParts, Path, State},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use plombe_core::{
    keystore::{
        ProblemCode, TenantId,
        calls::audit::{Consistency, Entries, Entry, ListEntries, MAX_ENTRIES, ProveConsistency, Scope},
    },
    log::{Disclosure, Salt, SignedCheckpoint, entry},
};

use super::{Caller, Failure, Serve, edge::Client};
use crate::{
    access_policy::{Action, Refusal, refusal},
    app::App,
    hierarchy::BlobName,
    ledger::{Act, Effects, Scene},
    proofs_of_history,
    registry::INSTANCE,
    store::{EntryRow, StoreError},
};

impl Serve for ListEntries {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Entries, Failure> {
        let limit = self.limit.clamp(1, MAX_ENTRIES);
        let after = self.after.map_or(0, |after| after.saturating_add(1));
        let keychain = app.keychain();
        let (tenant, list, is_alone) = {
            let registry = app.ledger.registry();
            let who = caller.identified(app, &registry)?;
            let list = match &self.scope {
                Scope::Mine => Some(keychain.name("list", who.principal.id.0.as_bytes())),
                Scope::Key(key) => {
                    let own = registry.key(key).filter(|key| key.owner == who.principal.id);
                    if own.is_none() {
                        return Err(Refusal::from(refusal::KEY_NOT_YOURS).into());
                    }
                    Some(keychain.name("key-list", key.as_fingerprint().as_bytes()))
                }
                Scope::All => None,
            };
            (who.principal.tenant, list, registry.tenants().nth(1).is_none())
        };
        // Whether they may is decided there. Who reads everybody's entries is on record, and who would have liked to.
        if list.is_none() {
            app.ledger.ask(caller.ask(ReadAll)).await?;
        }
        let checkpoint =
            app.ledger.checkpoint().ok_or_else(|| Failure::new(ProblemCode::NotFound, "the log is empty"))?;
        let size = checkpoint.head().size;
        let is_own_list = list.is_some();
        let rows = match list {
            Some(list) => app.store.entries_of(&list, after, limit + 1).await,
            None => app.store.entries(after, limit + 1).await,
        };
        let mut rows = rows.map_err(unavailable)?;
        rows.retain(|row| row.seq < size);
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        // What is the keystore's own is everybody's who it is about, and an only organisation's.
        let reader = Reader { tenant, sees_instance: is_own_list || is_alone };
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            // What belongs to another tenant, or to the keystore as a whole, shows as a leaf: its place and its hash.
            entries.push(disclose(app, row, &reader, size).await?);
        }
        Ok(Entries { entries, checkpoint: checkpoint.note().to_owned(), more })
    }
}

impl Serve for ProveConsistency {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Consistency, Failure> {
        caller.even_pending(app, &app.ledger.registry())?;
        let size = app.ledger.checkpoint().map_or(0, |checkpoint| checkpoint.head().size);
        if self.old_size > self.new_size || self.new_size > size {
            return Err(Failure::new(ProblemCode::NotFound, "the log has no such size"));
        }
        let proof = proofs_of_history::consistency(&*app.store, self.old_size, self.new_size)
            .await
            .map_err(unavailable)?;
        Ok(Consistency { proof })
    }
}

struct ReadAll;

impl Act for ReadAll {
    type Answer = ();

    fn action(&self) -> Action {
        Action::ReadLog
    }

    fn effects(&mut self, _scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        Ok(Effects::none(()))
    }
}

/// One entry, by its position.
pub(super) async fn disclosed(
    app: &App,
    position: u64,
    reader: TenantId,
    size: u64,
) -> Result<Entry, Failure> {
    let mut rows = app.store.entries(position, 1).await.map_err(unavailable)?;
    let row = rows.pop().filter(|row| row.seq == position).ok_or_else(unreadable)?;
    disclose(app, row, &Reader { tenant: reader, sees_instance: true }, size).await
}

/// Who reads a page.
struct Reader {
    tenant: TenantId,
    /// Also what is the keystore's own?
    sees_instance: bool,
}

/// Is it about the keystore alone?
fn names_nobody(body: &[u8]) -> bool {
    let entry = serde_json::from_slice::<entry::Entry>(body);
    entry.is_ok_and(|entry| {
        ["heartbeat", "refused-anonymous", "renew-sealing", "history-lost"].contains(&entry.action.as_str())
    })
}

/// Opens an entry and proves that it is in the log.
async fn disclose(app: &App, row: EntryRow, reader: &Reader, size: u64) -> Result<Entry, Failure> {
    let keychain = app.keychain();
    let tenant = keychain.tenant_of(&row.tenant).ok_or_else(unreadable)?;
    let name = BlobName { kind: "entry", id: &row.seq.to_be_bytes(), version: 0 };
    let sealed = row.sealed.ok_or_else(unreadable)?;
    let content =
        keychain.open_stored(&*app.store, tenant, &name, &sealed).await.map_err(|_| unreadable())?;
    let (salt, body) = content.split_first_chunk::<32>().ok_or_else(unreadable)?;
    let disclosure = Disclosure::Whole { salt: Salt::new(*salt), body: body.to_vec() };
    let is_readers =
        tenant == reader.tenant || tenant == INSTANCE && (reader.sees_instance || names_nobody(body));
    let proof = proofs_of_history::inclusion(&*app.store, row.seq, size).await.map_err(unavailable)?;
    let shown =
        if is_readers { disclosure } else { Disclosure::Erased { commitment: disclosure.commitment() } };
    Ok(Entry { position: row.seq, disclosure: shown.to_bytes().into(), proof })
}

fn unreadable() -> Failure {
    tracing::error!("an entry of the log cannot be read");
    Failure::new(ProblemCode::Internal, "an entry of the log cannot be read").hint("tell your administrator")
}

fn unavailable(error: StoreError) -> Failure {
    tracing::error!(error = &error as &dyn std::error::Error, "cannot read the log");
    Failure::new(ProblemCode::Unavailable, "the keystore cannot read its database at the moment")
}

/// A question about the log that may be answered: not too many from there.
pub(super) struct Asked(());

impl FromRequestParts<App> for Asked {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let Ok(Client(from)) = Client::from_request_parts(parts, app).await;
        match app.limits.log_read(from) {
            true => Ok(Self(())),
            false => Err((StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "60")]).into_response()),
        }
    }
}

/// `GET /v1/log/checkpoint`: how far the log has grown, signed. For witnesses.
pub(super) async fn checkpoint(_: Asked, State(app): State<App>) -> Response {
    match app.ledger.checkpoint() {
        Some(checkpoint) => text(&checkpoint),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn text(checkpoint: &SignedCheckpoint) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], checkpoint.note().to_owned()).into_response()
}

/// `GET /v1/log/proof/{old}/{new}`: that the log of the one size extends that of the other.
pub(super) async fn consistency(
    _: Asked,
    State(app): State<App>,
    Path((old, new)): Path<(u64, u64)>,
) -> Response {
    let size = app.ledger.checkpoint().map_or(0, |checkpoint| checkpoint.head().size);
    if old > new || new > size {
        return StatusCode::NOT_FOUND.into_response();
    }
    match proofs_of_history::consistency(&*app.store, old, new).await {
        Ok(hashes) => Json(hashes).into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot read the log");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// `GET /v1/log/tile/{level}/{number}`: hashes of one tile as far as they go (C2SP tlog-tiles).
pub(super) async fn tile(
    _: Asked,
    State(app): State<App>,
    Path((level, rest)): Path<(u8, String)>,
) -> Response {
    let Some((number, width)) = tile_number(&rest) else { return StatusCode::NOT_FOUND.into_response() };
    match app.store.tile(level, number).await {
        Ok(Some(tile)) if tile.hashes.len() >= width * 32 => {
            let hashes = tile.hashes[..width * 32].to_vec();
            ([(header::CONTENT_TYPE, "application/octet-stream")], hashes).into_response()
        }
        Ok(_) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot read the log");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// `x001/x234/067` or `x001/x234/067.p/5`: which tile, and how many of its hashes.
fn tile_number(path: &str) -> Option<(u64, usize)> {
    let (path, width) = match path.split_once(".p/") {
        Some((path, width)) => (path, width.parse().ok().filter(|width| (1..256).contains(width))?),
        None => (path, 256),
    };
    let mut number: u64 = 0;
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        let digits = if parts.peek().is_some() { part.strip_prefix('x')? } else { part };
        if digits.len() != 3 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        number = number.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    }
    Some((number, width))
}

#[cfg(test)]
mod tests {
    use super::tile_number;

    #[test]
    fn tiles_are_numbered_as_c2sp_writes_them() {
        assert_eq!(tile_number("000"), Some((0, 256)));
        assert_eq!(tile_number("x001/x234/067"), Some((1_234_067, 256)));
        assert_eq!(tile_number("x001/234.p/7"), Some((1234, 7)));
        for wrong in [
            "",
            "0",
            "x001",
            "001/002",
            "x001/-01",
            "000.p/0",
            "000.p/256",
            "x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(tile_number(wrong), None, "{wrong}");
        }
    }
}
