# SPDX-License-Identifier: LGPL-2.0-or-later
"""Runs a program on a terminal of its own and answers its questions.

terminal.py STDIN PROGRAM [ARGUMENT]... < ANSWERS

STDIN is a file that the program reads instead of the terminal, or "-" for the terminal. Each line of ANSWERS is a question
and its answer with a tab between. What the terminal showed goes to standard output, the program's exit code is this one's.
"""
import os
import pty
import sys
import termios
import time

answers = [line.rstrip("\n").split("\t") for line in sys.stdin]
pid, terminal = pty.fork()
if pid == 0:
    if sys.argv[1] != "-":
        os.dup2(os.open(sys.argv[1], os.O_RDONLY), 0)
    os.execv(sys.argv[2], sys.argv[2:])
shown, asked_from = b"", 0
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:  # Linux says so when the other side has closed.
        break
    if not piece:
        break
    shown += piece
    if answers and answers[0][0].encode() in shown[asked_from:]:
        asked_from = len(shown)
        # The question is on the screen a moment before the echo is off, and no person types that fast.
        for _ in range(200):
            if not termios.tcgetattr(terminal)[3] & termios.ECHO:
                break
            time.sleep(0.01)
        os.write(terminal, answers.pop(0)[1].encode() + b"\n")
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
