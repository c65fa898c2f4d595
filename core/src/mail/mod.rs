// SPDX-License-Identifier: LGPL-2.0-or-later
//! Seal, open, inspect one RFC 5322 message.
