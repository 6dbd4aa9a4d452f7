# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a resource is: options, a way to read, a plan, and a way to apply it. Knows nothing of Ansible."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Callable, ClassVar, Optional

from .._bmc.errors import InvalidInput
from .._bmc.interface import Capability, Driver
from .._domain.change import Change, Effect

Params = dict[str, Any]
Tell = Callable[[str], None]


class Resource(ABC):
    """One ``bmc_*`` resource for the length of one task.

    ``NAME`` is the return key, ``DOING`` what a failure could not do, ``SPEC`` the options of its own,
    ``CONSTRAINTS`` the relations between options as Ansible's argument validation takes them.
    """

    NAME: ClassVar[str]
    DOING: ClassVar[str]
    CAPABILITY: ClassVar[Optional[type[Capability]]] = None
    SPEC: ClassVar[dict[str, dict[str, Any]]] = {}
    CONSTRAINTS: ClassVar[dict[str, Any]] = {}
    WRITES: ClassVar[bool] = True

    def __init__(self, params: Params, *, tell: Tell) -> None:
        self.params = params
        self.tell = tell
        self.driver: Optional[Driver] = None

    @property
    def doing(self) -> str:
        """Return what this task does, to follow "Cannot"."""
        return self.DOING

    def validate(self) -> None:
        """Check the options before the BMC is asked anything; raise :class:`InvalidInput`."""

    def bind(self, driver: Driver) -> None:
        """Work on this BMC from here on."""
        self.driver = driver

    @property
    def bmc(self) -> Any:
        """Return the capability that this resource is about."""
        return self.driver.get(self.CAPABILITY)

    @abstractmethod
    def read(self) -> Any:
        """Return the present state, as plain data in the shape of the return key."""

    def plan(self, current: Any) -> Change:
        """Return what is to change. An info resource changes nothing."""
        return Change(before=current, after=current)

    def apply(self, change: Change) -> Effect:
        """Make the change, read back what came of it, and return that."""
        raise NotImplementedError

    def extra(self) -> dict[str, Any]:
        """Return what joins the result beside the return key (an info resource's ``problems``)."""
        return {}


class InfoResource(Resource):
    """A resource that only reads."""

    WRITES = False


def one_of(name: str, value: Any, valid: Any) -> None:
    """Raise :class:`InvalidInput` unless ``value`` is one of ``valid``."""
    if value not in valid:
        raise InvalidInput(f"{name} is '{value}'", remedy=f"Valid values are {', '.join(map(str, valid))}.")
