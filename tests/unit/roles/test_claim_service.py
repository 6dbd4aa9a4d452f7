# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The claim service: secrets once, to one address, for a while; boot from disk for everybody else."""

from __future__ import annotations

import base64
import contextlib
import http.client
import http.server
import importlib.util
import io
import pathlib
import tarfile
import threading
import typing as t

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[3] / "roles/provisioner/files/typeone_claim.py"
MAC, ADDRESS, TOKEN = "52:54:00:00:00:11", "192.0.2.11", "a-token-of-this-test"


def load() -> t.Any:
    spec = importlib.util.spec_from_file_location("typeone_claim", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


claim = load()


def order(**changes: t.Any) -> dict[str, t.Any]:
    return {"node": "node1", "mac": MAC, "address": ADDRESS, "deploy_id": "d1", "token": TOKEN, "expires_in": 600,
            "files": {"ssh_host_ed25519_key": base64.b64encode(b"secret").decode()},
            "scripts": {"grub.cfg": "boot the ramdisk"}, **changes}


class Service:
    """A running service and a client of it."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.store = claim.Store(root / "claim")
        (root / "dhcp" / "hosts").mkdir(parents=True)
        handler = type("Bound", (claim.Handler,), {"store": self.store})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True

    def ask(self, path: str, *, client: str = ADDRESS, method: str = "GET") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(*self.server.server_address[:2], timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, headers={"X-Real-IP": client})
            answer = connection.getresponse()
            return answer.status, answer.read()

    def events(self) -> list[str]:
        return [event["event"] for event in self.store.events(MAC)]


@pytest.fixture
def service(tmp_path: pathlib.Path) -> t.Iterator[Service]:
    running = Service(tmp_path)
    thread = threading.Thread(target=running.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield running
    running.server.shutdown()
    running.server.server_close()


def test_the_bundle_goes_out_once(service: Service) -> None:
    service.store.stage(order())
    status, body = service.ask(f"/claim/{TOKEN}")
    assert status == 200
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        member = archive.getmember("ssh_host_ed25519_key")
        assert (archive.extractfile(member).read(), member.mode) == (b"secret", 0o600)
    assert service.ask(f"/claim/{TOKEN}")[0] == 403
    assert service.events() == ["bundle claimed", "claim refused: claimed already"]


def test_of_many_claims_at_once_one_wins(service: Service) -> None:
    service.store.stage(order())
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(service.ask(f"/claim/{TOKEN}")[0])) for _index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [403] * 7


@pytest.mark.parametrize("changes, token, client", [
    ({}, TOKEN, "192.0.2.99"),
    ({}, TOKEN, ""),
    ({}, "another", ADDRESS),
    ({"expires_in": -1}, TOKEN, ADDRESS),
])
def test_who_gets_nothing(service: Service, changes: dict[str, t.Any], token: str, client: str) -> None:
    service.store.stage(order(**changes))
    assert service.ask(f"/claim/{token}", client=client) == (403, b"refused\n")
    assert (service.store.folder(MAC) / "bundle.tar").exists()


def test_boot_script_only_for_the_staged_node_and_only_until_the_claim(service: Service) -> None:
    local = claim.LOCAL_BOOT["grub.cfg"].encode()
    path = f"/boot/{MAC}/grub.cfg"
    assert service.ask(path) == (200, local)
    service.store.stage(order())
    assert service.ask(path, client="192.0.2.12") == (200, local)
    assert service.ask(path) == (200, b"boot the ramdisk")
    assert service.ask(path.replace(":", "%3A")) == (200, b"boot the ramdisk"), "as iPXE writes it"
    assert service.ask(f"/boot/{MAC}/ipxe") == (200, claim.LOCAL_BOOT["ipxe"].encode())
    service.ask(f"/claim/{TOKEN}")
    assert service.ask(path) == (200, local)
    assert service.events()[-1] == "boot script grub.cfg fetched, told to boot from disk"
    service.store.stage(order(expires_in=-1))
    assert service.ask(path) == (200, local)


@pytest.mark.parametrize("path, status", [
    ("/boot/../../etc/passwd/grub.cfg", 404),
    ("/boot/..%2f..%2fetc/grub.cfg", 200),
    ("/boot/52:54:00:00:00:11/passwd", 404),
    ("/claim", 404),
    ("/claim/a/b", 404),
    ("/", 404),
])
def test_odd_paths(service: Service, path: str, status: int) -> None:
    answer = service.ask(path)
    assert answer[0] == status
    assert status == 404 or answer[1] == claim.LOCAL_BOOT["grub.cfg"].encode()


def test_events_come_by_the_token_and_from_the_address(service: Service) -> None:
    service.store.stage(order())
    assert service.ask(f"/claim/{TOKEN}/event/ready", method="POST")[0] == 200
    for path, client in ((f"/claim/{TOKEN}/event/ready", "192.0.2.9"), ("/claim/x/event/ready", ADDRESS),
                         (f"/claim/{TOKEN}/event/READY!", ADDRESS), (f"/claim/{TOKEN}", ADDRESS)):
        assert service.ask(path, client=client, method="POST")[0] == 403
    assert service.events() == ["ready", "refused: the token came from 192.0.2.9"]


def test_staging_again_replaces_all(service: Service) -> None:
    service.store.stage(order())
    service.ask(f"/claim/{TOKEN}")
    service.store.stage(order(token="fresh"))
    assert service.events() == []
    assert service.ask(f"/claim/{TOKEN}")[0] == 403
    assert service.ask("/claim/fresh")[0] == 200
    assert service.store.clear(MAC) and not service.store.clear(MAC)
    assert [path.name for path in service.store.nodes.iterdir()] == []


def test_tokens_are_kept_hashed_and_nothing_is_readable_by_others(service: Service) -> None:
    service.store.stage(order())
    for path in service.root.rglob("*"):
        if path.is_file() and path.name not in ("bundle.tar",):
            assert TOKEN not in path.read_text(encoding="utf-8")
    folder = service.store.folder(MAC)
    assert folder.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


def test_the_address_is_reserved(service: Service) -> None:
    service.store.stage(order(loader="ipxe", node="node1.example.org"))
    assert [path.read_text(encoding="utf-8") for path in (service.root / "dhcp/hosts").iterdir()] == [
        "52:54:00:00:00:11,set:ipxe,192.0.2.11,node1\n"]


def test_the_events_of_a_node_are_bounded(service: Service) -> None:
    service.store.stage(order())
    (service.store.folder(MAC) / "events.jsonl").write_text("x" * (claim.EVENTS_BYTES + 1), encoding="utf-8")
    service.store.event(MAC, "one more")
    assert (service.store.folder(MAC) / "events.jsonl").stat().st_size == claim.EVENTS_BYTES + 1


def test_a_node_is_named_by_a_mac_address_only(service: Service) -> None:
    with pytest.raises(claim.Refused):
        service.store.stage(order(mac="../evil"))
