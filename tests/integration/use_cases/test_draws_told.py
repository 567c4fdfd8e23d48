"""Winners and buyers are told how a raffle was drawn: once, and not before it is certain."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from shared.core.enums import OutboxStatus, RaffleAction, RedrawReason, VoidReason
from shared.raffles.draws.draw_errors import PrizeNotFound, WinnerNotConfirmed
from shared.raffles.draws.draw_models import DrawResult, PrizeClaim
from shared.raffles.models import Order, Raffle, RaffleEvent
from shared.raffles.services.draws import drawing, source_readings, winners
from shared.use_cases import raffle_changes
from shared.use_cases.draws import result_messages
from shared.use_cases.draws.result_messages import TellableBuyers, Told, WinnersTold
from shared.whatsapp.models import OutboundMessage, WhatsAppContact
from shared.whatsapp.services.outbox import outbox_queue
from tests import builders, meta_limits
from tests.builders import MINUTE, NOON
from tests.integration import drawn_raffles
from tests.integration.drawn_raffles import DRAW_AT, RITA, VALUE

pytestmark = pytest.mark.django_db

LATER = DRAW_AT + MINUTE


def sell_to_buyers(raffle: Raffle, count: int, **fields: object) -> list[Order]:
    """Sell the numbers from 1 on to buyers of their own."""
    return [
        drawn_raffles.sell(raffle, number, buyer=builders.create_contact(**fields))
        for number in range(1, count + 1)
    ]


def draw_raffle(
    *, buyers: int = 4, prizes: int = 1, **fields: object
) -> tuple[Raffle, list[DrawResult]]:
    raffle = drawn_raffles.create_raffle_to_draw(prizes=prizes)
    sell_to_buyers(raffle, buyers, **fields)
    drawn_raffles.seal(raffle)
    return raffle, drawn_raffles.draw(raffle)


def find_winning_order(result: DrawResult) -> Order:
    return winners.load_winners(result.raffle)[result.prize.position - 1].order


def list_keys(contact: WhatsAppContact | None = None) -> list[str]:
    messages = OutboundMessage.objects.exclude(status=OutboxStatus.STALE).order_by("pk")
    if contact is not None:
        messages = messages.filter(contact=contact)
    return list(messages.values_list("key", flat=True))


def work_off(limit: int = 100) -> None:
    while raffle_changes.continue_raffle_changes(now=LATER, limit=limit) >= limit:
        pass


def tell_everybody(raffle: Raffle) -> RaffleEvent:
    event = result_messages.tell_all_buyers(raffle.pk, by=RITA, now=DRAW_AT)
    work_off()
    return event


@pytest.mark.same_everywhere
class TestNobodyIsTold:
    def test_before_the_draw_or_before_a_person_has_confirmed_every_winner(self) -> None:
        raffle, (first, second) = draw_raffle(prizes=2)
        undrawn = drawn_raffles.create_raffle_to_draw()

        for telling in (result_messages.tell_winners, result_messages.tell_all_buyers):
            with pytest.raises(WinnerNotConfirmed):
                telling(raffle.pk, by=RITA, now=DRAW_AT)
        with pytest.raises(PrizeNotFound):
            result_messages.tell_all_buyers(undrawn.pk, by=RITA, now=DRAW_AT)
        with pytest.raises(WinnerNotConfirmed):
            result_messages.build_text_to_forward(raffle, now=DRAW_AT)
        unconfirmed = result_messages.load_winner_contacts(raffle, now=DRAW_AT)
        drawn_raffles.confirm(first)
        with pytest.raises(WinnerNotConfirmed):
            result_messages.tell_all_buyers(raffle.pk, by=RITA, now=DRAW_AT)

        assert [(each.told, each.text) for each in unconfirmed] == [(Told.NOT_CONFIRMED, "")] * 2
        assert "the seller is confirming the winner" in result_messages.build_text_to_forward(
            raffle, now=DRAW_AT
        )
        assert list_keys() == []
        assert not PrizeClaim.objects.filter(result=second).exists()


@pytest.mark.same_everywhere
class TestWinners:
    def test_are_told_once_with_what_to_do_until_when(self) -> None:
        raffle, results = draw_raffle(prizes=2)
        drawn_raffles.confirm(*results)

        told = [result_messages.tell_winners(raffle.pk, by=RITA, now=DRAW_AT) for _ in range(2)]

        assert told == [WinnersTold(2, without_chat=0), WinnersTold(0, without_chat=0)]
        assert set(PrizeClaim.objects.values_list("told_at", flat=True)) == {DRAW_AT}
        for result in results:
            order = find_winning_order(result)
            message = OutboundMessage.objects.get(contact=order.contact, key="winner")
            assert message.about == order.code
            assert meta_limits.find_message_faults(message.payload) == []
            body = message.payload["interactive"]["body"]["text"]
            ticket = raffle.format_ticket_number(result.number)
            assert f"*{ticket}* has won *{result.prize.title}* in *Summer Raffle*" in body
            assert raffle.seller_contact in body
        contacts = result_messages.load_winner_contacts(raffle, now=DRAW_AT)
        assert [each.told for each in contacts] == [Told.QUEUED] * 2
        for status, told_now in (
            (OutboxStatus.SENT, Told.SENT),
            (OutboxStatus.WITHHELD, Told.WITHHELD),
            (OutboxStatus.FAILED, Told.FAILED),
            (OutboxStatus.STALE, Told.NOT_TOLD),
        ):
            OutboundMessage.objects.update(status=status)
            listed = result_messages.load_winner_contacts(raffle, now=DRAW_AT)
            assert {each.told for each in listed} == {told_now}

    def test_are_told_again_if_their_message_was_withdrawn(self) -> None:
        raffle, results = draw_raffle(prizes=2)
        drawn_raffles.confirm(*results)
        result_messages.tell_winners(raffle.pk, by=RITA, now=DRAW_AT)
        withdrawn = OutboundMessage.objects.latest("pk")
        outbox_queue.mark_superseded(withdrawn.contact_id, about=withdrawn.about, keys=None)

        told = [result_messages.tell_winners(raffle.pk, by=RITA, now=LATER) for _ in range(2)]

        assert told == [WinnersTold(1, without_chat=0), WinnersTold(0, without_chat=0)]
        assert list_keys() == ["winner", "winner"]

    def test_without_a_chat_are_listed_with_what_to_send_them(self) -> None:
        raffle = drawn_raffles.create_raffle_to_draw()
        drawn_raffles.sell(raffle, 7)
        drawn_raffles.seal(raffle)
        drawn_raffles.confirm(*drawn_raffles.draw(raffle))

        told = result_messages.tell_winners(raffle.pk, by=RITA, now=DRAW_AT)
        (contact,) = result_messages.load_winner_contacts(raffle, now=DRAW_AT)

        assert told == WinnersTold(0, without_chat=1)
        assert (contact.ticket, contact.name, contact.phone) == ("07", "Bo Li", "+1 555 0199")
        assert contact.told is Told.NO_CHAT
        assert contact.text.startswith("Congratulations! *07* has won *a motorbike*")

    def test_who_have_claimed_or_were_erased_are_not_told(self) -> None:
        raffle, results = draw_raffle(prizes=2)
        drawn_raffles.confirm(*results)
        winners.claim_prize(results[0].pk, note="", by=RITA, now=DRAW_AT)
        erased = find_winning_order(results[1]).contact
        WhatsAppContact.objects.filter(pk=erased.pk).update(wa_id=None, erased_at=DRAW_AT)  # type: ignore[union-attr]

        assert result_messages.tell_winners(raffle.pk, by=RITA, now=DRAW_AT).told == 0
        assert list_keys() == []


class TestAllBuyers:
    def test_are_told_once_each_inside_the_window_and_winners_by_their_own_message(self) -> None:
        raffle = drawn_raffles.create_raffle_to_draw()
        orders = sell_to_buyers(raffle, 4)
        outside = drawn_raffles.sell(
            raffle, 8, buyer=builders.create_contact(last_inbound_at=NOON - timedelta(days=2))
        )
        cash = drawn_raffles.sell(raffle, 9)
        second = [
            drawn_raffles.sell(raffle, 10 + place, buyer=order.contact)
            for place, order in enumerate(orders)
        ]
        drawn_raffles.seal(raffle)
        (result,) = drawn_raffles.draw(raffle)
        drawn_raffles.confirm(result)
        won = find_winning_order(result)

        counts = result_messages.count_tellable_buyers(raffle, now=DRAW_AT)
        events = [tell_everybody(raffle), tell_everybody(raffle)]

        assert counts == TellableBuyers(inside=4, outside=1, cash=1)
        assert events[0] == events[1]
        assert RaffleEvent.objects.filter(action=RaffleAction.RESULTS_TOLD).count() == 1
        assert not RaffleEvent.objects.get(pk=events[0].pk).unfinished
        for later in second:
            (message,) = OutboundMessage.objects.filter(contact=later.contact)
            if later.contact == won.contact:
                assert (message.key, message.about) == ("winner", won.code)
            else:
                assert (message.key, message.about) == ("results_told", later.code)
        assert list_keys(outside.contact) == (["winner"] if outside == won else [])
        untold = [each.order for each in result_messages.load_untold(raffle)]
        assert untold == [order for order in (outside, cash) if order != won]
        for status in (OutboxStatus.FAILED, OutboxStatus.WITHHELD, OutboxStatus.STALE):
            losers = OutboundMessage.objects.filter(key="results_told").update(status=status)
            assert len(result_messages.load_untold(raffle)) == len(untold) + losers
        WhatsAppContact.objects.filter(pk__in=[outside.contact_id]).update(erased_at=DRAW_AT)
        counts = result_messages.count_tellable_buyers(raffle, now=DRAW_AT)
        assert counts == TellableBuyers(inside=4, outside=0, cash=1)

    def test_who_wrote_stop_are_told_by_hand(self) -> None:
        raffle = drawn_raffles.create_raffle_to_draw()
        sold = sell_to_buyers(raffle, 4)
        WhatsAppContact.objects.update(stopped_at=NOON)
        drawn_raffles.seal(raffle)
        (result,) = drawn_raffles.draw(raffle)
        drawn_raffles.confirm(result)

        counts = result_messages.count_tellable_buyers(raffle, now=DRAW_AT)
        tell_everybody(raffle)

        assert counts == TellableBuyers(inside=0, outside=4, cash=0)
        assert list_keys() == ["winner"]  # withheld: it concerns what is theirs
        assert len(result_messages.load_untold(raffle)) == len(sold) - 1

    @pytest.mark.same_everywhere
    def test_are_told_once_though_another_process_goes_on_after_some(self) -> None:
        raffle, results = draw_raffle(buyers=6)
        drawn_raffles.confirm(*results)
        event = result_messages.tell_all_buyers(raffle.pk, by=RITA, now=DRAW_AT)
        raffle_changes.continue_raffle_changes(now=LATER, limit=2)
        halfway = len(list_keys())
        result_messages.tell_all_buyers(raffle.pk, by=RITA, now=LATER)
        event.refresh_from_db()

        work_off(limit=1)

        assert event.unfinished
        assert halfway < 6
        assert sorted(list_keys()) == ["results_told"] * 5 + ["winner"]

    def test_are_told_anew_after_a_redraw_and_nothing_that_was_replaced(self) -> None:
        raffle, (result,) = draw_raffle()
        drawn_raffles.confirm(result)
        result_messages.tell_all_buyers(raffle.pk, by=RITA, now=DRAW_AT)
        again = redraw(result)
        work_off()
        replaced = list_keys()
        with pytest.raises(WinnerNotConfirmed):
            result_messages.tell_all_buyers(raffle.pk, by=RITA, now=LATER)
        drawn_raffles.confirm(again, now=LATER)
        tell_everybody(raffle)

        assert "results_told" not in replaced
        assert sorted(list_keys()) == ["results_told"] * 3 + ["winner"]
        assert list_keys(find_winning_order(again).contact) == ["winner"]

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize("status", [OutboxStatus.QUEUED, OutboxStatus.WITHHELD])
    def test_do_not_read_a_result_later_that_was_replaced_before_it_was_sent(
        self, status: OutboxStatus
    ) -> None:
        raffle, (result,) = draw_raffle()
        drawn_raffles.confirm(result)
        tell_everybody(raffle)
        OutboundMessage.objects.filter(key="results_told").update(status=status)

        again = redraw(result)
        work_off(limit=1)
        replaced = list_keys()
        drawn_raffles.confirm(again, now=LATER)
        tell_everybody(raffle)

        assert replaced == []
        assert sorted(list_keys()) == ["results_told"] * 3 + ["winner"]


def redraw(result: DrawResult) -> DrawResult:
    return drawing.redraw(
        result.pk, reason=RedrawReason.DECLINED, comment="does not want it", by=RITA, now=LATER
    )


class TestFormerWinners:
    @pytest.mark.same_everywhere
    @pytest.mark.parametrize(
        ("status", "keys"),
        [
            (OutboxStatus.SENT, ["winner", "prize_lost"]),
            (OutboxStatus.UNKNOWN, ["winner", "prize_lost"]),
            (OutboxStatus.WITHHELD, []),
            (OutboxStatus.QUEUED, []),
            (None, []),
        ],
    )
    def test_hear_of_the_redraw_only_if_they_may_have_heard_that_they_won(
        self, status: OutboxStatus | None, keys: Sequence[str]
    ) -> None:
        raffle, (result,) = draw_raffle()
        drawn_raffles.confirm(result)
        if status is not None:
            result_messages.tell_winners(raffle.pk, by=RITA, now=DRAW_AT)
            OutboundMessage.objects.update(status=status)
        former = find_winning_order(result)

        redraw(result)
        work_off()
        work_off()

        assert list_keys() == keys
        assert list_keys(former.contact) == keys

    @pytest.mark.parametrize(
        ("value", "keys"), [("cd" * 32, ["winner", "prize_lost"]), (VALUE, ["winner"])]
    )
    def test_hear_of_it_too_if_the_value_was_misread_and_somebody_else_wins(
        self, value: str, keys: Sequence[str]
    ) -> None:
        raffle, (result,) = draw_raffle()
        drawn_raffles.confirm(result)
        result_messages.tell_winners(raffle.pk, by=RITA, now=DRAW_AT)
        OutboundMessage.objects.update(status=OutboxStatus.SENT)

        source_readings.void_reading(
            result.how["readings"][0],
            reason=VoidReason.MISREAD,
            comment="a slip",
            by=RITA,
            now=LATER,
        )
        with pytest.raises(WinnerNotConfirmed):
            result_messages.tell_winners(raffle.pk, by=RITA, now=LATER)
        (again,) = drawn_raffles.draw(raffle, value=value, now=LATER)
        work_off()

        assert (again.number == result.number) == (value == VALUE)
        assert list_keys() == keys

    @pytest.mark.same_everywhere
    def test_of_another_prize_of_the_order_are_told_again_if_their_message_was_withdrawn(
        self,
    ) -> None:
        raffle = drawn_raffles.create_raffle_to_draw(prizes=2)
        buyer = builders.create_contact()
        drawn_raffles.sell(raffle, *range(1, 9), buyer=buyer)
        drawn_raffles.seal(raffle)
        first, second = drawn_raffles.draw(raffle)
        drawn_raffles.confirm(first, second)
        result_messages.tell_winners(raffle.pk, by=RITA, now=DRAW_AT)

        redraw(first)
        work_off()
        told = result_messages.tell_winners(raffle.pk, by=RITA, now=LATER)

        assert told.told == 1
        (message,) = OutboundMessage.objects.exclude(status=OutboxStatus.STALE)
        assert "*a helmet*" in message.payload["interactive"]["body"]["text"]
