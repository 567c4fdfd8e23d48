"""Holds with a second choice or with kept numbers, alone and with those of other buyers."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from django.db import connections, transaction

from shared.conversation import effects
from shared.conversation.conversation_events import EffectOutcome, EffectRefused, NumbersHeld
from shared.conversation.effects import InboundTurn
from shared.conversation.values import Effect, HoldNumbers, HoldRandom
from shared.core.enums import OrderStatus
from shared.raffles.models import Order, Raffle
from shared.raffles.services.ticket_numbers import inventory
from shared.whatsapp.models import WhatsAppContact
from shared.whatsapp.services.inbox import contacts
from tests import builders
from tests.integration.conversation.chat import BuyerChat


def carry_out(
    wishes: Sequence[tuple[BuyerChat, Effect]], *, pivot: int = 12345
) -> list[EffectOutcome | None]:
    """Carry out the effects of several buyers in one transaction, as a batch does."""
    messages = [chat.receives("text", {"text": {"body": "…"}}) for chat, _ in wishes]
    with transaction.atomic():
        locked = contacts.lock_free_contacts([chat.contact.pk for chat, _ in wishes])
        turns = [
            (effect, InboundTurn(locked[chat.contact.pk], message, chat.now, pivot))
            for (chat, effect), message in zip(wishes, messages, strict=True)
        ]
        return effects.carry_out_effects(turns)


def list_held(contact: WhatsAppContact) -> list[int]:
    order = Order.objects.filter(contact=contact, status=OrderStatus.DRAFT).first()
    return order.list_ticket_numbers() if order is not None else []


@pytest.mark.django_db
@pytest.mark.usefixtures("check_inventory_after")
class TestSecondChoice:
    def test_is_held_if_numbers_of_the_first_are_taken(self) -> None:
        raffle, ana, ben = builders.create_raffle(), BuyerChat(), BuyerChat()
        carry_out([(ana, HoldNumbers(raffle.pk, (7,)))])

        (outcome,) = carry_out([(ben, HoldNumbers(raffle.pk, (7, 8), otherwise=(17,)))])

        assert outcome == NumbersHeld(ben.order().pk, taken=(7,))
        assert list_held(ben.contact) == [17]

    def test_is_decided_by_what_buyers_of_the_same_batch_took(self) -> None:
        raffle, ana, ben, eva = builders.create_raffle(), BuyerChat(), BuyerChat(), BuyerChat()
        wish = HoldNumbers(raffle.pk, (7,), otherwise=(17,))

        outcomes = carry_out([(ana, wish), (ben, wish), (eva, wish)])

        assert outcomes[:2] == [
            NumbersHeld(ana.order().pk),
            NumbersHeld(ben.order().pk, taken=(7,)),
        ]
        assert isinstance(outcomes[2], EffectRefused)
        assert outcomes[2].details == {
            "taken": [7, 17], "free": [], "neighbours": [5, 6, 8, 9, 16, 18],
        }  # fmt: skip
        assert not Order.objects.filter(contact=eva.contact).exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("check_inventory_after")
class TestKeptNumbers:
    def test_stay_while_random_ones_are_added(self) -> None:
        raffle, ana, ben = builders.create_raffle(), BuyerChat(), BuyerChat()
        carry_out([(ana, HoldNumbers(raffle.pk, (7, 13)))])
        first = ana.order()

        more = HoldRandom(raffle.pk, 4, replacing=first.pk, keeping=(7, 13))
        outcomes = carry_out([(ana, more), (ben, HoldRandom(raffle.pk, 2))])

        assert outcomes == [NumbersHeld(ana.order().pk), NumbersHeld(ben.order().pk)]
        assert len(list_held(ana.contact)) == 4
        assert {7, 13} <= set(list_held(ana.contact))

    def test_stay_if_too_few_others_are_left(self) -> None:
        raffle, ana = builders.create_raffle(numbers=3), BuyerChat()
        carry_out([(ana, HoldNumbers(raffle.pk, (1, 2)))])

        more = HoldRandom(raffle.pk, 4, replacing=ana.order().pk, keeping=(1, 2))
        (outcome,) = carry_out([(ana, more)])

        assert outcome == EffectRefused("too_few_left", {"available": 3, "kept": 2})
        assert list_held(ana.contact) == [1, 2]


@pytest.mark.django_db(transaction=True)
@pytest.mark.acceptance
def test_batches_of_overlapping_choices_never_wait_for_each_other() -> None:
    """Each round of each worker is a batch of buyers who want the same few numbers."""
    raffle = builders.create_raffle(numbers=24)
    workers, rounds, buyers = 4, 5, 4
    chats = [[BuyerChat() for _ in range(buyers)] for _ in range(workers)]

    def take_turns(worker: int) -> list[EffectOutcome | None]:
        dice, outcomes = Random(worker), list[EffectOutcome | None]()
        try:
            for _ in range(rounds):
                wishes = [(chat, choose_effect(raffle, chat, dice)) for chat in chats[worker]]
                outcomes += carry_out(wishes, pivot=dice.randrange(2**31))
        finally:
            connections.close_all()
        return outcomes

    with ThreadPoolExecutor(workers) as threads:
        done = [threads.submit(take_turns, worker) for worker in range(workers)]
        outcomes = [outcome for each in done for outcome in each.result(timeout=60)]

    assert len(outcomes) == workers * rounds * buyers
    assert any(
        isinstance(outcome, EffectRefused) or (isinstance(outcome, NumbersHeld) and outcome.taken)
        for outcome in outcomes
    ), "they never wanted the same numbers"
    assert {outcome.code for outcome in outcomes if isinstance(outcome, EffectRefused)} <= {
        "numbers_taken",
        "too_few_left",
    }
    assert inventory.find_inventory_problems() == []


def choose_effect(raffle: Raffle, chat: BuyerChat, dice: Random) -> Effect:
    """Return a hold of numbers that many want, in any order, with a second choice or without."""
    held = list_held(chat.contact)
    if held and dice.random() < 0.4:
        draft = Order.objects.get(contact=chat.contact, status=OrderStatus.DRAFT)
        kept = tuple(held[: dice.randint(1, len(held))])
        return HoldRandom(raffle.pk, len(kept) + 1, replacing=draft.pk, keeping=kept)
    if dice.random() < 0.2:
        return HoldRandom(raffle.pk, dice.randint(1, 3))
    numbers, others = (
        tuple(dice.sample(range(1, 13), dice.randint(1, 3))) for _ in ("first", "second")
    )
    return HoldNumbers(raffle.pk, numbers, otherwise=others if dice.random() < 0.7 else ())
