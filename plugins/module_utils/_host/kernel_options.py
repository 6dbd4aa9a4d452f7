# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the running kernel was built."""

from __future__ import annotations

import gzip
import os
from collections.abc import Collection

from ansible_collections.typeone.metal.plugins.module_utils._host.files import below, read_text
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError


def kernel_options(root: str = "/") -> set[str] | None:
    """Names of options that are on (built in or as modules), without CONFIG_; None where nothing tells."""
    text = read_text(below(root, f"/boot/config-{os.uname().release}"))
    if text is None:
        try:
            with gzip.open(below(root, "/proc/config.gz"), "rt", encoding="utf-8") as stream:
                text = stream.read()
        except OSError:
            return None
    lines = (line.partition("=") for line in text.splitlines() if line.startswith("CONFIG_"))
    return {name.removeprefix("CONFIG_") for name, _equals, setting in lines if setting in ("y", "m")}


def need_kernel_option(names: Collection[str], what: str, *, root: str = "/") -> None:
    """Refuse what the kernel was built without; any of the names will do. Raises HostError."""
    known = kernel_options(root)
    if known is not None and not known & set(names):
        raise HostError(
            f"Cannot use {what} on this host: its kernel {os.uname().release} is built without "
            f"{' or '.join(f'CONFIG_{name}' for name in names)}. Run a kernel that has it, or leave the keys out and keep the "
            "storage network apart. Nothing was changed."
        )
