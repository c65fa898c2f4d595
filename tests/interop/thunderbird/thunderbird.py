# SPDX-License-Identifier: LGPL-2.0-or-later
"""Thunderbird without a screen, driven by Marionette, with a profile of its own and no mail server to read from."""

import json
import os
import subprocess
import time
from pathlib import Path

from marionette_driver.marionette import Marionette

_IMPORTS = """
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { MailUtils } = ChromeUtils.importESModule("resource:///modules/MailUtils.sys.mjs");
const { RNP } = ChromeUtils.importESModule("chrome://openpgp/content/modules/RNP.sys.mjs");
const { PgpSqliteDb2 } = ChromeUtils.importESModule("chrome://openpgp/content/modules/sqliteDb.sys.mjs");
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function until(what, test) {
  for (let i = 0; i < 300; i++) {
    const found = await test();
    if (found) return found;
    await pause(100);
  }
  throw new Error(`waited in vain for ${what}`);
}
"""

_IMPORT_KEYS = """
await RNP.init?.();
const [tsk, fingerprint, correspondent] = args;
const imported = await RNP.importSecKeyBlockImpl(null, () => null, false, tsk);
if (imported.exitCode !== 0) throw new Error(`own key: ${JSON.stringify(imported)}`);
await PgpSqliteDb2.acceptAsPersonalKey(fingerprint);
const other = await RNP.importPubkeyBlockAutoAcceptImpl(null, correspondent, "verified");
if (other.exitCode !== 0) throw new Error(`correspondent's key: ${JSON.stringify(other)}`);
return true;
"""

_READ = """
const [folderName] = args;
const local = MailServices.accounts.localFoldersServer.rootFolder;
const folder = await until("the folder", () => local.subFolders.find((folder) => folder.name === folderName));
const header = await until("the message", () => {
  try { folder.updateFolder(null); return [...folder.messages][0]; } catch { return null; }
});
MailUtils.displayMessage(header);
const shown = await until("the message window", () => {
  const frames = [Services.wm.getMostRecentWindow("mail:3pane")];
  for (let i = 0; i < frames.length; i++) {
    for (const browser of frames[i]?.document.querySelectorAll("browser, iframe") ?? []) {
      if (browser.contentWindow) frames.push(browser.contentWindow);
    }
  }
  return frames.find((frame) => frame?.location.href.startsWith("about:message")
    && frame.document.getElementById("encryptedHdrIcon")?.src);
});
// The signature is judged after the message is shown; none at all is an answer too.
await until("the signature", () => shown.document.getElementById("signedHdrIcon")?.src).catch(() => null);
const icon = (id) => shown.document.getElementById(id)?.src.split("/").pop() ?? "";
const seen = {
  subject: shown.document.getElementById("expandedsubjectBox").lastElementChild.textContent.trim(),
  encrypted: icon("encryptedHdrIcon"),
  signed: icon("signedHdrIcon"),
};
// Only now: the last message's result is kept, and this way of reading does not look at the signature.
const { MsgHdrToMimeMessage } = ChromeUtils.importESModule("resource:///modules/gloda/MimeMessage.sys.mjs");
const message = await until("the body", async () => {
  const message = await new Promise((resolve) =>
    MsgHdrToMimeMessage(header, null, (_, message) => resolve(message), true, { examineEncryptedParts: true }));
  return message.coerceBodyToPlaintext(folder).trim() ? message : null;
});
return {
  ...seen,
  body: message.coerceBodyToPlaintext(folder),
  attachments: message.allUserAttachments.map((attachment) => ({ name: attachment.name, size: attachment.size })),
};
"""

_SEND = """
const [to, subject, body, attachment] = args;
const account = MailServices.accounts.accounts.find((account) => account.defaultIdentity);
const parameters = Cc["@mozilla.org/messengercompose/composeparams;1"].createInstance(Ci.nsIMsgComposeParams);
const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
Object.assign(fields, { to, subject, body });
const file = Cc["@mozilla.org/messengercompose/attachment;1"].createInstance(Ci.nsIMsgAttachment);
file.url = attachment;
fields.addAttachment(file);
Object.assign(parameters, {
  composeFields: fields,
  identity: account.defaultIdentity,
  format: Ci.nsIMsgCompFormat.PlainText,
  type: Ci.nsIMsgCompType.New,
});
MailServices.compose.OpenComposeWindowWithParams(null, parameters);
const compose = await until("the compose window", () => {
  const window = Services.wm.getMostRecentWindow("msgcompose");
  return window?.composeEditorReady ? window : null;
});
await pause(1500);
if (!compose.gSendEncrypted) compose.toggleEncryptMessage();
await pause(500);
const state = { encrypted: compose.gSendEncrypted, signed: compose.gSendSigned };
compose.goDoCommand("cmd_sendNow");
await until("the mail to leave", () => compose.closed);
return state;
"""


