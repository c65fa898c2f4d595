// SPDX-License-Identifier: LGPL-2.0-or-later
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| plombe_fuzz::certificate(data));
