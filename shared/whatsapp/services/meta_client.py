"""Client of Meta's Graph API: messages, media files, business numbers and accounts.

Source: Meta's pages "Send messages", "Media" and "Error codes" of the WhatsApp Business Platform.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from shared.core.constants import MEDIA_LIMIT
from shared.whatsapp import media_files
from shared.whatsapp.errors import (
    GraphError,
    GraphRefused,
    GraphUncertain,
    MediaElsewhere,
    MediaGone,
    MediaTooLarge,
    UnreadableJson,
)
from shared.whatsapp.json_reader import (
    parse_json,
    read_integer,
    read_items,
    read_mapping,
    read_string,
)
from shared.whatsapp.media_files import MediaFile
from shared.whatsapp.services.graph_transport import (
    AiohttpTransport,
    GraphResponse,
    GraphTransport,
)

MEDIA_HOSTS: Final[Mapping[str, frozenset[str]]] = {
    "https://graph.facebook.com": frozenset({"https://lookaside.fbsbx.com"})
}
"""Other origins that host its files, by Graph API, and may receive the access token."""

_NO_WAIT: Final = timedelta(0)
_ANSWER_SIZE_LIMIT: Final = 1024 * 1024
_META_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
_EXPIRED_ADDRESS_STATUSES: Final = frozenset({404, 410})
_MEDIA_GONE_CODES: Final = frozenset({100, 131052})
_PHONE_NUMBER_DELETED_CODE: Final = 33


@dataclass(frozen=True, slots=True)
class AcceptedMessage:
    """A message that Meta accepted; its delivery is reported by status webhooks."""

    wa_message_id: str
    wa_id: str


class MetaClient:
    """A connection pool to the Graph API with one access token, for one event loop."""

    def __init__(
        self,
        *,
        base_url: str,
        version: str,
        token: str,
        media_limit: int = MEDIA_LIMIT,
        transport: GraphTransport | None = None,
    ) -> None:
        """Create a client, without connecting yet.

        Args:
            base_url: the address of the Graph API, e.g. https://graph.facebook.com. Only this
                origin and its `MEDIA_HOSTS` ever receive the token.
            version: the version of the Graph API, e.g. v26.0.
            token: the access token of the system user.
            media_limit: the size of the largest file that is fetched, in bytes.
            transport: a transport to use instead of the usual one; the client closes it.

        Raises:
            ValueError: the token cannot be sent in a header.

        """
        if not (token.isascii() and token.isprintable()):
            raise ValueError("the access token has characters that none of Meta's has")
        base = httpx.URL(base_url)
        self._root = f"{base_url.rstrip('/')}/{version}"
        self._origins = {_get_origin(base)} | MEDIA_HOSTS.get(_get_origin(base), frozenset())
        self._authorization = f"Bearer {token}"
        self._media_limit = media_limit
        self._transport = transport or AiohttpTransport()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def send_message(self, phone_number_id: str, body: Mapping[str, Any]) -> AcceptedMessage:
        """Send a message from a business number.

        Args:
            phone_number_id: the id of the business number.
            body: a body built by `messages.address_message`.

        Returns:
            Meta's id of the message.

        Raises:
            GraphRefused: Meta refused it with an error.
            GraphUnreachable: nothing was sent.
            GraphUncertain: it may have been sent.

        """
        path = f"{_check_path_segment(phone_number_id)}/messages"
        document = await self._request("POST", path, content=json.dumps(body).encode())
        wa_message_id = read_string(
            read_mapping(next(iter(read_items(document.get("messages"))), None)), "id"
        )
        if not wa_message_id:
            raise GraphUncertain("accepted without a message id")
        contact = read_mapping(next(iter(read_items(document.get("contacts"))), None))
        return AcceptedMessage(wa_message_id=wa_message_id, wa_id=read_string(contact, "wa_id"))

    async def fetch_media(
        self, media_id: str, *, phone_number_id: str, sha256: str = ""
    ) -> MediaFile:
        """Fetch a payment proof: look up its address, valid for 5 minutes, and download it.

        Args:
            media_id: the id from the webhook, valid for seven days.
            phone_number_id: the business number it was sent to, by which Meta checks access.
            sha256: the hash from the webhook, in hex or Base64; empty if it has none.

        Returns:
            The file with its detected type.

        Raises:
            MediaGone, MediaTooLarge, MediaWrongType, MediaCorrupt: another attempt is useless.
            GraphRefused, GraphUnreachable, GraphUncertain: the request failed, as for
                `send_message`. If the refusal `is_object_hidden`, Meta deleted the file after
                seven days, or does not show it to this access token.

        """
        for _ in range(2):  # an address that expired is looked up once more
            info = await self._get_media_info(media_id, phone_number_id=phone_number_id)
            content = await self._download(read_string(info, "url"))
            if content is not None:
                return media_files.check_media_file(
                    content, announced=(sha256, read_string(info, "sha256"))
                )
        raise MediaGone

    async def get_phone_number(self, phone_number_id: str) -> Mapping[str, Any]:
        """Return a business number with its display number, name, quality and state."""
        fields = (
            "id,display_phone_number,verified_name,quality_rating,status,name_status,"
            "code_verification_status,throughput,webhook_configuration"
        )
        return await self._request("GET", _check_path_segment(phone_number_id), fields=fields)

    async def get_waba(self, waba_id: str) -> Mapping[str, Any]:
        """Return a WhatsApp Business Account with its name and review state."""
        return await self._request(
            "GET", _check_path_segment(waba_id), fields="id,name,account_review_status"
        )

    async def list_waba_phone_numbers(self, waba_id: str) -> list[Mapping[str, Any]]:
        """Return the business numbers of an account."""
        path = f"{_check_path_segment(waba_id)}/phone_numbers"
        document = await self._request("GET", path, fields="id,display_phone_number,verified_name")
        return [read_mapping(number) for number in read_items(document.get("data"))]

    async def list_subscribed_apps(self, waba_id: str) -> list[Mapping[str, Any]]:
        """Return the apps that receive the account's webhooks; this one must be among them."""
        document = await self._request("GET", f"{_check_path_segment(waba_id)}/subscribed_apps")
        return [read_mapping(app) for app in read_items(document.get("data"))]

    async def get_token_owner(self) -> Mapping[str, Any]:
        """Return the owner of the access token, which proves that it is valid."""
        return await self._request("GET", "me", fields="id,name")

    async def _get_media_info(self, media_id: str, *, phone_number_id: str) -> Mapping[str, Any]:
        if not _META_ID.fullmatch(media_id):
            raise MediaGone
        try:
            info = await self._request("GET", media_id, phone_number_id=phone_number_id)
        except GraphRefused as refusal:
            if not refusal.is_object_hidden and (
                refusal.http_status in _EXPIRED_ADDRESS_STATUSES
                or refusal.code in _MEDIA_GONE_CODES
            ):
                raise MediaGone from refusal
            raise
        if (read_integer(info.get("file_size")) or 0) > self._media_limit:
            raise MediaTooLarge
        return info

    async def _download(self, address: str) -> bytes | None:
        """Return the bytes of a file; None if its address has expired."""
        answer = await self._send_request("GET", _parse_media_url(address), limit=self._media_limit)
        if answer.status in _EXPIRED_ADDRESS_STATUSES:
            return None
        if answer.status != httpx.codes.OK:
            raise _build_error(answer)
        if len(answer.body) > self._media_limit:
            raise MediaTooLarge
        return answer.body

    async def _request(
        self, method: str, path: str, *, content: bytes | None = None, **query: str
    ) -> Mapping[str, Any]:
        url = httpx.URL(f"{self._root}/{path}", params=query or None)
        answer = await self._send_request(method, url, content=content, limit=_ANSWER_SIZE_LIMIT)
        document = _parse_document(answer)
        if answer.status != httpx.codes.OK or read_mapping(document, "error"):
            raise _build_error(answer)
        return document

    async def _send_request(
        self, method: str, url: httpx.URL, *, limit: int, content: bytes | None = None
    ) -> GraphResponse:
        """Send a request with the access token; no other function sends the token."""
        if _get_origin(url) not in self._origins or url.userinfo:
            raise MediaElsewhere
        headers = {"Authorization": self._authorization, "Accept-Encoding": "identity"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        return await self._transport.send_request(
            method, str(url), headers=headers, content=content, limit=limit
        )


def _parse_document(answer: GraphResponse) -> Mapping[str, Any]:
    """Return the JSON object of an answer; an empty one if it is none."""
    try:
        return read_mapping(parse_json(answer.body))
    except UnreadableJson:
        return {}


def _build_error(answer: GraphResponse) -> GraphError:
    error = read_mapping(_parse_document(answer), "error")
    code = read_integer(error.get("code"))
    if code is None and answer.status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return GraphUncertain(f"HTTP status {answer.status} without a code")
    if code is None and answer.status == httpx.codes.OK:
        return GraphUncertain("an error without a code")
    return GraphRefused(
        code=code,
        subcode=read_integer(error.get("error_subcode")),
        http_status=answer.status,
        details=(read_string(error, "error_data", "details") or read_string(error, "message"))[
            :500
        ],
        transient=error.get("is_transient") is True,
        retry_after=_parse_retry_after(answer.headers),
    )


def _parse_retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Return the wait of `Retry-After`, in seconds or as a date compared with the answer's date."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,6}", value):
        return timedelta(seconds=int(value))
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError):
        return None
    return wait if wait > _NO_WAIT else None


def _check_path_segment(value: str) -> str:
    if not _META_ID.fullmatch(value):
        raise GraphRefused(
            code=_PHONE_NUMBER_DELETED_CODE, http_status=None, details="no id of Meta's"
        )
    return value


def _parse_media_url(address: str) -> httpx.URL:
    try:
        return httpx.URL(address)
    except httpx.InvalidURL:
        raise MediaElsewhere from None


def _get_origin(url: httpx.URL) -> str:
    port = f":{url.port}" if url.port else ""
    return f"{url.scheme}://{url.host}{port}"
