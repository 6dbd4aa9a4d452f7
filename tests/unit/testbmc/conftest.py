# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plain HTTP client, that hides nothing, for test BMCs over HTTP and HTTPS."""

from __future__ import annotations

import http.client
import json

import pytest

import testbmc
from testbmc import certs

SESSIONS = "/redfish/v1/SessionService/Sessions"


class Answer:
    """One answer: status, headers (http.client's), raw body."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.raw = response.read()

    @property
    def json(self):
        """The body as data."""
        return json.loads(self.raw)

    @property
    def message(self) -> str:
        """Name of the first message of an error, without its registry."""
        return self.json["error"]["@Message.ExtendedInfo"][0]["MessageId"].rpartition(".")[2]


class Plain:
    """One connection to a test BMC, logged in where asked to. Nothing is retried or followed."""

    def __init__(self, bmc, *, login: bool = True, timeout: float = 5) -> None:
        self.bmc = bmc
        self.headers: dict = {}
        self._timeout = timeout
        self.connect()
        if login:
            answer = self.login()
            assert answer.status == 201, answer.raw
            self.headers["X-Auth-Token"] = answer.headers["X-Auth-Token"]
            self.session = answer.headers["Location"]

    def connect(self) -> None:
        """A new connection."""
        where = (self.bmc.host, self.bmc.port)
        self._http = (http.client.HTTPSConnection(*where, timeout=self._timeout, context=certs.client_context()) if self.bmc.tls
                      else http.client.HTTPConnection(*where, timeout=self._timeout))

    def __call__(self, method: str, path: str, body=None, **headers) -> Answer:
        """Send a request; headers as keywords, "_" for "-"."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if data is not None:
            more.setdefault("Content-Type", "application/json")
        self._http.request(method, path, data, {**self.headers, **more})
        return Answer(self._http.getresponse())

    def login(self, username=None, password=None) -> Answer:
        """POST to the sessions."""
        return self("POST", self.bmc.sessions.collection, {"UserName": username or self.bmc.username, "Password": password or self.bmc.password})

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


@pytest.fixture(name="start")
def fixture_start():
    """start(tree="mini", login=True, **options) -> (bmc, client); HTTP unless tls=True. No exception inside the BMC at the end."""
    running: list = []

    def start(tree="mini", *, login: bool = True, tls: bool = False, timeout: float = 5, **options):
        bmc = testbmc.Bmc(tree, tls=tls, **options).start()
        running.append([bmc, None])
        running[-1][1] = Plain(bmc, login=login, timeout=timeout)
        return tuple(running[-1])

    yield start
    for bmc, client in running:
        if client is not None:
            client.close()
        bmc.stop()
    assert not [problem for bmc, _client in running for problem in bmc.server.problems]


@pytest.fixture(name="plain")
def fixture_plain():
    """The client's class, for further connections."""
    return Plain
