# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw the results under build/bench as one picture."""

from __future__ import annotations

import json

import matplotlib.pyplot as plot
from measure import RESULTS

plot.switch_backend("svg")


def bars(axes, rows, *, label, value, title) -> None:
    """Draw a horizontal bar for each row."""
    axes.barh([label(row) for row in rows], [row[value] for row in rows],
              color=["#1f77b4" if row["who"].startswith("typeone") else "#bbbbbb" for row in rows])
    axes.invert_yaxis()
    axes.set_title(title)


def main() -> None:
    """Draw what there is."""
    figure, (left, right) = plot.subplots(2, 1, figsize=(10, 9))
    tasks = json.loads((RESULTS / "tasks.json").read_text())["rows"]
    bars(left, [row for row in tasks if row["latency_ms"] == 0], value="cpu_seconds", title="CPU seconds of the controller, a task",
         label=lambda row: f"{row['work']}: {row['who'].rsplit('.', 1)[1]}")
    fleet = json.loads((RESULTS / "fleet.json").read_text())["rows"]
    bars(right, fleet, value="wall_seconds", title="Seconds for a fleet",
         label=lambda row: f"{row['bmcs']} BMCs, {row['work']}: {row['who'].rsplit('.', 1)[1]}")
    figure.tight_layout()
    figure.savefig(RESULTS / "benchmarks.svg")
    print(f"Drawn: {RESULTS / 'benchmarks.svg'}")


if __name__ == "__main__":
    main()
