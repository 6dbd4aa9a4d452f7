# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""The lab's program: one step of building or removing a lab, told to Ansible as JSON.

Reads the lab's description from standard input; prints {"changed": bool, "actions": [...]}.
"""

from __future__ import annotations

import argparse
import json
import sys

import acceleration
import bmcs
import credentials
import down
import layout
import machines
import mirror
import network
import plan
import provisioner
import tree
from common import Lab, LabError

STEPS = {
    "layout": [layout.up],
    "network": [network.up],
    "mirror": [mirror.up],
    "tree": [tree.build],
    "credentials": [credentials.up],
    "provisioner": [provisioner.unpack, provisioner.up],
    "hypervisor": [machines.daemon, machines.pool],
    "nodes": [machines.up],
    "bmcs": [bmcs.up],
    "down": [down.down],
}


def main() -> int:
    """Run one step."""
    parser = argparse.ArgumentParser(prog="typeone_lab")
    parser.add_argument("step", choices=["plan", "acceleration", *STEPS])
    parser.add_argument("--check", action="store_true", help="say what would be changed, and change nothing")
    arguments = parser.parse_args()
    spec = json.load(sys.stdin)
    try:
        if arguments.step == "plan":
            print(json.dumps(plan.plan(spec)))
            return 0
        lab = Lab.from_spec(spec, check=arguments.check)
        if arguments.step == "acceleration":
            print(json.dumps(acceleration.find(lab)))
            return 0
        for step in STEPS[arguments.step]:
            step(lab)
    except LabError as exc:
        print(exc, file=sys.stderr)
        return 1
    print(json.dumps({"changed": bool(lab.actions), "actions": lab.actions}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