class Thunderbird:
    """A running one. `folders` are mbox files that it finds under Local Folders when it starts."""

    def __init__(self, scratch, owner, key_id, smtp_port, folders):
        self._profile = Path(scratch) / "profile"
        mail = self._profile / "Mail" / "Local Folders"
        mail.mkdir(parents=True)
        for name, mbox in folders.items():
            (mail / name).write_bytes(mbox)
        preferences = _preferences(owner, key_id, smtp_port)
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items()]
        (self._profile / "user.js").write_text("".join(lines))
        self._log = open(Path(scratch) / "thunderbird.log", "wb")
        command = ["thunderbird", "--headless", "--marionette", "--remote-allow-system-access", "--no-remote"]
        self._process = subprocess.Popen(
            [*command, "--profile", str(self._profile)],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=dict(os.environ, HOME=str(scratch)),
        )
        self._marionette = Marionette(host="127.0.0.1", port=self._port())
        self._marionette.start_session()
        self._marionette.set_context("chrome")
        self._marionette.timeout.script = 90
        self.version = self._marionette.session_capabilities["browserVersion"]

    def _port(self):
        path = self._profile / "MarionetteActivePort"
        for _ in range(900):
            if path.exists() and path.read_text():
                return int(path.read_text())
            if self._process.poll() is not None:
                raise RuntimeError(f"thunderbird ended with {self._process.returncode}")
            time.sleep(0.1)
        raise RuntimeError("thunderbird does not start")

    def _run(self, script, *arguments):
        wrapped = (
            "const done = arguments[arguments.length - 1]; const args = arguments;"
            f"(async () => {{ {_IMPORTS} {script} }})()"
            ".then((value) => done({ value }), (error) => done({ error: `${error}\\n${error.stack}` }));"
        )
        answer = self._marionette.execute_async_script(wrapped, list(arguments), sandbox="system")
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]

    def import_keys(self, tsk, fingerprint, correspondent):
        """Takes our own key, and a correspondent's certificate as verified."""
        return self._run(_IMPORT_KEYS, tsk, fingerprint, correspondent)

    def read(self, folder):
        """Opens the first mail of a local folder and says what a person sees."""
        return self._run(_READ, folder)

    def send(self, to, subject, body, attachment):
        """Writes, encrypts, signs and sends a mail. `attachment` is a URL."""
        return self._run(_SEND, to, subject, body, attachment)

    def close(self):
        """Ends the program, whatever state it is in."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._log.close()


def _preferences(owner, key_id, smtp_port):
    server, identity, smtp = "mail.server.server1.", "mail.identity.id1.", "mail.smtpserver.smtp1."
    return {
        "mail.accountmanager.accounts": "account1,account2",
        "mail.accountmanager.defaultaccount": "account1",
        "mail.accountmanager.localfoldersserver": "server2",
        "mail.account.account1.identities": "id1",
        "mail.account.account1.server": "server1",
        "mail.account.account2.server": "server2",
        # Never contacted: an identity needs an account, and an account a server.
        server + "type": "pop3",
        server + "hostname": "127.0.0.1",
        server + "port": 9,
        server + "userName": owner,
        server + "name": owner,
        server + "login_at_startup": False,
        server + "check_new_mail": False,
        "mail.server.server2.type": "none",
        "mail.server.server2.hostname": "Local Folders",
        "mail.server.server2.userName": "nobody",
        "mail.server.server2.name": "Local Folders",
        # Said, or it takes a folder of another name because this one exists.
        "mail.server.server2.directory-rel": "[ProfD]Mail/Local Folders",
        identity + "useremail": owner,
        identity + "fullName": owner.partition("@")[0].capitalize(),
        identity + "smtpServer": "smtp1",
        identity + "valid": True,
        identity + "fcc": False,
        identity + "openpgp_key_id": key_id,
        "mail.smtpservers": "smtp1",
        "mail.smtp.defaultserver": "smtp1",
        smtp + "hostname": "127.0.0.1",
        smtp + "port": smtp_port,
        smtp + "authMethod": 1,
        smtp + "try_ssl": 0,
        "marionette.port": 0,
        "network.proxy.type": 0,
        "network.connectivity-service.enabled": False,
        "network.captive-portal-service.enabled": False,
        "mailnews.start_page.enabled": False,
        "mailnews.start_page_override.mstone": "ignore",
        "mail.provider.suppress_dialog_on_startup": True,
        "mail.spotlight.firstRunDone": True,
        "mail.shell.checkDefaultClient": False,
        "mail.startup.enabledMailCheckOnce": True,
        "mail.inappnotifications.enabled": False,
        "mail.rights.version": 1,
        "app.donation.eoy.version.viewed": 999,
        "app.update.enabled": False,
        "datareporting.policy.dataSubmissionEnabled": False,
        "toolkit.telemetry.enabled": False,
    }
