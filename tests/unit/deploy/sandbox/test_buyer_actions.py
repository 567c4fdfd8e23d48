"""Tests of buyers' actions on the phone and of what they see."""

import base64
import json
import threading
import time
from typing import Any

import pytest

from deploy.sandbox.client import (
    MAX_POLL_SECONDS,
    BuyerClient,
    NothingSeen,
    SandboxClient,
    SandboxRefused,
)
from tests.unit.deploy.sandbox.conftest import ANA, GraphClient
from tests.unit.deploy.sandbox.fake_gateway import FakeGateway
from tests.waiting import PATIENCE

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


class TestTaps:
    def test_on_a_button_carry_its_id_and_the_message(
        self, ana: BuyerClient, graph: GraphClient, gateway: FakeGateway
    ) -> None:
        question = graph.send_buttons("Yes", "No")

        ana.taps("No", wait=5)

        message = gateway.messages()[0]
        assert message["type"] == "interactive"
        reply = {"id": "no", "title": "No"}
        assert message["interactive"] == {"type": "button_reply", "button_reply": reply}
        assert message["context"] == {"from": "15550109900", "id": question}
        assert ana.sees()[-1].type == "tap"
        assert ana.sees()[-1].reply_to == question

    def test_on_a_row_carry_its_description(
        self, ana: BuyerClient, graph: GraphClient, gateway: FakeGateway
    ) -> None:
        graph.send_list("Red", "Blue")

        ana.taps("Blue", wait=5)

        row = {"id": "blue", "title": "Blue", "description": "!"}
        assert gateway.messages()[0]["interactive"] == {"type": "list_reply", "list_reply": row}

    @pytest.mark.parametrize("choice", ["NO", "no", 2])
    def test_find_a_choice_by_title_id_or_place(
        self, ana: BuyerClient, graph: GraphClient, gateway: FakeGateway, choice: str | int
    ) -> None:
        graph.send_buttons("Yes", "No")

        ana.taps(choice, wait=5)

        assert gateway.messages()[0]["interactive"]["button_reply"]["id"] == "no"
        assert gateway.messages()[0]["id"].startswith("wamid.")

    def test_find_the_newest_message_unless_told(
        self, ana: BuyerClient, graph: GraphClient, gateway: FakeGateway
    ) -> None:
        old = graph.send_buttons("Yes")
        new = graph.send_buttons("Yes")

        ana.taps("Yes", wait=5)
        ana.taps("Yes", of=old, wait=5)

        assert [message["context"]["id"] for message in gateway.messages()] == [new, old]

    def test_on_what_was_never_sent_are_refused_with_what_there_is(
        self, ana: BuyerClient, graph: GraphClient
    ) -> None:
        graph.send_buttons("Yes")

        with pytest.raises(SandboxRefused, match=r"there are: 'Yes' \(yes\)"):
            ana.taps("Perhaps")

    def test_on_the_message_of_somebody_else_are_refused(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient
    ) -> None:
        graph.send_buttons("Yes")

        with pytest.raises(SandboxRefused, match="none"):
            sandbox.buyer("15550101002").taps("Yes")


class TestFiles:
    def test_carry_a_media_id_and_the_digest(
        self, ana: BuyerClient, sandbox: SandboxClient, gateway: FakeGateway
    ) -> None:
        ana.sends_picture(PNG, caption="paid", wait=5)

        image = gateway.messages()[0]["image"]
        assert image["caption"] == "paid"
        assert image["mime_type"] == "image/png"
        assert len(base64.b64decode(image["sha256"])) == 32
        assert "url" not in image
        picture = ana.sees()[-1].picture
        assert picture is not None
        assert sandbox.download_file(picture) == PNG

    def test_can_come_as_base64(self, ana: BuyerClient, gateway: FakeGateway) -> None:
        content = base64.b64encode(b"%PDF-1.7 x").decode()
        ana.sends("document", content=content, filename="proof.pdf", wait=5)

        document = gateway.messages()[0]["document"]
        assert (document["filename"], document["mime_type"]) == ("proof.pdf", "application/pdf")

    @pytest.mark.parametrize(
        ("kind", "extra"),
        [("audio", {"voice": True}), ("sticker", {"animated": False}), ("video", {})],
    )
    def test_are_of_every_kind(
        self, ana: BuyerClient, gateway: FakeGateway, kind: str, extra: dict[str, bool]
    ) -> None:
        ana.sends_file(kind, b"bytes", wait=5)

        content = gateway.messages()[0][kind]
        assert content["mime_type"]
        assert {key: content[key] for key in extra} == extra

    def test_can_lie_about_their_digest(self, ana: BuyerClient, gateway: FakeGateway) -> None:
        ana.sends_picture(PNG, sha256="bGllcw==", wait=5)

        assert gateway.messages()[0]["image"]["sha256"] == "bGllcw=="

    def test_can_be_sent_again_under_their_id(self, ana: BuyerClient, gateway: FakeGateway) -> None:
        ana.sends_picture(PNG, wait=5)
        media_id = gateway.messages()[0]["image"]["id"]
        ana.sends("image", media_id=media_id, wait=5)

        assert gateway.messages()[1]["image"]["id"] == media_id
        assert gateway.messages()[1]["id"] != gateway.messages()[0]["id"]

    def test_can_carry_an_address(
        self, ana: BuyerClient, graph: GraphClient, gateway: FakeGateway
    ) -> None:
        ana.sends_picture(PNG, with_url=True, wait=5)

        assert graph.http.get(gateway.messages()[0]["image"]["url"]).content == PNG


