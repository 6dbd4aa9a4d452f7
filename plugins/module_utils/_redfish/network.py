# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network of a BMC over Redfish: EthernetInterface and ManagerNetworkProtocol (DMTF DSP0268)."""

from __future__ import annotations

import socket
from typing import Any, Callable, Iterator, Optional

from .._bmc.errors import BmcError, InvalidInput, Rejected, Unsupported
from .._bmc.interface import BmcNetwork, Driver
from .._domain.bmc_network import in_use, pick_interface, used, used_list
from .client import dig, link_of

Json = dict[str, Any]
Write = tuple[str, Json]
# Protocols whose neutral name is not the word in lower case.
PROTOCOLS = {"KVMIP": "kvm", "VirtualMedia": "virtual_media", "RFB": "vnc"}
# Refusals of a payload's form, after which another one is tried.
FORM_REFUSED = (400, 405, 409, 415, 422, 501)


class RedfishBmcNetwork(BmcNetwork):
    """One interface of the BMC, and the protocols that its manager serves."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def _spoken_to(self) -> list[str]:
        """Return the addresses of version 4 by which the task reaches the BMC; none where the name is not known."""
        try:
            found = socket.getaddrinfo(self._driver.connection.address, None, socket.AF_INET, socket.SOCK_STREAM)
        except OSError:
            return []
        return list(dict.fromkeys(entry[4][0] for entry in found))

    def _interfaces(self) -> list[tuple[str, Json]]:
        """Return the interfaces of the first manager that has any, with their links."""
        client = self._driver.client
        for manager in self._driver.manager_links():
            collection = link_of(client.read(manager).get("EthernetInterfaces"))
            links = list(client.member_links(client.read(collection))) if collection else []
            if links:
                self._protocols_link = link_of(client.read(manager).get("NetworkProtocol"))
                return list(zip(links, client.documents(links)))
        raise Unsupported("the BMC lists no network interface of its own", capability=self.title, protocol="redfish",
                          remedy="Try bmc_protocol: ipmi.")

    def _chosen(self) -> tuple[str, Json, Json]:
        """Return the interface to work on: its link, its document, and its row."""
        pairs, spoken_to = self._interfaces(), self._spoken_to()
        rows = [dict(_row(document), link=link) for link, document in pairs]
        found = pick_interface(rows, self.interface, spoken_to=spoken_to)
        if len(found) != 1:
            names = [row["id"] for row in found or rows]
            what = f"no interface '{self.interface}' is" if self.interface and not found else f"{len(names)} interfaces are"
            raise InvalidInput(f"{what} in the BMC", interfaces=names, remedy=f"Choose one: interface: {', '.join(names)}.")
        row = dict(found[0], in_use=in_use(rows, found[0], spoken_to=spoken_to))
        return row["link"], dict(pairs)[row["link"]], row

    def read(self) -> Json:
        """Read the interface and the protocols anew."""
        self._driver.client.forget()
        unused, document, row = self._chosen()
        protocols = self._protocols()
        servers = dig(protocols, "NTP", "NTPServers")
        return {"hostname": used(document.get("HostName")) or used(protocols.get("HostName")), "interface": row["id"],
                "in_use": row["in_use"], "mac_address": row["mac_address"], "dhcp": row["dhcp"],
                "address": row["address"], "netmask": row["netmask"], "gateway": row["gateway"],
                "dns": used_list(_name_servers(document)[1]) if _name_servers(document)[0] else None,
                "vlan": _vlan(document), "ntp": used_list(servers) if isinstance(servers, list) else None,
                "protocols": {_name(word): value["ProtocolEnabled"] for word, value in protocols.items()
                              if isinstance(dig(value, "ProtocolEnabled"), bool)}}

    def _protocols(self) -> Json:
        """Return the document of the protocols; empty where there is none."""
        link = self._protocols_link
        return self._driver.client.read(link) if link else {}

    def write(self, changes: Json) -> None:
        """Send the changes: protocols and NTP to the one document, all else to the interface."""
        link, document, row = self._chosen()
        protocol_body = self._protocol_body(changes)
        if protocol_body:
            self._driver.client.write("PATCH", self._protocols_link, protocol_body)
        if "hostname" in changes:
            self._try(self._hostname_forms(link, document, hostname=changes["hostname"]))
        rest = {key: changes[key] for key in changes if key not in ("hostname", "ntp", "protocols")}
        if rest:
            self._try([(link, body)] if isinstance(body, dict) else [(link, part) for part in body]
                      for body in _interface_forms(document, row, changes=rest))

    def _protocol_body(self, changes: Json) -> Json:
        """Return the change of the protocols."""
        document = self._protocols() if {"protocols", "ntp"} & set(changes) else {}
        words = {_name(word): word for word in document}
        body: Json = {words[name]: {"ProtocolEnabled": on} for name, on in changes.get("protocols", {}).items()}
        if "ntp" in changes:
            body.setdefault("NTP", {})["NTPServers"] = _padded(changes["ntp"], dig(document, "NTP", "NTPServers"))
        return body

    def _hostname_forms(self, link: str, document: Json, *, hostname: str) -> Iterator[list[Write]]:
        """Yield where a name may be written: at the interface, at the protocols, in the interface's OEM object."""
        if "HostName" in document:
            yield [(link, {"HostName": hostname})]
        if self._protocols_link and "HostName" in self._protocols():
            yield [(self._protocols_link, {"HostName": hostname})]
        oem = document.get("Oem")
        for maker, fields in oem.items() if isinstance(oem, dict) else ():
            if isinstance(fields, dict) and "HostName" in fields:
                yield [(link, {"Oem": {maker: {"HostName": hostname}}})]

    def _try(self, forms: Any) -> None:
        """Send the first form that is not refused as a form."""
        last: Optional[BmcError] = None
        for writes in forms:
            try:
                for link, body in writes:
                    self._driver.client.write("PATCH", link, body)
                return
            except Rejected as error:
                if error.details.get("status") not in FORM_REFUSED:
                    raise
                last = last or error
        raise last or Unsupported("the BMC does not let this be changed", capability=self.title, protocol="redfish",
                                  remedy="Change it in the BMC's own pages.")


