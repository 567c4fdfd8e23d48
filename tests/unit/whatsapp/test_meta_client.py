"""Tests of the Graph API client with a real server that behaves well or badly."""

import asyncio
import base64
import hashlib
import io
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from aiohttp import ClientTimeout
from PIL import Image

from shared.whatsapp import messages
from shared.whatsapp.errors import (
    GraphError,
    GraphRefused,
    GraphUncertain,
    GraphUnreachable,
    MediaCorrupt,
    MediaElsewhere,
    MediaGone,
    MediaTooLarge,
    MediaWrongType,
)
from shared.whatsapp.graph_errors import FailureReaction
from shared.whatsapp.media_files import MediaFile
from shared.whatsapp.services.graph_transport import AiohttpTransport, GraphTransport
from shared.whatsapp.services.meta_client import AcceptedMessage, MetaClient
from tests.builders import PHONE_NUMBER_ID
from tests.graph_transports import MockGraphTransport
from tests.unit.whatsapp.scripted_server import (
    ServerAction,
    answer_with,
    reset_connection,
    run_scripted_server,
    stay_silent,
    write_and_close,
)
from tests.waiting import PATIENCE

TOKEN = "test_access_token"
BODY = messages.address_message(
    messages.build_text("hi 🚀"), wa_id="15550100001", user_id=None, callback_data="key"
)
ACCEPTED = {
    "messaging_product": "whatsapp",
    "contacts": [{"input": "+15550100001", "wa_id": "15550100001"}],
    "messages": [{"id": "wamid.O1"}],
}
PATIENT = ClientTimeout(total=PATIENCE)
QUICK = ClientTimeout(total=PATIENCE, sock_read=0.3)
DEAF = ClientTimeout(total=PATIENCE, sock_connect=0.3)
CROWDED = ClientTimeout(total=PATIENCE, connect=0.2, sock_read=PATIENCE)
BRIEF = ClientTimeout(total=0.5)


@asynccontextmanager
async def client(
    base_url: str,
    *,
    timeout: ClientTimeout = PATIENT,  # noqa: ASYNC109 - of each request
    transport: GraphTransport | None = None,
    **options: Any,
) -> AsyncIterator[MetaClient]:
    made = MetaClient(
        base_url=base_url,
        version="v26.0",
        token=TOKEN,
        transport=transport or AiohttpTransport(timeout=timeout),
        **options,
    )
    try:
        yield made
    finally:
        await made.aclose()


async def send_error(act: ServerAction, **options: Any) -> GraphError:
    async with run_scripted_server(act) as server, client(server.url, **options) as meta:
        with pytest.raises(GraphError) as caught:
            await meta.send_message(PHONE_NUMBER_ID, BODY)
        assert len(server.requests) == 1
    return caught.value


