# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding BMCs: which addresses are meant, and which of them answer. Asynchronous, within bounds."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import struct
import time
from typing import Callable, Iterable, Iterator, Optional, Sequence
from urllib.parse import urlsplit

try:
    import netaddr
except ImportError as error:
    IMPORT_ERROR: Optional[ImportError] = error
else:
    IMPORT_ERROR = None

MOST_ADDRESSES = 65536
# ASF 2.0, section 3.2.4.2: presence ping; the answer is a pong of type 0x40 (section 3.2.4.3).
PING = struct.pack(">BBBBIBBBB", 0x06, 0x00, 0xFF, 0x06, 4542, 0x80, 0x01, 0x00, 0x00)
PONG = 0x40
PINGS_A_SECOND = 1000
PINGS = 2
# DSP0266, section "Discovery": the search target of Redfish services.
SEARCH = "urn:dmtf-org:service:redfish-rest:1"
SSDP_GROUP = ("239.255.255.250", 1900)


def expand(text: str) -> tuple[list[str], bool]:
    """Return the addresses that a text means, and whether it is a range rather than one address.

    A text is an address, a name, a URL, a CIDR, ``192.0.2.10-192.0.2.20`` or ``192.0.2.10-20``, or a pattern such as
    ``192.0.2.*``. :raises ValueError: where it is none of them, or means more than 65,536 addresses.
    """
    text = text.strip()
    short = re.fullmatch(r"((?:\d+\.){3})(\d+)-(\d+)", text)
    whole = re.fullmatch(r"([0-9a-fA-F.:]+)-([0-9a-fA-F.:]+)", text)
    network = re.fullmatch(r"[0-9a-fA-F.:]+/\d+", text)
    if not (short or whole or network or ("*" in text and re.fullmatch(r"[\d.*\-]+", text))):
        if not text or re.search(r"[\s*]", text):
            raise ValueError(f"'{text}' is no address, name, URL, CIDR or range")
        return [text], False
    if IMPORT_ERROR is not None:
        raise ValueError(f"'{text}' is a range, which needs the Python library netaddr ({IMPORT_ERROR}): "
                         "pip install netaddr")
    try:
        if network:
            parsed = netaddr.IPNetwork(text)
            found = netaddr.IPRange(parsed.first, parsed.last) if parsed.size <= 2 or parsed.version == 6 else \
                netaddr.IPRange(parsed.first + 1, parsed.last - 1)
        elif short:
            found = netaddr.IPRange(short[1] + short[2], short[1] + short[3])
        elif whole:
            found = netaddr.IPRange(whole[1], whole[2])
        else:
            found = netaddr.IPRange(*(netaddr.glob_to_iptuple(text)))
    except (netaddr.AddrFormatError, ValueError, TypeError) as error:
        raise ValueError(f"'{text}' is no valid range ({error})") from error
    if found.size > MOST_ADDRESSES:
        raise ValueError(f"'{text}' means {found.size} addresses; at most {MOST_ADDRESSES} can be searched at a time")
    return [str(address) for address in found], True


def covers(pattern: str, address: str) -> bool:
    """Tell whether an address is meant by a pattern: ``*``, itself, a CIDR, or a range."""
    if pattern in ("*", address):
        return True
    host = urlsplit(address if "//" in address else f"//{address}").hostname or address
    if "/" in pattern:
        try:
            return ipaddress.ip_address(host) in ipaddress.ip_network(pattern, strict=False)
        except ValueError:
            return False
    return host in expand(pattern)[0]


async def answering(addresses: Sequence[str], *, port: int, ipmi_port: int, timeout: float, limit: int) -> set[str]:
    """Return those of the addresses where something accepts a connection to the Redfish port, or answers a presence
    ping. Silent ones cost ``timeout`` seconds, ``limit`` of them at a time."""
    pinged = asyncio.ensure_future(ping(addresses, port=ipmi_port, timeout=timeout))
    gate = asyncio.Semaphore(limit)

    async def accepts(address: str) -> Optional[str]:
        async with gate:
            try:
                unused, writer = await asyncio.wait_for(asyncio.open_connection(address, port), timeout)
            except (OSError, asyncio.TimeoutError):
                return None
            writer.transport.abort()
            return address

    accepted = await asyncio.gather(*(accepts(address) for address in addresses))
    return {address for address in accepted if address} | await pinged


class _Pongs(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.seen: set[str] = set()

    def datagram_received(self, data: bytes, addr: tuple) -> None:
        if len(data) >= 12 and data[:1] == PING[:1] and data[3] & 0x1F == 0x06 and data[8] == PONG:
            self.seen.add(addr[0])

    def error_received(self, exc: Exception) -> None:
        """Take an unreachable port for silence."""


async def ping(addresses: Iterable[str], *, port: int, timeout: float) -> set[str]:
    """Return the IPv4 addresses that answer an RMCP presence ping within ``timeout`` seconds of the last one sent."""
    targets = [address for address in addresses if _is_v4(address)]
    if not targets:
        return set()
    loop = asyncio.get_running_loop()
    transport, pongs = await loop.create_datagram_endpoint(_Pongs, local_addr=("0.0.0.0", 0))
    try:
        for unused in range(PINGS):
            for number, address in enumerate(targets, 1):
                if address not in pongs.seen:
                    transport.sendto(PING, (address, port))
                if number % (PINGS_A_SECOND // 50) == 0:
                    await asyncio.sleep(1 / 50)
            await _until(lambda: len(pongs.seen) == len(targets), timeout / PINGS)
    finally:
        transport.close()
    return pongs.seen & set(targets)


async def _until(done: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        await asyncio.sleep(0.02)


def _is_v4(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).version == 4
    except ValueError:
        return False


def ssdp(*, timeout: float, target: tuple[str, int] = SSDP_GROUP, most: int = MOST_ADDRESSES) -> list[str]:
    """Return the URLs (scheme, host and port) of the Redfish services that answer a search within ``timeout``
    seconds, each once. Who never stops to answer ends it at that time all the same."""
    search = (f"M-SEARCH * HTTP/1.1\r\nHOST: {target[0]}:{target[1]}\r\nMAN: \"ssdp:discover\"\r\n"
              f"MX: {max(1, int(timeout) - 1)}\r\nST: {SEARCH}\r\n\r\n").encode()
    found: dict[str, None] = {}
    end = time.monotonic() + timeout
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
        sock.sendto(search, target)
        while (left := end - time.monotonic()) > 0 and len(found) < most:
            sock.settimeout(left)
            try:
                data, sender = sock.recvfrom(4096)
            except OSError:
                continue
            found.update(dict.fromkeys(_service(data.decode("latin-1"), sender[0])))
    return list(found)


def _service(answer: str, sender: str) -> Iterator[str]:
    """Yield the service that an answer names by its AL header, if it lies at the sender: no one may name another."""
    headers = {name.strip().lower(): value.strip() for name, unused, value in
               (line.partition(":") for line in answer.splitlines()[1:])}
    if not answer.startswith("HTTP/1.1 200") or SEARCH.rsplit(":", 1)[0] not in headers.get("st", ""):
        return
    try:
        parts = urlsplit(headers.get("al", ""))
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return
    if parts.scheme in ("https", "http") and parts.hostname == sender:
        yield f"{parts.scheme}://{parts.hostname}{port}"
