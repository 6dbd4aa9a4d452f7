# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole fleets: bmc_fleet_info against community.general.redfish_info with 50 forks; 3,500 BMCs of which some are dead and some slow.

The peer is measured on PEER_COUNT BMCs and scaled in proportion, which the row says. The server is the same in both cases. Memory is
that of all processes of a play together for ours, and of the largest alone for the peer.
"""

from __future__ import annotations

import json
import pathlib
import tempfile

from measure import play, record
from testbmc.fleet import FleetProcess

PEER_COUNT = 100
SECTIONS = ["system", "processors", "memory", "network_interfaces", "disks", "firmware"]


def read(fleet, **options):
    """Read the fleet by one task; return the cost and the records that it wrote."""
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder, "fleet.jsonl")
        cost = play([{"typeone.metal.bmc_fleet_info": {
            "hosts": [{"bmc_address": address} for address in fleet.addresses], "bmc_port": fleet.port, "bmc_protocol": "redfish",
            "bmc_username": fleet.username, "bmc_password": fleet.password, "ca_path": fleet.ca_path, "output": str(output),
            "subnet_limit": 500, **options}}], {"localhost": {}}, all_memory=True)
        return cost, [json.loads(line) for line in output.read_text().splitlines()]


def wrong(records: list, expected: dict, *, kind: str, key: str) -> int:
    """Count the records whose power is not that of the BMC."""
    return sum(record["results"][kind][kind][key]["power_state"] != expected[record["address"]]["power"].lower()
               for record in records if record["ok"])


def inspection(rows: list, counts=(10, 100, 1000)) -> None:
    """Inspect fleets that all answer, ours and the peer."""
    for count in counts:
        with FleetProcess(count=count) as fleet:
            cost, records = read(fleet, gather=["hardware"], hardware_sections=SECTIONS, limit=32)
            rows.append({"work": "inspection", "bmcs": count, "who": "typeone.metal.bmc_fleet_info", "wall_seconds": cost.wall,
                         "cpu_seconds": cost.cpu, "memory_mib": cost.memory, "read": sum(record["ok"] for record in records),
                         "wrong_states": wrong(records, fleet.expected, kind="hardware", key="system"),
                         "sessions_left": fleet.stats()["sessions_open"]})
    with FleetProcess(count=PEER_COUNT) as fleet:
        options = {"baseuri": "{{ inventory_hostname }}:%d" % fleet.port, "username": fleet.username, "password": fleet.password,
                   "validate_certs": True, "ca_path": fleet.ca_path, "timeout": 60}
        cost = play([{"community.general.redfish_info": {**options, "category": "Systems", "command": [
            "GetSystemInventory", "GetCpuInventory", "GetMemoryInventory", "GetNicInventory", "GetDiskInventory"]}},
            {"community.general.redfish_info": {**options, "category": "Update", "command": ["GetFirmwareInventory"]}}],
            {address: {} for address in fleet.addresses}, forks=50)
    scale = counts[-1] / PEER_COUNT
    ours = rows[-1]
    rows.append({"work": "inspection", "bmcs": counts[-1], "who": "community.general.redfish_info, 50 forks",
                 "wall_seconds": cost.wall * scale, "cpu_seconds": cost.cpu * scale, "memory_mib": cost.memory,
                 "note": f"measured on {PEER_COUNT}, scaled by {scale:g}"})
    ours["wall_ratio"] = rows[-1]["wall_seconds"] / ours["wall_seconds"]
    ours["cpu_ratio"] = rows[-1]["cpu_seconds"] / ours["cpu_seconds"]


def polling(rows: list, count: int = 3500) -> None:
    """Poll power and health where 5 % are dead and 5 % take 30 s to begin."""
    with FleetProcess(count=count, dead=0.05, slow=0.05, slow_seconds=30) as fleet:
        cost, records = read(fleet, gather=["health"], health_sections=["summary"], limit=250, bmc_timeout=60)
        expected = fleet.expected
        dead = sum(facts["kind"] == "dead" for facts in expected.values())
        rows.append({"work": "power and health, 5 % dead, 5 % slow", "bmcs": count, "who": "typeone.metal.bmc_fleet_info",
                     "wall_seconds": cost.wall, "cpu_seconds": cost.cpu, "memory_mib": cost.memory,
                     "read": sum(record["ok"] for record in records),
                     "wrong_states": wrong(records, expected, kind="health", key="summary"),
                     "sessions_left": fleet.stats()["sessions_open"],
                     "note": f"{dead} are dead; {count - dead} can be read"})


def main() -> None:
    """Run all and keep the rows."""
    rows: list = []
    inspection(rows)
    polling(rows)
    record("fleet", rows)


if __name__ == "__main__":
    main()
