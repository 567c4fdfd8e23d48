"""Tests of Meta's limits: accepted at the limit, refused one above it."""

from collections.abc import Callable
from typing import Any

import pytest

from deploy.sandbox.graph_api import message_rules
from deploy.sandbox.graph_errors import GraphApiRefusal
from tests.cases import walk_cases

Body = dict[str, Any]
PICTURE_ID = "1234567890123456"


def find_media_type(media_id: str) -> str | None:
    """Return the MIME type of the uploaded picture, or None for other ids."""
    return "image/jpeg" if media_id == PICTURE_ID else None


def is_accepted(body: Body) -> bool:
    """Return whether Meta would accept a message."""
    try:
        message_rules.check_message(body, find_mime_type=find_media_type)
    except GraphApiRefusal:
        return False
    return True


def catch_refusal(body: Body) -> GraphApiRefusal:
    """Return the error of a message that must be refused."""
    with pytest.raises(GraphApiRefusal) as refused:
        message_rules.check_message(body, find_mime_type=find_media_type)
    return refused.value


def message(kind: str, content: Any, **more: Any) -> Body:
    return {"messaging_product": "whatsapp", "to": "+1", "type": kind, kind: content, **more}


def text(body: str, **more: Any) -> Body:
    return message("text", {"body": body}, **more)


def image(**content: Any) -> Body:
    return message("image", content)


def reply(number: int, **more: str) -> Body:
    return {"type": "reply", "reply": {"id": f"id-{number}", "title": f"Title {number}", **more}}


def buttons(*, count: int = 1, replies: list[Body] | None = None, **more: Any) -> Body:
    action = {"buttons": [reply(n) for n in range(count)] if replies is None else replies}
    interactive = {"type": "button", "body": {"text": "?"}, "action": action, **more}
    return message("interactive", interactive)


def row(number: int, **more: Any) -> Body:
    return {"id": f"id-{number}", "title": f"Row {number}", **more}


def section(*rows: Body, title: str | None = "Section") -> Body:
    return {"rows": list(rows), **({} if title is None else {"title": title})}


def listing(*sections: Body, button: str = "Show", **more: Any) -> Body:
    action = {"button": button, "sections": list(sections)}
    return message("interactive", {"type": "list", "body": {"text": "?"}, "action": action, **more})


def link_button(*, label: str = "Open", url: str = "https://raffles.example", **more: Any) -> Body:
    action = {"name": "cta_url", "parameters": {"display_text": label, "url": url}}
    interactive = {"type": "cta_url", "body": {"text": "?"}, "action": action, **more}
    return message("interactive", interactive)


TEXTS: dict[str, tuple[int, Callable[[str], Body]]] = {
    "text": (4096, text),
    "caption": (1024, lambda words: image(link="https://a.example/a.png", caption=words)),
    "callback data": (512, lambda words: text("hi", biz_opaque_callback_data=words)),
    "body over buttons": (1024, lambda words: buttons(body={"text": words})),
    "body over a list": (4096, lambda words: listing(section(row(1)), body={"text": words})),
    "body over a link": (1024, lambda words: link_button(body={"text": words})),
    "header over buttons": (60, lambda words: buttons(header={"type": "text", "text": words})),
    "header over a list": (
        60,
        lambda words: listing(section(row(1)), header={"type": "text", "text": words}),
    ),
    "footer": (60, lambda words: buttons(footer={"text": words})),
    "button title": (20, lambda words: buttons(replies=[reply(1, title=words)])),
    "button id": (256, lambda words: buttons(replies=[reply(1, id=words)])),
    "label of a list": (20, lambda words: listing(section(row(1)), button=words)),
    "section title": (24, lambda words: listing(section(row(1), title=words))),
    "row title": (24, lambda words: listing(section(row(1, title=words)))),
    "row id": (200, lambda words: listing(section(row(1, id=words)))),
    "row description": (72, lambda words: listing(section(row(1, description=words)))),
    "label of a link": (20, lambda words: link_button(label=words)),
}


