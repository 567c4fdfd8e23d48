"""Tests of enums in the API: every member is documented where API users look for it."""

from enum import StrEnum
from typing import Final

import pytest
from pydantic import BaseModel

from backoffice.api import scopes
from backoffice.api.late_decisions import ACTION_PER_DECISION, LatePaymentDecision
from backoffice.api.responses import draws, events, orders, raffles, statistics
from backoffice.api.serializers.order_decisions import ResolutionSerializer
from shared.core.enums import (
    ActorKind,
    DrawMethod,
    EventDeliveryStatus,
    OrderStatus,
    OutboxStatus,
    RaffleStatus,
    RedrawReason,
    Scope,
    SourceKind,
    TicketStatus,
    UnsoldRule,
    VoidReason,
)
from shared.publishing import draw_representations, event_payloads
from tests.cases import walk_cases

DESCRIBED: Final[list[tuple[type[BaseModel], str, type[StrEnum]]]] = [
    (events.DeliveryResponse, "status", EventDeliveryStatus),
    (orders.ActorResponse, "kind", ActorKind),
    (orders.ConfirmationResponse, "buyer_notified", OutboxStatus),
    (orders.CancellationResponse, "buyer_notified", OutboxStatus),
    (orders.RejectionResponse, "buyer_notified", OutboxStatus),
    (orders.ResolutionResponse, "buyer_notified", OutboxStatus),
    (orders.UndoResponse, "buyer_notified", OutboxStatus),
    (orders.OrderRefundResponse, "buyer_notified", OutboxStatus),
    (orders.ResolutionResponse, "decision", LatePaymentDecision),
    (raffles.RaffleResponse, "status", RaffleStatus),
    (raffles.AvailabilityResponse, "status", RaffleStatus),
    (raffles.NumberRangeResponse, "status", TicketStatus),
    (statistics.RaffleFiguresResponse, "status", RaffleStatus),
    (event_payloads.ChangedRaffle, "status", RaffleStatus),
    (raffles.RaffleResponse, "draw_method", DrawMethod),
    (draws.DrawResponse, "method", DrawMethod),
    (draws.DrawRulesResponse, "unsold_rule", UnsoldRule),
    (draws.SourceReadingResponse, "void_reason", VoidReason),
    (draw_representations.SealedDraw, "method", DrawMethod),
    (draw_representations.SourceDate, "kind", SourceKind),
    (draw_representations.DrawnPrize, "reason", RedrawReason),
]
"""Fields whose description lists all members of an enum."""


@walk_cases(
    ("model", "field", "member"),
    [(model, field, member) for model, field, kind in DESCRIBED for member in kind],
)
def test_the_description_of_a_field_names_each_member(
    model: type[BaseModel], field: str, member: StrEnum
) -> None:
    assert member.lower() in str(model.model_fields[field].description).lower()


@pytest.mark.parametrize("status", OrderStatus)
def test_statistics_count_the_orders_of_each_status(status: OrderStatus) -> None:
    assert status.lower() in statistics.OrderCountsResponse.model_fields


@pytest.mark.parametrize("status", TicketStatus)
def test_counts_of_numbers_have_each_status(status: TicketStatus) -> None:
    assert status.lower() in statistics.NumberCountsResponse.model_fields
    assert status.lower() in raffles.AvailabilityResponse.model_fields


@pytest.mark.parametrize("decision", LatePaymentDecision)
def test_each_decision_about_a_late_payment_is_accepted_and_leads_to_an_action(
    decision: LatePaymentDecision,
) -> None:
    body = {"decision": decision.value, "note": "Sent back on Monday"}

    assert ResolutionSerializer(data=body).is_valid()
    assert decision in ACTION_PER_DECISION


@pytest.mark.parametrize("scope", Scope)
def test_each_scope_includes_itself_and_reading(scope: Scope) -> None:
    assert {scope, Scope.READ} <= scopes.INCLUDED_SCOPES[scope]


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope is not Scope.ADMIN])
def test_each_scope_but_that_of_superusers_has_a_permission(scope: Scope) -> None:
    assert scope in scopes.PERMISSION_PER_SCOPE
