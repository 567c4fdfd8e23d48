"""Tests that the sandbox accepts every message that the gateway builds."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.sandbox.graph_api import message_rules
from shared.whatsapp import messages
from shared.whatsapp.messages import ListRow, Message, ReplyButton

WORDS = st.one_of(
    st.text(max_size=80),
    st.sampled_from(["🎟", "👨‍👩‍👧", "ñ", "e\u0301", " ", "\n", "\x00", "*", "\u200b"]).flatmap(
        lambda sign: st.integers(0, 5000).map(lambda times: sign * times)
    ),
)
IDS = st.text(st.characters(categories=["L", "N", "S"]), max_size=300)
ROWS = st.lists(st.builds(ListRow, id=IDS, title=WORDS, description=WORDS), max_size=12)
BUTTONS = st.lists(st.builds(ReplyButton, id=IDS, title=WORDS), max_size=5)
OFTEN = settings(max_examples=60, deadline=None)
LINKS = st.sampled_from(["", "https://raffles.example/a.png", "not a link"])


def check_with_sandbox(message: Message, *, callback_data: str = "") -> None:
    """Validate a message to a buyer with the sandbox's rules; raise if it is refused."""
    body = messages.address_message(
        message, wa_id="15550101001", user_id=None, callback_data=callback_data
    )
    message_rules.check_message(body, find_mime_type={"1234567890": "image/jpeg"}.get)


class TestWhatTheGatewayBuilds:
    @OFTEN
    @given(words=WORDS, data=WORDS)
    def test_as_text_is_taken(self, words: str, data: str) -> None:
        check_with_sandbox(messages.build_text(words), callback_data=data)

    @OFTEN
    @given(words=WORDS, link=LINKS)
    def test_as_picture_is_taken(self, words: str, link: str) -> None:
        check_with_sandbox(messages.build_image(link=link, caption=words))
        check_with_sandbox(messages.build_image(media_id="1234567890", caption=words))

    @OFTEN
    @given(words=WORDS, choices=BUTTONS, header=WORDS, footer=WORDS, link=LINKS)
    def test_as_buttons_is_taken(
        self, words: str, choices: Sequence[ReplyButton], header: str, footer: str, link: str
    ) -> None:
        check_with_sandbox(
            messages.build_buttons(
                words, buttons=choices, header=header, footer=footer, picture_link=link
            )
        )

    @OFTEN
    @given(words=WORDS, rows=ROWS, label=WORDS, section=WORDS, header=WORDS)
    def test_as_list_is_taken(
        self, words: str, rows: Sequence[ListRow], label: str, section: str, header: str
    ) -> None:
        check_with_sandbox(
            messages.build_list(words, button=label, rows=rows, section=section, header=header)
        )
