// SPDX-License-Identifier: LGPL-2.0-or-later
//! What the test areas share: the cast (alice, bob, mallory), a scratch home, peers and their versions.
