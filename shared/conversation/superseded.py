"""Withdrawal of messages that a change of their order makes untrue.

A buyer who is told twice is told what is true now: in the transaction that changes an order, the
messages about its old state that were not sent yet are withdrawn. Each change is recorded before
the message about it is queued, so only older messages are withdrawn.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from django.dispatch import receiver

from shared.core.enums import OrderAction
from shared.raffles.models import Order
from shared.raffles.signals import order_changed
from shared.whatsapp.services.outbox import outbox_queue

_NO_KEYS: Final[Collection[str]] = ()
_ALL_KEYS: Final = None
_KEYS_ASKING_FOR_PROOF: Final = (
    "held",
    "more_time",
    "how_to_pay",
    "still_to_pay",
    "rejected",
    "asked_again",
    "back_again",
    "sale_stopped",
)
"""Keys of texts that ask for a confirmation, a payment or a proof.

Acknowledgements are not among them: of an album, only the first picture is acknowledged.
"""

UNTRUE_KEYS_BY_ACTION: Final[Mapping[OrderAction, Collection[str] | None]] = {
    OrderAction.HELD: _NO_KEYS,  # the order is new
    OrderAction.PLACED: ("held", "sale_stopped", "more_time"),
    OrderAction.PROOF_RECEIVED: _KEYS_ASKING_FOR_PROOF,
    OrderAction.ASKED_AGAIN: _ALL_KEYS,
    OrderAction.PROOF_REJECTED: _ALL_KEYS,
    OrderAction.PROOF_MOVED: _ALL_KEYS,
    OrderAction.PROOF_DISMISSED: _NO_KEYS,
    OrderAction.PAID: _ALL_KEYS,
    OrderAction.CANCELLED: _ALL_KEYS,
    OrderAction.EXPIRED: _ALL_KEYS,
    OrderAction.NUMBERS_TAKEN_BACK: _ALL_KEYS,
    OrderAction.NUMBERS_REPLACED: _ALL_KEYS,
    OrderAction.LATE_PAYMENT: _ALL_KEYS,
    OrderAction.REFUND_NOTED: _ALL_KEYS,
    OrderAction.UNCONFIRMED: _ALL_KEYS,
    OrderAction.REFUNDED: _ALL_KEYS,
    OrderAction.CONTACT_CHANGED: _NO_KEYS,  # the order is as it was
    OrderAction.REVIEW_ENDED: _ALL_KEYS,
    OrderAction.TIME_EXTENDED: _NO_KEYS,  # the deadline they name is still early enough
    OrderAction.ERASED: _NO_KEYS,  # the messages are erased, too, or belong to another order
    OrderAction.NOTE_ADDED: _NO_KEYS,
    OrderAction.TIME_GIVEN: ("more_time",),  # other texts name a deadline that is early enough
}
"""Keys of the texts about an order that each action makes untrue; None: all of them."""


@receiver(order_changed)
def withdraw_untrue_messages(*, order: Order, action: OrderAction, **_: Any) -> None:
    """Withdraw the messages to an order's buyer that the action makes untrue."""
    keys = UNTRUE_KEYS_BY_ACTION[action]
    if order.contact_id is not None and (keys is None or keys):
        outbox_queue.mark_superseded(order.contact_id, about=str(order), keys=keys)
