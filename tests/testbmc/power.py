# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""ComputerSystem.Reset and what a start does: overrides are used up, pending settings take effect."""

from __future__ import annotations

from .messages import Response, error, refusal
from .routes import action, check_allowable, check_parameters

RESET_TYPES = ["On", "ForceOff", "GracefulShutdown", "GracefulRestart", "ForceRestart", "Nmi", "ForceOn", "PushPowerButton", "PowerCycle"]

# ResetType: (what it does when On, what it does when Off). "same": it is so already; "wrong": cannot be done in that state.
TRANSITIONS = {
    "On": ("same", "start"), "ForceOn": ("same", "start"),
    "ForceOff": ("stop", "same"), "GracefulShutdown": ("soft_stop", "same"),
    "ForceRestart": ("restart", "wrong"), "GracefulRestart": ("soft_restart", "wrong"),
    "PowerCycle": ("cycle", "wrong"), "FullPowerCycle": ("cycle", "start"),
    "PushPowerButton": ("soft_stop", "start"), "Nmi": ("nothing", "wrong"),
    "Suspend": ("nothing", "wrong"), "Pause": ("nothing", "wrong"), "Resume": ("nothing", "wrong"),
}


@action("ComputerSystem.Reset")
def reset(bmc, owner: str, data: dict, _request) -> Response:
    """DSP0268, ComputerSystem 6.27: Reset."""
    name = "ComputerSystem.Reset"
    check_parameters(name, data, known=("ResetType",), required=("ResetType",))
    value = data["ResetType"]
    check_allowable(bmc, owner, name, "ResetType", value=value, fallback=RESET_TYPES)
    if value not in TRANSITIONS:
        raise refusal("ActionParameterNotSupported", "ResetType", name)
    step = TRANSITIONS[value][0 if bmc.power.is_on(owner) else 1]
    if step in ("same", "wrong"):
        return bmc.power.refuse(step)
    bmc.power.resets.append((owner, value))
    getattr(bmc.power, step)(owner)
    return Response(204)


class Power:
    """The power of a BMC's systems. `boots` lists each start with what it started from; `resets` what was asked."""

    def __init__(self, bmc) -> None:
        self._bmc = bmc
        self.boots: list = []
        self.resets: list = []
        self.on_boot: list = []

    def state(self, system: str) -> str:
        """PowerState now; a system that tells none counts as on."""
        return self._bmc.store.get(system).get("PowerState") or "On"

    def is_on(self, system: str) -> bool:
        """Whether it is on or about to be off."""
        return self.state(system) in ("On", "PoweringOff")

    def refuse(self, step: str) -> Response:
        """Asked for what is so already, or cannot be in that state."""
        if step == "same" and self._bmc.options.redundant_power == "ok":
            return Response(204)
        return error("InvalidOperationForSystemState", status=self._bmc.options.redundant_power_status)

    def set_state(self, system: str, state: str) -> None:
        """Set PowerState of a system and of what it is built into."""
        store = self._bmc.store
        store.edit(system)["PowerState"] = state
        for item in store.get(system).get("Links", {}).get("Chassis", []):
            if isinstance(item, dict) and "PowerState" in store.get(item.get("@odata.id", "")):
                store.edit(item["@odata.id"])["PowerState"] = state

    def start(self, system: str) -> None:
        """Off to On after the lag; the firmware then boots."""
        self._between(system, "PoweringOn")
        self._bmc.clock.at(self._bmc.options.power_lag, lambda: self._started(system))

    def stop(self, system: str) -> None:
        """On to Off after the lag."""
        self._between(system, "PoweringOff")
        self._bmc.clock.at(self._bmc.options.power_lag, lambda: self.set_state(system, "Off"))

    def soft_stop(self, system: str) -> None:
        """The operating system is asked; it may never come to an end."""
        if self._bmc.options.graceful == "works":
            self.stop(system)

    def restart(self, system: str) -> None:
        """A warm start: PowerState stays On."""
        self._bmc.clock.at(self._bmc.options.power_lag, lambda: self._started(system))

    def soft_restart(self, system: str) -> None:
        """The operating system is asked to restart."""
        if self._bmc.options.graceful == "works":
            self.restart(system)

    def cycle(self, system: str) -> None:
        """Off, then On, each after the lag."""
        lag = self._bmc.options.power_lag
        self._bmc.clock.at(lag, lambda: self.set_state(system, "Off"))
        self._bmc.clock.at(2 * lag, lambda: self._started(system))

    def nothing(self, system: str) -> None:
        """An interrupt changes no state."""

    def _between(self, system: str, state: str) -> None:
        if self._bmc.options.power_lag and self._bmc.options.power_intermediate:
            self.set_state(system, state)

    def _started(self, system: str) -> None:
        self.set_state(system, "On")
        self._bmc.boot.started(system)
        for hook in list(self.on_boot):
            hook(system)
        self._progress(system)

    def _progress(self, system: str) -> None:
        seconds = self._bmc.options.post_seconds
        if "BootProgress" not in self._bmc.store.get(system) and not seconds:
            return

        def tell(state: str) -> None:
            self._bmc.store.merge(system, {"BootProgress": {"LastState": state}})

        if seconds:
            tell("SystemHardwareInitializationComplete")
        self._bmc.clock.at(seconds, lambda: tell("OSRunning"))

    def in_post(self, system: str) -> bool:
        """Whether the firmware is still at its self-test."""
        state = (self._bmc.store.get(system).get("BootProgress") or {}).get("LastState")
        return state == "SystemHardwareInitializationComplete"
