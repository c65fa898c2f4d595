# SPDX-License-Identifier: LGPL-2.0-or-later
"""The extension in Firefox: a sealed mail is opened, a new one is sealed, hostile mails reach nobody.

Usage: firefox.py EXTENSION PLOMBE SCREENSHOTS
"""

import atexit
import base64
import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from marionette_driver import By, Wait, errors
from marionette_driver.addons import Addons
from marionette_driver.marionette import Marionette

ALICE, BOB = "alice@example.test", "bob@example.test"
PASSPHRASE = "correct horse battery staple"
ADDON = "plombe@plombe.example"
HOST = "11111111-2222-4333-8444-555555555555"

MAIL = (
    f"From: Bob <{BOB}>\r\nTo: {ALICE}\r\nSubject: the real subject\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\n"
    "Message-ID: <1@example.test>\r\n\r\nThe secret of the goose.\r\n"
)


class Server(http.server.ThreadingHTTPServer):
    """Notes which tricks reach it, and serves the control pages."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Request)
        self.reached = {"reader": set(), "control": set()}
        self.pages = {}
        self.requests = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Request(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests += 1
        trick = re.match(r"/(reader|control)/(\d+)", self.path)
        if trick:
            self.server.reached[trick[1]].add(int(trick[2]))
        page = self.server.pages.get(self.path)
        body = (page or "").encode()
        self.send_response(404 if page is None else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_HEAD = do_OPTIONS = do_GET

    def log_message(self, *_):
        """Quiet."""


class Firefox:
    """Without a screen, in a profile of its own, with the extension in it."""

    def __init__(self, scratch, extension):
        profile = scratch / "profile"
        profile.mkdir()
        preferences = {
            "extensions.webextensions.uuids": json.dumps({ADDON: HOST}),
            "marionette.port": 0,
            "network.proxy.type": 0,
            "browser.shell.checkDefaultBrowser": False,
            "datareporting.policy.dataSubmissionEnabled": False,
            "app.normandy.enabled": False,
            # Names are looked up by the system's resolver, whose calls the log shows.
            "network.trr.mode": 5,
            "network.dns.disablePrefetch": False,
            "network.captive-portal-service.enabled": False,
            "network.connectivity-service.enabled": False,
            "intl.accept_languages": "en-US",
        }
        lines = [f"user_pref({json.dumps(name)},{json.dumps(value)});\n" for name, value in preferences.items()]
        (profile / "user.js").write_text("".join(lines))
        self.log = scratch / "resolver"
        command = ["firefox-esr", "--headless", "--marionette", "--remote-allow-system-access", "--no-remote"]
        environment = {**os.environ, "MOZ_LOG": "nsHostResolver:5,sync", "MOZ_LOG_FILE": str(self.log)}
        self._process = subprocess.Popen(
            [*command, "--profile", str(profile)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        atexit.register(lambda: self._process.poll() is None and self._process.kill())
        port = profile / "MarionetteActivePort"
        while not port.exists():
            time.sleep(0.1)
        self.marionette = Marionette(host="127.0.0.1", port=int(port.read_text()))
        self.marionette.start_session()
        self.marionette.timeout.script = 60
        Addons(self.marionette).install(str(extension), temp=True)

    def close(self):
        """Ends it, so that its log is complete."""
        self.marionette.delete_session()
        self._process.terminate()
        self._process.wait()

    def looked_up(self, who):
        """Numbers of the tricks whose names were looked up."""
        text = "".join(path.read_text(errors="replace") for path in self.log.parent.glob("resolver*"))
        return set(re.findall(rf"t(\d+)\.{who}\.trick\.test", text))

    def open(self, page):
        """A page of the extension."""
        self.marionette.navigate(f"moz-extension://{HOST}/pages/{page}.html")
        self.find("h1")

    def find(self, selector):
        """The element, once it is there."""
        wait = Wait(self.marionette, 20, ignored_exceptions=[errors.NoSuchElementException])
        return wait.until(lambda browser: browser.find_element(By.CSS_SELECTOR, selector))

    def run(self, script, *arguments):
        """JavaScript in the page."""
        return self.marionette.execute_script(script, arguments)

    def fill(self, selector, text):
        """As pasted."""
        self.find(selector)
        self.run(
            """
            const element = document.querySelector(arguments[0]);
            const kind = element.tagName === "TEXTAREA" ? HTMLTextAreaElement : HTMLInputElement;
            Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(element, arguments[1]);
            element.dispatchEvent(new Event("input", { bubbles: true }));
            """,
            selector,
            text,
        )

    def press(self, text):
        """The button that reads so."""
        Wait(self.marionette, 20).until(
            lambda _: self.run(
                """
                const button = [...document.querySelectorAll("button")].find(
                  (one) => one.textContent.startsWith(arguments[0]) && !one.disabled);
                button?.click();
                return Boolean(button);
                """,
                text,
            )
        )

    def read(self, mail):
        """Pastes into the reader and waits for what comes of it."""
        before = int(self.run("return document.querySelector('#result').dataset.count ?? 0"))
        self.fill("#pasted", mail)
        self.press("Open what was pasted")
        Wait(self.marionette, 30).until(
            lambda _: self.run("return (document.querySelector('#result').dataset.count ?? 0) > arguments[0]", before)
        )

    def screenshot(self, path):
        """Of what is seen."""
        path.write_bytes(base64.b64decode(self.marionette.screenshot()))


class Home:
    """Somebody's Plombe."""

    def __init__(self, plombe, scratch, owner):
        self._plombe, self._scratch = plombe, scratch
        self._environment = {"PLOMBE_HOME": str(scratch / owner), "HOME": str(scratch), "PATH": os.environ["PATH"]}
        self.run("key", "generate", owner, "--no-passphrase")

    def run(self, *arguments, text=""):
        """Runs `plombe`, which must succeed."""
        command = [self._plombe, *arguments]
        ran = subprocess.run(command, input=text.encode(), capture_output=True, env=self._environment, check=False)
        if ran.returncode != 0:
            raise AssertionError(f"plombe {' '.join(arguments)}: {ran.stderr.decode()}")
        return ran.stdout.decode()

    def take_in(self, armored):
        """A certificate."""
        path = self._scratch / "import.asc"
        path.write_text(armored)
        self.run("key", "import", str(path))


