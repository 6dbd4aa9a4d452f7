# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network of a host: planned from the model, checked, changed in a transaction, read back."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.typeone.metal.plugins.module_utils._domain.network_checks import Management, check_model
from ansible_collections.typeone.metal.plugins.module_utils._domain.network_model import Model, Nic, parse_model
from ansible_collections.typeone.metal.plugins.module_utils._domain.network_state import (
    Seen,
    missing,
    moved,
    redefined,
    replaced,
)
from ansible_collections.typeone.metal.plugins.module_utils._host.clashes import clashes
from ansible_collections.typeone.metal.plugins.module_utils._host.connection import Connection
from ansible_collections.typeone.metal.plugins.module_utils._host.files import FileSet, below
from ansible_collections.typeone.metal.plugins.module_utils._host.links import find_nics, read_seen
from ansible_collections.typeone.metal.plugins.module_utils._host.network_providers import (
    MANAGER,
    Provider,
    choose_provider,
    choose_renderer,
    ifupdown_interfaces,
    running,
)
from ansible_collections.typeone.metal.plugins.module_utils._host.network_transaction import OLD, Steps, Transactions
from ansible_collections.typeone.metal.plugins.module_utils._host.profiles import Profile
from ansible_collections.typeone.metal.plugins.module_utils._host.programs import HostError, Programs

