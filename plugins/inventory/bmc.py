# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory: the servers behind BMCs that are listed, searched in ranges, or found."""

from __future__ import annotations

DOCUMENTATION = r"""
name: bmc
short_description: Servers found by their BMCs
version_added: 0.1.0
author: typeone.metal contributors (@typeone)
description:
  - Finds BMCs in lists, CIDRs and ranges of addresses, by SSDP and by RMCP presence pings, reads what they manage, and
    makes a host of each system.
  - All BMCs are read side by side from one process. An address where nothing answers costs the others no time.
  - The file's name must end in C(bmc.yml) or C(bmc.yaml).
  - Sets the host variables C(bmc_address), C(bmc_protocol), C(bmc_system) where several systems are behind one BMC,
    C(typeone_hardware) (the sections read) and C(typeone_bmc) (C(manufacturer), C(model), C(serial_number), C(uuid),
    C(power_state), C(health), C(protocol), C(firmware)). No password is ever set.
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
requirements:
  - netaddr, for ranges
options:
  plugin:
    description: The name of this plugin.
    required: true
    choices: [typeone.metal.bmc]
  addresses:
    description:
      - Where BMCs are; addresses, names, URLs, CIDRs, ranges such as V(192.0.2.10-192.0.2.20) or V(192.0.2.10-20).
      - An address that is listed itself is read, and its failure is told; of a CIDR or range, what is silent is left
        out.
    type: list
    elements: str
    default: []
  exclude:
    description: Addresses, CIDRs or ranges to leave out.
    type: list
    elements: str
    default: []
  ssdp:
    description: Whether to search the local network for Redfish services by SSDP.
    type: bool
    default: false
  ssdp_timeout:
    description: Seconds to wait for answers to the search.
    type: float
    default: 3
  ssdp_target:
    description: Where the search is sent, as address and port.
    type: str
    default: 239.255.255.250:1900
  probe_timeout:
    description: Seconds in which an address of a range must accept a connection or answer a presence ping.
    type: float
    default: 2
  credentials:
    description:
      - How to connect, by address; the first entry that matches is used.
      - Each has O(credentials[].match) and any connection option of the C(bmc_*) modules. Templates are allowed, so
        that passwords can come from lookups; vaulted values as well.
    type: list
    elements: dict
    default: []
    suboptions:
      match:
        description: An address, a CIDR, a range, or V(*) for all.
        type: str
        default: "*"
  sections:
    description: The sections of M(typeone.metal.bmc_hardware_info) to read.
    type: list
    elements: str
    default: [system, bmc]
  hostnames:
    description:
      - What a host is called; the first that is known and not taken. The address is the last resort.
    type: list
    elements: str
    choices: [address, hostname, serial_number, uuid, asset_tag]
    default: [address]
  limit:
    description: How many BMCs are read at a time.
    type: int
    default: 100
  subnet_limit:
    description: How many BMCs of one /24 are read at a time.
    type: int
    default: 50
  host_timeout:
    description: Seconds that one BMC may take in all.
    type: int
    default: 60
"""

EXAMPLES = r"""
# fleet.bmc.yml
plugin: typeone.metal.bmc
addresses:
  - 192.0.2.0/24
  - 198.51.100.10-40
  - bmc7.example.net
exclude: [192.0.2.1]
credentials:
  - match: 198.51.100.0/24
    bmc_username: operator
    bmc_password: "{{ lookup('ansible.builtin.env', 'OPERATOR_PASSWORD') }}"
  - bmc_username: admin
    bmc_password: "{{ lookup('ansible.builtin.env', 'ADMIN_PASSWORD') }}"
    ca_path: /etc/ssl/bmc-ca.pem
keyed_groups:
  - {key: typeone_bmc.manufacturer, prefix: vendor}
  - {key: typeone_bmc.power_state, prefix: power}
  - {key: typeone_bmc.health, prefix: health}
groups:
  large: typeone_hardware.system.memory_bytes >= 549755813888
compose:
  typeone_serial: typeone_bmc.serial_number
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: /var/tmp/typeone-bmc
cache_timeout: 3600
"""

import asyncio
import typing as t

from ansible.errors import AnsibleParserError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ansible_collections.typeone.metal.plugins.module_utils._bmc.options import CONNECTION_SPEC
from ansible_collections.typeone.metal.plugins.module_utils._resources.fleet import Bounds, FleetReader
from ansible_collections.typeone.metal.plugins.module_utils._resources.hardware import HardwareResource
from ansible_collections.typeone.metal.plugins.plugin_utils import _discovery

