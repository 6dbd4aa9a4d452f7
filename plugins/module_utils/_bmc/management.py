# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a BMC can do about itself: accounts, logs, network, certificates, events; and the console of its system.

The rules of ``interface`` hold here too.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Callable, Optional

from .._domain.accounts import Role
from .._domain.deadline import Deadline
from .capability import Capability

Json = dict[str, Any]


class Accounts(Capability):
    """Accounts of the BMC."""

    title = "accounts"

    @abstractmethod
    def read(self) -> list[Json]:
        """Return the accounts that have a name: ``{id, username, role, enabled, locked}`` each, no secret.

        A role is a value of ``_domain.accounts.Role``, or the BMC's own word for another one.
        """

    def roles(self) -> tuple[str, ...]:
        """Return the roles that an account may be given, in the same words; empty where the BMC does not tell."""
        return tuple(role.value for role in Role)

    def password_works(self, username: str, password: str) -> Optional[bool]:
        """Tell whether the BMC takes this password for the account; ``None`` where that cannot be tried."""
        return None

    @abstractmethod
    def create(self, account: Json) -> None:
        """Create ``{username, password, role, enabled}``, in a free slot where accounts are slots."""

    @abstractmethod
    def update(self, account_id: str, changes: Json) -> None:
        """Change the account: any of username, password, role, enabled."""

    @abstractmethod
    def delete(self, account_id: str) -> None:
        """Delete the account, or clear its slot."""


class Logs(Capability):
    """Event logs."""

    title = "logs"

    @abstractmethod
    def services(self) -> list[Json]:
        """Return the logs: ``{id, name, owner, clearable}`` each.

        ``id`` is unique in the BMC: ``<owner>/<the log's own name>``; ``owner`` is ``system``, ``bmc`` or ``chassis``.
        """

    @abstractmethod
    def entries(self, log: str, *, limit: int) -> list[Json]:
        """Return the newest ``limit`` entries, newest first: ``{id, created, severity, message, message_id}`` each.

        ``created`` as ``_domain.logs.timestamp`` returns it, ``severity`` a value of ``_domain.logs.Severity``; either
        is ``None`` where it is not told.
        """

    def count(self, log: str) -> Optional[int]:
        """Return how many entries the log holds, ``None`` where the BMC does not tell."""
        return None

    @abstractmethod
    def clear(self, log: str) -> None:
        """Clear the log."""


class BmcNetwork(Capability):
    """The BMC's own network interface and services."""

    title = "BMC network"
    #: The interface to work on, where the task names one: set before the first read.
    interface: Optional[str] = None

    @abstractmethod
    def read(self) -> Json:
        """Return ``{hostname, interface, in_use, mac_address, dhcp, address, netmask, gateway, dns, vlan, ntp,
        protocols}``.

        ``in_use`` tells whether the task speaks to the BMC through this interface, as far as that can be known.

        Addresses are of IPv4; ``dns`` and ``ntp`` are lists of servers, ``vlan`` an id (0: none), ``protocols`` names
        and whether each is on. ``None`` is what the BMC does not tell; it cannot be changed.
        """

    @abstractmethod
    def write(self, changes: Json) -> None:
        """Change those of the keys of :meth:`read` that ``changes`` holds."""


class Certificates(Capability):
    """The certificate of the BMC's HTTPS service."""

    title = "certificates"

    @abstractmethod
    def read(self) -> list[Json]:
        """Return ``{id, subject, issuer, valid_from, valid_until, fingerprint}`` each; ``subject`` and ``issuer`` have
        the keys of ``_domain.certificates.NAME_KEYS``, ``fingerprint`` is SHA-256 in lower-case hexadecimal."""

    @abstractmethod
    def served_fingerprint(self) -> Optional[str]:
        """Return the fingerprint of what the BMC shows to a new connection now, ``None`` where there is no TLS."""

    @abstractmethod
    def replace(self, certificate_id: str, pem: str) -> None:
        """Replace the certificate with the one given (a chain, and its key where the BMC did not make it)."""

    @abstractmethod
    def request_signing(self, certificate_id: str, request: Json) -> str:
        """Have the BMC make a key for that certificate and return its signing request (PEM).

        ``request`` is ``{subject, alternative_names, key_algorithm, key_bits, key_curve}``, each as far as asked for.
        """


class Events(Capability):
    """Subscriptions to the BMC's events."""

    title = "event subscriptions"

    @abstractmethod
    def read(self) -> list[Json]:
        """Return ``{id, destination, context, event_types, registry_prefixes, resource_types, protocol}`` each.

        An event type is a value of ``_domain.events.EventType``, or the BMC's own word for another one.
        """

    def offers(self) -> Json:
        """Return ``{enabled, event_types, registry_prefixes, resource_types}``: whether events are sent at all, and
        what a subscription may name; ``None`` where the BMC does not tell."""
        return {"enabled": None, "event_types": None, "registry_prefixes": None, "resource_types": None}

    @abstractmethod
    def create(self, subscription: Json) -> None:
        """Create ``{destination, context, event_types, registry_prefixes, resource_types, headers}``; a list that is
        ``None`` is left to the BMC."""

    @abstractmethod
    def delete(self, subscription_id: str) -> None:
        """Delete the subscription."""


class Console(Capability):
    """The system's serial console."""

    title = "console"

    @abstractmethod
    def read_until(self, *, accept: Callable[[str], bool], deadline: Deadline, write: Callable[[bytes], None],
                   send: Optional[str] = None) -> bool:
        """Read the console, giving each piece to ``write``, until ``accept`` takes the text so far or the deadline
        passes; return which. ``send`` is typed first."""
