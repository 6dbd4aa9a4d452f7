# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation that the modules which change a host have in common."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragment C(typeone.metal.host)."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in check mode.
    support: full
  diff_mode:
    description: Shows the files and what the kernel holds.
    support: full
  idempotent:
    description: A second run changes nothing.
    support: full
  platform:
    description: Where it works.
    platforms: linux
    support: full
"""
