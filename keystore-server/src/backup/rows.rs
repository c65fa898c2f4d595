// SPDX-License-Identifier: LGPL-2.0-or-later
//! Rows as bytes.
//!
//! ```text
//! row   = number of its table, from 1 (1) ‖ value ‖ …        0 in place of a row is the end
//! value = 0 | 1 ‖ i64be | 2 ‖ u32be length ‖ bytes | 3 ‖ u32be length ‖ UTF-8
//! ```

use std::io::{self, Read};

use super::BackupError;
use crate::store::{Holds, Row, TABLES, Table, Value};

/// Larger values are none: a request has at most 1 MiB.
const LONGEST: u32 = 16 << 20;

/// What stands in place of a row when there are no more.
pub(super) const END: u8 = 0;

/// Writes a row of the table with this place in [`TABLES`].
pub(super) fn write(place: usize, row: &Row, out: &mut Vec<u8>) {
    out.push(u8::try_from(place + 1).expect("there are few tables"));
    for value in row {
        let (kind, bytes) = match value {
            Value::Null => {
                out.push(0);
                continue;
            }
            Value::Number(number) => {
                out.push(1);
                out.extend_from_slice(&number.to_be_bytes());
                continue;
            }
            Value::Bytes(bytes) => (2, &bytes[..]),
            Value::Text(text) => (3, text.as_bytes()),
        };
        out.push(kind);
        out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(bytes);
    }
}

/// Reads a row; `None` at the end.
pub(super) fn read(from: &mut impl Read) -> Result<Option<(&'static Table, Row)>, BackupError> {
    let place = match byte(from)? {
        END => return Ok(None),
        place => usize::from(place) - 1,
    };
    let table = TABLES.get(place).ok_or(BackupError::NotABackup)?;
    let row = table.columns.iter().map(|(_, holds)| value(from, *holds));
    Ok(Some((table, row.collect::<Result<_, _>>()?)))
}

fn value(from: &mut impl Read, holds: Holds) -> Result<Value, BackupError> {
    Ok(match (byte(from)?, holds) {
        (0, _) => Value::Null,
        (1, Holds::Number) => {
            let mut number = [0; 8];
            from.read_exact(&mut number)?;
            Value::Number(i64::from_be_bytes(number))
        }
        (2, Holds::Bytes) => Value::Bytes(bytes(from)?),
        (3, Holds::Text) => {
            Value::Text(String::from_utf8(bytes(from)?).map_err(|_| BackupError::NotABackup)?)
        }
        _ => return Err(BackupError::NotABackup),
    })
}

fn byte(from: &mut impl Read) -> io::Result<u8> {
    let mut byte = [0];
    from.read_exact(&mut byte)?;
    Ok(byte[0])
}

fn bytes(from: &mut impl Read) -> Result<Vec<u8>, BackupError> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > LONGEST {
        return Err(BackupError::NotABackup);
    }
    let mut bytes = vec![0; length as usize];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}