def check(name, act):
    """One line per check."""
    begun = time.monotonic()
    try:
        act()
        print(f"ok: {name}")
    except Exception as error:  # whatever it is, the others go on
        print(f"failed: {name}: {type(error).__name__}: {error}")
    print(f"{name}: {time.monotonic() - begun:.1f} s", file=sys.stderr)


def same(found, wanted, what):
    """Or an end."""
    if found != wanted:
        raise AssertionError(f"{what}: found {found!r}, expected {wanted!r}")


def keys_come_in(firefox, alice, bob):
    """A secret key without passphrase gets one; a certificate needs none."""
    firefox.open("keys")
    firefox.fill("#import-pasted", alice.run("key", "export", "--secret", ALICE))
    firefox.press("Take in what was pasted")
    firefox.fill("form input[type=password][minlength='12']:not([aria-describedby])", PASSPHRASE)
    firefox.press("Lock and take in")
    firefox.find("[data-key]")
    firefox.fill("#import-pasted", bob.run("key", "export", BOB))
    firefox.press("Take in what was pasted")
    firefox.find(f"[data-contact='{BOB}']")


def opens_sealed_mail(firefox, bob, screenshots):
    """Bob → Alice."""
    firefox.open("reader")
    firefox.read(bob.run("mail", "seal", text=MAIL))
    firefox.fill("input[type=password]", PASSPHRASE)
    firefox.press("Unlock")
    same(firefox.find("[data-verdict]").get_attribute("data-verdict"), "good", "verdict")
    same(firefox.find("#subject").text, "the real subject", "subject")
    same("The secret of the goose." in firefox.find(".text").text, True, "text")
    firefox.screenshot(screenshots / "firefox-reader-good.png")


