"""Storage of media files and of their short-lived download addresses.

Source: developers.facebook.com/documentation/business-messaging/whatsapp, page
business-phone-numbers/media.
"""

import base64
import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

UPLOAD_LIFETIME_DAYS: Final = 30
BUYER_FILE_LIFETIME_DAYS: Final = 7
SECONDS_PER_DAY: Final = 86_400
MAX_FILE_BYTES: Final = 100 * 1024 * 1024
MAX_TOTAL_BYTES: Final = 256 * 1024 * 1024
MAX_FILES: Final = 20_000
MAX_ADDRESSES: Final = 20_000


@dataclass(frozen=True, kw_only=True)
class MediaFile:
    """A file; `expires_at` in unix seconds."""

    id: str
    content: bytes
    mime_type: str
    phone_number_id: str
    expires_at: float

    @property
    def digest(self) -> bytes:
        """Return the SHA-256 of the bytes."""
        return hashlib.sha256(self.content).digest()

    @property
    def sha256_base64(self) -> str:
        """Return the digest as in webhooks."""
        return base64.b64encode(self.digest).decode()

    @property
    def sha256_hex(self) -> str:
        """Return the digest as in `GET /{media_id}`."""
        return self.digest.hex()


class MediaStore:
    """Files and addresses in memory; beyond the bounds the oldest are dropped."""

    def __init__(self) -> None:
        self._media: OrderedDict[str, MediaFile] = OrderedDict()
        self._addresses: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._bytes = 0

    def store_file(
        self, content: bytes, *, mime_type: str, phone_number_id: str, days: int, now: float
    ) -> MediaFile:
        """Store a file under a new id for a number of days."""
        medium = MediaFile(
            id=str(10**15 + secrets.randbelow(9 * 10**15)),
            content=content,
            mime_type=mime_type,
            phone_number_id=phone_number_id,
            expires_at=now + days * SECONDS_PER_DAY,
        )
        self._media[medium.id] = medium
        self._bytes += len(content)
        while len(self._media) > 1 and (
            self._bytes > MAX_TOTAL_BYTES or len(self._media) > MAX_FILES
        ):
            _, oldest = self._media.popitem(last=False)
            self._bytes -= len(oldest.content)
        return medium

    def find_file(self, media_id: str, *, now: float) -> MediaFile | None:
        """Return a file unless it is unknown or expired."""
        medium = self._media.get(media_id)
        return medium if medium is not None and medium.expires_at > now else None

    def remove_file(self, media_id: str) -> None:
        """Delete a file."""
        medium = self._media.pop(media_id, None)
        if medium is not None:
            self._bytes -= len(medium.content)

    def create_url(self, medium: MediaFile, *, base_url: str, seconds: float, now: float) -> str:
        """Return a new address of a file that is valid for a number of seconds."""
        key = secrets.token_urlsafe(24)
        until = now + seconds
        self._addresses[key] = (medium.id, until)
        while len(self._addresses) > MAX_ADDRESSES:
            self._addresses.popitem(last=False)
        query = urlencode({"mid": medium.id, "ext": int(until), "hash": key})
        return f"{base_url}whatsapp_business/attachments/?{query}"

    def find_by_address(self, key: str, *, media_id: str, now: float) -> MediaFile | None:
        """Return the file at an address, unless the address is unknown or expired."""
        stored_id, until = self._addresses.get(key, ("", 0.0))
        return self.find_file(stored_id, now=now) if stored_id == media_id and until > now else None

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self._media)
