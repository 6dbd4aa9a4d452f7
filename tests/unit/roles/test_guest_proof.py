# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest's proof: what counts as one, what is tried again, and what a failure says."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import subprocess
import typing as t

import pytest
import yaml

from guestprogram import FILES, kinds, parts, proof


@pytest.fixture(name="config")
def fixture_config(tmp_path, monkeypatch) -> dict[str, t.Any]:
    """A configuration for guests that are not real, on a host with a busybox."""
    busybox = tmp_path / "busybox"
    busybox.write_bytes(b"\x7fELF static")
    monkeypatch.setattr(parts, "BUSYBOX", (str(busybox),))
    return {"hypervisor": "fake", "init": "#!/bin/busybox sh\n", "nonce": "ab" * 16, "rounds": 3, "seconds": 5,
            "memory_mib": 64, "vcpus": 1, "again": False, "check": False, "state_file": str(tmp_path / "state/p.json")}


def answer_of(guest: t.Any, **changes: t.Any) -> dict[str, t.Any]:
    """What a guest says that tells the truth, but for the changes."""
    seed = f"{guest.config['nonce']}:the-boot-id:{guest.uuid}"
    digest = hashlib.sha256(seed.encode()).hexdigest()
    for _round in range(guest.config["rounds"]):
        digest = hashlib.sha256(digest.encode()).hexdigest()
    return {"nonce": guest.config["nonce"], "boot_id": "the-boot-id", "digest": digest, "kernel": os.uname().release,
            "detected": "Fake PV", "type": "", "uuid": guest.uuid, "cpus": 1, "memory_kib": 60000, **changes}


def install(monkeypatch, *behaviours: t.Any) -> list[str]:
    """Have guests behave as given, one after the other; returns what became of them."""
    steps, log = list(behaviours), []

    class FakeGuest(kinds.Guest):
        log_command = ("sh", "-c", "echo the log")

        def start(self) -> int:
            step = steps.pop(0)
            log.append("started")
            if isinstance(step, Exception):
                raise step
            reader, writer = os.pipe()
            os.write(writer, f"boot\r\nTYPEONE-PROOF {json.dumps(answer_of(self, **step))} END\r\n".encode())
            os.close(writer)
            return reader

        def alive(self) -> bool:
            return True

        def stop(self) -> None:
            log.append("stopped")

    monkeypatch.setitem(proof.GUESTS, "fake", FakeGuest)
    return log


def test_a_guest_that_answers_rightly(config, monkeypatch) -> None:
    """It is a proof, and nothing is left of the guest."""
    log = install(monkeypatch, {})
    found = proof.prove(config)
    assert found["passed"] and found["attempts"] == 1 and found["toolstack_crash"] is None
    assert found["guest_detected"] == "Fake PV" and found["nonce"] == config["nonce"]
    assert log == ["started", "stopped"]


@pytest.mark.parametrize(("lie", "said"), [
    ({"digest": "0" * 64}, "digest is"), ({"nonce": "other"}, "nonce is 'other'"), ({"cpus": 2}, "cpus is 2"),
    ({"uuid": "u"}, "uuid is 'u'"), ({"kernel": "1.0"}, "kernel is '1.0'"),
    ({"detected": "Other", "type": ""}, "does not say that it runs on fake"),
])
def test_a_lie_is_no_proof(config, monkeypatch, lie, said) -> None:
    """Each part of the answer counts; the error says phase, cause, remedy and the console."""
    log = install(monkeypatch, lie)
    with pytest.raises(proof.ProofError) as caught:
        proof.prove(config)
    details = caught.value.details
    assert details["phase"] == "verify" and said in details["cause"] and details["remedy"]
    assert details["console"][0] == "boot" and details["log"] == ["the log"]
    assert log == ["started", "stopped"]


def test_the_hosts_own_boot_id_is_no_proof(config, monkeypatch) -> None:
    """Something on the host that answers is not a guest."""
    monkeypatch.setattr(proof, "boot_id", lambda: "the-boot-id")
    install(monkeypatch, {})
    with pytest.raises(proof.ProofError, match="boot id is the host's"):
        proof.prove(config)


def test_only_a_crash_of_the_toolstack_is_tried_again_and_once(config, monkeypatch) -> None:
    """The second guest proves it and the evidence says so; two crashes fail; an error of its own fails at once."""
    log = install(monkeypatch, parts.Crashed("xl create ended with status -11"), {})
    found = proof.prove(config)
    assert found["attempts"] == 2 and "-11" in found["toolstack_crash"] and "second attempt" in found["text"]
    assert log == ["started", "stopped"] * 2
    log = install(monkeypatch, *[parts.Crashed("xl create ended with status -11")] * 2, {})
    with pytest.raises(proof.ProofError):
        proof.prove(config)
    assert log == ["started", "stopped"] * 2
    log = install(monkeypatch, proof.ProofError("no memory"), {})
    with pytest.raises(proof.ProofError) as caught:
        proof.prove(config)
    assert caught.value.details["phase"] == "start" and caught.value.details["cause"] == "no memory"
    assert log == ["started", "stopped"]


