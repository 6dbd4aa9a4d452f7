# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all benchmarks share: servers in processes of their own, plays measured from outside, results as JSON."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
RESULTS = ROOT / "build" / "bench"
BIN = pathlib.Path(sys.executable).parent
sys.path.insert(0, str(TESTS))


@dataclasses.dataclass
class Cost:
    """What a command cost: seconds of CPU (all its processes) and by the wall, and MiB: of its largest process, or of all together."""

    cpu: float
    wall: float
    memory: float
    code: int
    output: str

    def less(self, other: "Cost") -> "Cost":
        """Return the cost beyond that of a command that does all but the work."""
        return dataclasses.replace(self, cpu=self.cpu - other.cpu, wall=self.wall - other.wall)


class TestBmc:
    """A test BMC of tests/testbmc in a process of its own, whose CPU is not counted."""

    __test__ = False

    def __init__(self, tree: str = "mini", **options) -> None:
        arguments = [f"--option={name}={json.dumps(value)}" for name, value in options.items()]
        self._process = subprocess.Popen(  # pylint: disable=consider-using-with
            [sys.executable, "-m", "testbmc", "--tree", tree, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env={**os.environ, "PYTHONPATH": str(TESTS)})
        self.about = json.loads(self._process.stdout.readline())

    def ask(self, word: str) -> dict:
        """Return the answer to `stats` or `reset`."""
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def __enter__(self) -> "TestBmc":
        return self

    def __exit__(self, *unused) -> None:
        self._process.stdin.close()
        self._process.wait(10)


def run(command: list, *, environment: dict | None = None, timeout: float = 3600, all_memory: bool = False) -> Cost:
    """Run a command to its end and return what it cost; with `all_memory`, of the memory of all its processes together."""
    with tempfile.TemporaryFile("w+") as output:
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,  # pylint: disable=consider-using-with
                                   env={**os.environ, **(environment or {})})
        watch = Memory(process.pid) if all_memory else None
        _pid, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        return Cost(used.ru_utime + used.ru_stime, wall, watch.most() if watch else used.ru_maxrss / 1024, process.returncode, output.read())


class Memory(threading.Thread):
    """Watches what a process and all below it take together: what several share is counted once (PSS)."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._ended = threading.Event()
        self._most = 0
        self.start()

    def run(self) -> None:
        while not self._ended.wait(0.5):
            self._most = max(self._most, sum(map(_proportional, _family(self._pid))))

    def most(self) -> float:
        """End, and return the MiB at the highest."""
        self._ended.set()
        self.join()
        return self._most / 1024


def _family(pid: int) -> list:
    """Return a process and all below it."""
    try:
        below = [child for task in pathlib.Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(member for child in below for member in _family(int(child)))]


def _proportional(pid: int) -> int:
    """Return the KiB of a process, of what it shares its part; 0 for one that has ended."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def play(tasks: list, hosts: dict, *, forks: int = 5, may_fail: bool = False, all_memory: bool = False, **keywords) -> Cost:
    """Run tasks over hosts (name: variables) by ansible-playbook and return what that cost."""
    with tempfile.TemporaryDirectory() as folder:
        inventory, book = pathlib.Path(folder, "hosts.yml"), pathlib.Path(folder, "play.yml")
        inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": {
            "ansible_connection": "local", "ansible_python_interpreter": sys.executable}}}))
        book.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks, **keywords}]))
        cost = run([str(BIN / "ansible-playbook"), "-i", str(inventory), "-f", str(forks), str(book)],
                   environment={"ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOST_KEY_CHECKING": "0"}, all_memory=all_memory)
    if cost.code and not may_fail:
        raise SystemExit(f"The play failed:\n{cost.output[-4000:]}")
    return cost


def record(name: str, rows: list) -> None:
    """Keep rows as JSON under build/bench and print them as a table."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps({"benchmark": name, "cpus": os.cpu_count(), "load": os.getloadavg()[0],
                                                      "rows": rows}, indent=2) + "\n")
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [columns] + [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(line[number]) for line in cells) for number in range(len(columns))]
    print(f"\n== {name}", flush=True)
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip(), flush=True)


def _cell(value) -> str:
    return "" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)
