# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the modules for storage over a network: what both protocols have in common, and what differs."""

from __future__ import annotations

from typing import Any

_NAME = {"type": "str", "required": True}
_TEXT = {"type": "str"}
_SECRET = {"type": "str", "no_log": True}
_STATE = {"type": "str", "choices": ["present", "absent"], "default": "present"}

PORTAL = {"address": {"type": "str", "required": True}, "port": {"type": "int"}}
CHAP = {
    "username": _TEXT,
    "password": _SECRET,
    "mutual_username": _TEXT,
    "mutual_password": _SECRET,
}
KEYS = {"key": _SECRET, "controller_key": _SECRET}
_DISK = {
    "number": {"type": "int", "required": True},
    "device": {"type": "path"},
    "file": {"type": "path"},
    "size": _TEXT,
}
_ROOT = {"root": {"type": "path", "default": "/"}}


def _records(options: dict[str, Any], **given: Any) -> dict[str, Any]:
    return {"type": "list", "elements": "dict", "options": options, **given}


def target_spec(secrets: dict[str, Any], **disk: Any) -> dict[str, Any]:
    """The specification of a module for targets."""
    target = {
        "name": _NAME,
        "state": _STATE,
        "portals": _records(PORTAL),
        "disks": _records({**_DISK, **disk}),
        "initiators": _records({"name": _NAME, **secrets}),
    }
    accepted = {"type": "list", "elements": "str", "default": []}
    return {"targets": _records(target, required=True), "accept_data": accepted, **_ROOT}


def initiator_spec(secrets: dict[str, Any]) -> dict[str, Any]:
    """The specification of a module for initiators."""
    expected = {"number": {"type": "int", "required": True}, "size": _TEXT}
    target = {
        "name": _NAME,
        "state": _STATE,
        "portals": _records(PORTAL),
        "disks": _records(expected),
        **secrets,
    }
    seconds = {"path_timeout": 10, "queue_timeout": 300, "wait_timeout": 120, "boot_timeout": 300}
    timing = {name: {"type": "int", "default": default} for name, default in seconds.items()}
    return {"initiator_name": _TEXT, "targets": _records(target, required=True), **timing, **_ROOT}
