"""Tests of the labels, colours and sentences for enum members on the order pages."""

from collections.abc import Collection
from enum import StrEnum

import pytest

from backoffice.orders import detail_page, last_decision, proof_admin, summary, timeline
from backoffice.orders.changelist import bulk_actions
from backoffice.orders.changelist.bulk_confirmation import BulkAction
from backoffice.orders.exports import view
from backoffice.orders.exports.selection import ExportKind
from backoffice.orders.proofs import proof_cards
from backoffice.orders.proofs.proof_cards import ProofDisplay
from shared.core.enums import (
    ActorKind,
    FileFailure,
    LedgerKind,
    OrderAction,
    OrderStatus,
    RenditionStatus,
    Verdict,
)

NOT_DECISIONS = {
    OrderAction.CONTACT_CHANGED,
    OrderAction.HELD,
    OrderAction.PLACED,
    OrderAction.PROOF_RECEIVED,
    OrderAction.NUMBERS_TAKEN_BACK,
    OrderAction.REVIEW_ENDED,
    OrderAction.TIME_EXTENDED,
    OrderAction.ERASED,
    OrderAction.NOTE_ADDED,
    OrderAction.TIME_GIVEN,
}


@pytest.mark.parametrize(
    ("labelled", "members"),
    [
        (summary.ORDER_STATUS_STYLES, OrderStatus),
        (timeline.ACTION_LABELS, OrderAction),
        (timeline._ACTOR_BADGES, ActorKind),
        (detail_page.LEDGER_KIND_LABELS, LedgerKind),
        ({*last_decision._ACTION_PHRASES, *NOT_DECISIONS}, OrderAction),
        (proof_cards._VERDICT_STYLES, Verdict),
        (proof_cards.PROOF_DISPLAY_LABELS, ProofDisplay),
        (proof_cards.FAILURE_SENTENCES, FileFailure),
        (proof_cards.HIDDEN_SENTENCES, RenditionStatus),
        (proof_admin._FILE_LABELS, ProofDisplay),
        (bulk_actions._CONFIRMATION_TITLES, BulkAction),
        (view._KIND_LABELS, ExportKind),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_no_member_is_without_its_label(
    labelled: Collection[StrEnum], members: type[StrEnum]
) -> None:
    assert set(labelled) == set(members)


@pytest.mark.parametrize("action", OrderAction)
def test_an_action_is_a_decision_or_is_not(action: OrderAction) -> None:
    assert (action in last_decision._ACTION_PHRASES) != (action in NOT_DECISIONS)