@pytest.mark.parametrize("name", TEXTS)
class TestEveryText:
    def test_is_taken_at_its_limit_and_refused_one_beyond(self, name: str) -> None:
        limit, body = TEXTS[name]

        assert is_accepted(body("x" * limit))
        assert not is_accepted(body("x" * (limit + 1)))

    def test_counts_an_emoji_as_two(self, name: str) -> None:
        limit, body = TEXTS[name]

        assert is_accepted(body("🎟" * (limit // 2)))
        assert not is_accepted(body("🎟" * (limit // 2) + "x"))


class TestEmptyTexts:
    @pytest.mark.parametrize(
        "name", [name for name in TEXTS if name not in {"caption", "callback data"}]
    )
    def test_are_refused(self, name: str) -> None:
        _, body = TEXTS[name]

        assert not is_accepted(body(""))
        assert not is_accepted(body("  \n"))


class TestCounts:
    @pytest.mark.parametrize(("count", "fits"), [(0, False), (1, True), (3, True), (4, False)])
    def test_of_buttons_are_one_to_three(self, count: int, fits: bool) -> None:
        assert is_accepted(buttons(count=count)) is fits

    @pytest.mark.parametrize(("count", "fits"), [(0, False), (1, True), (10, True), (11, False)])
    def test_of_rows_are_one_to_ten(self, count: int, fits: bool) -> None:
        assert is_accepted(listing(section(*(row(n) for n in range(count))))) is fits

    @pytest.mark.parametrize(("count", "fits"), [(0, False), (1, True), (10, True), (11, False)])
    def test_of_sections_are_one_to_ten(self, count: int, fits: bool) -> None:
        assert is_accepted(listing(*(section(row(n)) for n in range(count)))) is fits

    def test_of_rows_are_taken_over_all_sections_together(self) -> None:
        six = [row(n) for n in range(6)]
        five = [row(n) for n in range(6, 11)]

        assert is_accepted(listing(section(*six), section(*five[:4])))
        assert not is_accepted(listing(section(*six), section(*five)))


class TestTwins:
    def test_of_button_titles_are_refused(self) -> None:
        assert not is_accepted(buttons(replies=[reply(1, title="Yes"), reply(2, title="Yes")]))

    def test_of_button_ids_are_refused(self) -> None:
        assert not is_accepted(buttons(replies=[reply(1, id="a"), reply(2, id="a")]))

    def test_of_row_ids_are_refused_even_in_different_sections(self) -> None:
        assert not is_accepted(listing(section(row(1)), section(row(1))))


class TestWords:
    """The error messages of Meta, as real answers have them."""

    def test_for_a_long_text(self) -> None:
        refused = catch_refusal(text("x" * 4097))

        assert (refused.code, refused.http) == (100, 400)
        said = "(#100) Param text['body'] must be at most 4096 characters long."
        assert refused.message == said

    def test_for_too_many_buttons(self) -> None:
        error = catch_refusal(buttons(count=4)).build_body()["error"]

        assert error.pop("fbtrace_id")
        assert error == {
            "message": "(#131009) Parameter value is not valid",
            "type": "OAuthException",
            "code": 131009,
            "error_data": {
                "messaging_product": "whatsapp",
                "details": "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3",
            },
        }

    @pytest.mark.parametrize(
        ("body", "details"),
        [
            (buttons(body={"text": "x" * 1025}), "Min length: 1, Max length: 1024"),
            (buttons(replies=[reply(1, title="x" * 21)]), "Min length: 1, Max length: 20"),
            (listing(section(row(1, title="x" * 25))), "Row title is too long. Max length is 24"),
            (
                listing(section(*(row(n) for n in range(11)))),
                "Total row count exceed max allowed count: 10",
            ),
        ],
    )
    def test_for_what_an_interactive_message_breaks(self, body: Body, details: str) -> None:
        refused = catch_refusal(body)

        assert refused.code == 131009
        assert details in refused.details

    @pytest.mark.parametrize(
        ("body", "parameter"),
        [
            ({"to": "+1", "type": "text", "text": {"body": "x"}}, "messaging_product"),
            (message("text", {}), "text['body']"),
            (message("text", None), "text"),
            (message("interactive", {"type": "button"}), "interactive['body']"),
        ],
    )
    def test_for_what_is_missing(self, body: Body, parameter: str) -> None:
        assert catch_refusal(body).message == f"(#100) The parameter {parameter} is required."

    def test_for_a_section_without_title(self) -> None:
        assert catch_refusal(listing(section(row(1), title=None))).code == 131008
        assert catch_refusal(listing(section(row(1), title=""))).code == 131008

    def test_for_a_template_that_nobody_approved(self) -> None:
        template = {"name": "draw", "language": {"code": "es"}}
        refused = catch_refusal(message("template", template))

        assert (refused.code, refused.http) == (132001, 404)


class TestShape:
    @walk_cases(
        "body",
        [
            text("x", messaging_product="facebook"),
            text("x", type="telegram"),
            text("x", type=7),
            text("x", recipient_type="everybody"),
            text("x", context={}),
            text("x", context="wamid"),
            message("text", {"body": 7}),
            message("text", {"body": "x", "preview_url": "yes"}),
            message("text", {"body": "x", "colour": "red"}),
            message("interactive", {"type": "carousel", "body": {"text": "?"}, "action": {}}),
            buttons(colour="red"),
            buttons(replies=[{"type": "link", "reply": {"id": "a", "title": "A"}}]),
            buttons(replies=[reply(1, id=" a")]),
            buttons(replies=[reply(1, colour="red")]),
            buttons(header={"type": "text"}),
            buttons(header={"type": "sound", "sound": {}}),
            buttons(
                header={"type": "image", "image": {"link": "https://a.example", "caption": "x"}}
            ),
            listing(section(row(1)), header={"type": "image", "image": {"id": PICTURE_ID}}),
            listing(section(row(1, id="a "))),
            listing(section(row(1, price="2"))),
            link_button(url="raffles.example"),
            link_button(url="javascript:alert(1)"),
            image(),
            image(id=PICTURE_ID, link="https://a.example/a.png"),
            image(id="999"),
            image(link="a.png"),
            image(link="https://a.example/a b.png"),
            message("document", {"id": PICTURE_ID}),
            message("location", {"latitude": 1}),
            message("location", {"latitude": "north", "longitude": 1}),
            message("contacts", [{"name": {}}]),
            message("reaction", {"message_id": "wamid.1"}),
            message("reaction", {"message_id": "w", "emoji": "x"}, context={"message_id": "w"}),
        ],
    )
    def test_that_meta_does_not_know_is_refused(self, body: Body) -> None:
        assert not is_accepted(body)

    @pytest.mark.parametrize(
        "body",
        [
            {"messaging_product": "whatsapp", "to": "+1", "text": {"body": "no type is text"}},
            text("x", context={"message_id": "wamid.1"}),
            message("text", {"body": "https://a.example", "preview_url": True}),
            image(id=PICTURE_ID),
            image(link="https://a.example/a.png", caption=""),
            buttons(header={"type": "image", "image": {"id": PICTURE_ID}}),
            buttons(header={"type": "image", "image": {"link": "https://a.example/a.png"}}),
            link_button(),
            listing(section(row(1, description=None))),
            message("location", {"latitude": 1.5, "longitude": "-2"}),
            message("contacts", [{"name": {"formatted_name": "Ana"}}]),
            message("reaction", {"message_id": "wamid.1", "emoji": "🎟"}),
            message(
                "interactive",
                {
                    "type": "request_contact_info",
                    "body": {"text": "?"},
                    "action": {"name": "request_contact_info"},
                },
            ),
        ],
    )
    def test_that_meta_documents_is_taken(self, body: Body) -> None:
        assert is_accepted(body)
