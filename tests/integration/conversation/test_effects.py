"""Every effect that a step can ask for is carried out."""

from collections.abc import Callable, Mapping
from typing import Final, get_args

import pytest

from shared.conversation.conversation_events import (
    EffectOutcome,
    NameConsentSaved,
    NumbersHeld,
    OrderCancelled,
    OrderPlaced,
    ProofAddedToOrder,
    ProofWithoutOrder,
)
from shared.conversation.effects import InboundTurn, carry_out_effect
from shared.conversation.values import (
    AssignProof,
    CancelOwnOrder,
    Effect,
    HoldNumbers,
    HoldRandom,
    KeepProof,
    PlaceOrder,
    SaveNameConsent,
)
from shared.raffles.models import Order, PaymentProof
from shared.whatsapp.services.inbox import contacts
from tests import builders
from tests.integration import drawn_raffles
from tests.integration.conversation.chat import BuyerChat

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("check_inventory_after")]

type Arranged = tuple[Effect, type[EffectOutcome]]


def hold_random(_: BuyerChat, raffle_id: int) -> Arranged:
    return HoldRandom(raffle_id, 3), NumbersHeld


def hold_numbers(_: BuyerChat, raffle_id: int) -> Arranged:
    return HoldNumbers(raffle_id, (7, 13)), NumbersHeld


def place_order(chat: BuyerChat, _: int) -> Arranged:
    chat.says("3 random")
    return PlaceOrder(chat.order().pk), OrderPlaced


def cancel_own_order(chat: BuyerChat, _: int) -> Arranged:
    return CancelOwnOrder(chat.buys().pk), OrderCancelled


def keep_proof(_: BuyerChat, __: int) -> Arranged:
    return KeepProof(None), ProofWithoutOrder


def assign_proof(chat: BuyerChat, _: int) -> Arranged:
    chat.sends_picture()
    order = chat.buys()
    return AssignProof(PaymentProof.objects.get().pk, order.pk), ProofAddedToOrder


def save_name_consent(chat: BuyerChat, _: int) -> Arranged:
    raffle = drawn_raffles.create_raffle_to_draw()
    drawn_raffles.sell(raffle, 7, buyer=chat.contact)
    drawn_raffles.seal(raffle)
    (result,) = drawn_raffles.draw(raffle)
    drawn_raffles.confirm(result)
    return SaveNameConsent(result.pk, consent=True), NameConsentSaved


ARRANGED: Final[Mapping[type, Callable[[BuyerChat, int], Arranged]]] = {
    HoldRandom: hold_random,
    HoldNumbers: hold_numbers,
    PlaceOrder: place_order,
    CancelOwnOrder: cancel_own_order,
    KeepProof: keep_proof,
    AssignProof: assign_proof,
    SaveNameConsent: save_name_consent,
}


@pytest.mark.parametrize("kind", get_args(Effect.__value__))
def test_every_effect_has_its_outcome(kind: type) -> None:
    raffle = builders.create_raffle()
    chat = BuyerChat()
    effect, expected = ARRANGED[kind](chat, raffle.pk)
    message = chat.receives("image", {"image": {"id": "media0", "mime_type": "image/jpeg"}})
    turn = InboundTurn(contacts.lock_contact(chat.contact.pk), message, chat.now, 12345)

    outcome = carry_out_effect(effect, turn)

    assert type(outcome) is expected
    assert Order.objects.filter(contact=chat.contact).exists() == (kind is not KeepProof)
