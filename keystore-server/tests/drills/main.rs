// SPDX-License-Identifier: LGPL-2.0-or-later
//! Servers that are killed, starved and cut off while people use them; what was acknowledged has to be there afterwards.

mod books;
mod http;
mod kills;
mod load;
mod outages;
mod people;
mod site;
mod syscalls;
mod three;
