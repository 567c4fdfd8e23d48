"""Tests of media: upload, description, and download with a token while the URL is valid."""

import hashlib
from typing import Any

import httpx
import pytest

from deploy.sandbox.client import BuyerClient, SandboxClient
from deploy.sandbox.media import MAX_FILES, MediaStore
from tests.unit.deploy.sandbox.conftest import ANA, PHONE_NUMBER_IDS, GraphClient, parse_error
from tests.unit.deploy.sandbox.fake_gateway import FakeGateway

PICTURE = b"\xff\xd8\xff picture"


def upload(
    graph: GraphClient,
    content: bytes = PICTURE,
    *,
    kind: str = "image/jpeg",
    product: str = "whatsapp",
) -> httpx.Response:
    """Upload a file from the first business number."""
    form = {"messaging_product": product, "type": kind}
    file = ("a.jpg", content, form["type"])
    return graph.http.post(f"/v26.0/{PHONE_NUMBER_IDS[0]}/media", data=form, files={"file": file})


@pytest.fixture
def media_id(graph: GraphClient) -> str:
    """Return the id of an uploaded picture."""
    found: str = upload(graph).json()["id"]
    return found


class TestUpload:
    def test_gives_an_id_that_can_be_sent(
        self, graph: GraphClient, ana: BuyerClient, media_id: str
    ) -> None:
        body = {"messaging_product": "whatsapp", "to": f"+{ANA}", "type": "image"}

        answer = graph.post({**body, "image": {"id": media_id, "caption": "the prize"}})

        assert answer.status_code == 200
        (seen,) = ana.replies()
        assert (seen.type, seen.text) == ("image", "the prize")
        assert seen.picture is not None
        assert ana.sandbox.download_file(seen.picture) == PICTURE

    def test_belongs_to_one_business_number(
        self, graph: GraphClient, ana: BuyerClient, media_id: str
    ) -> None:
        ana.says("hi", phone_number_id=PHONE_NUMBER_IDS[1])
        body = {"messaging_product": "whatsapp", "to": f"+{ANA}", "type": "image"}

        answer = graph.post({**body, "image": {"id": media_id}}, number=PHONE_NUMBER_IDS[1])

        assert "media attachment ID" in parse_error(answer)["message"]

    @pytest.mark.parametrize(
        ("mime_type", "limit"),
        [("image/jpeg", 5 * 2**20), ("image/png", 5 * 2**20), ("image/webp", 512 * 2**10)],
    )
    def test_is_taken_up_to_the_limit_of_its_type(
        self, graph: GraphClient, mime_type: str, limit: int
    ) -> None:
        assert upload(graph, b"x" * limit, kind=mime_type).status_code == 200
        assert parse_error(upload(graph, b"x" * (limit + 1), kind=mime_type))["code"] == 100

    @pytest.mark.parametrize("fields", [{"kind": "application/zip"}, {"product": "facebook"}])
    def test_refuses_what_meta_refuses(self, graph: GraphClient, fields: dict[str, str]) -> None:
        refused = upload(graph, PICTURE, **fields)

        assert parse_error(refused)["code"] == 100

    def test_wants_a_file(self, graph: GraphClient) -> None:
        answer = graph.http.post(
            f"/v26.0/{PHONE_NUMBER_IDS[0]}/media", data={"messaging_product": "whatsapp"}
        )

        assert parse_error(answer)["message"] == "(#100) The parameter file is required."


