// SPDX-License-Identifier: LGPL-2.0-or-later
//! What a store promises, by itself and on each database.

mod contract;
mod databases;
mod duplicates;
mod files;
mod isolation;
mod limits;
mod lock;
mod migrations;
mod rows;
mod sealed;
