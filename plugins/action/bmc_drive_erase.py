# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of M(typeone.metal.bmc_drive_erase)."""

from __future__ import annotations

from ..module_utils._resources.drive_erase import DriveEraseResource
from ..plugin_utils._action import ResourceAction


class ActionModule(ResourceAction):
    """Runs the resource in the controller's worker."""

    RESOURCE = DriveEraseResource
