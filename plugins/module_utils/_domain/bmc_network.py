# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network of a BMC without a protocol's words: what is asked for, what may cut the task off, what came of it."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Iterable, Optional

Json = dict[str, Any]
KEYS = ("hostname", "dhcp", "address", "netmask", "gateway", "dns", "vlan", "ntp", "protocols")
# A change of one of these may lead the BMC away from where it is spoken to.
MOVING = ("dhcp", "address", "netmask", "gateway", "vlan")
_NONE = ("", "0.0.0.0", "::", "0:0:0:0:0:0:0:0", "n/a", "none")
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOSTNAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")


class BadNetwork(ValueError):
    """Options that cannot be: ``args`` are what is wrong, and what helps."""


def used(value: Any) -> Optional[str]:
    """Return an address or name as a BMC tells it, ``None`` where it stands for none (``0.0.0.0``, ``::``, empty)."""
    text = value.strip() if isinstance(value, str) else ""
    return None if text.lower() in _NONE else text


def used_list(values: Any) -> list[str]:
    """Return the servers of a list, without what stands for none."""
    found = [used(value) for value in values] if isinstance(values, list) else []
    return [value for value in found if value is not None]


def _address(name: str, value: str) -> str:
    try:
        return str(ipaddress.IPv4Address(value))
    except ValueError as error:
        raise BadNetwork(f"{name} is '{value}'", "Give an IPv4 address.") from error


def _netmask(value: str) -> str:
    """Return a netmask out of a netmask or the length of a prefix."""
    try:
        return str(ipaddress.IPv4Network(f"0.0.0.0/{value.lstrip('/')}").netmask)
    except ValueError as error:
        raise BadNetwork(f"netmask is '{value}'",
                         "Give a netmask such as 255.255.255.0, or a prefix such as 24.") from error


def desired_network(options: Json) -> Json:
    """Return what the options ask for, in the forms of a reading; :class:`BadNetwork` where that cannot be."""
    wanted = {key: options[key] for key in KEYS if options.get(key) is not None}
    if not wanted:
        raise BadNetwork("nothing is asked for", f"Set one of {', '.join(KEYS)}.")
    if "address" in wanted and "/" in wanted["address"]:
        wanted["address"], prefix = wanted["address"].split("/", 1)
        if "netmask" in wanted and _netmask(wanted["netmask"]) != _netmask(prefix):
            raise BadNetwork(f"address says /{prefix} and netmask is {wanted['netmask']}", "Leave one of them out.")
        wanted["netmask"] = prefix
    for name in ("address", "gateway"):
        if name in wanted:
            wanted[name] = _address(name, wanted[name])
    if "netmask" in wanted:
        wanted["netmask"] = _netmask(wanted["netmask"])
    _check_names(wanted)
    static = [name for name in ("address", "netmask", "gateway") if name in wanted]
    if wanted.get("dhcp") and static:
        raise BadNetwork(f"dhcp is true and {static[0]} is set", f"Leave {static[0]} out, or set dhcp: false.")
    if static:
        wanted["dhcp"] = False
    return wanted


def _check_names(wanted: Json) -> None:
    """Refuse what is no host name, server or VLAN."""
    if "hostname" in wanted and not _HOSTNAME.fullmatch(wanted["hostname"]):
        raise BadNetwork(f"hostname is '{wanted['hostname']}'", "Give letters, digits and dashes, parted by dots.")
    for server in wanted.get("dns", ()):
        try:
            ipaddress.ip_address(server)
        except ValueError as error:
            raise BadNetwork(f"dns holds '{server}'", "Give IP addresses.") from error
    for server in wanted.get("ntp", ()):
        if not _HOSTNAME.fullmatch(server) and ":" not in server:
            raise BadNetwork(f"ntp holds '{server}'", "Give host names or IP addresses.")
    if not 0 <= wanted.get("vlan", 0) <= 4094:
        raise BadNetwork(f"vlan is {wanted['vlan']}", "Give 1 to 4094, or 0 for none.")


def changes(current: Json, wanted: Json) -> Json:
    """Return what of ``wanted`` differs from ``current``; of ``protocols`` only those that differ."""
    found = {key: value for key, value in wanted.items() if key != "protocols" and current.get(key) != value}
    protocols = {name: on for name, on in wanted.get("protocols", {}).items()
                 if (current.get("protocols") or {}).get(name) is not on}
    return {**found, **({"protocols": protocols} if protocols else {})}


def not_told(current: Json, changed: Json) -> list[str]:
    """Return what is to be changed although the BMC does not tell it. An address may be missing under DHCP."""
    may_lack = ("address", "netmask", "gateway", "hostname")
    names = [key for key in changed if current.get(key) is None and key not in may_lack]
    if "protocols" in names:
        return names
    known = current.get("protocols") or {}
    return names + [f"protocols.{name}" for name in changed.get("protocols", {}) if name not in known]


def check_static(current: Json, wanted: Json) -> None:
    """Refuse a static address that is not whole, or whose gateway is beyond its network."""
    if wanted.get("dhcp") is not False:
        return
    merged = {key: wanted.get(key, current.get(key)) for key in ("address", "netmask", "gateway")}
    for name in ("address", "netmask"):
        if merged[name] is None:
            raise BadNetwork(f"a static address needs {name}", f"Set {name}.")
    network = ipaddress.IPv4Network(f"{merged['address']}/{merged['netmask']}", strict=False)
    if merged["gateway"] is not None and ipaddress.IPv4Address(merged["gateway"]) not in network:
        raise BadNetwork(f"the gateway {merged['gateway']} is not in {network}",
                         "Set gateway to an address of that network.")


def split(changed: Json) -> tuple[Json, ...]:
    """Return the changes in the order to make them: what cannot cut the task off first."""
    safe = {key: value for key, value in changed.items() if key not in MOVING}
    moving = {key: value for key, value in changed.items() if key in MOVING}
    return tuple(part for part in (safe, moving) if part)


def expected(current: Json, changed: Json) -> Json:
    """Return what ``current`` becomes: what a dry run shows. What DHCP will give is not known."""
    after = {**current, **{key: value for key, value in changed.items() if key != "protocols"}}
    if "protocols" in changed:
        after["protocols"] = {**(current.get("protocols") or {}), **changed["protocols"]}
    if changed.get("dhcp"):
        after.update(address=None, netmask=None, gateway=None)
    return after


def reached(seen: Json, changed: Json) -> bool:
    """Tell whether a reading shows the changes."""
    return not changes(seen, changed)


def in_use(rows: list[Json], row: Json, *, spoken_to: Iterable[str]) -> bool:
    """Tell whether the task may speak to the BMC through this interface: not where another one has that address."""
    addresses = set(spoken_to)
    return row.get("address") in addresses or not any(other.get("address") in addresses for other in rows)


def pick_interface(rows: list[Json], wanted: Optional[str], *, spoken_to: Iterable[str]) -> list[Json]:
    """Return the interfaces that may be meant: the one named (by id, name or MAC address), else the one that is
    spoken to, else those that lead out: enabled, with an address, not the one towards the host."""
    if wanted is not None:
        low = wanted.lower()
        names = ("id", "name", "mac_address")
        return [row for row in rows if low in (str(row.get(name)).lower() for name in names if row.get(name))]
    addresses = set(spoken_to)
    return ([row for row in rows if row.get("address") in addresses]
            or [row for row in rows if not row.get("to_host") and row.get("enabled") is not False
                and used(row.get("address")) and not str(row["address"]).startswith("169.254.")]
            or [row for row in rows if not row.get("to_host") and row.get("enabled") is not False])