Json = t.Dict[str, t.Any]
NAMED_FAILURES = 5


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """The inventory plugin."""

    NAME = "typeone.metal.bmc"

    def verify_file(self, path):
        """Tell whether the file is for this plugin."""
        return super().verify_file(path) and path.endswith(("bmc.yml", "bmc.yaml"))

    def parse(self, inventory, loader, path, cache=True):
        """Read the BMCs, or what is cached of them, and fill the inventory."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        self.load_cache_plugin()
        key = self.get_cache_key(path)
        wanted, records = self.get_option("cache"), None
        if wanted and cache:
            try:
                records = self._cache[key]
            except KeyError:
                pass
        if records is None:
            records = self._read()
            if wanted:
                self._cache[key] = records
        for record in records:
            self._add(record)

    def _read(self) -> t.List[Json]:
        """Return a record for each system: ``{address, protocol, system, hardware}``."""
        try:
            listed, searched = self._addresses()
            hosts = [self._host(address) for address in listed + searched]
        except ValueError as error:
            raise AnsibleParserError(f"Cannot find BMCs: {error}.") from error
        records, failures = [], []
        behind: t.List[Json] = []
        for host, result in self._results(hosts):
            systems = (result.get("error") or {}).get("systems")
            if systems and host["runs"][0][1].get("bmc_system") is None:
                behind += [self._host(host["address"], system=system) for system in systems]
            else:
                self._sort(host, result, records=records, failures=failures)
        for host, result in self._results(behind):
            self._sort(host, result, records=records, failures=failures)
        if failures:
            self.display.warning(f"{len(failures)} of {len(failures) + len(records)} BMCs could not be read: "
                                 + " ".join(failures[:NAMED_FAILURES]) + (" ..." if len(failures) > NAMED_FAILURES else ""))
        return sorted(records, key=lambda record: (record["address"], record["system"] or ""))

    @staticmethod
    def _sort(host: Json, result: Json, *, records: t.List[Json], failures: t.List[str]) -> None:
        if result.get("failed"):
            failures.append(result["msg"])
            return
        records.append({"address": host["address"], "protocol": result["bmc"]["protocol"],
                        "system": host["runs"][0][1].get("bmc_system"), "hardware": result["hardware"]})

    def _results(self, hosts: t.List[Json]) -> t.Iterator[t.Tuple[Json, Json]]:
        """Yield each host with the result of its inspection."""
        bounds = Bounds(self.get_option("limit"), self.get_option("subnet_limit"))
        by_name = {host["name"]: host for host in hosts}
        for record in FleetReader(bounds=bounds).read(hosts):
            yield by_name[record["name"]], record["results"]["hardware"]

    def _addresses(self) -> t.Tuple[t.List[str], t.List[str]]:
        """Return the addresses that are listed, and those of ranges and searches that answer."""
        listed: t.Dict[str, None] = {}
        ranges: t.Dict[str, None] = {}
        for text in self.get_option("addresses"):
            found, many = _discovery.expand(text)
            (ranges if many else listed).update(dict.fromkeys(found))
        patterns = self.get_option("exclude")
        excluded = {address for text in patterns for address in _discovery.expand(text)[0]}
        silent = [address for address in ranges if address not in excluded and address not in listed]
        alive = self._alive(silent)
        if self.get_option("ssdp"):
            host, unused, port = self.get_option("ssdp_target").rpartition(":")
            services = _discovery.ssdp(timeout=self.get_option("ssdp_timeout"), target=(host, int(port)))
            known = set(alive) | set(listed)
            alive += [url for url in services if _host_of(url) not in known | excluded and url not in known]
        return [address for address in listed if address not in excluded], alive

    def _alive(self, addresses: t.List[str]) -> t.List[str]:
        """Return those of the addresses where something answers, in their order."""
        ports: t.Dict[t.Tuple[int, int], t.List[str]] = {}
        for address in addresses:
            options = self._reach(address)
            ports.setdefault((options.get("bmc_port") or 443, options["ipmi_port"]), []).append(address)
        found: t.Set[str] = set()
        for (port, ipmi_port), group in ports.items():
            found |= asyncio.run(_discovery.answering(group, port=port, ipmi_port=ipmi_port, limit=1000,
                                                      timeout=self.get_option("probe_timeout")))
        return [address for address in addresses if address in found]

    def _reach(self, address: str) -> Json:
        """Return the validated connection options for an address."""
        own: Json = {}
        for entry in self.get_option("credentials"):
            if _discovery.covers(entry.get("match", "*"), address):
                own = {key: self.templar.template(value) for key, value in entry.items() if key != "match"}
                break
        validated = ArgumentSpecValidator(CONNECTION_SPEC).validate({**own, "bmc_address": address})
        if validated.error_messages:
            raise ValueError(f"credentials for {address}: {'; '.join(validated.error_messages)}")
        return validated.validated_parameters

    def _host(self, address: str, *, system: t.Optional[str] = None) -> Json:
        """Return a host as the fleet reader takes it."""
        options = {**self._reach(address), "host_timeout": self.get_option("host_timeout"),
                   "sections": self.get_option("sections")}
        if system:
            options["bmc_system"] = system
        return {"name": f"{address} {system or ''}".strip(), "address": address, "runs": [(HardwareResource, options)]}

    def _add(self, record: Json) -> None:
        """Make a host of a record."""
        system, bmc = record["hardware"].get("system") or {}, record["hardware"].get("bmc") or {}
        name = self._name(record, system)
        self.inventory.add_host(name)
        options = self._reach(record["address"])
        variables = {"bmc_address": record["address"], "bmc_protocol": record["protocol"],
                     "bmc_port": options.get("bmc_port"), "bmc_system": record["system"],
                     "typeone_hardware": record["hardware"],
                     "typeone_bmc": {"protocol": record["protocol"], "firmware": bmc.get("firmware_version"),
                                     **{key: system.get(key) for key in ("manufacturer", "model", "serial_number", "uuid",
                                                                         "power_state", "health")}}}
        for key, value in variables.items():
            if value is not None:
                self.inventory.set_variable(name, key, value)
        strict = self.get_option("strict")
        hostvars = self.inventory.get_host(name).get_vars()
        self._set_composite_vars(self.get_option("compose"), hostvars, name, strict=strict)
        hostvars = self.inventory.get_host(name).get_vars()
        self._add_host_to_composed_groups(self.get_option("groups"), hostvars, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), hostvars, name, strict=strict)

    def _name(self, record: Json, system: Json) -> str:
        """Return what the host is called."""
        address = _host_of(record["address"]) + (f"-{record['system']}" if record["system"] else "")
        for kind in self.get_option("hostnames"):
            name = address if kind == "address" else system.get(kind)
            if name and name not in self.inventory.hosts:
                return str(name)
        return address


def _host_of(address: str) -> str:
    """Return the host in an address or URL."""
    return address.split("//", 1)[-1].split("/", 1)[0].rsplit(":", 1)[0] if "//" in address else address
