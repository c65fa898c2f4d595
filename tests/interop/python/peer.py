# SPDX-License-Identifier: LGPL-2.0-or-later
"""pysequoia as a peer: one JSON question a line on standard input, one JSON answer a line on standard output.

Bytes travel as base64. An answer with "error" means that it did not work, wrong signatures included.
"""

import base64
import importlib.metadata
import json
import sys

import pysequoia
from pysequoia import Cert, CipherSuite, Profile, Sig, SignatureMode, Tsk

MODES = {
    "detached": SignatureMode.DETACHED,
    "inline": SignatureMode.INLINE,
    "cleartext": SignatureMode.CLEAR,
}


def unbase64(text):
    return base64.b64decode(text)


def answer_bytes(data):
    if isinstance(data, str):
        data = data.encode()
    return {"data": base64.b64encode(bytes(data)).decode()}


def key_parameters(profile):
    if profile == "rfc4880":
        return {"profile": Profile.RFC4880}
    if profile == "rfc9580":
        return {"profile": Profile.RFC9580}
    return {"profile": Profile.RFC9580, "cipher_suite": CipherSuite.MLDSA65_Ed25519}


def has_pqc():
    try:
        Tsk.generate("Probe <probe@example.test>", **key_parameters("rfc9980"))
        return True
    except Exception:  # pylint: disable=broad-exception-caught # it raises whatever its backend says
        return False


def about(_):
    return {"version": importlib.metadata.version("pysequoia"), "pqc": has_pqc()}


def generate(question):
    tsk = Tsk.generate(question["userId"], **key_parameters(question["profile"]))
    return {
        "tsk": answer_bytes(bytes(tsk))["data"],
        "certificate": answer_bytes(bytes(tsk.extract_certificate()))["data"],
    }


def encrypt(question):
    parameters = {"bytes": unbase64(question["data"])}
    if question.get("signer"):
        parameters["signer"] = Tsk.from_bytes(unbase64(question["signer"])).signer()
    if question.get("recipient"):
        parameters["recipients"] = [Cert.from_bytes(unbase64(question["recipient"]))]
    else:
        parameters["passwords"] = [question["password"]]
    return answer_bytes(pysequoia.encrypt(**parameters))


def decrypt(question):
    parameters = {"bytes": unbase64(question["message"])}
    if question.get("signer"):
        signer = Cert.from_bytes(unbase64(question["signer"]))
        parameters["store"] = lambda _: [signer]
    if question.get("recipient"):
        parameters["decryptor"] = Tsk.from_bytes(unbase64(question["recipient"])).decryptor()
    else:
        parameters["passwords"] = [question["password"]]
    decrypted = pysequoia.decrypt(**parameters)
    if question.get("signer") and not decrypted.valid_sigs:
        raise ValueError("no valid signature")
    return answer_bytes(decrypted.bytes)


def sign(question):
    signer = Tsk.from_bytes(unbase64(question["signer"])).signer()
    return answer_bytes(pysequoia.sign(signer, unbase64(question["data"]), mode=MODES[question["form"]]))


def verify(question):
    signer = Cert.from_bytes(unbase64(question["signer"]))
    if question["form"] == "detached":
        verified = pysequoia.verify(
            bytes=unbase64(question["data"]),
            store=lambda _: [signer],
            signature=Sig.from_bytes(unbase64(question["signature"])),
        )
    else:
        verified = pysequoia.verify(unbase64(question["message"]), lambda _: [signer])
    if not verified.valid_sigs:
        raise ValueError("no valid signature")
    return answer_bytes(verified.bytes or b"")


ANSWERS = {
    "about": about,
    "generate": generate,
    "encrypt": encrypt,
    "decrypt": decrypt,
    "sign": sign,
    "verify": verify,
}

for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = ANSWERS[asked["do"]](asked)
    except Exception as error:  # pylint: disable=broad-exception-caught # the harness judges
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
