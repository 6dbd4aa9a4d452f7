# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every capability of a BMC is."""

from __future__ import annotations

from abc import ABC


class Capability(ABC):
    """One thing that a BMC can do. ``title`` is its name in messages."""

    title = "capability"
