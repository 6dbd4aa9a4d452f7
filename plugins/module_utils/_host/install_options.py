# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of os_install, once for the module and for the action of the same name."""

from __future__ import annotations

import typing as t

HINTS: dict[str, dict[str, t.Any]] = {
    "serial": {"type": "str"},
    "wwn": {"type": "str"},
    "min_size_gib": {"type": "float"},
    "max_size_gib": {"type": "float"},
    "type": {"type": "str", "choices": ["hdd", "nvme", "ssd"]},
    "rotational": {"type": "bool"},
}

NETWORK: dict[str, dict[str, t.Any]] = {
    "mac": {"type": "str", "required": True},
    "address": {"type": "str", "required": True},
    "gateway": {"type": "str"},
    "dns": {"type": "list", "elements": "str", "default": []},
}

OS_INSTALL_SPEC: dict[str, dict[str, t.Any]] = {
    "node": {"type": "str", "required": True},
    "hints": {"type": "dict", "default": {}, "options": HINTS},
    "destroy": {"type": "list", "elements": "str", "default": []},
    "deploy_id": {"type": "str", "required": True},
    "unfinished": {"type": "list", "elements": "str", "default": []},
    "image": {"type": "dict", "required": True},
    "image_url": {"type": "str", "required": True},
    "hostname": {"type": "str", "required": True},
    "network": {"type": "dict", "required": True, "options": NETWORK},
    "stamp": {"type": "dict", "default": {}},
    "mount_point": {"type": "str", "default": "/sysroot"},
    "switch_root": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 1800},
}
