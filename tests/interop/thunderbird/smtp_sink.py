# SPDX-License-Identifier: LGPL-2.0-or-later
"""Just enough of an SMTP server to take one mail from a program and keep it."""

import queue
import socketserver
import threading


class _Session(socketserver.StreamRequestHandler):
    def _say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        self._say("220 sink.example.test ESMTP")
        while line := self.rfile.readline():
            command = line.split()[0].upper() if line.split() else b""
            if command == b"EHLO":
                self._say("250-sink.example.test")
                self._say("250-8BITMIME")
                self._say("250 SIZE 100000000")
            elif command == b"DATA":
                self._say("354 go on")
                self.server.received.put(self._data())
                self._say("250 kept")
            elif command == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _data(self):
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            # A line that begins with a dot was sent with two (RFC 5321 section 4.5.2).
            lines.append(line[1:] if line.startswith(b"..") else line)
        return b"".join(lines)


class SmtpSink(socketserver.ThreadingTCPServer):
    """Listens on a free port of the loopback interface from the start."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Session)
        self.received = queue.Queue()
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def mail(self, seconds):
        """The next mail, as bytes."""
        return self.received.get(timeout=seconds)