def error(code: int | None, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": "words", "type": "OAuthException", "code": code, **fields}}


class TestSend:
    async def test_gives_the_id_that_meta_gave(self) -> None:
        async with run_scripted_server(answer_with(ACCEPTED)) as server, client(server.url) as meta:
            accepted = await meta.send_message(PHONE_NUMBER_ID, BODY)

        (request,) = server.requests
        assert accepted == AcceptedMessage(wa_message_id="wamid.O1", wa_id="15550100001")
        assert (request.method, request.path) == ("POST", f"/v26.0/{PHONE_NUMBER_ID}/messages")
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert request.headers["content-type"] == "application/json"
        assert json.loads(request.body) == BODY

    async def test_to_a_user_id_has_no_phone(self) -> None:
        document = {"contacts": [{"user_id": "US.1"}], "messages": [{"id": "wamid.O1"}]}
        async with run_scripted_server(answer_with(document)) as server, client(server.url) as meta:
            accepted = await meta.send_message(PHONE_NUMBER_ID, BODY)

        assert accepted == AcceptedMessage(wa_message_id="wamid.O1", wa_id="")

    async def test_keeps_the_connection(self) -> None:
        acts = [answer_with(ACCEPTED), answer_with(ACCEPTED)]
        async with run_scripted_server(*acts) as server, client(server.url) as meta:
            await meta.send_message(PHONE_NUMBER_ID, BODY)
            await meta.send_message(PHONE_NUMBER_ID, BODY)

        assert (server.connections, len(server.requests)) == (1, 2)


class TestRefusal:
    async def test_says_code_details_and_whether_it_passes(self) -> None:
        document = error(
            130429, is_transient=True, error_data={"details": "Throughput has been reached."}
        )

        refusal = await send_error(answer_with(document, status=400))

        assert isinstance(refusal, GraphRefused)
        assert (refusal.code, refusal.http_status) == (130429, 400)
        assert refusal.details == "Throughput has been reached."
        assert refusal.transient
        assert refusal.judgement.reaction is FailureReaction.RETRY_NUMBER
        assert TOKEN not in repr(refusal)

    @pytest.mark.parametrize(
        ("status", "document", "reaction"),
        [
            (401, error(190), FailureReaction.PAUSE),
            (400, error(100), FailureReaction.FAIL),
            (400, error(100, error_subcode=33), FailureReaction.PAUSE),
            (400, error(131047), FailureReaction.OUTSIDE_WINDOW),
            (500, error(131000), FailureReaction.UNKNOWN),
            (503, error(131016), FailureReaction.RETRY),
            (429, {}, FailureReaction.RETRY_NUMBER),
            (400, {}, FailureReaction.FAIL),
            (404, "<html>", FailureReaction.PAUSE),
            (200, error(131026), FailureReaction.FAIL),
        ],
    )
    async def test_is_judged(self, status: int, document: Any, reaction: FailureReaction) -> None:
        refusal = await send_error(answer_with(document, status=status))

        assert isinstance(refusal, GraphRefused)
        assert refusal.judgement.reaction is reaction

    @pytest.mark.parametrize(
        ("headers", "expected"),
        [
            ({}, None),
            ({"Retry-After": "120"}, timedelta(minutes=2)),
            (
                {
                    "Date": "Sun, 22 Nov 2026 12:00:00 GMT",
                    "Retry-After": "Sun, 22 Nov 2026 12:05:00 GMT",
                },
                timedelta(minutes=5),
            ),
            (
                {
                    "Date": "Sun, 22 Nov 2026 12:00:00 GMT",
                    "Retry-After": "Sun, 22 Nov 2026 11:00:00 GMT",
                },
                None,
            ),
            ({"Retry-After": "Sun, 22 Nov 2026 12:05:00 GMT"}, None),
            ({"Retry-After": "soon"}, None),
            ({"Retry-After": "-5"}, None),
        ],
    )
    async def test_honours_the_wait_that_meta_asks_for(
        self, headers: dict[str, str], expected: timedelta | None
    ) -> None:
        refusal = await send_error(answer_with(error(4), status=429, headers=headers))

        assert isinstance(refusal, GraphRefused)
        assert refusal.retry_after == expected
        assert refusal.judgement.wait == max(expected or timedelta(0), timedelta(minutes=1))

    async def test_never_waits_longer_than_an_hour(self) -> None:
        refusal = await send_error(
            answer_with(error(4), status=429, headers={"Retry-After": "999999"})
        )

        assert isinstance(refusal, GraphRefused)
        assert refusal.judgement.wait == timedelta(hours=1)

    async def test_of_an_id_that_is_none_asks_nobody(self) -> None:
        async with run_scripted_server() as server, client(server.url) as meta:
            for phone_number_id in ("", "..", "a/b", "1?x=1", "<PHONE_NUMBER_ID>"):
                with pytest.raises(GraphRefused) as caught:
                    await meta.send_message(phone_number_id, BODY)
                assert caught.value.judgement.reaction is FailureReaction.PAUSE

        assert server.requests == []

    async def test_by_redirect_does_not_carry_the_token_away(self) -> None:
        async with run_scripted_server() as other:
            away = answer_with({}, status=302, headers={"Location": other.url + "/steal"})
            refusal = await send_error(away)

        assert isinstance(refusal, GraphRefused)
        assert refusal.http_status == 302
        assert other.connections == 0


class TestUnreachable:
    async def test_when_nobody_listens(self) -> None:
        async with client(f"http://127.0.0.1:{_free_port()}") as meta:
            with pytest.raises(GraphUnreachable):
                await meta.send_message(PHONE_NUMBER_ID, BODY)

    async def test_when_the_host_has_no_address(self) -> None:
        async with client("http://graph.invalid", timeout=PATIENT) as meta:
            with pytest.raises(GraphUnreachable):
                await meta.send_message(PHONE_NUMBER_ID, BODY)

    async def test_when_it_does_not_speak_tls(self) -> None:
        async with (
            run_scripted_server() as server,
            client(server.url.replace("http:", "https:"), timeout=DEAF) as meta,
        ):
            with pytest.raises(GraphUnreachable):
                await meta.send_message(PHONE_NUMBER_ID, BODY)

    async def test_when_no_connection_becomes_free(self) -> None:
        transport = AiohttpTransport(timeout=CROWDED, max_connections=1)
        async with (
            run_scripted_server(stay_silent(1)) as server,
            client(server.url, transport=transport) as meta,
        ):
            first = asyncio.create_task(meta.send_message(PHONE_NUMBER_ID, BODY))
            await asyncio.sleep(0.05)
            with pytest.raises(GraphUnreachable):
                await meta.send_message(PHONE_NUMBER_ID, BODY)
            with pytest.raises(GraphUncertain):
                await first

        assert len(server.requests) == 1


class TestUncertain:
    @pytest.mark.parametrize(
        "act",
        [
            pytest.param(write_and_close(), id="cut after reading"),
            pytest.param(reset_connection(), id="reset after reading"),
            pytest.param(stay_silent(1), id="silence"),
            pytest.param(write_and_close(b"HTTP/1.1 200 OK\r\nContent-Le"), id="half a head"),
            pytest.param(
                write_and_close(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"mess'),
                id="half a body",
            ),
            pytest.param(
                write_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", pause=1),
                id="stalled",
            ),
            pytest.param(write_and_close(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"), id="another protocol"),
            pytest.param(answer_with({}), id="200 without a message id"),
            pytest.param(answer_with({"messages": []}), id="200 with no message"),
            pytest.param(answer_with({"messages": [{"id": None}]}), id="200 with an empty id"),
            pytest.param(answer_with(body=b"<html>"), id="200 that is no JSON"),
            pytest.param(answer_with(body=b""), id="200 without a body"),
            pytest.param(answer_with({"error": {"message": "?"}}), id="200 with an error, no code"),
            pytest.param(answer_with(body=b"<html>", status=502), id="502 of a proxy"),
            pytest.param(answer_with({}, status=500), id="500 without a code"),
            pytest.param(answer_with(error(None), status=503), id="503 without a code"),
            pytest.param(answer_with(body=b"[" * 2_000_000), id="endless brackets"),
        ],
    )
    async def test_when_the_message_left_and_the_answer_says_nothing(
        self, act: ServerAction
    ) -> None:
        assert isinstance(await send_error(act, timeout=QUICK), GraphUncertain)

    async def test_when_a_kept_connection_is_cut_and_never_sent_twice(self) -> None:
        acts = [answer_with(ACCEPTED), write_and_close(), answer_with(ACCEPTED)]
        async with run_scripted_server(*acts) as server, client(server.url) as meta:
            await meta.send_message(PHONE_NUMBER_ID, BODY)
            with pytest.raises(GraphUncertain):
                await meta.send_message(PHONE_NUMBER_ID, BODY)

        assert len(server.requests) == 2

    async def test_when_the_answer_trickles_in_for_ever(self) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
        act = write_and_close(head, *[b" "] * 40, pause=0.05)

        assert isinstance(await send_error(act, timeout=BRIEF), GraphUncertain)


def picture(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(file, kind)
    return file.getvalue()


JPEG = picture("JPEG")
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"


def hex_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def base64_of(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


@asynccontextmanager
async def media(*files: ServerAction, info: dict[str, Any], **options: Any) -> AsyncIterator[Any]:
    """Serve files; the description with the URL is served before each file."""
    async with run_scripted_server() as server:
        place = {
            "url": f"{server.url}/file?mid=1&hash=ATu%2Fa%2Cb%3D%2B~",
            "mime_type": "image/jpeg",
            **info,
        }
        for file in files:
            server.script += [answer_with(place), file]
        async with client(server.url, **options) as meta:
            yield server, meta


async def fetched(content: bytes, *, sha256: str = "", **info: Any) -> MediaFile:
    async with media(answer_with(body=content), info=info) as (_, meta):
        found: MediaFile = await meta.fetch_media(
            "77", phone_number_id=PHONE_NUMBER_ID, sha256=sha256
        )
    return found


class TestMedia:
    async def test_is_fetched_in_two_steps_with_the_token(self) -> None:
        async with media(answer_with(body=JPEG), info={"file_size": str(len(JPEG))}) as (
            server,
            meta,
        ):
            found = await meta.fetch_media(
                "77", phone_number_id=PHONE_NUMBER_ID, sha256=base64_of(JPEG)
            )

        assert found == MediaFile(
            content=JPEG, content_type="image/jpeg", extension="jpg", sha256=hex_of(JPEG)
        )
        assert [request.path for request in server.requests] == [
            f"/v26.0/77?phone_number_id={PHONE_NUMBER_ID}",
            "/file?mid=1&hash=ATu%2Fa%2Cb%3D%2B~",
        ]
        assert {request.headers["authorization"] for request in server.requests} == {
            f"Bearer {TOKEN}"
        }

    @pytest.mark.parametrize(
        ("content", "content_type", "extension"),
        [
            (JPEG, "image/jpeg", "jpg"),
            (picture("PNG"), "image/png", "png"),
            (picture("WEBP"), "image/webp", "webp"),
            (HEIC, "image/heic", "heic"),
            (PDF, "application/pdf", "pdf"),
            (b"\xef\xbb\xbf\r\n" + PDF, "application/pdf", "pdf"),
        ],
    )
    async def test_has_the_type_of_its_content(
        self, content: bytes, content_type: str, extension: str
    ) -> None:
        found = await fetched(content, mime_type="text/html")

        assert (found.content_type, found.extension) == (content_type, extension)

    @pytest.mark.parametrize(
        "content",
        [
            b"<html><body>Log in</body></html>",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            b"plain words",
            b"PK\x03\x04" + bytes(30),
            b"MZ" + bytes(300),
            b"\0\0\0\x18ftypisom" + bytes(64),
        ],
    )
    async def test_of_another_type_is_refused_whatever_it_calls_itself(
        self, content: bytes
    ) -> None:
        with pytest.raises(MediaWrongType):
            await fetched(content, mime_type="image/jpeg")

    @pytest.mark.parametrize("written", [hex_of(JPEG), hex_of(JPEG).upper(), base64_of(JPEG)])
    async def test_is_compared_with_either_writing_of_its_digest(self, written: str) -> None:
        assert (await fetched(JPEG, sha256=written)).content == JPEG
        assert (await fetched(JPEG, sha256=written)).content == JPEG

    @pytest.mark.parametrize("written", [hex_of(PDF), base64_of(PDF)])
    async def test_with_other_bytes_than_announced_is_refused(self, written: str) -> None:
        with pytest.raises(MediaCorrupt):
            await fetched(JPEG, sha256=written)

    async def test_whose_address_ran_out_is_asked_for_once_more(self) -> None:
        gone = answer_with({}, status=404)
        async with media(gone, answer_with(body=JPEG), info={}) as (server, meta):
            found = await meta.fetch_media("77", phone_number_id=PHONE_NUMBER_ID)

        assert found.content == JPEG
        assert len(server.requests) == 4

    async def test_that_stays_away_is_gone(self) -> None:
        gone = answer_with({}, status=404)
        async with media(gone, gone, info={}) as (_, meta):
            with pytest.raises(MediaGone):
                await meta.fetch_media("77", phone_number_id=PHONE_NUMBER_ID)

    @pytest.mark.parametrize(
        ("status", "document"),
        [(400, error(100)), (400, error(131052)), (404, {}), (404, error(1))],
    )
    async def test_whose_id_nobody_knows_is_gone(self, status: int, document: Any) -> None:
        async with (
            run_scripted_server(answer_with(document, status=status)) as server,
            client(server.url) as meta,
        ):
            with pytest.raises(MediaGone):
                await meta.fetch_media("77", phone_number_id=PHONE_NUMBER_ID)

    @pytest.mark.parametrize(
        ("status", "document"),
        [
            (401, error(190)),
            (400, error(100, error_subcode=33)),
            (404, error(100, error_subcode=33)),
            (400, error(33)),
            (403, error(10)),
            (403, error(200)),
        ],
    )
    async def test_for_which_the_token_is_not_good_is_no_loss(
        self, status: int, document: Any
    ) -> None:
        async with (
            run_scripted_server(answer_with(document, status=status)) as server,
            client(server.url) as meta,
        ):
            with pytest.raises(GraphRefused) as caught:
                await meta.fetch_media("77", phone_number_id=PHONE_NUMBER_ID)

        assert caught.value.judgement.reaction is FailureReaction.PAUSE

    @pytest.mark.parametrize(
        "act", [write_and_close(), stay_silent(1), answer_with({}, status=503)]
    )
    async def test_that_breaks_off_can_be_tried_again(self, act: ServerAction) -> None:
        async with media(act, info={}) as (server, meta):
            server.script.append(act)  # the transport repeats a GET after the connection was closed
            with pytest.raises(GraphUncertain):
                await meta.fetch_media("77", phone_number_id=PHONE_NUMBER_ID)

    async def test_too_large_is_known_before_it_is_fetched(self) -> None:
        async with media(answer_with(body=JPEG), info={"file_size": "101"}, media_limit=100) as (
            server,
            meta,
        ):
            with pytest.raises(MediaTooLarge):
                await meta.fetch_media("77", phone_number_id=PHONE_NUMBER_ID)

        assert len(server.requests) == 1

    async def test_too_large_against_its_word_is_broken_off(self) -> None:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
        endless = write_and_close(head, *[chunk] * 50, pause=0.01)
        async with media(endless, info={"file_size": 5}, media_limit=100_000) as (_, meta):
            with pytest.raises(MediaTooLarge):
                await meta.fetch_media("77", phone_number_id=PHONE_NUMBER_ID)

    @pytest.mark.parametrize("media_id", ["", "..", "a/b", "1?x", "7" * 256])
    async def test_with_an_id_that_is_none_is_gone(self, media_id: str) -> None:
        async with run_scripted_server() as server, client(server.url) as meta:
            with pytest.raises(MediaGone):
                await meta.fetch_media(media_id, phone_number_id=PHONE_NUMBER_ID)

        assert server.requests == []


class TestToken:
    async def test_is_not_shown_to_another_port(self) -> None:
        async with run_scripted_server() as other, media(info={}) as (server, meta):
            server.script.append(answer_with({"url": other.url + "/file"}))
            with pytest.raises(MediaElsewhere):
                await meta.fetch_media("77", phone_number_id=PHONE_NUMBER_ID)

        assert other.connections == 0

    @pytest.mark.parametrize(
        ("url", "allowed"),
        [
            ("https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1", True),
            ("https://graph.facebook.com/v26.0/file", True),
            ("https://LOOKASIDE.fbsbx.com:443/a", True),
            ("http://lookaside.fbsbx.com/a", False),
            ("https://lookaside.fbsbx.com:8443/a", False),
            ("https://lookaside.fbsbx.com.evil.example/a", False),
            ("https://evil.example/?https://lookaside.fbsbx.com/", False),
            ("https://lookaside.fbsbx.com@evil.example/a", False),
            ("https://me:you@lookaside.fbsbx.com/a", False),
            ("https://evil.example\\@lookaside.fbsbx.com/a", False),
            ("https://169.254.169.254/latest", False),
            ("file:///etc/passwd", False),
            ("//lookaside.fbsbx.com/a", False),
            ("/relative", False),
            ("", False),
            ("https://[", False),
        ],
    )
    async def test_goes_to_metas_hosts_only(self, url: str, allowed: bool) -> None:
        asked: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            if len(asked) == 1:
                return httpx.Response(200, json={"url": url})
            return httpx.Response(200, content=JPEG)

        transport = MockGraphTransport(answer)
        async with client("https://graph.facebook.com", transport=transport) as meta:
            if allowed:
                await meta.fetch_media("77", phone_number_id=PHONE_NUMBER_ID)
            else:
                with pytest.raises(MediaElsewhere):
                    await meta.fetch_media("77", phone_number_id=PHONE_NUMBER_ID)

        assert len(asked) == (2 if allowed else 1)

    async def test_of_a_stand_in_is_not_shown_to_meta(self) -> None:
        async with media(info={}) as (server, meta):
            server.script.append(answer_with({"url": "https://lookaside.fbsbx.com/a"}))
            with pytest.raises(MediaElsewhere):
                await meta.fetch_media("77", phone_number_id=PHONE_NUMBER_ID)

    @pytest.mark.parametrize("token", ["to\nken", "tökén", "to\0ken"])
    def test_that_fits_no_header_is_refused_without_being_told(self, token: str) -> None:
        with pytest.raises(ValueError, match="access token") as caught:
            MetaClient(base_url="https://graph.facebook.com", version="v26.0", token=token)

        assert token not in str(caught.value)


class TestLookUps:
    async def test_tell_about_number_account_and_token(self) -> None:
        acts = [
            answer_with({"id": PHONE_NUMBER_ID, "display_phone_number": "+1 555-010-9999"}),
            answer_with({"id": "1", "name": "Club"}),
            answer_with({"data": [{"id": PHONE_NUMBER_ID}]}),
            answer_with({"data": [{"whatsapp_business_api_data": {"name": "Raffle"}}]}),
            answer_with({"id": "5", "name": "Robot"}),
        ]
        async with run_scripted_server(*acts) as server, client(server.url) as meta:
            assert (await meta.get_phone_number(PHONE_NUMBER_ID))["id"] == PHONE_NUMBER_ID
            assert (await meta.get_waba("1"))["name"] == "Club"
            assert await meta.list_waba_phone_numbers("1") == [{"id": PHONE_NUMBER_ID}]
            assert len(await meta.list_subscribed_apps("1")) == 1
            assert (await meta.get_token_owner())["name"] == "Robot"

        paths = [request.path.partition("?")[0] for request in server.requests]
        assert paths == [
            f"/v26.0/{PHONE_NUMBER_ID}",
            "/v26.0/1",
            "/v26.0/1/phone_numbers",
            "/v26.0/1/subscribed_apps",
            "/v26.0/me",
        ]
        assert not any(TOKEN in request.path for request in server.requests)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port
