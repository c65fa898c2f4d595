# SPDX-License-Identifier: LGPL-2.0-or-later
"""Alice has Plombe, Bob has Thunderbird: each opens what the other sent, subject and attachment included.

Usage: run.py PLOMBE
"""

import base64
import email
import email.policy
import email.utils
import json
import os
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from smtp_sink import SmtpSink
from thunderbird import Thunderbird

ALICE, BOB = "alice@example.test", "bob@example.test"
SUBJECT = "Grüße, and the real subject"
BODY = "Dear Bob,\r\n\r\nköstlich: the body that nobody else reads.\r\n"
ATTACHMENT = bytes(range(256)) * 64

MAIL = (
    f"From: Alice <{ALICE}>\r\n"
    f"To: Bob <{BOB}>\r\n"
    "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe=2C_and_the_real_subject?=\r\n"
    # Now: Thunderbird distrusts a signature that was made more than an hour from the Date.
    f"Date: {email.utils.format_datetime(datetime.now(UTC))}\r\n"
    "Message-ID: <plombe-1@example.test>\r\n"
    "MIME-Version: 1.0\r\n"
    'Content-Type: multipart/mixed; boundary="b"\r\n'
    "\r\n"
    "--b\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: 8bit\r\n"
    "\r\n"
    f"{BODY}\r\n"
    "--b\r\n"
    'Content-Type: application/octet-stream; name="figures.bin"\r\n'
    'Content-Disposition: attachment; filename="figures.bin"\r\n'
    "Content-Transfer-Encoding: base64\r\n"
    "\r\n"
)


def mail_from_alice():
    """What Alice writes."""
    attachment = base64.encodebytes(ATTACHMENT).replace(b"\n", b"\r\n")
    return MAIL.encode() + attachment + b"--b--\r\n"


class Home:
    """Somebody's Plombe."""

    def __init__(self, plombe, scratch, owner):
        self._plombe, self._owner = plombe, owner
        self._environment = {"PLOMBE_HOME": str(scratch / owner), "HOME": str(scratch), "PATH": os.environ["PATH"]}
        self.run("key", "generate", owner, "--no-passphrase")

    def run(self, *arguments, data=b""):
        """Runs `plombe`, which must succeed."""
        command = [self._plombe, *arguments]
        ran = subprocess.run(command, input=data, capture_output=True, env=self._environment, check=False)
        if ran.returncode != 0:
            raise AssertionError(f"plombe {' '.join(arguments)} ended with {ran.returncode}: {ran.stderr.decode()}")
        return ran

    def certificate(self):
        """Armored."""
        return self.run("key", "export", self._owner).stdout.decode()

    def tsk(self):
        """Armored."""
        return self.run("key", "export", "--secret", self._owner).stdout.decode()

    def fingerprint(self):
        """Of the primary key, in upper case."""
        shown = subprocess.run(
            ["gpg", "--with-colons", "--show-keys"], input=self.certificate().encode(), capture_output=True, check=True
        )
        return re.search(r"^fpr:+([0-9A-F]{40}):", shown.stdout.decode(), re.M).group(1)

    def import_certificate(self, armored, scratch):
        """Into the store."""
        path = scratch / "import.pgp"
        path.write_text(armored)
        self.run("key", "import", str(path))


def check(what, found, wanted):
    """One line for people, and an end when it is not as it should be."""
    if found != wanted:
        raise AssertionError(f"{what}: expected {wanted!r}, found {found!r}")
    print(f"  ok: {what}")


def unix(text):
    """Line endings and blanks at the end are the mail program's own business."""
    return text.replace("\r\n", "\n").strip()


def thunderbird_reads(thunderbird):
    """Alice → Bob."""
    seen = thunderbird.read("Sealed")
    check("Thunderbird shows the protected subject", seen["subject"], SUBJECT)
    check("Thunderbird decrypts", seen["encrypted"], "message-encrypted-ok.svg")
    check("Thunderbird finds the signature good", seen["signed"], "message-signed-verified.svg")
    # The text that Thunderbird indexes keeps the legacy display of the subject (RFC 9788 section 2.1.2) above it.
    body = unix(seen["body"]).removeprefix(f"Subject: {SUBJECT}").strip()
    check("Thunderbird shows the body", body, unix(BODY))
    check("Thunderbird lists the attachment", [part["name"] for part in seen["attachments"]], ["figures.bin"])


def thunderbird_writes(thunderbird, sink, alice, scratch):
    """Bob → Alice."""
    attachment = scratch / "reply.bin"
    attachment.write_bytes(ATTACHMENT)
    state = thunderbird.send(ALICE, SUBJECT, BODY, attachment.as_uri())
    check("Thunderbird encrypts and signs", state, {"encrypted": True, "signed": True})
    sent = sink.mail(60)
    check("the provider sees no subject", SUBJECT.encode() in sent or b"real subject" in sent, False)
    opened = alice.run("mail", "open", "--json", data=sent)
    verdicts = [part["verdict"] for part in json.loads(opened.stderr)["verdicts"]]
    check("Plombe finds the signature good", set(verdicts), {"good"})
    message = email.message_from_bytes(opened.stdout, policy=email.policy.default)
    check("Plombe restores the subject", message["Subject"], SUBJECT)
    check("Plombe shows the body", unix(message.get_body().get_content()), unix(BODY))
    attachments = [part.get_content() for part in message.walk() if part.get_filename() == "reply.bin"]
    check("Plombe keeps the attachment", attachments == [ATTACHMENT], True)


def main():
    """Both ways, with one Thunderbird."""
    plombe = sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="plombe-tb-") as name:
        scratch = Path(name)
        alice, bob = Home(plombe, scratch, ALICE), Home(plombe, scratch, BOB)
        alice.import_certificate(bob.certificate(), scratch)
        sealed = alice.run("mail", "seal", data=mail_from_alice()).stdout.replace(b"\r\n", b"\n")
        mbox = b"From - Fri Nov 20 10:00:00 2026\n" + sealed + b"\n"
        sink = SmtpSink()
        thunderbird = Thunderbird(scratch, BOB, bob.fingerprint()[-16:], sink.port, {"Sealed": mbox})
        print(f"Thunderbird {thunderbird.version}")
        try:
            thunderbird.import_keys(bob.tsk(), bob.fingerprint(), alice.certificate())
            thunderbird_reads(thunderbird)
            thunderbird_writes(thunderbird, sink, alice, scratch)
        finally:
            thunderbird.close()


if __name__ == "__main__":
    main()
