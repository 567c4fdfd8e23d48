"""Buyers ask about a draw while it comes, when it is sealed, and when it is over."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shared.conversation.answering import answer_batches
from shared.core.enums import RedrawReason
from shared.raffles.draws.draw_models import DrawResult, PrizeClaim
from shared.raffles.models import Order, Raffle
from shared.raffles.services.draws import drawing, winners
from tests import builders, meta_limits
from tests.integration import drawn_raffles
from tests.integration.conversation.chat import BuyerChat, list_choices, render_body
from tests.integration.drawn_raffles import DRAW_AT, RITA

pytestmark = pytest.mark.django_db


def ask(chat: BuyerChat, text: str) -> str:
    """Ask, and return the one answer as a person reads it."""
    (answer,) = chat.says(text)
    assert meta_limits.find_message_faults(answer.payload) == []
    return render_body(answer)


def tap(chat: BuyerChat, title: str) -> str:
    (answer,) = chat.taps(title)
    return render_body(answer)


def draw_for(
    *chats: BuyerChat, title: str = "Summer Raffle"
) -> tuple[Raffle, list[Order], DrawResult]:
    """Sell a number to each buyer, seal and draw."""
    raffle = drawn_raffles.create_raffle_to_draw()
    Raffle.objects.filter(pk=raffle.pk).update(title=title)
    raffle.refresh_from_db()
    orders = [
        drawn_raffles.sell(raffle, place, buyer=chat.contact)
        for place, chat in enumerate(chats, start=1)
    ]
    drawn_raffles.seal(raffle)
    (result,) = drawn_raffles.draw(raffle)
    return raffle, orders, result


def test_the_answers_follow_the_raffle_from_its_sale_to_the_confirmed_winner() -> None:
    raffle = drawn_raffles.create_raffle_to_draw(prizes=2)
    chat, stranger = BuyerChat(), BuyerChat()

    assert ask(chat, "verify 07").startswith("*07* of *Summer Raffle* is not sold yet.")
    assert "[Take 07]" in ask(chat, "Verify 7")
    assert ask(chat, "verify 99").startswith(
        "*Summer Raffle* has no number 99: its numbers go from"
    )
    held = chat.buys(numbers="07, 08")
    assert "*07* of *Summer Raffle* is held for a buyer" in ask(stranger, "verify 07")
    assert "No raffle has been drawn so far." in ask(chat, "who won")
    assert ask(chat, "RULES").startswith("Rules of the draw: Summer Raffle\nPrize 1: a motorbike")
    assert chat.order() == held, "questions change nothing"
    chat.taps_id(f"r1:cancel:{held.pk}")

    order = drawn_raffles.sell(raffle, 7, 8, buyer=chat.contact)
    drawn_raffles.sell(raffle, 9)
    entry = order.receipt_entry
    assert f"*07* of *Summer Raffle*: sold, entry {entry}, the list is not sealed yet. Draw:" in (
        ask(stranger, "verify 07")
    )
    assert f"Entry {entry} · " in ask(chat, "my tickets")

    drawn_raffles.seal(raffle)
    assert "the list of 3 sold numbers is sealed. Draw: " in ask(chat, "results")
    assert f"sold, entry {entry}, in the sealed list of 3 numbers." in ask(chat, "verify 08")
    assert "*10* of *Summer Raffle* was not sold" in ask(chat, "verify 10")

    results = drawn_raffles.draw(raffle)
    for each in (chat, stranger):
        each.now = DRAW_AT + timedelta(minutes=1)
        assert ask(each, "who won").count("the seller is confirming the winner") == 2
    unconfirmed = ask(chat, f"verify {results[0].number}")
    assert "won" not in unconfirmed.split("[")[0]
    assert "The seller is confirming the winners." in unconfirmed

    drawn_raffles.confirm(*results)
    told = ask(stranger, "who won")
    for result in results:
        ticket = raffle.format_ticket_number(result.number)
        assert f"{result.prize.title}: *{ticket}* · to be claimed by" in told
        assert f"It won {result.prize.title}: to be claimed by" in ask(
            stranger, f"verify {result.number}"
        )
    (loser,) = {7, 8, 9} - {result.number for result in results}
    assert "It did not win." in ask(stranger, f"verify {loser}")


def test_winners_choose_whether_they_are_named_and_nobody_else_does() -> None:
    winner, other = BuyerChat(), BuyerChat()
    _, orders, result = draw_for(winner, other)
    if orders[1].pk == find_winning_order(result).pk:
        winner, other = other, winner
    drawn_raffles.confirm(result)
    show, hide = f"r1:show-name:{result.pk}", f"r1:hide-name:{result.pk}"
    name = str(winner.contact).split()[0]

    def read_consent() -> bool | None:
        return PrizeClaim.objects.get(result=result).name_consent

    (refused,) = other.taps_id(show)
    assert "That is not possible any more." in render_body(refused)
    assert read_consent() is None
    assert f"{name} …" not in ask(other, "who won")
    (thanks,) = winner.taps_id(show)
    digits = (winner.contact.wa_id or "")[-2:]
    assert f"You are shown as *{name} …{digits}*." in render_body(thanks)
    assert f", {name} …{digits} · " in ask(other, "who won")
    (private,) = winner.taps_id(hide)
    assert "only the number is shown" in render_body(private)
    assert read_consent() is False
    assert f"{name} …" not in ask(other, "who won?")

    drawing.redraw(result.pk, reason=RedrawReason.DECLINED, comment="no", by=RITA, now=DRAW_AT)
    (gone,) = winner.taps_id(show)
    assert "That prize was drawn again since" in render_body(gone)
    assert read_consent() is False
    assert winner.taps_id("r1:show-name:999999")


def find_winning_order(result: DrawResult) -> Order:
    return winners.load_winners(result.raffle)[0].order


def test_a_stranger_hears_of_the_latest_draws_and_of_no_draft() -> None:
    seller = BuyerChat()
    for title in ("One", "Two", "Three", "Four"):
        _, _, result = draw_for(seller, title=title)
        drawn_raffles.confirm(result)
    draft = builders.create_raffle(title="Draft", status="DRAFT")
    stranger = BuyerChat(builders.create_contact())

    told = ask(stranger, "who won")
    elsewhere = BuyerChat(builders.create_contact(phone_number_id="1"))
    Raffle.objects.update(phone_number_id=builders.PHONE_NUMBER_ID)

    assert [title in told for title in ("*Four*", "*Three*", "*Two*", "*One*")] == [
        True, True, True, False,
    ]  # fmt: skip
    assert "*Four*: sold, entry 1" in ask(stranger, "verify 01")
    assert "No raffle has been drawn so far." in ask(elsewhere, "who won")
    assert "I found no raffle with that number." in ask(elsewhere, "verify 01")
    for raffle_id in (draft.pk, 999_999):
        (hidden,) = stranger.taps_id(f"r1:rules:{raffle_id}")
        assert "older message" in render_body(hidden)


@pytest.mark.same_everywhere
def test_a_raffle_that_sold_numbers_before_it_had_rules_shows_none() -> None:
    raffle = drawn_raffles.create_raffle_to_draw()
    drawn_raffles.sell(raffle, 7)
    chat = BuyerChat()
    known = ask(chat, "rules")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM raffles_drawrules")

    assert known.startswith("Rules of the draw")
    assert ask(chat, "rules").startswith("*Summer Raffle* has no rules of the draw that I know.")


@pytest.mark.same_everywhere
def test_several_raffles_are_asked_about() -> None:
    summer = builders.create_raffle()
    winter = builders.create_raffle(title="Winter Raffle")
    chat = BuyerChat()

    (which,) = chat.says("rules")
    assert sorted(list_choices(which)) == [
        (f"r1:rules:{summer.pk}", "Summer Raffle"), (f"r1:rules:{winter.pk}", "Winter Raffle"),
    ]  # fmt: skip
    assert tap(chat, "Winter Raffle").startswith("Rules of the draw: Winter Raffle")
    assert "Number 7 of which raffle?" in ask(chat, "verify 07")
    assert tap(chat, "Summer Raffle").startswith("*007* of *Summer Raffle* is not sold yet.")


def test_many_who_ask_at_once_cost_hardly_more_statements_than_one() -> None:
    _, _, result = draw_for(*(BuyerChat() for _ in range(3)))
    drawn_raffles.confirm(result)
    counts = []
    for buyers in (1, 6):
        chats = [BuyerChat(now=DRAW_AT) for _ in range(buyers)]
        for chat, text in zip(
            chats, ("who won", "verify 01", "who won", "results") * 2, strict=False
        ):
            chat.receives("text", {"text": {"body": text}})
        with CaptureQueriesContext(connection) as queries:
            answered = answer_batches.answer_contacts(
                [chat.contact.pk for chat in chats], now=DRAW_AT, pivot=1
            )
        assert (answered.answered.replies, answered.left) == (buyers, ())
        counts.append(len([one for one in queries if "SAVEPOINT" not in one["sql"]]))

    assert counts[1] <= counts[0] + 6  # the numbers that two of them verify


@pytest.mark.same_everywhere
class TestAge:
    def test_is_asked_once_and_the_wish_is_done_with_the_yes_in_as_few_messages(self) -> None:
        raffles = [
            builders.create_raffle(adults_only=True),
            builders.create_raffle(title="Winter Raffle", adults_only=True),
        ]
        chat = BuyerChat()
        chat.taps_id(f"r1:raffle:{raffles[0].pk}")
        chat.says("5 random")
        assert not Order.objects.exists()
        chat.contact.refresh_from_db()
        assert chat.contact.adult_confirmed_at is None
        chat.gets_messages()

        chat.later(minutes=1).says("Yes")
        chat.contact.refresh_from_db()

        assert chat.list_message_keys()[-2:] == ["age_question", "held"]
        assert chat.order().quantity == 5
        assert chat.contact.adult_confirmed_at == chat.now
        asked_at = chat.now
        chat.later(minutes=1).taps_id(f"r1:raffle:{raffles[1].pk}")
        assert [message.key for message in chat.says("07, 13")] == ["held"]
        chat.contact.refresh_from_db()
        assert chat.contact.adult_confirmed_at == asked_at

    def test_counts_even_if_the_wish_cannot_be_done(self) -> None:
        builders.create_raffle(numbers=2, adults_only=True)
        chat = BuyerChat()
        chat.says("hi")
        chat.says("1, 2")
        other = BuyerChat()
        other.says("hi")
        other.says("1, 2")
        other.taps("Yes, I am 18+")

        (taken,) = chat.taps("Yes, I am 18+")

        chat.contact.refresh_from_db()
        assert taken.key in {"numbers_taken", "sold_out", "too_few_left"}
        assert chat.contact.adult_confirmed_at is not None

    @pytest.mark.parametrize("is_batch", [False, True])
    def test_is_not_answered_by_a_yes_from_before_it_was_asked(self, is_batch: bool) -> None:
        builders.create_raffle(adults_only=True)
        chat = BuyerChat()
        chat.says("hi")
        for text in ("5 random", "yes"):
            chat.receives("text", {"text": {"body": text}})
        chat.later(seconds=3)
        for _ in range(2 if is_batch else 0):
            answer_batches.answer_contacts([chat.contact.pk], now=chat.now, pivot=1)
        chat.answer_waiting()
        chat.contact.refresh_from_db()

        assert chat.list_message_keys() == ["card", "age_question"]
        assert chat.contact.adult_confirmed_at is None
        chat.gets_messages()
        assert [reply.key for reply in chat.later(minutes=1).says("yes")] == ["held"]

    @pytest.mark.parametrize("answer", ["No", "no", "I'm 17"])
    def test_is_asked_again_after_a_no(self, answer: str) -> None:
        builders.create_raffle(adults_only=True)
        chat = BuyerChat()
        chat.says("hi")
        chat.says("5 random")
        send: Callable[[str], object] = chat.taps if answer == "No" else chat.says
        send(answer)
        chat.says("hi")
        chat.says("5 random")

        assert chat.list_message_keys() == [
            "card", "age_question", "age_refused", "card", "age_question",
        ]  # fmt: skip
        assert not Order.objects.exists()
