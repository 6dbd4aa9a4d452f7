# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""One test BMC: a tree, its state, its habits, served on an address of the loopback network."""

from __future__ import annotations

import dataclasses
import threading

from . import certs, etags, features, reading
from .accounts import Accounts
from .auth import Sessions, authenticate, unauthorized
from .bios import Bios
from .boot import Boot
from .clock import Clock
from .counters import Counters
from .faults import KINDS, Faults
from .firmware import Firmware
from .messages import Refusal, Request, Response, error
from .power import Power
from .quirks import make
from .routes import Routes
from .store import Store
from .tasks import Tasks
from .trees import Tree, load
from .wire import Server


@dataclasses.dataclass
class Options:  # pylint: disable=too-many-instance-attributes
    """How a test BMC behaves. All may be given to `Bmc` by name and changed while it runs."""

    username: str = "root"
    password: str = "Tree-0penSesame"
    sessions: bool = True                 # session authentication
    basic: bool = True                    # basic authentication
    session_link: bool = True             # add Links.Sessions to a service root that lacks it
    absolute_location: bool = False       # Location of a new session with scheme and host
    session_cap: int = 16
    session_cap_status: int = 503
    session_timeout: float = 1800.0       # seconds without a request
    failed_login_status: int = 401        # 200: as old Supermicro
    open_root: bool = True                # the service root without a login
    etag: str = "recorded"                # recorded, weak, strong, none
    etag_policy: tuple = ()               # see etags.POLICIES
    patch_status: int = 200               # 200 with the resource, or 204
    query: str = "auto"                   # $expand: auto (as advertised), ignore, refuse
    latency: float = 0.0                  # seconds before each answer
    power_lag: float = 0.0                # seconds from a reset to its effect
    power_intermediate: bool = False      # PoweringOn, PoweringOff during the lag
    redundant_power: str = "ok"           # On when on: ok (204) or conflict
    redundant_power_status: int = 409
    graceful: str = "works"               # or "never": soft requests are accepted and never end
    post_seconds: float = 0.0             # BootProgress tells of a self-test for so long
    media_patch: bool | None = None       # VirtualMedia takes Inserted and Image by PATCH; None: where it has no InsertMedia
    accounts_slots: bool | None = None    # accounts are fixed slots; None: where the tree has empty slots
    settings_apply_time: bool | None = None  # Bios settings take @Redfish.SettingsApplyTime; None: where advertised
    task_seconds: float = 0.0             # how long a task runs
    follow_address: str = ""              # be where the manager's IPv4 address says: "answered" or "lost" (the answer to that PATCH)
    dhcp_address: str = "192.0.2.200"     # what a manager's interface gets by DHCP
    restart_seconds: float = 0.3          # how long the BMC is away after Manager.Reset


