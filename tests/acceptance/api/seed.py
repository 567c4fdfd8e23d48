"""Sample data for every URL of the API, with orders at every stage."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from backoffice.api import tokens
from shared.core.enums import OrderAction, RaffleStatus, Scope
from shared.events.models import EventDelivery
from shared.events.services import endpoints
from shared.publishing import recorder
from shared.raffles.models import Order, Raffle
from shared.raffles.services import locks, orders
from shared.use_cases import payments
from tests import builders, draw_builders
from tests.builders import MINUTE, NOON
from tests.integration.backoffice import sample_data


@dataclass
class SeededApi:
    """The tokens, order codes and ids that were created.

    `codes` and `ids` are keyed by what each row is used for.
    """

    token: str
    draw_token: str
    codes: dict[str, str] = field(default_factory=dict)
    ids: dict[str, Any] = field(default_factory=dict)


def seed_database() -> SeededApi:
    """Create raffles, orders, proofs, an endpoint, events, deliveries and two tokens."""
    raffle = builders.create_raffle(
        numbers=1000, first_number=0, draw_at=datetime.now(UTC) + timedelta(days=20)
    )
    closed = builders.create_raffle(title="Harbour Raffle", numbers=20, status=RaffleStatus.CLOSED)
    endpoint = endpoints.create_endpoint(
        name="n8n",
        url="https://n8n.example/webhook/raffle",
        by="olga",
        allow_private=False,
        now=NOON,
    )
    token = tokens.issue_token(name="n8n", scope=Scope.ADMIN, by="olga", now=NOON)
    User.objects.create_superuser("olga", password="correct-horse-battery")
    draws = tokens.issue_token(name="draws", scope=Scope.DRAW, by="olga", now=NOON)
    made = SeededApi(token.text, draw_token=draws.text)
    for place, name in enumerate(("confirm", "cancel", "reject", "spare", "paid")):
        order = _create_order_to_review(raffle, numbers=[7 + place * 10, 13 + place * 10])
        made.codes[name] = str(order.code)
        made.ids[name] = order.pk
    payments.confirm_payment(
        made.ids["paid"], by=builders.build_staff_actor(), now=NOON + 5 * MINUTE
    )
    made.codes["late"] = _create_late_order(raffle)
    wrong, right = (sample_data.place_order(raffle, numbers=[number]) for number in (207, 217))
    moved = sample_data.keep_proof_file(
        sample_data.receive_proof(wrong), content=sample_data.draw_picture("green")
    )
    made.codes |= {"wrong order": str(wrong.code), "right order": str(right.code)}
    made.ids["moved proof"] = moved.pk
    sample_data.hold_numbers(raffle, numbers=[950])
    friend = builders.create_contact(profile_name="A friend")
    orphan = sample_data.keep_proof_file(sample_data.receive_proof(None, contact_id=friend.pk))
    for place, name in enumerate(("undo", "refund")):
        order = _create_order_to_review(raffle, numbers=[57 + place * 10, 63 + place * 10])
        payments.confirm_payment(
            order.pk, by=builders.build_staff_actor(), now=NOON + timedelta(hours=2)
        )
        made.codes[name] = str(order.code)
        made.ids[f"{name} confirmation"] = order.events.get(action=OrderAction.PAID).pk
    recorder.sequence_events(now=NOON + timedelta(hours=3))
    EventDelivery.objects.filter(endpoint=endpoint).update(
        status="FAILED",
        attempts=11,
        next_attempt_at=None,
        http_status=404,
        latency_ms=84,
        error="The receiver answered 404.",
    )
    made.ids |= {
        "raffle": raffle.pk,
        "closed": closed.pk,
        "sealed": _create_sealed_raffle().pk,
        "proof": Order.objects.get(pk=made.ids["confirm"]).proofs.get().pk,
        "orphan": orphan.pk,
        "endpoint": endpoint.pk,
        "delivery": EventDelivery.objects.order_by("id").values_list("pk", flat=True)[0],
    }
    return made


def _create_order_to_review(raffle: Raffle, *, numbers: list[int]) -> Order:
    """Create an order whose proof waits for a decision."""
    order = sample_data.place_order(
        raffle, numbers=numbers, buyer=builders.create_contact(profile_name="Ana")
    )
    sample_data.keep_proof_file(
        sample_data.receive_proof(order), content=sample_data.draw_picture(f"#{order.pk:06x}")
    )
    return order


def _create_sealed_raffle() -> Raffle:
    """Create a sealed raffle whose source has just spoken."""
    raffle = draw_builders.create_raffle_with_rules(
        title="Spring Raffle", draw_at=datetime.now(UTC).replace(microsecond=0)
    )
    ana = builders.create_contact(profile_name="Ana")
    draw_builders.sell_numbers(raffle, 3, 7, 13, buyer=ana)
    draw_builders.seal_raffle(raffle)
    return raffle


def _create_late_order(raffle: Raffle) -> str:
    """Create an expired order with a late payment; one of its numbers has a new owner."""
    order = sample_data.place_order(raffle, numbers=[901, 902])
    with transaction.atomic():
        orders.expire(locks.lock_order(order.pk), now=NOON + timedelta(hours=1))
    sample_data.place_order(raffle, numbers=[902])
    late = sample_data.receive_proof(order, at=NOON + timedelta(hours=2))
    sample_data.keep_proof_file(late, content=sample_data.draw_picture("navy"))
    return str(order.code)
