// SPDX-License-Identifier: LGPL-2.0-or-later
//! Certificates of others from the network: WKD, VKS, HKP.
