# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of node_stage: keys and journal on the controller, the order to the provisioner by standard input."""

from __future__ import annotations

import json
import shlex
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.typeone.metal.plugins.plugin_utils._staging import (
    NodeState,
    new_token,
    pinned_names,
    with_token,
)

SPEC: dict[str, dict[str, t.Any]] = {
    "state": {"type": "str", "choices": ["staged", "read", "withdrawn", "finished"], "default": "staged"},
    "node": {"type": "str", "required": True},
    "mac": {"type": "str", "required": True},
    "address": {"type": "str", "required": True},
    "host": {"type": "str"},
    "port": {"type": "int", "default": 22},
    "state_dir": {"type": "path", "required": True},
    "authorized_keys": {"type": "list", "elements": "str", "default": []},
    "scripts": {"type": "dict", "default": {}},
    "loader": {"type": "str", "choices": ["grub", "ipxe"], "default": "grub"},
    "expires_in": {"type": "int", "default": 3600},
    "claim_program": {"type": "str", "default": "/usr/local/lib/typeone/typeone_claim.py"},
}


class ActionModule(ActionBase):
    """Stage a node on the provisioner, read what it saw, withdraw the node, or note that its deploy is finished."""

    _requires_connection = True
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the task."""
        result = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(argument_spec=SPEC)
        state = NodeState(options["state_dir"])
        if options["state"] == "read":
            events = json.loads(self._claim(options, f"status {shlex.quote(options['mac'])}") or "[]")
            result.update(changed=False, events=events, node_stage=self._known(state))
        elif self._task.check_mode:
            journal = state.journal()
            pending = options["state"] == "staged" or bool(journal["unfinished"])
            result.update(changed=pending, node_stage={"deploy_id": "", "unfinished": journal["unfinished"]})
        elif options["state"] == "staged":
            result.update(changed=True, node_stage=self._stage(options, state))
        else:
            result.update(self._end(options, state))
        return result

    def _stage(self, options: dict[str, t.Any], state: NodeState) -> dict[str, t.Any]:
        """Every staging has a token of its own; one that was left over from a run that died is worth nothing."""
        if not options["authorized_keys"]:
            raise AnsibleError(f"Cannot stage {options['node']}: nobody could log in, no public key is given. "
                               "Set typeone_ssh_public_keys.")
        state.ensure_key(pinned_names(options["address"], host=options["host"] or options["address"], port=options["port"]))
        deploy_id, unfinished = state.begin()
        token = new_token()
        order = {name: options[name] for name in ("node", "mac", "address", "expires_in", "loader")}
        order.update(deploy_id=deploy_id, token=token, files=state.bundle(options["authorized_keys"]),
                     scripts=with_token(options["scripts"], token))
        self._claim(options, "stage", order=order)
        return {"deploy_id": deploy_id, "unfinished": unfinished, "known_hosts": str(state.known_hosts),
                "public_key": state.public_key.read_text(encoding="utf-8").strip()}

    def _end(self, options: dict[str, t.Any], state: NodeState) -> dict[str, t.Any]:
        cleared = self._claim(options, f"clear {shlex.quote(options['mac'])}").strip() == "cleared"
        ended = state.finish() if options["state"] == "finished" else False
        return {"changed": cleared or ended, "node_stage": self._known(state)}

    @staticmethod
    def _known(state: NodeState) -> dict[str, t.Any]:
        journal = state.journal()
        return {"deploy_id": (journal["unfinished"] or [journal["finished"]])[-1], "unfinished": journal["unfinished"]}

    def _claim(self, options: dict[str, t.Any], command: str, *, order: dict[str, t.Any] | None = None) -> str:
        """Run the provisioner's own program; the order goes to its standard input and thus into no process table."""
        done = self._low_level_execute_command(
            f"python3 -B {shlex.quote(options['claim_program'])} {command}",
            in_data=json.dumps(order).encode() if order else None, sudoable=True)
        if done["rc"]:
            why = (done["stderr"] or done["stdout"]).strip().splitlines() or [f"exit status {done['rc']}"]
            raise AnsibleError(f"Cannot {command.split()[0]} {options['node']} on the provisioner via ssh: {why[-1]}. "
                               "Run the role provisioner first.")
        return done["stdout"]