class TestOtherMessages:
    def test_reply_to_a_message(
        self, ana: BuyerClient, graph: GraphClient, gateway: FakeGateway
    ) -> None:
        ours = graph.send_text().json()["messages"][0]["id"]
        ana.says("yes", reply_to=ours, wait=5)
        ana.says("mine", reply_to=ana.last, wait=5)

        first, second = gateway.messages()
        assert first["context"] == {"from": "15550109900", "id": ours}
        assert second["context"] == {"from": ANA, "id": first["id"]}

    @pytest.mark.parametrize(
        ("kind", "more", "content"),
        [
            ("location", {"latitude": 1.5, "longitude": 2}, {"latitude": 1.5, "longitude": 2}),
            ("contacts", {"contacts": [{"name": {}}]}, [{"name": {}}]),
            ("order", {"order": {"catalog_id": "1"}}, {"catalog_id": "1"}),
            ("unsupported", {"unsupported": {"type": "poll"}}, {"type": "poll"}),
        ],
    )
    def test_of_every_type_are_posted(
        self, ana: BuyerClient, gateway: FakeGateway, kind: str, more: dict[str, Any], content: Any
    ) -> None:
        ana.sends(kind, **more, wait=5)

        message = gateway.messages()[0]
        assert (message["type"], message[kind]) == (kind, content)

    def test_react_and_take_it_back(
        self, ana: BuyerClient, graph: GraphClient, gateway: FakeGateway
    ) -> None:
        ours = graph.send_text().json()["messages"][0]["id"]
        ana.sends("reaction", of=ours, emoji="🎉", wait=5)
        ana.sends("reaction", of=ours, wait=5)

        first, second = gateway.messages()
        assert first["reaction"] == {"message_id": ours, "emoji": "🎉"}
        assert second["reaction"] == {"message_id": ours}

    def test_can_be_anything(self, ana: BuyerClient, gateway: FakeGateway) -> None:
        ana.sends("raw", message={"type": "hologram", "timestamp": "x", "hologram": 1}, wait=5)

        message = gateway.messages()[0]
        assert (message["type"], message["timestamp"]) == ("hologram", "x")
        assert message["from"] == ANA

    def test_may_carry_their_time(self, ana: BuyerClient, gateway: FakeGateway) -> None:
        ana.says("old", timestamp="2026-01-01T12:00:00+00:00", wait=5)

        assert gateway.messages()[0]["timestamp"] == "1767268800"


class TestLooking:
    def test_shows_what_a_person_sees(self, ana: BuyerClient, graph: GraphClient) -> None:
        interactive = {
            "type": "list",
            "header": {"type": "text", "text": "Raffles"},
            "body": {"text": "Which one?"},
            "footer": {"text": "18+"},
            "action": {
                "button": "Show",
                "sections": [
                    {"title": "Open", "rows": [{"id": "a", "title": "A", "description": "$1"}]},
                    {"title": "Soon", "rows": [{"id": "b", "title": "B"}]},
                ],
            },
        }
        graph.send_interactive(interactive)

        (seen,) = ana.replies()

        assert (seen.type, seen.header, seen.text) == ("list", "Raffles", "Which one?")
        assert (seen.footer, seen.label) == ("18+", "Show")
        assert [(row.index, row.section, row.description) for row in seen.rows] == [
            (1, "Open", "$1"),
            (2, "Soon", ""),
        ]
        assert seen.ids == ["a", "b"]
        assert seen.raw["interactive"] == interactive

    def test_shows_pictures_and_links(self, ana: BuyerClient, graph: GraphClient) -> None:
        link = {
            "name": "cta_url",
            "parameters": {"display_text": "Open", "url": "https://a.example"},
        }
        picture = {"type": "image", "image": {"link": "https://a.example/a.png"}}
        graph.send_interactive(
            {"type": "cta_url", "header": picture, "body": {"text": "?"}, "action": link}
        )

        (seen,) = ana.replies()

        assert seen.picture == {"link": "https://a.example/a.png"}
        assert seen.link == {"title": "Open", "url": "https://a.example"}

    def test_can_leave_it_unread(self, ana: BuyerClient, graph: GraphClient) -> None:
        graph.send_text()

        assert ana.replies(read=False)[0].status == "delivered"
        assert ana.replies()[0].status == "read"
        assert ana.replies(read=False)[0].status == "read"

    def test_goes_on_where_it_stopped(self, ana: BuyerClient, graph: GraphClient) -> None:
        graph.send_text("one")
        first = ana.replies()[-1]
        graph.send_text("two")

        assert [seen.text for seen in ana.sees(after=first.n)] == ["two"]