def writes(firefox, bob):
    """Alice → Bob."""
    firefox.open("write")
    fields = {"To": BOB, "Subject": "from Firefox"}
    for label, value in fields.items():
        name = firefox.run(
            "return [...document.querySelectorAll('label')].find((one) => one.textContent === arguments[0]).htmlFor",
            label,
        )
        firefox.fill(f"[id='{name}']", value)
    firefox.fill("#text", "written in Firefox")
    firefox.find(f"[data-recipient='{BOB}'][data-outcome=use]")
    firefox.press("Sign and seal")
    firefox.fill("input[type=password]", PASSPHRASE)
    firefox.press("Unlock")
    firefox.find("[data-copy=all]")
    armored = firefox.run("return document.querySelector('#armored').value")
    same(bob.run("decrypt", text=armored).strip(), "written in Firefox", "what Bob reads")


def secrets_stay(firefox):
    """Nothing where content scripts may look."""
    firefox.open("keys")
    stored = firefox.marionette.execute_async_script(
        """
        const done = arguments[arguments.length - 1];
        const { storage } = window.wrappedJSObject.chrome;
        Promise.all([storage.local.get(null), storage.session.get(null)]).then((all) => done(
          [JSON.stringify(all), localStorage.length, sessionStorage.length]));
        """
    )
    same(stored, ["[{},{}]", 0, 0], "storage")


def hostile_mail(firefox, server):
    """Shown with the sender's formatting, every part of it."""
    origin = f"http://127.0.0.1:{server.server_address[1]}"
    script = Path(__file__).parent / "tricks.mjs"
    listed = subprocess.run(["node", str(script), origin], capture_output=True, check=True)
    tricks = json.loads(listed.stdout)
    firefox.open("reader")
    frames = 0
    for mail in tricks["mails"]:
        firefox.read(mail)
        frames += firefox.run(
            """
            const buttons = document.querySelectorAll("button[aria-pressed=false]");
            for (const button of buttons) button.click();
            return buttons.length;
            """
        )
        Wait(firefox.marionette, 20).until(
            lambda _: firefox.run(
                "return document.querySelectorAll('iframe').length === document.querySelectorAll('button[aria-pressed]').length"
            )
        )
        time.sleep(0.1)
    if frames < len(tricks["control"]):
        raise AssertionError(f"only {frames} of {len(tricks['control'])} parts were shown")
    # The same without protection: the server and the log see them.
    for index, html in enumerate(tricks["control"]):
        server.pages[f"/page/{index}"] = f"<!doctype html>{html}"
    frames = "".join(f"<iframe src='/page/{index}'></iframe>" for index in range(len(tricks["control"])))
    server.pages["/control-page"] = f"<!doctype html>{frames}"
    firefox.marionette.timeout.page_load = 20
    try:
        firefox.marionette.navigate(f"{origin}/control-page")
    except errors.MarionetteException:
        pass  # Some tricks never finish loading.
    before, idle = -1, 0
    while idle < 3:
        time.sleep(0.5)
        idle = idle + 1 if before == server.requests else 0
        before = server.requests


def main():
    """One Firefox for everything."""
    extension, plombe, screenshots = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    screenshots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="plombe-firefox-") as name:
        scratch = Path(name)
        alice, bob = Home(plombe, scratch, ALICE), Home(plombe, scratch, BOB)
        bob.take_in(alice.run("key", "export", ALICE))
        server = Server()
        firefox = Firefox(scratch, extension)
        check("firefox_keys_come_in", lambda: keys_come_in(firefox, alice, bob))
        check("firefox_opens_sealed_mail", lambda: opens_sealed_mail(firefox, bob, screenshots))
        check("firefox_writes", lambda: writes(firefox, bob))
        check("firefox_secrets_stay", lambda: secrets_stay(firefox))
        check("firefox_shows_hostile_mail", lambda: hostile_mail(firefox, server))
        firefox.close()

        def reaches_nobody():
            caught, named = len(server.reached["control"]), len(firefox.looked_up("control"))
            print(f"unprotected: {caught} requests, {named} names", file=sys.stderr)
            if min(caught, named) < 80:
                raise AssertionError(f"the control page was caught only {caught} and {named} times")
            same(server.reached["reader"], set(), "requests")
            same(firefox.looked_up("reader"), set(), "names")

        check("firefox_hostile_mail_reaches_nobody", reaches_nobody)


if __name__ == "__main__":
    main()
