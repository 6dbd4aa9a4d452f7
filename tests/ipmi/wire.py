# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""RMCP+ packets and their cryptography as a BMC sees them, from the standard alone (IPMI 2.0, section 13)."""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

RMCP = b"\x06\x00\xff\x07"
IPMI, SOL, OPEN, OPENED, RAKP1, RAKP2, RAKP3, RAKP4 = 0, 1, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15
# Cipher suite: numbers of its algorithms, hash, length of an integrity code.
SUITES = {3: ((1, 1, 1), hashlib.sha1, 12), 17: ((3, 4, 1), hashlib.sha256, 16)}


class Malformed(Exception):
    """A packet that no client should have sent."""


def checksum(data: bytes) -> int:
    """Return the two's complement checksum."""
    return -sum(data) & 0xFF


@dataclass
class Request:
    """One IPMI request as it came."""

    netfn: int
    lun: int
    requester: int
    sequence: int
    command: int
    data: bytes

    @classmethod
    def parse(cls, message: bytes) -> "Request":
        """Parse a message; both checksums count."""
        if len(message) < 7 or checksum(message[:2]) != message[2] or checksum(message[3:-1]) != message[-1]:
            raise Malformed(f"message {message.hex()}")
        return cls(netfn=message[1] >> 2, lun=message[1] & 3, requester=message[3], sequence=message[4] >> 2,
                   command=message[5], data=bytes(message[6:-1]))

    def answer(self, code: int, data: bytes) -> bytes:
        """Return the message that answers."""
        head = bytes((self.requester, (self.netfn + 1) << 2))
        body = bytes((0x20, self.sequence << 2 | self.lun, self.command, code)) + data
        return head + bytes((checksum(head),)) + body + bytes((checksum(body),))


class Keys:
    """The keys of one session."""

    def __init__(self, suite: int, sik: bytes) -> None:
        unused, self.hash, self.length = SUITES[suite]
        self.sik = sik
        self.k1 = self.mac(sik, b"\x01" * 20)
        self.aes = self.mac(sik, b"\x02" * 20)[:16]

    def mac(self, key: bytes, data: bytes) -> bytes:
        """Return the whole code of ``data``."""
        return hmac.new(key, data, self.hash).digest()

    def encrypt(self, payload: bytes) -> bytes:
        """Return the initialisation vector and the encrypted payload."""
        count = -(len(payload) + 1) % 16
        padded = payload + bytes(range(1, count + 1)) + bytes((count,))
        vector = os.urandom(16)
        crypter = Cipher(algorithms.AES(self.aes), modes.CBC(vector)).encryptor()
        return vector + crypter.update(padded) + crypter.finalize()

    def decrypt(self, data: bytes) -> bytes:
        """Return the payload; the padding must be what the standard says."""
        if len(data) < 32 or len(data) % 16:
            raise Malformed("an encrypted payload of a wrong length")
        crypter = Cipher(algorithms.AES(self.aes), modes.CBC(data[:16])).decryptor()
        clear = crypter.update(data[16:]) + crypter.finalize()
        count = clear[-1]
        if count > 15 or clear[-1 - count:-1] != bytes(range(1, count + 1)):
            raise Malformed("padding")
        return clear[:-1 - count]


def plain(kind: int, payload: bytes) -> bytes:
    """Return a packet outside of any session."""
    return RMCP + bytes((6, kind)) + struct.pack("<IIH", 0, 0, len(payload)) + payload


def sealed(kind: int, payload: bytes, *, keys: Keys, session: int, sequence: int) -> bytes:
    """Return a packet of a session, encrypted and with its integrity code."""
    body = keys.encrypt(payload)
    head = bytes((6, kind | 0xC0)) + struct.pack("<IIH", session, sequence, len(body)) + body
    pad = -(len(head) + 2) % 4
    signed = head + b"\xff" * pad + bytes((pad, 7))
    return RMCP + signed + keys.mac(keys.k1, signed)[:keys.length]


def opened(packet: bytes, keys: Keys) -> bytes:
    """Return the payload of a packet of a session; :class:`Malformed` where the standard is not kept."""
    signed, code = packet[4:-keys.length], packet[-keys.length:]
    if not packet[5] & 0x80 or not packet[5] & 0x40:
        raise Malformed("a packet of a session that is not encrypted and signed")
    if keys.mac(keys.k1, signed)[:keys.length] != code:
        raise Malformed("integrity code")
    length = struct.unpack("<H", packet[14:16])[0]
    rest = signed[12 + length:]
    if len(signed) % 4 or rest[-1] != 7 or rest[-2] != len(rest) - 2:
        raise Malformed("integrity padding")
    return keys.decrypt(packet[16:16 + length])


def old_answer(payload: bytes) -> bytes:
    """Return a packet of IPMI 1.5 outside of any session."""
    return RMCP + bytes((0,)) + bytes(8) + bytes((len(payload),)) + payload
