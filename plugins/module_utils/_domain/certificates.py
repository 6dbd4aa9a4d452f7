# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates in PEM (RFC 7468): what a text holds, and the fingerprint by which a certificate is known again."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Any, Optional

Json = dict[str, Any]
NAME_KEYS = ("common_name", "organization", "organizational_unit", "city", "state", "country", "email")
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s*(.*?)\s*-----END \1-----", re.DOTALL)
_CERTIFICATE = "CERTIFICATE"


class BadPem(ValueError):
    """A text that is not what it should be: ``args`` are what is wrong, and what helps."""


def blocks(text: str) -> list[tuple[str, str]]:
    """Return the blocks of a PEM text: the label and the whole block, each with one newline at its end."""
    return [(found[1], found[0].strip() + "\n") for found in _BLOCK.finditer(text.replace("\r\n", "\n"))]


def fingerprint(text: Any) -> Optional[str]:
    """Return the SHA-256 fingerprint of the first certificate in a PEM text, ``None`` where there is none."""
    for found in _BLOCK.finditer(text if isinstance(text, str) else ""):
        if found[1] == _CERTIFICATE:
            try:
                return hashlib.sha256(base64.b64decode("".join(found[2].split()), validate=True)).hexdigest()
            except (binascii.Error, ValueError):
                return None
    return None


def bundle(certificate: str, key: Optional[str]) -> tuple[str, int]:
    """Return what to give to a BMC, and how many certificates it holds: its own first, those above it, then the key.

    :class:`BadPem` where the texts hold something else; a key belongs into the option that is kept secret.
    """
    found = blocks(certificate)
    if any("PRIVATE KEY" in label for label, unused in found):
        raise BadPem("certificate holds a private key", "Give the key in private_key, which is kept secret.")
    chain = [block for label, block in found if label == _CERTIFICATE]
    if not chain or len(chain) != len(found) or fingerprint(certificate) is None:
        raise BadPem("certificate holds no certificate in PEM, or something beside it",
                     "Give the BMC's certificate, followed by those that signed it.")
    keys = blocks(key) if key else []
    if key and (len(keys) != 1 or "PRIVATE KEY" not in keys[0][0]):
        raise BadPem("private_key holds no private key in PEM", "Give one key, without its certificate.")
    if keys and ("ENCRYPTED" in keys[0][0] or "ENCRYPTED" in keys[0][1]):
        raise BadPem("private_key is encrypted", "Decrypt it; the BMC cannot be asked for a passphrase.")
    return "".join(chain) + (keys[0][1] if keys else ""), len(chain)


def is_signing_request(text: Any) -> bool:
    """Tell whether a text is a certificate signing request in PEM."""
    return isinstance(text, str) and any(label.endswith("CERTIFICATE REQUEST") for label, unused in blocks(text))


def name_of(values: Any, words: dict[str, str]) -> Json:
    """Return a subject or issuer with all keys; ``words`` are the protocol's own for them."""
    values = values if isinstance(values, dict) else {}
    return {key: values[word] if isinstance(values.get(word), str) and values[word] else None for key, word in words.items()}