_CLOUD_INIT = "/etc/cloud/cloud.cfg.d"
_MODEL = ("interfaces", "bonds", "vlans", "bridges", "ip")
LEAST_WINDOW = 10  # seconds: what applying a change and coming back takes at the very least
_POLL = 0.5  # seconds between two looks at the kernel
# Secrets in files of others, in YAML, keyfiles and ifcfg files: a difference is shown without them, and what follows on the line.
_SECRET = re.compile(r"((?:password|passphrase|psk|secret|wep-key|private-key)[\w.-]*[\"']?\s*[:=]).*", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """What a task asks for; see the module's options."""

    state: str = "present"
    interfaces: list[dict[str, Any]] = field(default_factory=list)
    bonds: list[dict[str, Any]] = field(default_factory=list)
    vlans: list[dict[str, Any]] = field(default_factory=list)
    bridges: list[dict[str, Any]] = field(default_factory=list)
    ip: list[dict[str, Any]] = field(default_factory=list)
    management_address: str | None = None
    provider: str = "auto"
    renderer: str = "auto"
    takeover: bool = False
    confirm_within: int = 60
    wait: int = 20
    transaction: str | None = None
    root: str = "/"


class Network:
    """The network of the host below a root folder."""

    def __init__(self, request: Request, programs: Programs | None = None) -> None:
        self.request = request
        self.root = request.root
        self.programs = programs or Programs(root=request.root)
        self.transactions = Transactions(request.root, self.programs)
        self.declared: dict[str, str] = {}  # virtual links as the renderer makes them of the model
        self.gone: list[Profile] = []  # profiles of NetworkManager that go with the change
        self.renderer = ""

    def run(self, *, check: bool) -> dict[str, Any]:
        """Bring the state about. Raises HostError."""
        return {"present": self._present, "confirmed": self._confirmed}[self.request.state](check)

    def _present(self, check: bool) -> dict[str, Any]:
        pending = self.transactions.pending()  # before all else is looked at: what is begun is begun on what was seen then
        provider, seen = choose_provider(self.request.provider, self.programs), read_seen(self.programs)
        self.renderer = choose_renderer(provider, self.request.renderer, self.programs, self.root)
        model = self._model(provider, seen)
        files = self._files(provider, model)
        lacking = missing(model, seen)
        stuck = pending is not None and pending["back"]  # taken back as far as that went, so that the files may be the model's
        begin = bool(files.changed() or lacking or stuck)
        diff = [{key: _SECRET.sub(r"\1 ********", text) for key, text in item.items()} for item in files.diff()]
        if lacking:
            diff.append({"before": "".join(f"{text}\n" for text in lacking), "after": ""})
        identity = pending["id"] if pending else None
        if begin and not check:
            identity = self._begin(provider, model, files, seen, identity)
        return {
            "changed": begin or pending is not None,
            "diff": diff,
            "network": {
                "pending": (begin or pending is not None) and not check,
                "confirmed": pending is None and not begin,
                "transaction": identity,
                "missing": lacking,
                "links": {link.name: model.kernel_name(link.name) for link in model.links},
                "rolled_back": self.transactions.result(),
            },
        }

    def _model(self, provider: Provider, seen: Seen) -> Model:
        """The model with its cards found. Raises HostError with all that is wrong with it."""
        try:
            model = parse_model({key: getattr(self.request, key) for key in _MODEL})
        except ValueError as error:
            raise _refused([str(error)]) from error
        model, problems = find_nics(model, seen, self.programs, root=self.root)
        problems = check_model(model, self._management(model, seen)) + problems
        problems += provider.refused(model, self.renderer)
        interfaces = ifupdown_interfaces(self.root)
        if interfaces:
            problems.append(
                f"ifupdown configures {', '.join(interfaces)} as well (/etc/network/interfaces): take that out first"
            )
        if self.request.confirm_within < LEAST_WINDOW:
            problems.append(f"confirm_within is {self.request.confirm_within} s, too short for a way back of {LEAST_WINDOW} s")
        problems = problems or clashes(model, seen, applied=False)
        if problems:
            raise _refused(problems)
        return model

    def _management(self, model: Model, seen: Seen) -> Management:
        """How the controller comes to this host now, and where it will after the change."""
        connection = Connection.current()
        at = next((name for name in seen.links if _has(seen, name, connection.server)), None)
        nic = next((link.name for link in model.links if at and model.kernel_name(link.name) == at), None)
        address = self.request.management_address or connection.server
        return Management(address, connection.client, nic)

    def _files(self, provider: Provider, model: Model) -> FileSet:
        """The files of the model, without those of others that would disturb it. Raises HostError."""
        others, (foreign, left) = provider.others(self.root), ([], [])
        if self.renderer == MANAGER:
            foreign, left = provider.profiles(self.root, model)
        paths = [*others, *(profile.path for profile in foreign)]
        if paths and not self.request.takeover:
            raise HostError(
                f"Cannot change the network of this host: it is configured by {', '.join(paths)} as well. Put what is "
                "still wanted of that into the model, and set takeover: true to have these files removed. Nothing was changed."
            )
        self.gone = [*foreign, *left]
        text = provider.render(model, renderer=self.renderer)
        self.declared = provider.accepts(text, self.programs)
        files = FileSet(self.root)
        files.want(provider.path, text, mode=0o600)
        for path in (*paths, *provider.leftovers(self.root), *(profile.path for profile in left)):
            files.want(path, None)
        if os.path.isdir(below(self.root, _CLOUD_INIT)):
            files.want(f"{_CLOUD_INIT}/99-typeone-network.cfg", "network: {config: disabled}\n")
        return files

    def _begin(self, provider: Provider, model: Model, files: FileSet, seen: Seen, after: str | None) -> str:
        """Start the transaction, after the one that is left over; returns its id."""
        forward, back = self._steps(provider, model, seen)
        steps = Steps(provider.apply, provider.restore, forward, back, provider.folders)
        record = {
            "model": {key: getattr(self.request, key) for key in _MODEL},
            "links": {nic.name: nic.link for nic in model.nics},
        }
        return self.transactions.begin(files, steps, window=self.request.confirm_within, wanted=record, after=after)

    def _steps(self, provider: Provider, model: Model, seen: Seen) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What is done to links with the change and on the way back, beside what the renderer does.

        Virtual links that lose their configuration have to be taken away by name. So have those that get another one:
        systemd-networkd leaves what is there as it is, be its mode or its tag wrong, and holds to the kind of link that it
        knows by a name. NetworkManager would take the links that the change has left for what it is to keep.
        """
        before, there = provider.made(self.root), set(seen.links)
        names = {model.kernel_name(link.name) for link in model.links}
        wanted = {link.name for link in model.links if not isinstance(link, Nic)}
        other = {name for name, text in self.declared.items() if before.get(name, text) != text} | redefined(model, seen)
        leaving = {item.interface for item in self.gone if item.interface} - names
        stale = (set(before) - wanted) | {item.interface for item in self.gone if item.virtual and item.interface in leaving}
        made, free, clear = (wanted - there) | other, moved(model, seen), (leaving - stale) & there
        kinds = replaced(model, seen)
        managed = self.renderer == MANAGER
        if managed:
            forward = _orders(delete=stale & there, clear=clear)
        else:
            forward = _orders(replace=kinds, delete=((stale | other) & there) - kinds, free=free, clear=clear)
        old = made & (set(before) | there)  # these are there again after the way back
        if managed or running(MANAGER, self.programs, self.root):
            back = _orders(delete=made - old, renew=old, clear=((names & there) - made) | clear)
        else:
            back = _orders(delete=made - old, renew=old, free=free, clear=clear)
        return forward, back

    def _confirmed(self, check: bool) -> dict[str, Any]:
        """Confirm what is pending once all of it is there and the connection proves it; else say why not."""
        deadline = time.monotonic() + self.request.wait
        while True:
            pending = self.transactions.pending()
            if pending is None or self.request.transaction not in (None, pending["id"]):
                return self._settled()
            began, lacking = time.monotonic(), []
            reason = self.transactions.why_not(pending, Connection.current())
            if reason is None:
                lacking, reason = self._lacking(pending["wanted"])
            if reason is None and not check:
                self.transactions.confirm(pending)
            if pending["back"] or reason in (None, OLD, pending["failure"]) or time.monotonic() >= deadline:
                break
            # A slow host is to spend its time on the change, not on being looked at.
            time.sleep(max(_POLL, time.monotonic() - began))
        return {
            "changed": reason is None,
            "network": {
                "confirmed": reason is None,
                "pending": reason is not None,
                "back": pending["back"],
                "missing": lacking,
                "reason": reason,
            },
        }

    def _lacking(self, wanted: dict[str, Any]) -> tuple[list[str], str | None]:
        """What of a transaction's model the kernel has not; and why it is not right, be it that others have its addresses."""
        model, seen = _recorded_model(wanted), read_seen(self.programs)
        lacking = missing(model, seen)
        if lacking:
            return lacking, f"not all of it is there: {'; '.join(lacking)}"
        return [], "; ".join(clashes(model, seen, applied=True)) or None

    def _settled(self) -> dict[str, Any]:
        """Nothing is pending here that was asked about: it was confirmed, or taken back, or is another host's."""
        back, asked = self.transactions.result(), self.request.transaction
        reason = f"the previous network is back: {back}" if back else None
        if not back and asked not in (None, self.transactions.confirmed()):
            reason = "the host that answers is another one, which knows nothing of the change: its address is taken"
        return {"changed": False, "network": {"confirmed": not reason, "pending": False, "missing": [], "reason": reason}}


def _refused(problems: list[str]) -> HostError:
    return HostError(
        f"Cannot change the network of this host: {'; '.join(problems)}. Nothing was changed. Correct the model."
    )


def _orders(**links: set[str]) -> tuple[str, ...]:
    """Changes of links in words, by what is done to them."""
    return tuple(f"{verb} {name}" for verb, names in links.items() for name in sorted(names))


def _has(seen: Seen, name: str, address: str | None) -> bool:
    return address is not None and any(text.split("/")[0] == address for text in seen.addresses(name))


def _recorded_model(record: dict[str, Any]) -> Model:
    """The model as it was when the transaction began, with the cards that were found then."""
    model = parse_model(record["model"])
    return model.with_nics(tuple(replace(nic, link=record["links"].get(nic.name)) for nic in model.nics))
