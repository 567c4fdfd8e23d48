"""Tests that labels, badges and advice cover every member of their enums."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import pytest

from backoffice.automation import event_labels, token_labels
from backoffice.messaging import (
    alarm_advice,
    chat_view,
    delivery_reasons,
    inbox_admin,
    message_page,
    outbox_admin,
)
from backoffice.messaging.contacts import contact_page
from backoffice.orders import source_labels
from backoffice.raffles import filters, history, ledger_admin, number_map, status
from backoffice.raffles.draws import (
    next_steps,
    pages,
    result_page,
    rules_forms,
    tell_page,
    value_forms,
)
from shared.core.enums import (
    ActorKind,
    DrawMethod,
    EventDeliveryStatus,
    EventType,
    InboxStatus,
    LedgerKind,
    MessageDeliveryStatus,
    OrderSourceKind,
    OrderStatus,
    OutboxStatus,
    RaffleAction,
    RaffleStatus,
    RedrawReason,
    Scope,
    SilenceReason,
    State,
    TicketStatus,
    UnsoldRule,
    VoidReason,
)
from shared.use_cases.draws.result_messages import Told
from shared.whatsapp.content import ContentKind
from tests import stable_names
from tests.cases import walk_cases

MAPPINGS: Mapping[str, tuple[type[StrEnum], Mapping[Any, object]]] = {
    "labels of event types": (EventType, event_labels.EVENT_TYPE_LABELS),
    "badges of event deliveries": (EventDeliveryStatus, event_labels.DELIVERY_STATUS_BADGES),
    "labels of token scopes": (Scope, token_labels.SCOPE_LABELS),
    "ticks of outbound messages": (OutboxStatus, chat_view.TICK_BY_OUTBOX_STATUS),
    "labels of sources": (OrderSourceKind, source_labels.SOURCE_KIND_LABELS),
    "labels of ticks": (chat_view.DeliveryTick, chat_view.TICK_LABELS),
    "labels of silence": (SilenceReason, chat_view.SILENCE_REASON_LABELS),
    "labels of conversation states": (State, contact_page.CONVERSATION_STATE_LABELS),
    "badges of a contact's orders": (OrderStatus, contact_page.ORDER_STATUS_BADGES),
    "badges of outbound messages": (OutboxStatus, delivery_reasons.OUTBOX_STATUS_BADGES),
    "badges of delivered messages": (MessageDeliveryStatus, delivery_reasons.DELIVERY_BADGES),
    "labels of delivery statuses": (MessageDeliveryStatus, message_page.DELIVERY_LABELS),
    "badges of inbound messages": (InboxStatus, message_page.INBOX_STATUS_BADGES),
    "filter of inbound messages": (InboxStatus, inbox_admin.InboxStateFilter.answers),
    "filter of outbound messages": (OutboxStatus, outbox_admin.OutboxStateFilter.answers),
    "badges of raffle statuses": (RaffleStatus, status.RAFFLE_STATUS_BADGES),
    "filter of raffles": (RaffleStatus, filters.RaffleStatusFilter.answers),
    "labels of a raffle's history": (RaffleAction, history.RAFFLE_ACTION_LABELS),
    "labels of a raffle's actors": (ActorKind, history.ACTOR_LABELS),
    "badges of ledger entries": (LedgerKind, ledger_admin.LEDGER_KIND_BADGES),
    "labels of ticket statuses": (TicketStatus, number_map.TICKET_STATE_LABELS),
    "labels of draw methods": (DrawMethod, rules_forms.METHOD_LABELS),
    "labels of rules for unsold numbers": (UnsoldRule, rules_forms.UNSOLD_LABELS),
    "labels of ready sources": (rules_forms.SourcePreset, rules_forms.PRESET_LABELS),
    "labels of reasons for void values": (VoidReason, value_forms.VOID_LABELS),
    "labels of reasons for a redraw": (RedrawReason, result_page.REDRAW_LABELS),
    "labels of what winners heard": (Told, tell_page.TOLD_LABELS),
    "pages of a draw by status": (RaffleStatus, pages.PAGES_BY_STATUS),
    "pages and buttons of a draw's steps": (next_steps.DrawStep, next_steps.STEPS),
}


@walk_cases("name", MAPPINGS)
def test_has_every_member(name: str) -> None:
    members, mapping = MAPPINGS[name]

    assert set(mapping) == {member.value for member in members}


@pytest.mark.parametrize("kind", ContentKind)
def test_content_other_than_text_and_taps_has_a_label(kind: ContentKind) -> None:
    plain = kind in {ContentKind.TEXT, ContentKind.TAP}

    assert (kind in chat_view.CONTENT_KIND_LABELS) is not plain


def test_every_kind_of_alarm_has_advice() -> None:
    kinds = {key.partition(":")[0] for key in stable_names.load()["alarm keys"]["names"]}

    assert set(alarm_advice.ADVICE_BUILDERS) == kinds


def test_every_status_without_sale_has_a_reason() -> None:
    statuses = {each.lower() for each in RaffleStatus if each != RaffleStatus.OPEN}

    assert set(status.NOT_SELLING_REASONS) == {*statuses, "not_yet", "over"}
