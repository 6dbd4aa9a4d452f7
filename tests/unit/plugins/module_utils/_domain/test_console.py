# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made of the bytes of a console."""

from __future__ import annotations

import io

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._domain.console import KEPT, Transcript, found, plain


@pytest.mark.parametrize("text, shown", [
    ("plain\r\ntext", "plain\ntext"), ("\x1b[1;31mred\x1b[0m", "red"), ("10%\r50%\r100%\r\n", "100%\n"), ("a\x07b\x00", "ab"),
    ("\x1b[2J\x1b[Hcleared", "cleared"), ("\x1bMup", "up"), ("tab\tstays", "tab\tstays")])
def test_plain(text, shown):
    """Colours, movements and bells are left out; a line written over is its last writing."""
    assert plain(text) == shown


def test_found():
    """Patterns see lines as a reader does."""
    text = "\x1b[32mstart\x1b[0m\r\nnode login: "
    assert found("^node login: $", text) == "node login: " and found("^start$", text) == "start" and found("stop", text) is None


def test_transcript():
    """The file has all; the end is kept in bounded memory; characters parted between pieces are whole."""
    file = io.BytesIO()
    transcript = Transcript(file)
    data = b"x" * KEPT + "\nä\n\n last\r\n".encode()
    for at in range(0, len(data), 1000):
        transcript.write(data[at:at + 1000])
    transcript.write("ö".encode()[:1])
    transcript.write("ö".encode()[1:])
    assert file.getvalue() == data + "ö".encode() and transcript.size == len(data) + 2
    assert transcript.last_lines(3) == ["ä", " last", "ö"] and Transcript().last_lines(3) == []
