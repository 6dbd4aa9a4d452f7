# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Start a real guest on this hypervisor, have it compute something, check its answer, end it, keep the evidence.

Argument: a JSON object with ``hypervisor`` (xen, kvm), ``init`` (text of the guest's PID 1), ``nonce``, ``rounds``,
``seconds`` (deadline), ``memory_mib``, ``vcpus``, ``again``, ``check`` (look only), ``state_file``, and what the guest
has beyond that, by the names of guest_disks.EXTRAS. Prints one JSON object: ``changed``, ``proof`` (or null),
``error`` (null, or ``phase``, ``cause``, ``remedy``, ``console``, the guest's last lines, and ``log``, those of the
hypervisor). The guest is this host's own kernel with busybox; nothing is fetched.
"""
from __future__ import annotations

import hashlib
import json
import os
import pathlib
import signal
import sys
import tempfile
import time

from guest_disks import EXTRAS
from guest_kinds import GUESTS, Guest
from guest_parts import Config, Crashed, ProofError, write_initramfs

PHASES = {
    "prepare": "Install what is missing, and free space in the folder of temporary files",
    "start": "Look at the hypervisor's log below, and whether the machine has this much memory free",
    "answer": "Look at the guest's last lines below; on a slow machine allow it more seconds",
    "verify": "Do not use this host before it is known what answered in the guest's place",
}
"""What is done, and what helps when it fails."""


def chain(seed: str, rounds: int) -> str:
    """The SHA-256 of a text, and that of its hexadecimal form, again and again."""
    digest = hashlib.sha256(seed.encode()).hexdigest()
    for _round in range(rounds):
        digest = hashlib.sha256(digest.encode()).hexdigest()
    return digest


def verify(answer: Config, guest: Guest) -> None:
    """Compare what the guest says with what only a guest of this hypervisor, started now, can say."""
    guest.phase = "verify"
    config = guest.config
    seed = f"{config['nonce']}:{answer['boot_id']}:{guest.uuid}"
    wanted = {"nonce": config["nonce"], "digest": chain(seed, config["rounds"]), "uuid": guest.uuid,
              "cpus": config["vcpus"], "kernel": os.uname().release}
    wrong = [f"{name} is {answer.get(name)!r} and not {value!r}" for name, value in wanted.items()
             if str(answer.get(name)).lower() != str(value)]
    if config["hypervisor"] not in f"{answer.get('detected')} {answer.get('type')}".lower():
        wrong.append(f"its kernel does not say that it runs on {config['hypervisor']} "
                     f"(it says {answer.get('detected')!r})")
    if answer["boot_id"] == boot_id():
        wrong.append("its boot id is the host's")
    if wrong:
        raise ProofError("the guest answered wrongly: " + "; ".join(wrong))


def boot_id() -> str:
    return pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def earlier(config: Config) -> Config | None:
    """The proof of this boot, if there is one."""
    try:
        proof = json.loads(pathlib.Path(config["state_file"]).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = proof.get("host_boot_id") == boot_id() and proof.get("hypervisor") == config["hypervisor"]
    return proof if same and proof.get("passed") is True and proof.get("asked", {}) == asked(config) else None


def asked(config: Config) -> Config:
    """What the guest has beyond a processor and memory."""
    return {name: config[name] for name in EXTRAS if config.get(name)}


def keep(config: Config, proof: Config) -> None:
    """Write the evidence in one step."""
    path = pathlib.Path(config["state_file"])
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(json.dumps(proof, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    draft.replace(path)


def attempt(config: Config) -> Config:
    """Start one guest and return its verified answer. Failures carry phase, console and log."""
    with tempfile.TemporaryDirectory(prefix="typeone-proof.") as name:
        guest = GUESTS[config["hypervisor"]](config, pathlib.Path(name))
        try:
            write_initramfs(pathlib.Path(name) / "initramfs", config["init"], guest.modules())
            answer = guest.answer(time.monotonic() + config["seconds"])
            verify(answer, guest)
            answer["checked"] = guest.observe(answer)
        except (ProofError, OSError, KeyError, ValueError) as error:
            failure = error if isinstance(error, ProofError) else ProofError(f"{type(error).__name__}: {error}")
            failure.details = {"phase": guest.phase, "cause": str(failure), "remedy": PHASES[guest.phase],
                               "console": guest.last_lines(), "log": guest.log()}
            raise failure from error
        finally:
            guest.end()
    return answer


def prove(config: Config) -> Config:
    """Run one guest, a second one only where the toolstack itself crashed, and return the proof."""
    start, crash = time.monotonic(), None
    try:
        answer = attempt(config)
    except Crashed as error:
        crash = str(error)
        answer = attempt(config)
    seconds = round(time.monotonic() - start, 1)
    kind = answer["detected"] or answer["type"]
    text = f"Linux {answer['kernel']} on {kind}, {config['rounds']} rounds of SHA-256 verified, {seconds} s"
    text = "; ".join([text, *(found["text"] for found in answer["checked"].values())])
    return {"passed": True, "hypervisor": config["hypervisor"], "guest_kernel": answer["kernel"],
            "guest_boot_id": answer["boot_id"], "guest_detected": answer["detected"], "guest_type": answer["type"],
            "guest_uuid": answer["uuid"], "guest_cpus": answer["cpus"], "guest_memory_kib": answer["memory_kib"],
            "asked": asked(config), "checked": answer["checked"], "nonce": answer["nonce"], "rounds": config["rounds"], "digest": answer["digest"],
            "toolstack_crash": crash, "attempts": 2 if crash else 1, "seconds": seconds,
            "text": text + (" (second attempt, the toolstack crashed in the first)" if crash else ""),
            "host_boot_id": boot_id(), "proved_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def main() -> None:
    config = json.loads(sys.argv[1])
    # A run that is ended leaves no guest behind.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))
    result: Config = {"changed": False, "proof": earlier(config), "error": None}
    if config["again"] or result["proof"] is None:
        result["changed"] = True
        if not config["check"]:
            try:
                result["proof"] = prove(config)
                keep(config, result["proof"])
            except ProofError as error:
                result.update(proof=None, error=error.details)
    sys.stdout.write(json.dumps(result) + "\n")
