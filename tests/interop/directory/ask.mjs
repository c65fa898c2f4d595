// SPDX-License-Identifier: LGPL-2.0-or-later
// node ask.mjs wkd|hkp SERVER ADDRESS: writes the one certificate that is found, armored.
import HKP from "@openpgp/hkp-client";
import WKD from "@openpgp/wkd-client";
import * as openpgp from "openpgp";

const [protocol, server, address] = process.argv.slice(2);
const keys = protocol === "wkd"
  ? await openpgp.readKeys({ binaryKeys: await new WKD().lookup({ email: address }) })
  : await openpgp.readKeys({ armoredKeys: await new HKP(server).lookup({ query: address }) });
if (keys.length !== 1) {
  throw new Error(`${keys.length} certificates`);
}
process.stdout.write(keys[0].armor());
