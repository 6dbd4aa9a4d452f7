# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""The lab's folders, and the file that says what belongs to it."""

from __future__ import annotations

import json
import pathlib

from common import Lab, write


def up(lab: Lab) -> None:
    """Make what is missing. lab.json comes first: by it lab_down knows that the folder is a lab's."""
    content = json.dumps(lab.spec, indent=2, sort_keys=True) + "\n"
    known = lab.dir / "lab.json"
    if (not known.exists() or known.read_text() != content) and lab.change(f"write {known}"):
        lab.dir.mkdir(parents=True, exist_ok=True)
        write(known, content, mode=0o644)
    nodes = [pathlib.Path(node["dir"]) for node in lab.spec["nodes"]]
    for folder in (lab.cache, lab.run, *nodes):
        if not folder.is_dir() and lab.change(f"make {folder}"):
            folder.mkdir(parents=True)