class TestFetching:
    def test_describes_and_gives_the_bytes(self, graph: GraphClient, media_id: str) -> None:
        described = graph.http.get(f"/v26.0/{media_id}").json()

        assert described["mime_type"] == "image/jpeg"
        assert described["file_size"] == len(PICTURE)
        assert described["sha256"] == hashlib.sha256(PICTURE).hexdigest()
        assert described["id"] == media_id
        assert described["url"].startswith(str(graph.http.base_url))
        answer = graph.http.get(described["url"])
        assert (answer.status_code, answer.content) == (200, PICTURE)
        assert answer.headers["content-type"] == "image/jpeg"

    def test_works_for_what_buyers_send(
        self, graph: GraphClient, ana: BuyerClient, gateway: FakeGateway
    ) -> None:
        ana.sends_file("audio", b"OggS voice", mime_type="audio/ogg; codecs=opus", wait=5)
        media_id = gateway.messages()[0]["audio"]["id"]

        described = graph.http.get(
            f"/v26.0/{media_id}", params={"phone_number_id": PHONE_NUMBER_IDS[0]}
        ).json()
        answer = graph.http.get(described["url"])

        assert answer.content == b"OggS voice"
        assert answer.headers["content-type"] == "audio/ogg; codecs=opus"

    def test_wants_the_bearer(self, graph: GraphClient, media_id: str) -> None:
        url = graph.http.get(f"/v26.0/{media_id}").json()["url"]

        without = httpx.get(url, trust_env=False)
        wrong = graph.http.get(url, headers={"Authorization": "Bearer wrong"})

        assert (without.status_code, wrong.status_code) == (401, 401)
        assert without.headers["content-type"].startswith("text/html")
        bare = graph.http.get(f"/v26.0/{media_id}", headers={"Authorization": ""})
        assert parse_error(bare)["code"] == 190

    def test_ends_with_the_address(
        self, graph: GraphClient, sandbox: SandboxClient, media_id: str
    ) -> None:
        sandbox.settings(media_url_seconds=0)
        url = graph.http.get(f"/v26.0/{media_id}").json()["url"]
        late = graph.http.get(url)
        sandbox.settings(media_url_seconds=300)
        fresh = graph.http.get(f"/v26.0/{media_id}").json()["url"]

        assert late.status_code == 404
        assert graph.http.get(fresh).status_code == 200

    def test_checks_the_business_number(self, graph: GraphClient, media_id: str) -> None:
        query = {"phone_number_id": PHONE_NUMBER_IDS[1]}

        answer = graph.http.get(f"/v26.0/{media_id}", params=query)

        assert (parse_error(answer)["code"], parse_error(answer)["error_subcode"]) == (100, 33)

    def test_ends_when_the_file_is_deleted(self, graph: GraphClient, media_id: str) -> None:
        url = graph.http.get(f"/v26.0/{media_id}").json()["url"]

        assert graph.http.delete(f"/v26.0/{media_id}").json() == {"success": True}
        assert graph.http.get(f"/v26.0/{media_id}").status_code == 400
        assert graph.http.get(url).status_code == 404
        assert parse_error(graph.http.delete(f"/v26.0/{media_id}"))["error_subcode"] == 33

    @pytest.mark.parametrize(
        ("fault", "status"),
        [({"kind": "error", "code": 131000}, 500), ({"kind": "429"}, 429)],
    )
    def test_can_fail(
        self,
        graph: GraphClient,
        sandbox: SandboxClient,
        media_id: str,
        fault: dict[str, Any],
        status: int,
    ) -> None:
        url = graph.http.get(f"/v26.0/{media_id}").json()["url"]
        sandbox.plan_fault(**fault, operation="download")
        sandbox.plan_fault(**fault, operation="media")

        assert graph.http.get(url).status_code == status
        assert graph.http.get(f"/v26.0/{media_id}").status_code == status
        assert graph.http.get(url).status_code == 200

    def test_can_give_half_of_it(
        self, graph: GraphClient, sandbox: SandboxClient, media_id: str
    ) -> None:
        url = graph.http.get(f"/v26.0/{media_id}").json()["url"]
        sandbox.plan_fault("corrupt")

        assert graph.http.get(url).content == PICTURE[: len(PICTURE) // 2]
        assert graph.http.get(url).content == PICTURE


class TestStore:
    def test_forgets_the_oldest_beyond_its_bounds(self) -> None:
        store = MediaStore()
        kept = [
            store.store_file(b"x", mime_type="image/png", phone_number_id="1", days=1, now=0)
            for _ in range(MAX_FILES + 1)
        ]

        assert store.find_file(kept[0].id, now=0) is None
        assert store.find_file(kept[1].id, now=0) is not None
        assert len(store) == MAX_FILES

    def test_forgets_what_is_out_of_date(self) -> None:
        store = MediaStore()
        medium = store.store_file(b"x", mime_type="image/png", phone_number_id="1", days=7, now=0)

        assert store.find_file(medium.id, now=7 * 86_400 - 1) == medium
        assert store.find_file(medium.id, now=7 * 86_400) is None


class TestLinks:
    def test_that_meta_can_load_are_delivered(
        self, graph: GraphClient, ana: BuyerClient, sandbox: SandboxClient, media_id: str
    ) -> None:
        sandbox.settings(fetch_links=True)
        body = {"messaging_product": "whatsapp", "to": f"+{ANA}", "type": "image"}
        link = f"{sandbox.url}/sandbox/media/{media_id}"

        graph.post({**body, "image": {"link": link}})

        assert [seen.type for seen in ana.replies()] == ["image"]

    @pytest.mark.parametrize("path", ["/sandbox/media/404", "/sandbox/state"])
    def test_that_meta_cannot_load_fail_later(
        self,
        graph: GraphClient,
        ana: BuyerClient,
        sandbox: SandboxClient,
        gateway: FakeGateway,
        path: str,
    ) -> None:
        sandbox.settings(fetch_links=True)
        body = {"messaging_product": "whatsapp", "to": f"+{ANA}", "type": "image"}

        answer = graph.post({**body, "image": {"link": sandbox.url + path}})
        sandbox.wait_until_idle()

        assert answer.status_code == 200
        (status,) = gateway.statuses()
        assert (status["status"], status["errors"][0]["code"]) == ("failed", 131053)