def _name(word: str) -> str:
    return PROTOCOLS.get(word, word.lower())


def _row(document: Json) -> Json:
    """Return what an interface tells of its identity and its address."""
    addresses = document.get("IPv4Addresses")
    addresses = [entry for entry in addresses if isinstance(entry, dict)] if isinstance(addresses, list) else []
    real = [entry for entry in addresses if used(entry.get("Address")) and entry.get("AddressOrigin") != "IPv4LinkLocal"]
    first = (real or addresses or [{}])[0]
    dhcp = dig(document, "DHCPv4", "DHCPEnabled")
    if not isinstance(dhcp, bool):
        origin = first.get("AddressOrigin")
        dhcp = origin == "DHCP" if isinstance(origin, str) else None
    mac = document.get("MACAddress")
    return {"id": str(document.get("Id")), "name": document.get("Name"), "dhcp": dhcp,
            "mac_address": mac.lower() if isinstance(mac, str) else None, "address": used(first.get("Address")),
            "netmask": used(first.get("SubnetMask")), "gateway": used(first.get("Gateway")),
            "enabled": document.get("InterfaceEnabled"),
            "to_host": link_of(dig(document, "Links", "HostInterface")) is not None}


def _vlan(document: Json) -> Optional[int]:
    """Return the VLAN's id, 0 where it is off, ``None`` where the interface does not tell."""
    on, number = dig(document, "VLAN", "VLANEnable"), dig(document, "VLAN", "VLANId")
    if not isinstance(on, bool):
        return None
    return (number if isinstance(number, int) else None) if on else 0


def _name_servers(document: Json) -> tuple[Optional[str], list[Any]]:
    """Return the property that holds the servers to write, and what it holds; no property where there is none."""
    for name in ("StaticNameServers", "NameServers"):
        if isinstance(document.get(name), list):
            return name, document[name]
    return None, []


def _padded(servers: list[str], present: Any) -> list[Any]:
    """Return the servers in a list of the present length where that is fixed: filled with what stands for none."""
    present = present if isinstance(present, list) else []
    fill = [value for value in present if used(value) is None and isinstance(value, str)]
    missing = max(0, len(present) - len(servers)) if fill else 0
    return servers + (fill[-missing:] if missing and len(fill) >= missing else [fill[-1]] * missing if missing else [])


def _interface_forms(document: Json, row: Json, *, changes: Json) -> Iterator[Any]:
    """Yield the bodies in which to ask an interface for changes: all in one, then the address before the rest.

    A static address is always sent whole, and DHCP never ends before there is one.
    """
    parts: dict[str, Callable[[], Json]] = {
        "dns": lambda: _dns_body(document, changes["dns"]), "vlan": lambda: _vlan_body(changes["vlan"])}
    other: Json = {}
    for key, body in parts.items():
        if key in changes:
            other = _merged(other, body())
    static = _static_body(document, row, changes=changes)
    dhcp = _dhcp_body(document, changes)
    whole = _merged(_merged(static, dhcp), other)
    yield whole
    pieces = [body for body in (static, dhcp, other) if body]
    if len(pieces) > 1:
        yield pieces


def _merged(one: Json, other: Json) -> Json:
    """Return both objects in one, objects within them too."""
    return {**one, **{key: {**one[key], **value} if isinstance(value, dict) and isinstance(one.get(key), dict) else value
                      for key, value in other.items()}}


def _static_body(document: Json, row: Json, *, changes: Json) -> Json:
    """Return the static address, whole, where a part of it changes."""
    if changes.get("dhcp") or not {"address", "netmask", "gateway", "dhcp"} & set(changes):
        return {}
    words = {"Address": "address", "SubnetMask": "netmask", "Gateway": "gateway"}
    entry = {word: changes.get(key, row[key]) for word, key in words.items() if changes.get(key, row[key])}
    name = "IPv4StaticAddresses" if isinstance(document.get("IPv4StaticAddresses"), list) else "IPv4Addresses"
    if name == "IPv4Addresses":
        entry["AddressOrigin"] = "Static"
    return {name: [entry, *({} for unused in (document.get(name) or [])[1:])]}


def _dhcp_body(document: Json, changes: Json) -> Json:
    """Return the switch of DHCP, which older interfaces have as the origin of the address."""
    if "dhcp" not in changes:
        return {}
    if isinstance(document.get("DHCPv4"), dict):
        return {"DHCPv4": {"DHCPEnabled": changes["dhcp"]}}
    return {"IPv4Addresses": [{"AddressOrigin": "DHCP"}]} if changes["dhcp"] else {}


def _dns_body(document: Json, servers: list[str]) -> Json:
    """Return the name servers, and that those of DHCP are not to be used instead."""
    name, present = _name_servers(document)
    body: Json = {name or "StaticNameServers": _padded(servers, present)}
    if dig(document, "DHCPv4", "DHCPEnabled") is True and dig(document, "DHCPv4", "UseDNSServers") is True:
        body["DHCPv4"] = {"UseDNSServers": False}
    return body


def _vlan_body(number: int) -> Json:
    return {"VLAN": {"VLANEnable": True, "VLANId": number} if number else {"VLANEnable": False}}
