# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Find out whether hardware acceleration really works: by booting a kernel under it, with a deadline."""

from __future__ import annotations

import typing as t

from common import Lab


def find(lab: Lab) -> dict[str, t.Any]:
    """Returns {type: kvm or qemu, why: a sentence}."""
    return {"type": "qemu", "why": "not tried"}
