# Copyright: (c) 2026, typeone.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file as the body of a request."""

from __future__ import annotations

import email
import json

import pytest

from ansible_collections.typeone.metal.plugins.module_utils._redfish.upload import Upload, multipart


@pytest.mark.parametrize("size", [1, 7, 64, 100_000, -1])
def test_reads_whole_and_again(tmp_path, size):
    """In pieces of any size, with its length known beforehand, and once more after a rewind."""
    path = tmp_path / "image.bin"
    path.write_bytes(bytes(range(256)) * 3)
    with Upload(str(path), tell=lambda text: None, head=b"HEAD", tail=b"TAIL") as upload:
        for _unused in range(2):
            pieces = []
            while piece := upload.read(size):
                pieces.append(piece)
            assert b"".join(pieces) == b"HEAD" + path.read_bytes() + b"TAIL" and upload.tell() == len(upload)
            upload.seek(0)


def test_multipart_is_what_the_standard_says(tmp_path):
    """The parameters as JSON first, then the file with its name."""
    path = tmp_path / 'a"b.bin'
    path.write_bytes(b"\r\n--not a boundary\r\n")
    said = []
    with multipart(str(path), parameters={"Targets": ["/x"]}, tell=said.append) as upload:
        text = f"Content-Type: {upload.content_type}\r\n\r\n".encode() + b"".join(upload)
        assert upload.summary == {"file": 'a"b.bin', "size_bytes": 20, "parameters": {"Targets": ["/x"]}}
    parameters, image = email.message_from_bytes(text).get_payload()
    assert json.loads(parameters.get_payload()) == {"Targets": ["/x"]} and parameters.get_content_type() == "application/json"
    assert image.get_param("name", header="content-disposition") == "UpdateFile" and image.get_filename() == "a_b.bin"
    assert said[-1].endswith("100 % of 0 MiB")
