# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, typeone.metal contributors
"""Virtual media: inserted and ejected by actions, or by PATCH where there are none."""

from __future__ import annotations

import re

from .messages import Response, error, refusal
from .routes import action, check_allowable, check_parameters, check_properties, patches

PARAMETERS = ("Image", "Inserted", "WriteProtected", "TransferMethod", "TransferProtocolType", "UserName", "Password")


@action("VirtualMedia.InsertMedia")
def insert_media(bmc, owner: str, data: dict, _request) -> Response:
    """DSP0268, VirtualMedia: InsertMedia."""
    name = "VirtualMedia.InsertMedia"
    check_parameters(name, data, known=PARAMETERS, required=("Image",))
    for parameter in ("TransferMethod", "TransferProtocolType"):
        if data.get(parameter) is not None:
            check_allowable(bmc, owner, name, parameter, value=data[parameter])
    if bmc.store.get(owner).get("Inserted"):
        raise refusal("ResourceInUse")
    insert(bmc, owner, data)
    return Response(204)


@action("VirtualMedia.EjectMedia")
def eject_media(bmc, owner: str, data: dict, _request) -> Response:
    """DSP0268, VirtualMedia: EjectMedia."""
    check_parameters("VirtualMedia.EjectMedia", data, known=())
    if not bmc.store.get(owner).get("Inserted"):
        return error("GeneralError", status=400, text="There is no virtual media to eject.")
    eject(bmc, owner)
    return Response(204)


@patches("VirtualMedia")
def patch_media(bmc, path: str, data: dict, _request) -> None:
    """Old services and some of today's: PATCH Image and Inserted."""
    told = bmc.options.media_patch
    if not (told if told is not None else "#VirtualMedia.InsertMedia" not in bmc.store.get(path).get("Actions", {})):
        raise refusal("OperationNotAllowed", headers={"Allow": "GET, HEAD"})
    check_properties(bmc, path, data, {"Image": (str, type(None)), "Inserted": bool, "WriteProtected": bool, "UserName": (str, type(None)),
                                       "Password": (str, type(None)), "TransferMethod": (str, type(None)), "TransferProtocolType": (str, type(None))})
    if data.get("Image"):
        if data.get("Inserted") is not False:
            insert(bmc, path, data)
        else:
            bmc.store.merge(path, {"Image": data["Image"]})
    elif "Image" in data or data.get("Inserted") is False:
        eject(bmc, path)
    elif data.get("Inserted") and not bmc.store.get(path).get("Image"):
        raise refusal("PropertyValueConflict", "Inserted", "Image", related=["Inserted"])


def insert(bmc, path: str, data: dict) -> None:
    """The image is in the drive from now on."""
    image = data["Image"]
    if not isinstance(image, str) or not re.match(r"([a-z]+://|//|[\w.-]+:/)\S+$", image, re.I):
        raise refusal("PropertyValueFormatError", image, "Image", related=["Image"])
    values = {"Image": image, "ImageName": image.rpartition("/")[2], "Inserted": True, "ConnectedVia": "URI"}
    here = bmc.store.get(path)
    values["WriteProtected"] = data.get("WriteProtected", True)
    values.update({name: data[name] for name in ("TransferMethod", "TransferProtocolType", "UserName") if name in data and name in here})
    bmc.store.merge(path, {name: value for name, value in values.items() if name in here or name in ("Image", "Inserted")})


def eject(bmc, path: str) -> None:
    """The drive is empty from now on."""
    empty = "" if bmc.tree.kinds.get(path) and bmc.tree.json(path).get("Image") == "" else None
    here = bmc.store.get(path)
    values = {"Image": empty, "ImageName": empty, "Inserted": False, "ConnectedVia": "NotConnected", "UserName": None, "Password": None}
    bmc.store.merge(path, {name: value for name, value in values.items() if name in here})
