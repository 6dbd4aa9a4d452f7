# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""sushy-tools' emulator as a program for tests: python emulator.py fake|libvirt FOLDER. TLS, an account, requests counted.

It prints where it serves as a line of JSON; each line on standard input is answered with the writes seen since the last one; it
ends with its standard input. The libvirt driver works on libvirt's in-memory hypervisor, test:///default.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
import threading

import bcrypt
from sushy_tools.emulator import main as emulator
from sushy_tools.emulator.resources.systems import fakedriver
from werkzeug.serving import WSGIRequestHandler, make_server

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from testbmc import certs  # noqa: E402  pylint: disable=wrong-import-position

USER, PASSWORD = "admin", "Emul4tor-Sesame"
HYPERVISOR = "test:///default"
DRIVERS = {"fake": {"SUSHY_EMULATOR_FAKE_DRIVER": True}, "libvirt": {"SUSHY_EMULATOR_LIBVIRT_URI": HYPERVISOR}}


class Quiet(WSGIRequestHandler):
    """Without a line a request."""

    def log(self, _type, _message, *_args) -> None:
        """Say nothing."""


class Counted:
    """The application with its writes noted."""

    def __init__(self, application) -> None:
        self.application = application
        self.writes: list = []

    def __call__(self, environ, start_response):
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            self.writes.append([environ["REQUEST_METHOD"], environ["PATH_INFO"]])
        return self.application(environ, start_response)


def _say(data) -> None:
    sys.stdout.write(json.dumps(data) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Configure, serve, answer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("driver", choices=sorted(DRIVERS))
    parser.add_argument("folder", type=pathlib.Path)
    given = parser.parse_args()
    kept = None
    if given.driver == "libvirt":
        import libvirt  # pylint: disable=import-outside-toplevel
        kept = libvirt.open(HYPERVISOR)  # its state lives as long as a connection to it
    fakedriver.random.randint = lambda low, high: 0  # else a change of power takes up to eleven seconds
    accounts = given.folder / "accounts"
    accounts.write_bytes(USER.encode() + b":" + bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)) + b"\n")
    emulator.app.configure(extra_config={"SUSHY_EMULATOR_AUTH_FILE": str(accounts), "SUSHY_EMULATOR_STATE_DIR": str(given.folder), **DRIVERS[given.driver]})
    emulator.app.logger.disabled = True
    counted, identity = Counted(emulator.app), certs.identity()
    server = make_server("127.0.0.1", 0, counted, threaded=True, request_handler=Quiet, ssl_context=(identity.cert_path, identity.key_path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _say({"url": f"https://127.0.0.1:{server.server_port}", "username": USER, "password": PASSWORD, "ca_path": certs.ca_path()})
    for _line in sys.stdin:
        seen, counted.writes = counted.writes, []
        _say(seen)
    server.shutdown()
    if kept is not None:
        kept.close()


if __name__ == "__main__":
    main()
