-- SPDX-License-Identifier: LGPL-2.0-or-later
-- Names of rows are pseudonyms (HMAC), contents are sealed: see docs/keystore/storage.md.

CREATE TABLE head (
    only_one   SMALLINT PRIMARY KEY CHECK (only_one = 1),
    position   BIGINT NOT NULL,          -- entries in the log
    sealed     BYTEA NOT NULL,            -- frontier and digest of all records
    checkpoint TEXT NOT NULL             -- signed note over this position
);

CREATE TABLE records (
    kind     SMALLINT NOT NULL,
    name     BYTEA NOT NULL,
    version  BIGINT NOT NULL,
    changed  BIGINT NOT NULL,            -- position of the log after the batch that wrote it
    tenant   BYTEA NOT NULL,              -- whose key seals it
    sealed   BYTEA NOT NULL,
    PRIMARY KEY (kind, name)
);
CREATE INDEX records_changed ON records (changed);

CREATE TABLE blobs (
    name    BYTEA PRIMARY KEY,
    version BIGINT NOT NULL,
    tenant  BYTEA NOT NULL,
    sealed  BYTEA NOT NULL
);

CREATE TABLE entries (
    seq    BIGINT PRIMARY KEY,
    tenant BYTEA NOT NULL,
    sealed BYTEA                          -- salt and body; NULL once erased, the leaf stays in its tile
);

CREATE TABLE entries_of (
    who BYTEA NOT NULL,                   -- pseudonym of an actor or of a key's owner
    seq BIGINT NOT NULL,
    PRIMARY KEY (who, seq)
);

CREATE TABLE tiles (
    level  SMALLINT NOT NULL,
    number BIGINT NOT NULL,
    hashes BYTEA NOT NULL,
    PRIMARY KEY (level, number)
);

CREATE TABLE chains (
    key     BYTEA PRIMARY KEY,
    counter BIGINT NOT NULL,
    last    BIGINT NOT NULL
);

CREATE TABLE proofs (
    id      BYTEA PRIMARY KEY,
    expires BIGINT NOT NULL
);
CREATE INDEX proofs_expires ON proofs (expires);

CREATE TABLE requests (
    id      BYTEA PRIMARY KEY,
    digest  BYTEA NOT NULL,
    seq     BIGINT NOT NULL,
    tenant  BYTEA NOT NULL,
    answer  BYTEA NOT NULL,               -- sealed
    expires BIGINT NOT NULL
);
CREATE INDEX requests_expires ON requests (expires);

CREATE TABLE wrapped_keys (
    tenant     BYTEA NOT NULL,
    generation BIGINT NOT NULL,
    root       TEXT NOT NULL,            -- which root key wraps it
    wrapped    BYTEA NOT NULL,
    PRIMARY KEY (tenant, generation, root)
);

CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
