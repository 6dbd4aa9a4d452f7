# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS of a BMC: verified by default, by a chain of trust or by a pinned fingerprint."""

from __future__ import annotations

import functools
import hashlib
import os
import socket
import ssl
from typing import Any, Optional

from .._bmc.errors import InvalidInput, Unreachable
from .._bmc.options import Connection

try:
    import urllib3
except ImportError:
    urllib3 = None


def pool_for(connection: Connection) -> Any:
    """Return the connections to one BMC: as many as the task may use at a time.

    The pool never blocks: how many there are is bounded by the threads that ask. One that an interrupted request has
    taken away is then replaced, so that the logout on the way out does not wait for it for ever.
    """
    keywords: dict[str, Any] = {"maxsize": connection.concurrency, "block": False}
    if connection.scheme == "https":
        keywords["ssl_context"] = context_for(connection)
        if connection.fingerprint:
            keywords["assert_fingerprint"] = connection.fingerprint
    try:
        return urllib3.connection_from_url(connection.base_url, **keywords)
    except urllib3.exceptions.LocationValueError as error:
        raise Unreachable(f"it could not be reached at {connection.base_url} (no such address)",
                          remedy="Check bmc_address and bmc_port.") from error


def context_for(connection: Connection) -> ssl.SSLContext:
    """Return the context for a BMC: the system's authorities, those of ``ca_path``, or none where pinned or not
    wanted."""
    if connection.fingerprint or not connection.verify:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        return _context(False, None)
    if not connection.ca_path:
        return _context(True, None)
    path = os.path.expanduser(connection.ca_path)
    if not os.path.exists(path):
        raise InvalidInput(f"ca_path '{connection.ca_path}' does not exist",
                           remedy="Give a PEM file with the authority's certificates, or a folder of them.")
    try:
        return _context(True, path)
    except ssl.SSLError as error:
        raise InvalidInput(f"ca_path '{connection.ca_path}' holds no certificate that can be read",
                           remedy="Give a PEM file with the authority's certificates, or a folder of them.") from error


@functools.lru_cache(maxsize=64)
def _context(verify: bool, ca_path: Optional[str]) -> ssl.SSLContext:
    """Return one context for all BMCs of the same trust: loading the authorities costs more than a handshake."""
    folder = ca_path is not None and os.path.isdir(ca_path)
    context = ssl.create_default_context(cafile=None if folder else ca_path, capath=ca_path if folder else None)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def served_fingerprint(connection: Connection) -> Optional[str]:
    """Return the SHA-256 fingerprint of the certificate that is shown to a new connection, whoever signed it; ``None``
    over plain HTTP. Nothing is sent over it."""
    if connection.scheme != "https":
        return None
    place = (connection.address, connection.port or 443)
    try:
        with socket.create_connection(place, timeout=min(connection.timeout, 10)) as plain, \
                _context(False, None).wrap_socket(plain, server_hostname=connection.address) as secured:
            return hashlib.sha256(secured.getpeercert(binary_form=True) or b"").hexdigest()
    except OSError as error:
        raise Unreachable(f"no certificate was to be seen at {connection.base_url} ({type(error).__name__})",
                          remedy="Check that the BMC's web server is up.") from error