class TestWaiting:
    def test_ends_as_soon_as_the_business_writes(
        self, ana: BuyerClient, graph: GraphClient
    ) -> None:
        threading.Timer(0.3, graph.send_text).start()
        started = time.monotonic()

        seen = ana.waits_for("hello", timeout=PATIENCE)

        assert seen.text == "hello"
        assert 0.2 < time.monotonic() - started < MAX_POLL_SECONDS

    def test_is_not_ended_by_the_buyer(self, ana: BuyerClient) -> None:
        start = ana.last
        threading.Timer(0.1, ana.says, ["me again"]).start()
        started = time.monotonic()

        ana.sees(after=start, wait=0.6)

        assert time.monotonic() - started >= 0.5

    def test_is_empty_when_the_time_is_over(self, ana: BuyerClient) -> None:
        started = time.monotonic()

        assert ana.sees(after=ana.last, wait=0.3) == []
        assert time.monotonic() - started >= 0.3

    def test_says_what_came_instead(self, ana: BuyerClient, graph: GraphClient) -> None:
        graph.send_buttons("Yes", text="Sure?")

        with pytest.raises(NothingSeen, match=r"'Sure\?' \['Yes'\]"):
            ana.waits_for("How many", timeout=0.2)

    def test_can_count_or_test(self, ana: BuyerClient, graph: GraphClient) -> None:
        graph.send_text("one")
        graph.send_buttons("Yes")

        assert len(ana.waits_for(2)) == 2
        assert ana.waits_for(lambda seen: "yes" in seen.ids).type == "button"

    def test_begins_at_the_newest_message(self, ana: BuyerClient, graph: GraphClient) -> None:
        graph.send_text("old")
        ana.says("next")

        with pytest.raises(NothingSeen):
            ana.waits_for("old", timeout=0.1)

    def test_works_for_what_was_sent_too(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient
    ) -> None:
        threading.Timer(0.2, graph.send_text).start()

        (sent,) = sandbox.outgoing(to=ANA, wait=20)

        assert sent["body"]["text"] == {"body": "hello"}


class TestMistakes:
    @pytest.mark.parametrize(
        ("message", "sentence"),
        [
            ({"type": "text"}, "`text` must be a string"),
            ({"type": "text", "text": "x", "reply_to": 99}, "no message 99"),
            ({"type": "text", "text": "x", "phone_number_id": "9"}, "no business number 9"),
            ({"type": "text", "text": "x", "timestamp": "noon"}, "neither unix seconds"),
            ({"type": "text", "text": "x", "timestamp": []}, "must be unix seconds"),
            ({"type": "text", "text": "x", "times": 1000}, "times must be from 0 to 100"),
            ({"type": "tap"}, "one of id, title and index"),
            ({"type": "image", "content": "%"}, "not base64"),
            ({"type": "image"}, "needs `content`"),
            ({"type": "image", "media_id": "9"}, "no media 9"),
            ({"type": "location"}, "latitude and longitude"),
            ({"type": "reaction"}, "needs `of`"),
            ({"type": "raw"}, "must be a JSON object"),
            ({"type": "again", "of": 99}, "must name a message"),
            ({"type": 7}, "`type` must be a word"),
        ],
    )
    def test_are_explained(
        self, ana: BuyerClient, sandbox: SandboxClient, message: dict[str, Any], sentence: str
    ) -> None:
        with pytest.raises(SandboxRefused, match=sentence):
            sandbox.request_json("POST", f"/sandbox/buyers/{ANA}/messages", json=message)

    @pytest.mark.parametrize("wa_id", ["+15550101001", "12", "abc", "1" * 16])
    def test_in_a_number_are_explained(self, sandbox: SandboxClient, wa_id: str) -> None:
        with pytest.raises(SandboxRefused, match="7 to 15 digits"):
            sandbox.request_json("GET", f"/sandbox/buyers/{wa_id}")

    @pytest.mark.parametrize("body", [b"[1]", b"{", b"7"])
    def test_in_json_are_explained(self, sandbox: SandboxClient, body: bytes) -> None:
        with pytest.raises(SandboxRefused, match="body"):
            sandbox.request_json("POST", "/sandbox/batch", content=body)

    def test_in_settings_change_nothing(self, sandbox: SandboxClient) -> None:
        before = sandbox.settings()

        mistakes: list[dict[str, Any]] = [{"window": "ajar"}, {"colour": "red"}, {"statuses": 1}]
        for wrong in mistakes:
            with pytest.raises(SandboxRefused):
                sandbox.settings(**wrong)

        assert sandbox.settings() == before


class TestReset:
    def test_forgets_everything(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient
    ) -> None:
        graph.send_text()
        sandbox.plan_fault("down")
        sandbox.settings(window="off", delivery_delay=5)
        graph.send_text()

        sandbox.reset()

        state = sandbox.state()
        assert (state["buyers"], state["outgoing"], state["pending"]) == (0, 0, 0)
        assert (state["faults"], state["on_the_way"], state["media"]) == ([], 0, 0)
        assert state["settings"]["window"] == "sync"
        json.dumps(state)
