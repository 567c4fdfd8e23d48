"""Tests of the chat bubbles in a terminal."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from deploy.sandbox.client import SeenMessage
from deploy.sandbox.phone import bubbles


def message(**fields: Any) -> SeenMessage:
    return SeenMessage.from_json(
        {
            "n": 1,
            "id": "wamid.1",
            "from": "business",
            "phone_number_id": "1",
            "type": "text",
            "text": "",
            "header": "",
            "footer": "",
            "label": "",
            "picture": None,
            "file": None,
            "link": None,
            "buttons": [],
            "rows": [],
            "reply_to": None,
            "status": "delivered",
            "at": "2026-11-22T12:00:00+00:00",
            "raw": {},
            **fields,
        }
    )


def printed(seen: SeenMessage, *, terminal: bool) -> str:
    out = StringIO()
    bubbles.print_message(
        Console(file=out, force_terminal=terminal, width=80, highlight=False), seen
    )
    return out.getvalue()


class TestStyled:
    @pytest.mark.parametrize(
        ("written", "read", "styles"),
        [
            ("*bold*", "bold", ["bold"]),
            ("a *b c* d", "a b c d", ["bold"]),
            ("_it_ and ~gone~", "it and gone", ["italic", "strike"]),
            ("*_both_*", "both", ["italic", "bold"]),
            ("`R-7K3F9`", "R-7K3F9", ["cyan"]),
            ("2 * 3 * 4", "2 * 3 * 4", []),
            ("a*b*c", "a*b*c", []),
            ("**", "**", []),
            ("*over\nlines*", "*over\nlines*", []),
            ("snake_case_name", "snake_case_name", []),
        ],
    )
    def test_reads_as_on_a_phone(self, written: str, read: str, styles: list[str]) -> None:
        text = bubbles.render_markup(written)

        assert text.plain == read
        assert [str(span.style) for span in text.spans] == styles

    def test_nests_as_deep_as_a_hostile_buyer_likes(self) -> None:
        deep = bubbles.render_markup("*_" * 1_000 + "a" + "_*" * 1_000)

        assert deep.plain == "a"
        assert len(deep.spans) == 2_000


class TestShow:
    def test_numbers_what_can_be_tapped(self) -> None:
        buttons = [
            {"index": 1, "id": "a", "title": "Random numbers"},
            {"index": 2, "id": "b", "title": "My tickets"},
        ]

        lines = printed(message(text="Which?", buttons=buttons), terminal=False).splitlines()

        assert lines == ["◀ Which?", "  [1] Random numbers", "  [2] My tickets"]

    def test_shows_the_rows_of_a_list_with_their_descriptions(self) -> None:
        rows = [{"index": 1, "id": "a", "title": "Summer", "description": "$5.00 a number"}]

        assert "[1] Summer · $5.00 a number" in printed(message(rows=rows), terminal=False)

    def test_elsewhere_than_in_a_terminal_it_is_plain(self) -> None:
        shown = printed(message(text="*Paid.* " + "long " * 40), terminal=False)

        assert "\x1b" not in shown
        assert len(shown.splitlines()) == 1

    def test_what_the_buyer_wrote_stands_on_the_right(self) -> None:
        shown = printed(message(**{"from": "buyer"}, text="hi"), terminal=False)

        assert shown == " " * 40 + "▶ hi\n"

    @pytest.mark.parametrize(
        ("status", "ticks"), [("sent", " ✓ "), ("delivered", " ✓✓ "), ("read", " ✓✓ ")]
    )
    def test_a_bubble_of_the_buyer_has_ticks(self, status: str, ticks: str) -> None:
        shown = printed(message(**{"from": "buyer"}, text="hi", status=status), terminal=True)

        assert ticks.strip() in shown
        assert shown.count("✓") == len(ticks.strip())

    def test_pictures_are_named(self) -> None:
        seen = message(type="image", text="my receipt", picture={"media_id": "1"})

        assert printed(seen, terminal=False).splitlines() == ["◀ [picture]", "  my receipt"]

    @pytest.mark.parametrize("kind", ["audio", "video", "sticker", "location", "reaction"])
    def test_what_has_no_words_is_named_by_its_type(self, kind: str) -> None:
        assert printed(message(type=kind), terminal=False) == f"◀ [{kind}]\n"
