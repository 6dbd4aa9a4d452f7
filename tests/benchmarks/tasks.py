# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One task at one BMC, ours against community.general: connections, logins, requests, CPU and wall seconds, at 0, 50 and 300 ms.

Both run by ansible-playbook on the same server in the same run; the cost of the play itself (the same number of `debug`
tasks) is taken off both. The set that is read is the same: system, processors, memory, network interfaces, disks, firmware.
"""

from __future__ import annotations

import statistics

from measure import TestBmc, play, record

TIMES = 10
ROUNDS = 3
LATENCIES = (0.0, 0.05, 0.3)
SECTIONS = ["system", "processors", "memory", "network_interfaces", "disks", "firmware"]


def works(about: dict) -> dict:
    """Return the tasks that are compared: {work: {who: [task]}}."""
    address = about["url"].split("//")[1]
    peer = {"baseuri": address, "username": about["username"], "password": about["password"], "validate_certs": True,
            "ca_path": about["ca_path"], "timeout": 60}
    ours = {"bmc_address": about["url"], "bmc_username": about["username"], "bmc_password": about["password"],
            "ca_path": about["ca_path"], "bmc_protocol": "redfish"}
    systems = {"community.general.redfish_info": {**peer, "category": "Systems", "command": [
        "GetSystemInventory", "GetCpuInventory", "GetMemoryInventory", "GetNicInventory", "GetDiskInventory"]}}
    firmware = {"community.general.redfish_info": {**peer, "category": "Update", "command": ["GetFirmwareInventory"]}}
    return {
        "inspection": {"community.general.redfish_info": [systems, firmware],
                       "typeone.metal.bmc_hardware_info": [{"typeone.metal.bmc_hardware_info": {**ours, "sections": SECTIONS}}]},
        "power (already on)": {
            "community.general.redfish_command": [{"community.general.redfish_command": {**peer, "category": "Systems", "command": ["PowerOn"]}}],
            "typeone.metal.bmc_power": [{"typeone.metal.bmc_power": {**ours, "state": "powered_on"}}]},
    }


def measured(bmc: TestBmc, tasks: list, empty) -> dict:
    """Return the cost of one time of the tasks."""
    bmc.ask("reset")
    cost = play(tasks * TIMES, {"node": {}}).less(empty)
    counted = bmc.ask("stats")
    return {"cpu_seconds": cost.cpu / TIMES, "wall_seconds": cost.wall / TIMES, "connections": counted["connections"] / TIMES,
            "logins": counted["logins"] / TIMES, "requests": counted["requests"] / TIMES, "sessions_left": counted["sessions_open"]}


def main() -> None:
    """Measure each work at each latency, the two by turns, and take the median round."""
    rows = []
    for latency in LATENCIES:
        with TestBmc("mini", latency=latency) as bmc:
            play([{"typeone.metal.bmc_power": {"bmc_address": bmc.about["url"], "bmc_username": bmc.about["username"],
                                               "bmc_password": bmc.about["password"], "ca_path": bmc.about["ca_path"],
                                               "state": "powered_on"}}], {"node": {}})
            for work, sides in works(bmc.about).items():
                count = {who: len(tasks) for who, tasks in sides.items()}
                rounds: dict = {who: [] for who in sides}
                for _unused in range(ROUNDS if not latency else 1):
                    for who, tasks in sides.items():
                        empty = play([{"ansible.builtin.debug": {"msg": "-"}}] * TIMES * count[who], {"node": {}})
                        rounds[who].append(measured(bmc, tasks, empty))
                middle = {who: {key: statistics.median(each[key] for each in found) for key in found[0]} for who, found in rounds.items()}
                peer, ours = middle
                for who in (peer, ours):
                    rows.append({"work": work, "latency_ms": int(latency * 1000), "who": who, **middle[who],
                                 "cpu_ratio": middle[peer]["cpu_seconds"] / middle[who]["cpu_seconds"],
                                 "wall_ratio": middle[peer]["wall_seconds"] / middle[who]["wall_seconds"]})
    record("tasks", rows)


if __name__ == "__main__":
    main()
