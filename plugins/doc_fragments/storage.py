# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation that the modules for storage over a network have in common."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragments C(typeone.metal.storage), C(typeone.metal.storage.target) and C(typeone.metal.storage.initiator)."""

    DOCUMENTATION = r"""
author: typeone.metal contributors (@typeone)
options:
  root:
    description: The folder below which the host's files are read and written, for a recorded tree.
    type: path
    default: /
attributes:
  diff_mode:
    description: Shows what changes. Secrets are told apart and not shown.
"""

    TARGET = r"""
options:
  accept_data:
    description:
      - Serial numbers, WWNs or paths of devices and files that hold data and may be exported nevertheless.
      - Anything else that holds data is refused before anything is touched. What was exported by an earlier run is not asked again.
    type: list
    elements: str
    default: []
"""

    INITIATOR = r"""
options:
  path_timeout:
    description: Seconds after which a path that does not answer is given up, and between attempts to have it back.
    type: int
    default: 10
  queue_timeout:
    description:
      - Seconds for which reads and writes wait when no path is left, before they fail.
      - Let it be longer than a target takes to boot.
    type: int
    default: 300
  wait_timeout:
    description: Seconds in which all portals have to be connected and all disks have to be there.
    type: int
    default: 120
  boot_timeout:
    description: Seconds for which a booting host tries to reach a portal, should the target boot later than it.
    type: int
    default: 300
"""
