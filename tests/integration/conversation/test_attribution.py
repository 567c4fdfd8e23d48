"""An order shows which link or ad led its buyer to the chat."""

from typing import Any, Final

import pytest

from shared.conversation import attribution, raffle_links
from shared.conversation.answering import answer_batches
from shared.conversation.raffle_links import RaffleLink
from shared.core.enums import OrderSourceKind, OrderStatus, RaffleStatus
from shared.raffles.models import Order, Raffle
from shared.raffles.order_sources import OrderSource
from tests import builders
from tests.integration.conversation.chat import BuyerChat, render_body

pytestmark = pytest.mark.django_db

AD: Final = {
    "source_url": "https://fb.me/3cr4Wqqkv",
    "source_id": "120226305854810726",
    "source_type": "ad",
    "headline": "Chat with us",
    "ctwa_clid": "Aff-n8ZT",
}
POSTER: Final = OrderSource(OrderSourceKind.LINK, "poster")


def write_link(raffle: Raffle, *, source: str = "") -> str:
    return raffle_links.build_link_text(raffle.title, link=RaffleLink(raffle.pk, source))


def hold(chat: BuyerChat) -> Order:
    chat.says("3 random")
    return chat.order()


def test_a_link_opens_the_card_and_its_word_is_kept_with_the_order() -> None:
    raffle, chat = builders.create_raffle(), BuyerChat()
    builders.create_raffle(title="Winter Raffle")

    (card,) = chat.says(write_link(raffle, source="poster"))
    order = hold(chat)

    assert render_body(card).startswith("*Summer Raffle* · win a motorbike")
    assert (order.raffle, order.source) == (raffle, POSTER)


def test_a_batch_keeps_the_source_as_well() -> None:
    raffle, chat, other = builders.create_raffle(), BuyerChat(), BuyerChat()
    for text in (write_link(raffle, source="poster"), "3 random"):
        chat.receives("text", {"text": {"body": text}})
        other.receives("text", {"text": {"body": text.replace("poster", "radio")}})
        ids = [chat.contact.pk, other.contact.pk]
        answer_batches.answer_contacts(ids, now=chat.now, pivot=1)

    assert chat.order().source == POSTER
    assert other.order().source == OrderSource(OrderSourceKind.LINK, "radio")


def test_a_link_of_a_raffle_that_ended_says_so_and_counts_all_the_same() -> None:
    raffle, chat = builders.create_raffle(), BuyerChat()
    ended = builders.create_raffle(title="Winter Raffle", status=RaffleStatus.CLOSED)

    (answer,) = chat.says(write_link(ended, source="poster"))

    assert render_body(answer).startswith("The sale of *Winter Raffle* is over.\n\n*Summer Raffle*")
    order = hold(chat)
    assert (order.raffle, order.source) == (raffle, POSTER)


@pytest.mark.same_everywhere
@pytest.mark.parametrize(
    "fields", [{"status": RaffleStatus.DRAFT}, {"phone_number_id": "999"}], ids=["draft", "number"]
)
def test_a_draft_and_the_raffle_of_another_number_are_not_shown(fields: dict[str, Any]) -> None:
    builders.create_raffle()
    hidden, chat = builders.create_raffle(title="Hidden", **fields), BuyerChat()

    chat.answer_waiting(chat.receives("sticker", {"sticker": {}, "referral": AD}))

    (answer,) = chat.says(raffle_links.build_link_text("x", link=RaffleLink(hidden.pk, "word")))

    chat.contact.refresh_from_db()
    assert attribution.get_current_source(chat.contact, now=chat.now) == OrderSource(
        OrderSourceKind.AD, "Chat with us", "120226305854810726"
    )
    assert render_body(answer).startswith("I cannot find the raffle of that link.")
    assert "Hidden" not in render_body(answer)


def test_an_ad_is_kept_whatever_message_it_comes_with() -> None:
    builders.create_raffle()
    chat = BuyerChat()

    chat.answer_waiting(chat.receives("sticker", {"sticker": {}, "referral": AD}))

    order = hold(chat)
    assert order.source == OrderSource(OrderSourceKind.AD, "Chat with us", "120226305854810726")


def test_an_ad_that_holds_numbers_at_once_is_kept_and_a_word_in_its_text_names_it() -> None:
    raffle, chat = builders.create_raffle(), BuyerChat()

    chat.answer_waiting(chat.receives("text", {"text": {"body": "3 random"}, "referral": AD}))
    assert chat.order().source_name == "Chat with us"

    text = write_link(raffle, source="story")
    chat.answer_waiting(chat.receives("text", {"text": {"body": text}, "referral": AD}))
    order = hold(chat)
    assert order.source == OrderSource(OrderSourceKind.AD, "story", "120226305854810726")


def test_an_old_message_is_not_answered_but_its_source_is_kept() -> None:
    raffle, chat = builders.create_raffle(), BuyerChat()
    chat.receives("text", {"text": {"body": write_link(raffle, source="poster")}})

    chat.later(minutes=20).answer_waiting()

    assert hold(chat).source == POSTER


def test_the_source_lasts_while_numbers_are_chosen_anew_and_ends_with_the_purchase() -> None:
    raffle, chat = builders.create_raffle(), BuyerChat()
    chat.says(write_link(raffle, source="poster"))
    hold(chat)
    chat.taps("Other numbers")
    chat.taps("Confirm")

    bought = chat.order()
    assert (bought.status, bought.source) == (OrderStatus.PENDING_PAYMENT, POSTER)

    chat.says("cancel")
    assert hold(chat).source is None


def test_a_receipt_in_place_of_the_confirmation_ends_it_too() -> None:
    raffle, chat = builders.create_raffle(), BuyerChat()
    chat.says(write_link(raffle, source="poster"))
    hold(chat)

    chat.sends_picture()

    assert chat.order().source == POSTER
    chat.contact.refresh_from_db()
    assert chat.contact.attribution is None


def test_a_receipt_for_an_earlier_order_leaves_a_later_link_alone() -> None:
    raffle, chat = builders.create_raffle(), BuyerChat()
    other = builders.create_raffle(title="Winter Raffle")
    chat.says(write_link(raffle, source="poster"))
    hold(chat)
    chat.taps("Confirm")

    chat.later(minutes=1).says(write_link(other, source="radio"))
    chat.sends_picture()

    assert chat.says(write_link(other, source="radio"))
    order = hold(chat)
    assert (order.raffle, order.source_name) == (other, "radio")


def test_the_last_source_counts_for_seven_days() -> None:
    raffle, chat = builders.create_raffle(), BuyerChat()
    chat.says(write_link(raffle, source="poster"))
    chat.says(write_link(raffle, source="radio"))

    chat.later(days=7)
    assert hold(chat).source_name == "radio"
    chat.later(seconds=1)
    assert hold(chat).source is None


@pytest.mark.same_everywhere
def test_a_buyer_without_a_source_has_an_order_without_one() -> None:
    builders.create_raffle()
    chat = BuyerChat()

    order = chat.buys()

    assert order.source is None
    assert attribution.get_current_source(chat.contact, now=chat.now) is None
