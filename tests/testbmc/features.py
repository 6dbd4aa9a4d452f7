# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Loads everything that registers routes, and makes a BMC ready to serve."""

from __future__ import annotations


def install(_bmc) -> None:
    """Nothing to prepare yet."""
