# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Who is asking: Basic authentication, and sessions with a cap and an expiry."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import itertools
import secrets

from .messages import Request, Response, error, refusal

OPEN_PATHS = ("/redfish", "/redfish/v1", "/redfish/v1/odata", "/redfish/v1/$metadata")


@dataclasses.dataclass
class Session:
    """A login."""

    number: str
    token: str
    user: str
    path: str
    used: float


class Sessions:
    """All logins of one BMC. Called with the BMC's lock held."""

    def __init__(self, bmc) -> None:
        self._bmc = bmc
        self._by_token: dict = {}
        self._numbers = itertools.count(1)

    @property
    def collection(self) -> str:
        """Where sessions are made."""
        store = self._bmc.store
        return (store.link("/redfish/v1", "Links", "Sessions")
                or store.link(store.link("/redfish/v1", "SessionService") or "/redfish/v1/SessionService", "Sessions")
                or "/redfish/v1/SessionService/Sessions")

    def prepare(self) -> None:
        """Have the tree list our sessions instead of the recorded ones."""
        store = self._bmc.store
        path = self.collection
        if path not in store:
            store.put(path, {"@odata.type": "#SessionCollection.SessionCollection", "Name": "Session Collection"})
        listing = store.edit(path)
        for item in store.members(path):
            store.changed[item] = None
        listing["Members"] = []
        listing["Members@odata.count"] = 0
        if self._bmc.options.session_link and not store.link("/redfish/v1", "Links", "Sessions"):
            store.merge("/redfish/v1", {"Links": {"Sessions": {"@odata.id": path}}})

    def __len__(self) -> int:
        self.expire()
        return len(self._by_token)

    def open(self) -> list:
        """The sessions open now."""
        self.expire()
        return list(self._by_token.values())

    def expire(self, *, everyone: bool = False) -> None:
        """Drop what was not used for the session timeout, or all."""
        limit = self._bmc.clock.now() - self._bmc.options.session_timeout
        for session in [item for item in self._by_token.values() if everyone or item.used < limit]:
            self.remove(session)

    def remove(self, session: Session) -> None:
        """End a session."""
        self._by_token.pop(session.token, None)
        self._bmc.store.delete(session.path, collection=self.collection)

    def find(self, token: str):
        """A session by token, its idle time reset; None where unknown."""
        self.expire()
        session = self._by_token.get(token)
        if session is not None:
            session.used = self._bmc.clock.now()
        return session

    def by_path(self, path: str):
        """A session by its resource."""
        return next((item for item in self._by_token.values() if item.path == path), None)

    def create(self, request: Request) -> Response:
        """POST to the collection: a login."""
        bmc = self._bmc
        data = request.json()
        user, password = data.get("UserName"), data.get("Password")
        for name in ("UserName", "Password"):
            if name not in data:
                raise refusal("PropertyMissing", name, related=[name])
        if not bmc.accounts.check(user, password):
            bmc.counters.add("failed_logins")
            return bmc.failed_login()
        if len(self) >= bmc.options.session_cap:
            return error("SessionLimitExceeded", status=bmc.options.session_cap_status)
        number = str(next(self._numbers))
        session = Session(number, secrets.token_hex(16), user, f"{self.collection}/{number}", bmc.clock.now())
        self._by_token[session.token] = session
        body = {"@odata.type": "#Session.v1_3_0.Session", "@odata.id": session.path, "Id": number, "Name": "User Session",
                "UserName": user, "Password": None}
        bmc.store.put(session.path, dict(body), collection=self.collection)
        bmc.counters.add("logins")
        location = f"{bmc.url}{session.path}" if bmc.options.absolute_location else session.path
        return Response(201, body, headers={"X-Auth-Token": session.token, "Location": location})


def basic_credentials(header: str):
    """(user, password) out of an Authorization header, None where it is none."""
    scheme, _sep, text = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, sep, password = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if sep else None


def authenticate(bmc, request: Request):
    """None where the request may pass, else the refusal."""
    token = request.headers.get("x-auth-token")
    header = request.headers.get("authorization")
    if token and bmc.options.sessions:
        session = bmc.sessions.find(token)
        if session is not None:
            request.session, request.user = session, session.user
            return None
    elif header and bmc.options.basic:
        given = basic_credentials(header)
        bmc.counters.add("basic_requests")
        if given and bmc.accounts.check(*given):
            request.user = given[0]
            return None
    elif _open(bmc, request):
        bmc.counters.add("anonymous_requests")
        return None
    bmc.counters.add("unauthorized")
    return unauthorized(bmc)


def _open(bmc, request: Request) -> bool:
    if request.method in ("GET", "HEAD"):
        return request.path in OPEN_PATHS and bmc.options.open_root
    return request.method == "POST" and _is_login(bmc, request.path)


def _is_login(bmc, path: str) -> bool:
    return path in (bmc.sessions.collection, bmc.sessions.collection + "/Members")


def unauthorized(bmc) -> Response:
    """401, inviting Basic where it is on."""
    headers = {"WWW-Authenticate": 'Basic realm="Redfish"'} if bmc.options.basic else {}
    return error("NoValidSession", headers=headers)
