# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of M(typeone.metal.bmc_console)."""

from __future__ import annotations

from ..module_utils._resources.console import ConsoleResource
from ..plugin_utils._action import ResourceAction


class ActionModule(ResourceAction):
    """Runs the resource in the controller's worker."""

    RESOURCE = ConsoleResource
