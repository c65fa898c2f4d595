// SPDX-License-Identifier: LGPL-2.0-or-later
//! MIME as exact byte ranges: what was signed is exactly what was signed.
