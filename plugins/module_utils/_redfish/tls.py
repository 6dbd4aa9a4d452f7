# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS of a BMC: verified by default, by a chain of trust or by a pinned fingerprint."""

from __future__ import annotations

import os
from typing import Any, Union

from .._bmc.errors import InvalidInput
from .._bmc.options import Connection

try:
    import urllib3
    from requests.adapters import HTTPAdapter
except ImportError:
    urllib3 = None
    HTTPAdapter = object


class BmcAdapter(HTTPAdapter):
    """Keeps the connections to one BMC: as many as the task may use at a time, and no more."""

    def __init__(self, connection: Connection) -> None:
        self._fingerprint = connection.fingerprint
        super().__init__(pool_connections=1, pool_maxsize=connection.concurrency, pool_block=True, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> Any:
        """Pin the certificate where a fingerprint is given."""
        if self._fingerprint:
            kwargs["assert_fingerprint"] = self._fingerprint
        return super().init_poolmanager(*args, **kwargs)


def verification(connection: Connection) -> Union[bool, str]:
    """Return what the HTTP library is to verify against: ``True``, a path, or ``False`` where pinned or not wanted."""
    if connection.fingerprint or not connection.verify:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        return False
    if connection.ca_path:
        path = os.path.expanduser(connection.ca_path)
        if not os.path.exists(path):
            raise InvalidInput(f"ca_path '{connection.ca_path}' does not exist",
                               remedy="Give a PEM file with the authority's certificates, or a folder of them.")
        return path
    return True