def run_main(monkeypatch, capsys, config: dict[str, t.Any]) -> dict[str, t.Any]:
    monkeypatch.setattr(proof.sys, "argv", ["guest_proof", json.dumps(config)])
    proof.main()
    return json.loads(capsys.readouterr().out)


def test_a_boot_is_proven_once(config, monkeypatch, capsys) -> None:
    """Check mode starts nothing; the second run reads the evidence; another boot, or `again`, is proven anew."""
    log = install(monkeypatch, {}, {}, {})
    assert run_main(monkeypatch, capsys, {**config, "check": True}) == {"changed": True, "proof": None, "error": None}
    assert not log and not pathlib.Path(config["state_file"]).exists()
    first = run_main(monkeypatch, capsys, config)
    assert first["changed"] and run_main(monkeypatch, capsys, config) == {**first, "changed": False}
    assert run_main(monkeypatch, capsys, {**config, "again": True})["changed"]
    monkeypatch.setattr(proof, "boot_id", lambda: "another-boot")
    assert run_main(monkeypatch, capsys, config)["changed"]
    assert log == ["started", "stopped"] * 3


def test_a_failure_is_told_and_leaves_no_evidence(config, monkeypatch, capsys) -> None:
    """A host without a static busybox fails before a guest is started."""
    pathlib.Path(parts.BUSYBOX[0]).write_bytes(b"\x7fELF /lib64/ld-linux-x86-64.so.2")
    log = install(monkeypatch, {})
    found = run_main(monkeypatch, capsys, config)
    assert found["proof"] is None and found["error"]["phase"] == "prepare"
    assert "busybox-static" in found["error"]["cause"] and log == ["stopped"]
    assert not pathlib.Path(config["state_file"]).exists()


def test_the_toolstack_is_judged_by_how_it_ends() -> None:
    """A signal is a crash, a status is an error, and reading is repeated while signals end it."""
    with pytest.raises(proof.Crashed, match="status -11"):
        parts.create(["sh", "-c", "kill -SEGV $$"])
    with pytest.raises(proof.ProofError, match="no memory") as caught:
        parts.create(["sh", "-c", "echo Parsing config; echo no memory; exit 3"])
    assert not isinstance(caught.value, proof.Crashed) and "Parsing" not in str(caught.value)
    with pytest.raises(proof.ProofError, match="cannot be started"):
        parts.ask(["/nowhere/xl"])


def test_reading_is_repeated_while_signals_end_it(tmp_path) -> None:
    """Two crashes, then an answer."""
    count = tmp_path / "count"
    script = f'echo x >>{count}; [ "$(wc -l <{count})" -gt 2 ] || kill -SEGV $$; echo 7'
    assert parts.ask(["sh", "-c", script]) == "7\n"


def test_the_initramfs_is_an_archive_that_cpio_reads(config, tmp_path) -> None:
    """It holds init, busybox and the console."""
    path = tmp_path / "initramfs"
    parts.write_initramfs(path, config["init"])
    with path.open("rb") as stream:
        listed = subprocess.run(["cpio", "--list", "--quiet", "--verbose", "--numeric-uid-gid"], stdin=stream,
                                stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    kinds = {line.split()[-1]: line[0] for line in listed if " -> " not in line}
    assert any(line.startswith("l") and line.endswith("bin/sh -> busybox") for line in listed)
    assert kinds == {"bin": "d", "bin/busybox": "-", "dev": "d", "dev/console": "c", "dev/null": "c", "modules": "d",
                     "init": "-"}


def test_a_guest_that_ends_or_says_nothing(config, monkeypatch) -> None:
    """Silence fails at the deadline, an early end at once."""
    reader, writer = os.pipe()
    guest = type("Mute", (kinds.Guest,), {"start": lambda self: reader, "alive": lambda self: False})(config, None)
    with pytest.raises(proof.ProofError, match="did not answer"):
        guest.answer(0.0)
    clock = iter(range(0, 1000, 6))
    monkeypatch.setattr(kinds.time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(kinds.select, "select", lambda *_lists: ([], [], []))
    with pytest.raises(proof.ProofError, match="ended before"):
        guest.answer(900.0)
    os.close(writer)
    os.close(reader)


def test_an_extra_that_is_not_asked_for_passes_the_roles_specification() -> None:
    """An empty mapping is the default: nothing in it may be required."""
    options = yaml.safe_load((FILES.parent / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    for option in options.values():
        if option.get("default") == {}:
            assert not any(part.get("required") for part in option["options"].values())
