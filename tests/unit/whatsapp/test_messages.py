"""Tests that built messages are within Meta's limits, whatever the input."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.whatsapp import messages
from shared.whatsapp.errors import NoAddressee
from shared.whatsapp.messages import ListRow, Message, ReplyButton
from tests import meta_limits

FAMILY = "👩‍👩‍👧‍👦"  # one grapheme, 7 code points, 11 UTF-16 units

anything = (
    st.text(alphabet=st.characters())
    | st.text(alphabet="👩‍👦é\u0301 \n\0…ab\ud83d")
    | st.text(alphabet="x", min_size=300, max_size=5000)
)
some_buttons = st.lists(st.builds(ReplyButton, anything, anything), max_size=12)
some_rows = st.lists(st.builds(ListRow, anything, anything, anything), max_size=12)


def with_addressee(message: Message) -> Message:
    return messages.address_message(message, wa_id="15550100000", user_id=None, callback_data="key")


def titles(message: Message) -> list[str]:
    return [button["reply"]["title"] for button in message["interactive"]["action"]["buttons"]]


class TestAnything:
    @given(anything, st.booleans())
    def test_makes_a_text(self, body: str, preview_url: bool) -> None:
        message = messages.build_text(body, preview_url=preview_url)

        assert meta_limits.find_message_faults(message) == []
        assert meta_limits.find_message_faults(with_addressee(message)) == []
        assert messages.render_preview(message)

    @given(anything, some_buttons, anything, anything, anything)
    def test_makes_buttons(
        self, body: str, buttons: list[ReplyButton], header: str, picture_link: str, footer: str
    ) -> None:
        message = messages.build_buttons(
            body, buttons=buttons, header=header, picture_link=picture_link, footer=footer
        )

        assert meta_limits.find_message_faults(with_addressee(message)) == []
        assert messages.render_preview(message)

    @given(anything, anything, some_rows, anything, anything, anything)
    def test_makes_a_list(
        self, body: str, button: str, rows: list[ListRow], section: str, header: str, footer: str
    ) -> None:
        message = messages.build_list(
            body, button=button, rows=rows, section=section, header=header, footer=footer
        )

        assert meta_limits.find_message_faults(with_addressee(message)) == []
        assert messages.render_preview(message)

    @given(anything, anything, anything)
    def test_makes_a_picture(self, link: str, media_id: str, caption: str) -> None:
        message = messages.build_image(link=link, media_id=media_id, caption=caption)

        assert meta_limits.find_message_faults(with_addressee(message)) == []
        assert messages.render_preview(message)

    @given(anything)
    def test_is_written_as_utf_8(self, body: str) -> None:
        json.dumps(messages.build_text(body), ensure_ascii=False).encode()


class TestText:
    def test_is_left_as_it_is_when_it_fits(self) -> None:
        body = "Held for you:  *007 · 213*\nTotal $15.00\n\n✅"

        assert messages.build_text(body)["text"] == {"body": body, "preview_url": False}

    def test_is_cut_between_graphemes(self) -> None:
        body = messages.build_text(FAMILY * 1000)["text"]["body"]

        assert body == FAMILY * (4095 // 11) + "…"
        assert messages.measure_length(body) <= 4096

    @pytest.mark.parametrize("piece", ["\u0301", "\u0323\u0301", "\u200d👩", "🇩🇪", "क्", "각"])
    def test_is_cut_at_once_even_within_a_grapheme_without_end(self, piece: str) -> None:
        written = messages.build_text("ab" + piece * 100_000)["text"]["body"]

        assert written.startswith("a")
        assert written.endswith("…")
        assert messages.measure_length(written) <= messages.TEXT_LIMIT

    def test_counts_an_emoji_as_two(self) -> None:
        assert messages.measure_length("🎉") == 2
        assert messages.build_text("🎉" * 2048)["text"]["body"] == "🎉" * 2048
        assert messages.build_text("🎉" * 2049)["text"]["body"] == "🎉" * 2047 + "…"

    @pytest.mark.parametrize("body", ["", "   ", "\n", "\0", "\u200b", "\ufeff", "\ud800", "ㅤ"])
    def test_is_never_empty(self, body: str) -> None:
        assert messages.build_text(body)["text"]["body"] == "…"

    def test_keeps_emoji_that_are_newer_than_our_tables(self) -> None:
        assert messages.build_text("\U0001fae9")["text"]["body"] == "\U0001fae9"


class TestButtons:
    def test_stand_as_they_were_asked_for(self) -> None:
        message = messages.build_buttons(
            "*Summer Raffle*",
            buttons=[
                ReplyButton("random:1", "Random numbers"),
                ReplyButton("pick:1", "Pick my numbers"),
            ],
            header="Raffle",
            footer="18+",
        )

        assert message == {
            "type": "interactive",
            "interactive": {
                "type": "button",
                "header": {"type": "text", "text": "Raffle"},
                "body": {"text": "*Summer Raffle*"},
                "footer": {"text": "18+"},
                "action": {
                    "buttons": [
                        {"type": "reply", "reply": {"id": "random:1", "title": "Random numbers"}},
                        {"type": "reply", "reply": {"id": "pick:1", "title": "Pick my numbers"}},
                    ]
                },
            },
        }

    def test_with_the_same_title_are_numbered(self) -> None:
        message = messages.build_buttons(
            "Which?", buttons=[ReplyButton(str(n), "The same long title here") for n in range(3)]
        )

        assert titles(message) == [
            "The same long title…",
            "The same long tit… 2",
            "The same long tit… 3",
        ]

    def test_with_the_same_id_stand_once_and_in_order(self) -> None:
        message = messages.build_buttons(
            "Which?",
            buttons=[
                ReplyButton("a", "First"),
                ReplyButton("b", "Second"),
                ReplyButton("a", "Third"),
            ],
        )

        assert titles(message) == ["First", "Second"]

    def test_become_a_list_when_there_are_more_than_three(self) -> None:
        message = messages.build_buttons(
            "Which?", buttons=[ReplyButton(str(n), f"Number {n}") for n in range(5)]
        )

        rows = message["interactive"]["action"]["sections"][0]["rows"]
        assert [row["title"] for row in rows] == [f"Number {n}" for n in range(5)]

    def test_become_a_text_when_there_are_none(self) -> None:
        message = messages.build_buttons("Sold out.", buttons=[], header="Raffle", footer="18+")

        assert message["text"]["body"] == "Raffle\n\nSold out.\n\n18+"

    def test_with_a_picture_keep_the_words_of_the_header(self) -> None:
        message = messages.build_buttons(
            "Win it",
            buttons=[ReplyButton("a", "Yes")],
            header="Raffle",
            picture_link="https://raffles.example/a.jpg",
        )

        interactive = message["interactive"]
        assert interactive["header"] == {
            "type": "image",
            "image": {"link": "https://raffles.example/a.jpg"},
        }
        assert interactive["body"]["text"] == "Raffle\n\nWin it"

    def test_do_without_a_picture_that_has_no_address(self) -> None:
        message = messages.build_buttons(
            "Win", buttons=[ReplyButton("a", "Yes")], picture_link="/a.jpg"
        )

        assert "header" not in message["interactive"]


class TestListing:
    def test_stands_as_it_was_asked_for(self) -> None:
        message = messages.build_list(
            "Which raffle?",
            button="Raffles",
            section="On sale",
            rows=[
                ListRow("raffle:1", "Summer Raffle", "a motorbike"),
                ListRow("raffle:2", "Winter"),
            ],
        )

        assert message["interactive"]["action"] == {
            "button": "Raffles",
            "sections": [
                {
                    "title": "On sale",
                    "rows": [
                        {"id": "raffle:1", "title": "Summer Raffle", "description": "a motorbike"},
                        {"id": "raffle:2", "title": "Winter"},
                    ],
                }
            ],
        }

    def test_shows_ten_rows_at_most(self) -> None:
        message = messages.build_list(
            "Which?", button="All", rows=[ListRow(str(n), str(n)) for n in range(15)]
        )

        assert len(message["interactive"]["action"]["sections"][0]["rows"]) == 10

    def test_writes_each_row_on_one_line(self) -> None:
        message = messages.build_list(
            "Which?", button="A\nB", rows=[ListRow("1", "Two\nlines", "a\r\nb")]
        )

        action = message["interactive"]["action"]
        assert action["button"] == "A B"
        assert action["sections"][0]["rows"] == [
            {"id": "1", "title": "Two lines", "description": "a b"}
        ]

    def test_has_the_words_that_meta_requires(self) -> None:
        action = messages.build_list("", button="", rows=[ListRow("1", "")])["interactive"][
            "action"
        ]

        assert action["button"] == "Choose"
        assert action["sections"][0]["title"] == "Options"


class TestImage:
    def test_prefers_the_id(self) -> None:
        message = messages.build_image(
            link="https://a.example/b.png", media_id="123", caption="Look"
        )

        assert message == {"type": "image", "image": {"id": "123", "caption": "Look"}}

    def test_has_no_empty_caption(self) -> None:
        message = messages.build_image(link="https://a.example/b.png", caption="  ")

        assert message["image"] == {"link": "https://a.example/b.png"}

    def test_becomes_its_caption_when_there_is_no_picture(self) -> None:
        assert messages.build_image(link="", caption="Look")["text"]["body"] == "Look"


class TestAddressed:
    def test_writes_a_phone_with_plus(self) -> None:
        body = messages.address_message(
            messages.build_text("hi"), wa_id="15550100001", user_id="US.1", callback_data="key"
        )

        assert body["to"] == "+15550100001"
        assert "recipient" not in body
        assert body["biz_opaque_callback_data"] == "key"
        assert body["text"]["body"] == "hi"

    @pytest.mark.parametrize("wa_id", [None, "", "US.1349", "0123456", "+15550100001", "12"])
    def test_never_puts_anything_but_a_phone_into_to(self, wa_id: str | None) -> None:
        body = messages.address_message(
            messages.build_text("hi"), wa_id=wa_id, user_id="US.1", callback_data="key"
        )

        assert "to" not in body
        assert body["recipient"] == "US.1"

    def test_says_so_when_nobody_can_be_reached(self) -> None:
        with pytest.raises(NoAddressee):
            messages.address_message(
                messages.build_text("hi"), wa_id=None, user_id=None, callback_data="key"
            )


class TestPreview:
    def test_shows_what_can_be_tapped(self) -> None:
        card = messages.build_buttons(
            "Win", buttons=[ReplyButton("a", "Yes"), ReplyButton("b", "No")], header="Raffle"
        )
        rows = messages.build_list(
            "Which?", button="All", rows=[ListRow("1", "Summer"), ListRow("2", "Winter")]
        )

        assert messages.render_preview(card) == "Raffle\nWin\n[Yes] [No]"
        assert messages.render_preview(rows) == "Which?\n[All]\n- Summer\n- Winter"
        assert (
            messages.render_preview(messages.build_image(media_id="1", caption="Look"))
            == "[picture] Look"
        )
        assert messages.render_preview({"type": "template"}) == "[template]"


GOOD = messages.build_buttons(
    "Body", buttons=[ReplyButton("a", "A"), ReplyButton("b", "B")], header="H", footer="F"
)


def changed(message: Message, *path: str | int, to: Any) -> Message:
    copy: Message = json.loads(json.dumps(message))
    inner: Any = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return copy


class TestFaults:
    @pytest.mark.parametrize(
        ("message", "fault"),
        [
            (changed(GOOD, "interactive", "body", "text", to="x" * 1025), "1024 are allowed"),
            (changed(GOOD, "interactive", "body", "text", to=" \u200b"), "body is empty"),
            (changed(GOOD, "interactive", "header", "text", to="🎉" * 31), "60 are allowed"),
            (changed(GOOD, "interactive", "footer", "text", to="a\nb"), "not allowed"),
            (changed(GOOD, "interactive", "action", "buttons", to=[]), "0 buttons"),
            (
                changed(GOOD, "interactive", "action", "buttons", 1, "reply", "id", to="a"),
                "button id repeats",
            ),
            (
                changed(GOOD, "interactive", "action", "buttons", 1, "reply", "title", to="A"),
                "button title repeats",
            ),
            (
                changed(
                    GOOD, "interactive", "action", "buttons", 0, "reply", "title", to="🎉" * 11
                ),
                "20 are allowed",
            ),
            (changed(GOOD, "interactive", "header", to={"type": "video"}), "header type video"),
            (changed(GOOD, "interactive", "extra", to=1), "unknown key extra"),
            (changed(GOOD, "type", to="template"), "type template"),
            ({"type": "text", "text": {"body": "a\0b"}}, "not allowed"),
            ({"type": "text", "text": {"body": {1}}}, "cannot be written"),
            ({"type": "image", "image": {"id": "1", "link": "https://a.example"}}, "either"),
            ({"type": "image", "image": {"link": "a.jpg"}}, "no address"),
            (with_addressee(GOOD) | {"to": "15550100000"}, "with +"),
            (with_addressee(GOOD) | {"recipient": "US.1"}, "either to or recipient"),
        ],
    )
    def test_names_what_is_wrong(self, message: Message, fault: str) -> None:
        assert any(fault in found for found in meta_limits.find_message_faults(message))

    def test_counts_the_rows_of_all_sections(self) -> None:
        good = messages.build_list(
            "B", button="All", rows=[ListRow(str(n), str(n)) for n in range(6)]
        )
        sections = good["interactive"]["action"]["sections"]
        message = changed(good, "interactive", "action", "sections", to=sections * 2)

        assert meta_limits.find_message_faults(good) == []
        assert "12 rows instead of 10 at most" in meta_limits.find_message_faults(message)
        assert "row id repeats" in meta_limits.find_message_faults(message)
