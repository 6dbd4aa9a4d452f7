# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bmc_protocol: auto takes Redfish where it is spoken, else IPMI, and says which and why."""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading
import time

import pytest
from ipmi.programs import free_port
from running import connect, run

from ansible_collections.typeone.metal.plugins.module_utils._resources.power import PowerResource


def auto(ipmi, **params):
    """Run bmc_power with the protocol left open; the account is that of the IPMI server unless given."""
    return run(PowerResource, None, **{
        "state": "powered_on", "bmc_protocol": "auto", "ipmi_port": ipmi.port, "bmc_username": ipmi.username,
        "bmc_password": ipmi.password, "bmc_timeout": 5, **params})


@contextlib.contextmanager
def old_web_page():
    """A web server that answers 200 and a page to everything, as BMCs without Redfish do; yields its URL."""
    class Page(http.server.BaseHTTPRequestHandler):
        """Answers everything with the same page."""

        def do_GET(self):  # pylint: disable=invalid-name
            """Answer."""
            page = b"<html><body>Welcome</body></html>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *unused):  # pylint: disable=arguments-differ
            """Keep quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_redfish_is_taken_where_it_is_spoken(ipmi_bmc, test_bmc):
    """IPMI is not even asked."""
    ipmi, redfish = ipmi_bmc(), test_bmc()
    result = auto(ipmi, **{**connect(redfish), "bmc_protocol": "auto"})
    assert result["verified"] and result["bmc"]["protocol"] == "redfish"
    assert result["bmc"]["reason"] == "it answered as a Redfish service" and not ipmi.server.packets


def test_ipmi_where_the_port_is_closed(ipmi_bmc):
    """The reason is what Redfish failed with."""
    ipmi = ipmi_bmc()
    result = auto(ipmi, bmc_address=f"127.0.0.1:{free_port(socket.SOCK_STREAM)}")
    assert result["verified"] and ipmi.chassis.on and result["bmc"]["protocol"] == "ipmi"
    assert result["bmc"]["reason"].startswith("Redfish: it could not be reached")


def test_ipmi_where_a_web_page_is_all_there_is(ipmi_bmc):
    """A page instead of a service root is no Redfish."""
    ipmi = ipmi_bmc()
    with old_web_page() as url:
        result = auto(ipmi, bmc_address=url)
    assert result["verified"] and result["bmc"]["protocol"] == "ipmi" and "Redfish" in result["bmc"]["reason"]


def test_ipmi_where_the_web_server_hangs(ipmi_bmc):
    """A BMC whose web server takes connections and never answers costs the timeout, then IPMI is taken."""
    ipmi = ipmi_bmc()
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        start = time.monotonic()
        result = auto(ipmi, bmc_address=f"127.0.0.1:{deaf.getsockname()[1]}", bmc_timeout=1)
        assert time.monotonic() - start < 10  # a guard against hanging
    assert result["verified"] and result["bmc"]["protocol"] == "ipmi"


@pytest.mark.parametrize("wrong, kind", [({"bmc_password": "not-it"}, "authentication_failed"),
                                         ({"ca_path": None}, "unreachable")])
def test_an_answer_of_redfish_ends_the_search(ipmi_bmc, test_bmc, wrong, kind):
    """Refused credentials and a certificate that is not trusted are no reason to try IPMI with the same account."""
    ipmi, redfish = ipmi_bmc(), test_bmc()
    result = auto(ipmi, **{**connect(redfish), "bmc_protocol": "auto", **wrong})
    assert result["failed"] and result["error"]["kind"] == kind and not ipmi.server.packets
    assert not ipmi.chassis.on


@pytest.mark.parametrize("fault, options", [("reset_before", {}), ("truncated", {}), ("hang", {"seconds": 5})])
def test_a_redfish_service_that_breaks_off_ends_the_search(ipmi_bmc, test_bmc, fault, options):
    """Its root was read, so it speaks Redfish: the account is not tried over IPMI."""
    ipmi, redfish = ipmi_bmc(), test_bmc()
    redfish.faults.add(fault, path="Sessions", times=99, **options)
    result = auto(ipmi, **{**connect(redfish), "bmc_protocol": "auto", "bmc_timeout": 2})
    assert not ipmi.server.packets and not ipmi.chassis.on, result


def test_neither(ipmi_bmc):
    """The error tells both causes."""
    ipmi = ipmi_bmc()
    ipmi.server.mute = True
    result = auto(ipmi, bmc_address=f"127.0.0.1:{free_port(socket.SOCK_STREAM)}", bmc_timeout=1)
    assert result["error"]["kind"] == "unreachable"
    assert "connection refused" in result["msg"].lower() and "no BMC answers IPMI" in result["msg"]


def test_wrong_credentials_over_ipmi(ipmi_bmc):
    """Found by IPMI and refused there: that is the error."""
    result = auto(ipmi_bmc(), bmc_address=f"127.0.0.1:{free_port(socket.SOCK_STREAM)}", bmc_password="not-it")
    assert result["error"]["kind"] == "authentication_failed"
