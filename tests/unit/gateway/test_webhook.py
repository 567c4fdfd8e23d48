"""Tests of the webhook: only signed requests are stored, and only stored ones acknowledged."""

import hmac
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import httpx
import pytest

from gateway import webhook
from gateway.app import Gateway
from gateway.ingest import WebhookNotStored
from gateway.webhook import WebhookReceiver
from shared.core.constants import WEBHOOK_BODY_LIMIT
from shared.whatsapp.services.inbox.received_webhooks import SignedBody

SECRET = "test_app_secret"
TOKEN = "test_verify_token"
CHALLENGE = "1158201444"
EMPTY = b'{"object":"whatsapp_business_account","entry":[]}'
SIGNATURE = "sha256=dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"


class MemoryStore:
    """Store in memory that can be made unavailable."""

    def __init__(self) -> None:
        self.arrivals: list[SignedBody] = []
        self.away = False

    async def __call__(self, arrival: SignedBody) -> None:
        if self.away:
            raise WebhookNotStored("away")
        self.arrivals.append(arrival)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def meta(store: MemoryStore) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client that sends requests to the webhook, as Meta does."""
    app = Gateway(
        WebhookReceiver(store=store, secrets=(SECRET, "an_older_secret")),
        routes=webhook.build_verification_routes(verify_token=TOKEN),
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


def signed(body: bytes, *, secret: str = SECRET) -> dict[str, str]:
    """Sign a body as Meta does."""
    return {"X-Hub-Signature-256": "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()}


def handshake(**changed: str | None) -> dict[str, str]:
    """Return the query of a valid handshake, with some parts changed or removed."""
    query = {"mode": "subscribe", "challenge": CHALLENGE, "verify_token": TOKEN, **changed}
    return {f"hub.{name}": value for name, value in query.items() if value is not None}


class TestHandshake:
    async def test_answers_the_exact_challenge_as_plain_text(self, meta: httpx.AsyncClient) -> None:
        answer = await meta.get("/webhook", params=handshake())

        assert (answer.status_code, answer.content) == (200, CHALLENGE.encode())
        assert answer.headers["content-type"].startswith("text/plain")

    async def test_a_challenge_is_never_read_as_a_number(self, meta: httpx.AsyncClient) -> None:
        answer = await meta.get("/webhook", params=handshake(challenge="007 <b>ä</b>"))

        assert answer.text == "007 <b>ä</b>"
        assert answer.headers["x-content-type-options"] == "nosniff"

    @pytest.mark.parametrize(
        "changed",
        [
            {"verify_token": "wrong"},
            {"verify_token": "wröng"},
            {"verify_token": ""},
            {"verify_token": None},
            {"mode": "unsubscribe"},
            {"mode": None},
            {"challenge": None},
        ],
        ids=str,
    )
    async def test_anything_else_is_forbidden(
        self, meta: httpx.AsyncClient, changed: dict[str, str | None]
    ) -> None:
        answer = await meta.get("/webhook", params=handshake(**changed))

        assert answer.status_code == 403
        assert CHALLENGE not in answer.text

    async def test_a_slash_at_the_end_of_the_address_is_accepted(
        self, meta: httpx.AsyncClient
    ) -> None:
        answer = await meta.get("/webhook/", params=handshake())

        assert (answer.status_code, answer.text) == (200, CHALLENGE)

    async def test_other_methods_are_not_allowed(self, meta: httpx.AsyncClient) -> None:
        answer = await meta.put("/webhook", content=EMPTY)

        assert answer.status_code == 405


class TestSignature:
    async def test_a_signed_webhook_is_kept_and_acknowledged(
        self, meta: httpx.AsyncClient, store: MemoryStore
    ) -> None:
        answer = await meta.post(
            "/webhook", content=EMPTY, headers={"X-Hub-Signature-256": SIGNATURE}
        )

        assert (answer.status_code, answer.content) == (200, b"")
        assert len(store.arrivals) == 1

    @pytest.mark.parametrize(
        ("signature", "status"), [(SIGNATURE, 200), ("sha256=" + "0" * 64, 401)]
    )
    async def test_a_slash_at_the_end_of_the_address_changes_nothing(
        self, meta: httpx.AsyncClient, store: MemoryStore, signature: str, status: int
    ) -> None:
        answer = await meta.post(
            "/webhook/", content=EMPTY, headers={"X-Hub-Signature-256": signature}
        )

        assert (answer.status_code, len(store.arrivals)) == (status, int(status == 200))

    async def test_of_several_signatures_the_first_counts(
        self, meta: httpx.AsyncClient, store: MemoryStore
    ) -> None:
        name, other = "X-Hub-Signature-256", "sha256=" + "0" * 64

        answers = [
            await meta.post("/webhook", content=EMPTY, headers=[(name, first), (name, second)])
            for first, second in ((SIGNATURE, other), (other, SIGNATURE))
        ]

        assert [answer.status_code for answer in answers] == [200, 401]
        assert len(store.arrivals) == 1

    async def test_every_configured_secret_may_sign(
        self, meta: httpx.AsyncClient, store: MemoryStore
    ) -> None:
        headers = signed(EMPTY, secret="an_older_secret")

        answer = await meta.post("/webhook", content=EMPTY, headers=headers)

        assert answer.status_code == 200

    @pytest.mark.parametrize(
        "header",
        [
            None,
            "",
            "sha256=",
            SIGNATURE.removeprefix("sha256="),
            SIGNATURE.replace("sha256", "sha1"),
            SIGNATURE[:-1],
            SIGNATURE + "0",
            SIGNATURE[:-1] + "g",
        ],
    )
    async def test_a_header_of_the_wrong_shape_is_refused_before_the_body_is_read(
        self, meta: httpx.AsyncClient, store: MemoryStore, header: str | None
    ) -> None:
        read = []

        async def body() -> AsyncIterator[bytes]:
            read.append(1)
            yield EMPTY

        headers = {} if header is None else {"X-Hub-Signature-256": header}
        answer = await meta.post("/webhook", content=body(), headers=headers)

        assert (answer.status_code, answer.content) == (401, b"")
        assert (read, store.arrivals) == ([], [])

    async def test_another_secret_is_refused_with_an_empty_body(
        self, meta: httpx.AsyncClient, store: MemoryStore
    ) -> None:
        headers = signed(EMPTY, secret="somebody_else")

        answer = await meta.post("/webhook", content=EMPTY, headers=headers)

        assert (answer.status_code, answer.content) == (401, b"")
        assert store.arrivals == []

    async def test_one_changed_byte_is_refused(
        self, meta: httpx.AsyncClient, store: MemoryStore
    ) -> None:
        headers = signed(EMPTY)

        answer = await meta.post("/webhook", content=EMPTY + b" ", headers=headers)

        assert answer.status_code == 401
        assert store.arrivals == []

    async def test_escaped_unicode_is_hashed_as_it_came(
        self, meta: httpx.AsyncClient, store: MemoryStore
    ) -> None:
        body = (
            rb'{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":'
            rb'"messages","value":{"t":"\u00e4\u00f6\u00e5 a\/b \u003c \ud83d\ude80"}}]}]}'
        )
        signature = "13bf369e2d9e2aeae84f7206294ed95bd6f566a5565ab910ac9fd93528ca858e"

        answer = await meta.post(
            "/webhook", content=body, headers={"X-Hub-Signature-256": f"sha256={signature}"}
        )

        assert answer.status_code == 200

    async def test_the_refusal_logs_neither_body_nor_signature(
        self, meta: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        body = b'{"secret words": 1}'

        await meta.post("/webhook", content=body, headers=signed(body, secret="wrong"))

        lines = [record for record in caplog.records if record.name == "gateway.webhook"]
        assert len(lines) == 1
        assert "secret words" not in caplog.text
        assert signed(body, secret="wrong")["X-Hub-Signature-256"][7:] not in caplog.text


class TestBody:
    async def test_meta_s_largest_body_is_read(
        self, meta: httpx.AsyncClient, store: MemoryStore
    ) -> None:
        body = EMPTY + b" " * (WEBHOOK_BODY_LIMIT - len(EMPTY))

        answer = await meta.post("/webhook", content=body, headers=signed(body))

        assert answer.status_code == 200
        assert len(store.arrivals) == 1

    async def test_four_megabytes_are_too_long(
        self, meta: httpx.AsyncClient, store: MemoryStore
    ) -> None:
        body = b" " * 4 * 1024 * 1024

        answer = await meta.post("/webhook", content=body, headers=signed(body))

        assert answer.status_code == 413
        assert store.arrivals == []

    @pytest.mark.parametrize("claimed", [None, "10", "nonsense", "-1"])
    async def test_a_length_that_lies_is_found_out_while_reading(
        self, meta: httpx.AsyncClient, claimed: str | None
    ) -> None:
        read = []

        async def body() -> AsyncIterator[bytes]:
            for _ in range(100):
                read.append(1)
                yield b" " * 100_000

        headers = signed(b"") | ({} if claimed is None else {"Content-Length": claimed})
        answer = await meta.post("/webhook", content=body(), headers=headers)

        assert answer.status_code == 413
        assert len(read) == WEBHOOK_BODY_LIMIT // 100_000 + 1

    async def test_a_length_beyond_the_limit_is_refused_unread(
        self, meta: httpx.AsyncClient
    ) -> None:
        headers = signed(EMPTY) | {"Content-Length": "99999999999999999999999"}

        answer = await meta.post("/webhook", content=EMPTY, headers=headers)

        assert answer.status_code == 413

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"not json",
            b'{"entry": [',
            b"[]",
            b"null",
            b"\xff\xfe",
            b'{"a": "\x00"}',
            b"[" * 9999,
        ],
        ids=str,
    )
    async def test_what_is_signed_and_unreadable_is_kept_as_it_came(
        self, meta: httpx.AsyncClient, store: MemoryStore, body: bytes
    ) -> None:
        answer = await meta.post("/webhook", content=body, headers=signed(body))

        assert answer.status_code == 200
        [arrival] = store.arrivals
        assert arrival.body == body

    async def test_a_client_that_leaves_before_the_end_stores_nothing(
        self, store: MemoryStore
    ) -> None:
        receiver = WebhookReceiver(store=store, secrets=(SECRET,))
        received: list[dict[str, Any]] = [
            {"type": "http.request", "body": EMPTY[:9], "more_body": True},
            {"type": "http.disconnect"},
        ]
        sent = []

        async def receive() -> dict[str, Any]:
            return received.pop(0)

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        headers = [(b"x-hub-signature-256", SIGNATURE.encode())]
        await receiver({"type": "http", "headers": headers}, receive, send)

        assert sent[0]["status"] == 400
        assert store.arrivals == []


class TestKeeping:
    async def test_a_store_that_is_away_is_answered_with_503(
        self, meta: httpx.AsyncClient, store: MemoryStore
    ) -> None:
        store.away = True

        answer = await meta.post("/webhook", content=EMPTY, headers=signed(EMPTY))

        assert answer.status_code == 503

    async def test_each_webhook_has_a_correlation_id_of_its_own(
        self, meta: httpx.AsyncClient, store: MemoryStore
    ) -> None:
        for _ in range(3):
            await meta.post("/webhook", content=EMPTY, headers=signed(EMPTY))

        ids = {arrival.correlation_id for arrival in store.arrivals}
        assert len(ids) == 3
        assert all(len(each) == 16 for each in ids)
