// SPDX-License-Identifier: LGPL-2.0-or-later
//! Whole mails, sealed, carried, attacked and opened.

mod autocrypt;
mod carried;
mod cast;
mod headers;
mod hostile;
mod layers;
mod replies;
mod round_trip;
mod spoofed;
