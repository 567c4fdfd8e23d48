"""Every action is sorted into the groups of actions that decide about an order."""

from collections.abc import Collection, Mapping
from itertools import product
from typing import Final

from backoffice.api import already_done
from backoffice.orders import timeline
from shared.core.enums import OrderAction
from shared.raffles.services import orders
from shared.raffles.services.payment_decisions import late_payments
from tests.cases import walk_cases

GROUPS: Final[Mapping[str, tuple[Collection[OrderAction], set[OrderAction]]]] = {
    "end of an order": (
        orders._ENDING_ACTIONS,
        {
            OrderAction.CONTACT_CHANGED,
            OrderAction.HELD,
            OrderAction.REVIEW_ENDED,
            OrderAction.TIME_EXTENDED,
            OrderAction.ERASED,
            OrderAction.NOTE_ADDED,
            OrderAction.TIME_GIVEN,
            OrderAction.UNCONFIRMED,
            OrderAction.PLACED,
            OrderAction.PROOF_RECEIVED,
            OrderAction.PAID,
            OrderAction.NUMBERS_TAKEN_BACK,
            OrderAction.NUMBERS_REPLACED,
            OrderAction.ASKED_AGAIN,
            OrderAction.LATE_PAYMENT,
        },
    ),
    "decision about a late payment": (
        late_payments._DECISION_ACTIONS,
        {
            OrderAction.CONTACT_CHANGED,
            OrderAction.HELD,
            OrderAction.REVIEW_ENDED,
            OrderAction.TIME_EXTENDED,
            OrderAction.ERASED,
            OrderAction.NOTE_ADDED,
            OrderAction.TIME_GIVEN,
            OrderAction.UNCONFIRMED,
            OrderAction.REFUNDED,
            OrderAction.PLACED,
            OrderAction.PROOF_RECEIVED,
            OrderAction.CANCELLED,
            OrderAction.EXPIRED,
            OrderAction.NUMBERS_REPLACED,  # PAID follows
            OrderAction.ASKED_AGAIN,
            OrderAction.LATE_PAYMENT,
        },
    ),
    "end of a rejection": (
        already_done._ACTIONS_ENDING_REJECTION,
        {
            OrderAction.CONTACT_CHANGED,
            OrderAction.HELD,
            OrderAction.REVIEW_ENDED,
            OrderAction.TIME_EXTENDED,
            OrderAction.ERASED,
            OrderAction.NOTE_ADDED,
            OrderAction.TIME_GIVEN,
            OrderAction.UNCONFIRMED,
            OrderAction.REFUNDED,
            OrderAction.PLACED,
            OrderAction.CANCELLED,
            OrderAction.EXPIRED,
            OrderAction.NUMBERS_TAKEN_BACK,
            OrderAction.NUMBERS_REPLACED,
            OrderAction.ASKED_AGAIN,
        },
    ),
    "end of a decision about a late payment": (
        already_done._ACTIONS_ENDING_DECISION,
        {
            OrderAction.CONTACT_CHANGED,
            OrderAction.HELD,
            OrderAction.REVIEW_ENDED,
            OrderAction.TIME_EXTENDED,
            OrderAction.ERASED,
            OrderAction.NOTE_ADDED,
            OrderAction.TIME_GIVEN,
            OrderAction.UNCONFIRMED,
            OrderAction.REFUNDED,
            OrderAction.PLACED,
            OrderAction.PROOF_RECEIVED,
            OrderAction.PAID,
            OrderAction.CANCELLED,
            OrderAction.EXPIRED,
            OrderAction.ASKED_AGAIN,
        },
    ),
    "colour in the history": (
        timeline._ACTION_TONES,
        {
            OrderAction.CONTACT_CHANGED,
            OrderAction.HELD,
            OrderAction.REVIEW_ENDED,
            OrderAction.TIME_EXTENDED,
            OrderAction.ERASED,
            OrderAction.NOTE_ADDED,
            OrderAction.TIME_GIVEN,
            OrderAction.PLACED,
            OrderAction.PROOF_RECEIVED,
            OrderAction.NUMBERS_TAKEN_BACK,
            OrderAction.NUMBERS_REPLACED,
            OrderAction.PROOF_MOVED,
            OrderAction.PROOF_DISMISSED,
            OrderAction.ASKED_AGAIN,
            OrderAction.REFUND_NOTED,
        },
    ),
}
"""By group: the actions that are in it, and those that are not."""


@walk_cases(("group", "action"), product(GROUPS, OrderAction))
def test_every_action_is_in_a_group_or_known_not_to_be(group: str, action: OrderAction) -> None:
    members, others = GROUPS[group]

    assert (action in members) != (action in others), f"Is {action} in the group “{group}”?"
