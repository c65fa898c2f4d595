// SPDX-License-Identifier: LGPL-2.0-or-later
//! The bulk cipher's seam: SEIPDv2 and SEIPDv1 bodies.
