# Copyright: (c) 2026, typeone.metal contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual media over Redfish: the VirtualMedia resources of the system and of its managers (DMTF DSP0268)."""

from __future__ import annotations

from typing import Any, Iterator, Optional
from urllib.parse import urlsplit

from .._bmc.errors import BmcError, BrokenAnswer, Rejected, Unsupported
from .._bmc.interface import Driver, VirtualMedia
from .actions import find_action
from .client import link_of

Json = dict[str, Any]
MEDIA = {"CD": "cd", "DVD": "dvd", "USBStick": "usb", "Floppy": "floppy"}
CONNECTIONS = {"NotConnected": "not_connected", "URI": "uri", "Applet": "applet", "Oem": "oem"}
PROTOCOLS = {"http": "HTTP", "https": "HTTPS", "nfs": "NFS", "cifs": "CIFS", "smb": "CIFS", "ftp": "FTP",
             "sftp": "SFTP", "scp": "SCP", "tftp": "TFTP"}
# Refusals of a payload's form, after which another form is tried.
FORM_REFUSED = (400, 415, 422)
# Some BMCs want an account for every image; this one stands for none.
NO_ACCOUNT = "none"
EMPTY = ("", "none", "null")


class RedfishVirtualMedia(VirtualMedia):
    """The slots wherever the BMC keeps them: iDRAC10 has them below the system only, older BMCs below the manager."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._names: set[str] = set()
        self.unread: list[str] = []

    def _collections(self) -> list[str]:
        """Return the collections of slots, the system's own first. A manager that cannot be read has none."""
        client = self._driver.client
        found = [link_of(self._driver.system.get("VirtualMedia"))]
        for link in self._driver.manager_links():
            try:
                found.append(link_of(client.read(link).get("VirtualMedia")))
            except BmcError as error:
                self._missed(link, error)
        return list({link.rstrip("/"): link for link in found if link}.values())

    def read(self) -> list[Json]:
        """Read the slots anew. One that cannot be read is left out, with a warning."""
        client, slots = self._driver.client, []
        self._names, self.unread = set(), []
        for collection in self._collections():
            try:
                links = list(client.member_links(client.read(collection)))
            except BmcError as error:
                self._missed(collection, error)
                continue
            for link in links:
                try:
                    slots.append(self._slot(link, client.reread(link)))
                except BmcError as error:
                    self._missed(link, error)
        if not self._names and self.unread:
            raise BrokenAnswer(f"no slot could be read ({', '.join(self.unread)})", remedy="Look at the warnings.")
        if not self._names:
            raise Unsupported("the BMC has no virtual media slots", capability=self.title, protocol="redfish",
                              remedy="Boot from the network instead; some BMCs need a licence for virtual media.")
        return slots

    def _missed(self, path: str, error: BmcError) -> None:
        self.unread.append(path)
        self._driver.warn(f"The slots at {path} could not be read ({error.cause}); they are left out.")

    def _slot(self, link: str, document: Json) -> Json:
        """Return a slot in plain form, under a name that no other slot has."""
        name = link.rstrip("/").rsplit("/", 1)[-1]
        if name in self._names:  # the system's and the manager's slots may have the same names
            name = "/".join(link.strip("/").split("/")[2:])
        if not (isinstance(document.get("Inserted"), bool) or isinstance(document.get("ConnectedVia"), str)
                or "Image" in document):
            raise BrokenAnswer(f"{link} does not tell whether there is an image in it", path=link)
        self._names.add(name)
        types = document.get("MediaTypes")
        image, title = _text(document.get("Image")), _text(document.get("ImageName"))
        inserted = self._is_inserted(document, image or title)
        protected = document.get("WriteProtected")
        return {"slot": name, "id": _text(document.get("Id")), "name": _text(document.get("Name")),
                "path": link, "inserted": inserted, "image_url": image if inserted else None,
                "image_name": title if inserted else None,
                "media_types": [MEDIA[word] for word in types if isinstance(word, str) and word in MEDIA] if isinstance(types, list) else [],
                "write_protected": protected if isinstance(protected, bool) else None,
                "connected_via": CONNECTIONS.get(document.get("ConnectedVia"))
                if isinstance(document.get("ConnectedVia"), str) else None}

    def _is_inserted(self, document: Json, image: Optional[str]) -> bool:
        """Tell whether there is an image in a slot. Supermicro shows the name of an ejected one: the connection tells."""
        flag, via = document.get("Inserted"), document.get("ConnectedVia")
        if isinstance(via, str) and (self._driver.quirks.behaviour("media_connection_decides") is not None
                                     or not isinstance(flag, bool)):
            return via != "NotConnected"
        return flag if isinstance(flag, bool) else bool(image)

    def insert(self, path: str, image_url: str, *, media_type: str, write_protected: bool = True,
               username: Optional[str] = None, password: Optional[str] = None) -> None:
        """Send the image in the smallest form that the BMC takes; a refused form is followed by a fuller one."""
        action = find_action(self._driver.client, self._driver.client.read(path), "#VirtualMedia.InsertMedia")
        image: Json = {"Image": image_url}
        if not write_protected:
            image["WriteProtected"] = False
        if username is not None:
            image.update({"UserName": username, "Password": password or ""})
        if action is not None:
            self._first_taken("POST", action.target, self._insert_forms(image, image_url, media_type))
        else:  # Lenovo's XCC has no such action
            self._first_taken("PATCH", path, iter([{**image, "Inserted": True},
                                                   {**image, "Inserted": True, "WriteProtected": write_protected},
                                                   image]))

    def _insert_forms(self, image: Json, image_url: str, media_type: str) -> Iterator[Json]:
        """Yield the parameters of InsertMedia: only what is required first, as some refuse what they could default."""
        whole = {"Inserted": True, "WriteProtected": True, **image}
        protocol = PROTOCOLS.get(urlsplit(image_url).scheme.lower())
        how = {"TransferMethod": "Stream", **({"TransferProtocolType": protocol} if protocol else {})}
        account = {"UserName": NO_ACCOUNT, "Password": NO_ACCOUNT}
        if self._driver.quirks.behaviour("media_account_needed") is not None:
            image = {**account, **image}
        yield image
        yield {**whole}
        yield {**image, **how}
        yield {**whole, **how}
        word = next((word for word, name in MEDIA.items() if name == media_type), None)
        yield {**whole, **how, "MediaType": word}
        if "UserName" not in image:
            yield {**account, **image}
            yield {**account, **whole, **how}

    def eject(self, path: str) -> None:
        """Eject. HPE wants an empty object as the body, others no body at all."""
        action = find_action(self._driver.client, self._driver.client.read(path), "#VirtualMedia.EjectMedia")
        if action is not None:
            self._first_taken("POST", action.target, iter([{}, None]))
        else:
            self._first_taken("PATCH", path, iter([{"Image": None, "Inserted": False}, {"Inserted": False},
                                                   {"Image": None}, {"Image": ""}]))

    def _first_taken(self, method: str, link: str, forms: Iterator[Optional[Json]]) -> None:
        """Send the first form that the BMC takes; raise the refusal of the first form where it takes none."""
        first: Optional[BmcError] = None
        sent: list[Optional[Json]] = []
        for form in forms:
            if form in sent:
                continue
            sent.append(form)
            try:
                self._driver.client.write(method, link, form)
                return
            except Rejected as error:
                first = first or error
                if error.details.get("status") not in FORM_REFUSED:
                    raise
        raise first


def _text(value: Any) -> Optional[str]:
    """Return a text that tells something: AMI writes an image that is not there as the word None."""
    return value if isinstance(value, str) and value.strip().lower() not in EMPTY else None