class Bmc:  # pylint: disable=too-many-instance-attributes
    """A BMC that runs between start() and stop(), or in a `with` block. See the package's documentation."""

    def __init__(self, tree="mini", *, host: str = "127.0.0.1", port: int = 0, tls: bool = True, quirks=(), **options) -> None:
        self.tree = tree if isinstance(tree, Tree) else load(tree)
        self.options = Options(**options)
        self.tls = tls
        self.lock = threading.RLock()
        self.clock = Clock()
        self.counters = Counters()
        self.faults = Faults()
        self.store = Store(self.tree)
        self.routes = Routes()
        self.etags = etags.Etags(self)
        self.sessions = Sessions(self)
        self.accounts = Accounts(self)
        self.power = Power(self)
        self.boot = Boot(self)
        self.bios = Bios(self)
        self.tasks = Tasks(self)
        self.firmware = Firmware(self)
        self.identity = certs.identity((host,)) if tls else None
        self.server = Server(self.handle, self.counters, host=host, port=port, context=certs.server_context(self.identity) if tls else None)
        if self.options.sessions:
            self.sessions.prepare()
        self.storage = self.certificates = None
        self.cleared_logs: list = []
        features.install(self)
        self.quirks = make(self, quirks)

    # Running it

    def start(self) -> "Bmc":
        """Listen; returns itself."""
        self.server.start()
        return self

    def stop(self) -> None:
        """Close all connections and the port."""
        self.server.stop()

    def __enter__(self) -> "Bmc":
        return self.start()

    def __exit__(self, *_exception) -> None:
        self.stop()

    def restart(self, seconds: float | None = None, *, keep=None) -> None:
        """The BMC itself restarts: connections refused for a while, sessions lost, also one that was just being opened."""
        def forget() -> None:
            with self.lock:
                self.sessions.expire(everyone=True)

        self.server.down(self.options.restart_seconds if seconds is None else seconds, keep=keep, before_up=forget)
        forget()

    def use_identity(self, identity: certs.Identity) -> None:
        """Show another certificate to new connections."""
        self.identity = identity
        self.server.context = certs.server_context(identity)

    # How to reach it

    @property
    def host(self) -> str:
        """Its address."""
        return self.server.host

    @property
    def port(self) -> int:
        """Its port."""
        return self.server.port

    @property
    def url(self) -> str:
        """Its root, without a path."""
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"

    @property
    def username(self) -> str:
        """The administrator's name."""
        return self.options.username

    @property
    def password(self) -> str:
        """The administrator's password."""
        return self.options.password

    @property
    def ca_path(self) -> str:
        """The CA that signed its certificate."""
        return certs.ca_path()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of its certificate, hexadecimal."""
        return self.identity.fingerprint if self.identity else ""

    # Looking into it, past the wire

    def get(self, path: str) -> dict:
        """A resource as it is now."""
        with self.lock:
            self.clock.tick()
            return self.store.get(path)

    def set(self, path: str, values: dict) -> None:
        """Change a resource behind the client's back (objects are merged)."""
        with self.lock:
            self.store.merge(path, values)

    def of_kind(self, kind: str) -> list:
        """Paths of all resources of a schema."""
        return self.store.of_kind(kind)

    @property
    def systems(self) -> list:
        """Paths of the systems."""
        return self.store.members(self.store.link("/redfish/v1", "Systems"))

    @property
    def system(self) -> str:
        """Path of the first system."""
        return self.systems[0]

    @property
    def manager(self) -> str:
        """Path of the first manager."""
        return self.store.members(self.store.link("/redfish/v1", "Managers"))[0]

    def inserted_media(self) -> list:
        """Images in the virtual drives."""
        slots = [self.store.get(path) for path in self.store.of_kind("VirtualMedia")]
        return [slot.get("Image") for slot in slots if slot.get("Inserted")]

    # Answering

    def pause(self, seconds: float) -> None:
        """Sleep, but not beyond the server's end."""
        self.server.stopped.wait(seconds)

    def failed_login(self) -> Response:
        """The answer to a wrong password at the session collection."""
        if self.options.failed_login_status == 200:
            return error("ResourceAtUriUnauthorized", self.sessions.collection, status=200)
        response = unauthorized(self)
        response.status = self.options.failed_login_status
        return response

    def handle(self, request: Request) -> Response:
        """Answer a request: faults first, then the BMC's own work."""
        push = request.method == "POST" and self.firmware.is_push(request.path)
        if request.is_write:
            body = None if push else _parsed(request)
            self.counters.wrote(request.method, request.path, "<upload>" if push else body)
        fault = self.faults.take(request)
        if fault is None:
            return self.process(request)
        self.counters.faults.append((fault.kind, request.method, request.path))
        return KINDS[fault.kind](self, fault, request, lambda: self.process(request))

    def process(self, request: Request) -> Response:
        """What the BMC does where nothing goes wrong on the way."""
        if self.options.latency:
            self.pause(self.options.latency)
        try:
            with self.lock:
                self.clock.tick()
                refused = authenticate(self, request)
            if refused is not None:
                return refused
            if request.method == "POST" and self.firmware.is_push(request.path):
                self.firmware.receive(request)
            with self.lock:
                return self._after(request, self._before(request) or self._do(request))
        except Refusal as refused:
            return self._after(request, refused.response)

    def _do(self, request: Request) -> Response:
        try:
            if request.method in ("GET", "HEAD"):
                return reading.get(self, request)
            return self.routes.write(self, request)
        except Refusal as refused:
            return refused.response

    def _before(self, request: Request):
        for quirk in self.quirks:
            response = quirk.before(request)
            if response is not None:
                return response
        return None

    def _after(self, request: Request, response: Response) -> Response:
        for quirk in self.quirks:
            response = quirk.after(request, response) or response
        return response


def _parsed(request: Request):
    try:
        return request.json(empty={})
    except Refusal:
        return request.read_all()[:4096]
