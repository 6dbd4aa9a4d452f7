# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""The BMC's own network: interfaces and protocols, kept where they are well formed."""

from __future__ import annotations

import ipaddress

from .messages import Response, refusal
from .routes import check_properties, patched, patches

TEXT = (str, type(None))


def _port(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535


def _is_address(value) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _is_mask(value) -> bool:
    try:
        ipaddress.ip_network(f"0.0.0.0/{value}")
    except ValueError:
        return False
    return True


def _addresses(value) -> bool:
    """A list of IPv4 address objects; {} leaves one as it is, null removes it (DSP0266, 7.7)."""
    if not isinstance(value, list):
        return False
    for item in value:
        if item is None or item == {}:
            continue
        if not isinstance(item, dict) or not _is_address(item.get("Address", "0.0.0.0")) or not _is_mask(item.get("SubnetMask", "255.255.255.0")):
            return False
        if item.get("Gateway") is not None and not _is_address(item["Gateway"]):
            return False
    return True


def _servers(value) -> bool:
    return isinstance(value, list) and all(item is None or item in ("", {}) or (isinstance(item, str) and item) for item in value)


def _vlan(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 4094


DHCP = {"DHCPEnabled": bool, "UseDNSServers": bool, "UseDomainName": bool, "UseGateway": bool, "UseNTPServers": bool, "UseStaticRoutes": bool,
        "OperatingMode": ["Stateful", "Stateless", "Disabled", "Enabled"]}
INTERFACE = {"HostName": str, "FQDN": TEXT, "InterfaceEnabled": bool, "MTUSize": int, "AutoNeg": bool, "SpeedMbps": int, "FullDuplex": bool,
             "IPv4Addresses": _addresses, "IPv4StaticAddresses": _addresses, "StaticNameServers": _servers, "NameServers": _servers,
             "IPv6StaticAddresses": list, "IPv6StaticDefaultGateways": list, "DHCPv4": DHCP, "DHCPv6": DHCP,
             "VLAN": {"VLANEnable": bool, "VLANId": _vlan}, "StatelessAddressAutoConfig": dict}


@patches("EthernetInterface")
def patch_interface(bmc, path: str, data: dict, _request):
    """An interface of a manager; those of systems are read only."""
    if "/Systems/" in path:
        raise refusal("OperationNotAllowed", headers={"Allow": "GET, HEAD"})
    here = bmc.store.get(path)
    rules = {name: rule for name, rule in INTERFACE.items() if name in here}
    if "StaticNameServers" in here:
        rules.pop("NameServers", None)
    check_properties(bmc, path, data, rules)
    values = dict(data)
    for name in ("IPv4StaticAddresses", "IPv4Addresses", "StaticNameServers", "NameServers"):
        if name in values:
            values[name] = _patched(here.get(name) or [], values[name])
    before = _own_address(bmc, path)
    bmc.store.merge(path, values)
    _settle(bmc, path, values)
    after = _own_address(bmc, path)
    return _moved(bmc, path, after) if bmc.options.follow_address and after not in ("", before) else None


def _own_address(bmc, path: str) -> str:
    return next((item.get("Address", "") for item in bmc.store.get(path).get("IPv4Addresses") or []), "")


def _moved(bmc, path: str, address: str) -> Response:
    """The answer to a change of the address, after which the BMC is there."""
    response = patched(bmc, path)
    if bmc.options.follow_address == "lost":
        response.reset = True
    response.close = True
    response.after = lambda: bmc.server.move(address)
    return response


def _patched(current: list, given: list) -> list:
    found = []
    for place, item in enumerate(given):
        before = current[place] if place < len(current) else {}
        if item is None:
            continue
        found.append({**before, **item} if isinstance(item, dict) and isinstance(before, dict) else item)
    return [item for item in found if item != {}]


def _settle(bmc, path: str, values: dict) -> None:
    here = bmc.store.get(path)
    dhcp = (here.get("DHCPv4") or {}).get("DHCPEnabled", False)
    static = here.get("IPv4StaticAddresses")
    if static is not None and not dhcp and ("IPv4StaticAddresses" in values or "DHCPv4" in values):
        bmc.store.edit(path)["IPv4Addresses"] = [{**item, "AddressOrigin": "Static"} for item in static]
    if dhcp and "DHCPv4" in values:
        bmc.store.edit(path)["IPv4Addresses"] = [{"Address": bmc.options.dhcp_address, "SubnetMask": "255.255.255.0",
                                                  "Gateway": "192.0.2.1", "AddressOrigin": "DHCP"}]
    if "StaticNameServers" in values:
        bmc.store.edit(path)["NameServers"] = [item for item in values["StaticNameServers"] if item]


@patches("ManagerNetworkProtocol")
def patch_protocols(bmc, path: str, data: dict, _request) -> None:
    """Protocols on or off, and their ports."""
    here = bmc.store.get(path)
    rules: dict = {name: {"ProtocolEnabled": bool, "Port": _port, "NTPServers": list, "NotifyTTLSeconds": int, "NotifyIPv6Scope": str}
                   for name, value in here.items() if isinstance(value, dict) and "ProtocolEnabled" in value}
    rules["HostName"] = str
    check_properties(bmc, path, data, rules)
    for name, value in data.items():
        for key in value if isinstance(value, dict) else ():
            if key not in here.get(name, {}):
                raise refusal("PropertyUnknown", f"{name}/{key}", related=[f"{name}/{key}"])
    bmc.store.merge(path, data)
