# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options of every ``bmc_*`` module, and what they mean once read. The only place they are listed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Optional
from urllib.parse import urlsplit

from .errors import InvalidInput

try:
    from ansible.module_utils.basic import env_fallback
except ImportError:  # the core is usable without Ansible
    env_fallback = None

CIPHER_SUITES = (17, 3)


def _option(name: str, **spec: Any) -> dict[str, Any]:
    """Return an option that may come from the environment as ``TYPEONE_<NAME>``."""
    return dict(spec, fallback=(env_fallback, [f"TYPEONE_{name.upper()}"])) if env_fallback else spec


CONNECTION_SPEC: dict[str, dict[str, Any]] = {
    "bmc_address": _option("bmc_address", type="str"),
    "bmc_port": _option("bmc_port", type="int"),
    "bmc_protocol": _option("bmc_protocol", type="str", choices=["auto", "redfish", "ipmi"], default="auto"),
    "bmc_username": _option("bmc_username", type="str"),
    "bmc_password": _option("bmc_password", type="str", no_log=True),
    "bmc_auth": _option("bmc_auth", type="str", choices=["auto", "session", "basic"], default="auto"),
    "bmc_system": _option("bmc_system", type="str"),
    "bmc_timeout": _option("bmc_timeout", type="int", default=60),
    "bmc_concurrency": _option("bmc_concurrency", type="int", default=1),
    "bmc_quirks": dict(type="list", elements="dict", default=[], options={
        "id": dict(type="str"), "match": dict(type="dict"), "behaviour": dict(type="str"),
        "parameters": dict(type="dict"), "why": dict(type="str"), "source": dict(type="str")}),
    "validate_certs": _option("validate_certs", type="bool", default=True),
    "ca_path": _option("ca_path", type="path"),
    "tls_fingerprint": _option("tls_fingerprint", type="str"),
    "ipmi_port": _option("ipmi_port", type="int", default=623),
    "ipmi_cipher_suites": dict(type="list", elements="int", default=list(CIPHER_SUITES)),
    "ipmi_kg": _option("ipmi_kg", type="str", no_log=True),
    "ipmi_privilege_level": _option("ipmi_privilege_level", type="str",
                                    choices=["administrator", "operator", "user"], default="administrator"),
}


@dataclass(frozen=True)
class Connection:
    """How to reach one BMC. Seconds for times; ``tls_fingerprint`` as 64 hex digits in lower case."""

    address: str
    scheme: str = "https"
    port: Optional[int] = None
    protocol: str = "auto"
    username: Optional[str] = None
    password: Optional[str] = field(default=None, repr=False)
    auth: str = "auto"
    system: Optional[str] = None
    timeout: float = 60
    total_timeout: Optional[float] = None
    concurrency: int = 1
    quirks: tuple[dict[str, Any], ...] = ()
    verify: bool = True
    ca_path: Optional[str] = None
    fingerprint: Optional[str] = None
    ipmi_port: int = 623
    cipher_suites: tuple[int, ...] = CIPHER_SUITES
    kg: Optional[str] = field(default=None, repr=False)
    privilege_level: str = "administrator"
    check_mode: bool = False

    @property
    def base_url(self) -> str:
        """Return the URL of the Redfish service's host, without a trailing slash."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        default = {"https": 443, "http": 80}[self.scheme]
        port = "" if self.port in (None, default) else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what must never be shown."""
        return tuple(secret for secret in (self.password, self.kg) if secret)


def _fingerprint(value: Optional[str]) -> Optional[str]:
    """Return a SHA-256 fingerprint as 64 hex digits; takes colons, spaces, a ``sha256:`` prefix."""
    if not value:
        return None
    digits = value.lower().removeprefix("sha256:").replace("sha256 fingerprint=", "")
    digits = digits.replace(":", "").replace(" ", "")
    if len(digits) != 64 or set(digits) - set("0123456789abcdef"):
        raise InvalidInput(f"tls_fingerprint '{value}' is not a SHA-256 fingerprint",
                           remedy="Give 64 hexadecimal digits, with or without colons, as from: "
                                  "openssl x509 -noout -fingerprint -sha256.")
    return digits


def _split_address(address: str) -> tuple[str, str, Optional[int]]:
    """Return scheme, host and port of a host name, an address, ``host:port`` or a URL."""
    bare_v6 = address.count(":") > 1 and not address.startswith("[") and "//" not in address
    text = f"[{address}]" if bare_v6 else address
    try:
        parts = urlsplit(text if "//" in text else f"//{text}", scheme="https")
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = None, None, None
    if parts is None or not host or parts.scheme not in ("https", "http") or parts.username or parts.query:
        raise InvalidInput(f"bmc_address '{address}' is not an address",
                           remedy="Give a host name, an IP address, or https://HOST[:PORT] (no account in it).")
    return parts.scheme, host, port


def moved(connection: Connection, address: str, *, fingerprint: Optional[str] = None) -> Connection:
    """Return how to reach the same BMC at another address (port and scheme are kept where it names none), or behind a
    certificate of this fingerprint."""
    scheme, host, port = _split_address(address.strip())
    named = "//" in address
    return replace(connection, address=host, scheme=scheme if named else connection.scheme,
                   port=port or (None if named else connection.port), fingerprint=fingerprint or connection.fingerprint)


def connection_from(params: dict[str, Any], *, check_mode: bool = False) -> Connection:
    """Return the connection that the options mean; :class:`InvalidInput` where they contradict themselves."""
    if not params.get("bmc_address"):
        raise InvalidInput("bmc_address is not set", remedy="Set it on the task, in module_defaults "
                           "(group/typeone.metal.bmc), as a host variable, or in TYPEONE_BMC_ADDRESS.")
    scheme, host, port = _split_address(params["bmc_address"].strip())
    for name in ("bmc_timeout", "bmc_concurrency"):
        if params[name] < 1:
            raise InvalidInput(f"{name} is {params[name]}", remedy="Give 1 or more.")
    if not params["ipmi_cipher_suites"] or set(params["ipmi_cipher_suites"]) - {3, 17}:
        raise InvalidInput(f"ipmi_cipher_suites is {params['ipmi_cipher_suites']}",
                           remedy="Give 17 and 3, or one of them, in the order to try.")
    return Connection(
        address=host, scheme=scheme, port=params.get("bmc_port") or port, protocol=params["bmc_protocol"],
        username=params.get("bmc_username"), password=params.get("bmc_password"), auth=params["bmc_auth"],
        system=params.get("bmc_system"), timeout=params["bmc_timeout"],
        total_timeout=params.get("host_timeout"), concurrency=params["bmc_concurrency"],
        quirks=tuple(params.get("bmc_quirks") or ()), verify=params["validate_certs"],
        ca_path=params.get("ca_path"), fingerprint=_fingerprint(params.get("tls_fingerprint")),
        ipmi_port=params["ipmi_port"], cipher_suites=tuple(params["ipmi_cipher_suites"]), kg=params.get("ipmi_kg"),
        privilege_level=params["ipmi_privilege_level"], check_mode=check_mode)
