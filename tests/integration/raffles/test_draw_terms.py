"""Tests of opening, sealing, calling off and moving the draw of a raffle, refusal by refusal."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.transaction import TransactionManagementError

from shared.core import config
from shared.core.enums import DrawMethod, OrderStatus, RaffleAction, RaffleStatus, SourceKind
from shared.core.errors import DomainError
from shared.raffles import sale_rules
from shared.raffles.draws.draw_errors import LegalDetailsMissing, RulesInvalid, SourceDateNamed
from shared.raffles.draws.draw_models import DrawRules
from shared.raffles.errors import (
    DrawDateMissing,
    DrawDateNotAhead,
    DrawDatePassed,
    NoteMissing,
    NoteTooLong,
    OrdersUnsettled,
    RaffleNotFound,
    SalesEndNotAhead,
    TimeZoneNotConfirmed,
    TransitionNotAllowed,
)
from shared.raffles.models import Order, Raffle, RaffleEvent
from shared.raffles.services import lifecycle, locks
from shared.raffles.services.draws import draw_rules, sealed_lists
from shared.raffles.services.draws.draw_rules import ChosenRules, ChosenSource
from tests import builders
from tests.builders import DRAW, MINUTE, NOON, build_staff_actor
from tests.cases import walk_cases
from tests.integration.raffles import order_states

pytestmark = pytest.mark.django_db

BY_STAFF: dict[str, Any] = {"by": build_staff_actor(), "now": NOON}
HOUR = timedelta(hours=1)


def move_draw(
    raffle: Raffle, draw_at: datetime | None, *, reason: str = "The rain.", now: datetime = NOON
) -> Raffle:
    return lifecycle.move_draw(
        raffle.pk, draw_at=draw_at, reason=reason, by=build_staff_actor(), now=now
    )


class TestOpen:
    @walk_cases("status", [RaffleStatus.DRAFT, RaffleStatus.PAUSED])
    @walk_cases(
        ("fields", "error"),
        [
            ({"draw_at": None}, DrawDateMissing),
            ({"draw_at": NOON}, DrawDateNotAhead),
            ({"draw_at": NOON - MINUTE}, DrawDateNotAhead),
            ({"time_zone_confirmed": False}, TimeZoneNotConfirmed),
            ({"sales_close_at": NOON}, SalesEndNotAhead),
            ({"draw_at": NOON + HOUR}, SalesEndNotAhead),
            (
                {"draw_at": None, "draw_when_sold_out": True, "sales_close_at": NOON},
                SalesEndNotAhead,
            ),
        ],
    )
    def test_refuses_terms_that_are_incomplete_or_over(
        self, status: RaffleStatus, fields: dict[str, Any], error: type[DomainError]
    ) -> None:
        raffle = builders.create_raffle(numbers=3, status=status, **fields)

        with pytest.raises(error):
            lifecycle.open_raffle(raffle.pk, **BY_STAFF)

        raffle.refresh_from_db()
        assert raffle.status == status
        assert not RaffleEvent.objects.exists()

    @pytest.mark.parametrize(
        "fields",
        [
            {"draw_at": None, "draw_when_sold_out": True},
            {"draw_at": NOON + HOUR + MINUTE},
            {"draw_at": NOON + MINUTE, "sales_close_at": NOON + MINUTE},
        ],
    )
    def test_accepts_a_draw_ahead_or_the_choice_of_none(self, fields: dict[str, Any]) -> None:
        raffle = builders.create_raffle(numbers=3, status=RaffleStatus.DRAFT, **fields)

        assert lifecycle.open_raffle(raffle.pk, **BY_STAFF).status == RaffleStatus.OPEN

    def test_writes_the_default_rules_unless_somebody_chose_some(self) -> None:
        raffle = builders.create_raffle(numbers=3, status=RaffleStatus.DRAFT)

        opened = lifecycle.open_raffle(raffle.pk, **BY_STAFF)

        rules = DrawRules.objects.get(raffle=raffle)
        assert opened.draw_method == DrawMethod.PUBLIC_VALUE
        assert (rules.frozen_at, rules.text) == (None, "")
        assert "drand" in draw_rules.load_rule_text(opened)
        lifecycle.pause(raffle.pk, **BY_STAFF)
        draw_rules.save_rules(raffle.pk, ChosenRules(DrawMethod.RECORDED_DRUM, ()), **BY_STAFF)
        opened = lifecycle.open_raffle(raffle.pk, **BY_STAFF)
        assert opened.draw_method == DrawMethod.RECORDED_DRUM

    def test_refuses_rules_that_do_not_fit_any_more(self) -> None:
        raffle = builders.create_raffle(numbers=3, status=RaffleStatus.DRAFT)
        prizes = ["a bike", "a bell", "a lamp"]
        rules = ChosenRules(prizes=prizes, minimum_sold=3)
        draw_rules.save_rules(raffle.pk, rules, **BY_STAFF)
        Raffle.objects.filter(pk=raffle.pk).update(number_count=2)

        with pytest.raises(RulesInvalid) as refusal:
            lifecycle.open_raffle(raffle.pk, **BY_STAFF)

        assert refusal.value.details == {"problem": "There are more prizes than numbers."}

    def test_needs_legal_details_if_a_setting_says_so(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        required = config.get_settings().model_copy(update={"legal_details_required": True})
        monkeypatch.setattr(config, "get_settings", lambda: required)
        raffle = builders.create_raffle(
            numbers=3, status=RaffleStatus.DRAFT, promoter="Club", permit_number=" "
        )

        with pytest.raises(LegalDetailsMissing) as refusal:
            lifecycle.open_raffle(raffle.pk, **BY_STAFF)

        assert refusal.value.details == {"missing": ["permit_number", "rules_url"]}
        details = {"permit_number": "R-17", "rules_url": "https://example.com/rules"}
        Raffle.objects.filter(pk=raffle.pk).update(**details)
        assert lifecycle.open_raffle(raffle.pk, **BY_STAFF).status == RaffleStatus.OPEN


class TestMoveDraw:
    @walk_cases(
        ("named", "draw_at", "allowed"),
        [
            (DRAW, DRAW - HOUR, False),
            (DRAW, None, False),
            (DRAW, DRAW + HOUR, True),  # the rules say that the next date of the source decides
            (DRAW - HOUR / 2, DRAW - HOUR / 4, True),
            (DRAW + HOUR, DRAW - HOUR, False),
            (DRAW + 2 * HOUR, DRAW + HOUR, True),  # no worse than it is
            (None, DRAW - HOUR, True),  # drand follows the draw
            (None, None, True),
        ],
    )
    def test_never_comes_before_a_date_that_the_rules_name(
        self, named: datetime | None, draw_at: datetime | None, allowed: bool
    ) -> None:
        raffle = builders.create_raffle(numbers=3)
        lottery = ChosenSource(
            SourceKind.LOTTERY, name="Lottery", at=named, value_count=6, lowest=1, highest=49
        )
        if named is not None:
            draw_rules.save_rules(raffle.pk, ChosenRules(sources=[lottery]), **BY_STAFF)

        if allowed:
            assert move_draw(raffle, draw_at).draw_at == draw_at
            return
        with pytest.raises(SourceDateNamed) as refusal:
            move_draw(raffle, draw_at)
        assert refusal.value.details == {"source": "Lottery", "at": named}

    @pytest.mark.parametrize(
        "status", [RaffleStatus.OPEN, RaffleStatus.PAUSED, RaffleStatus.CLOSED]
    )
    def test_records_both_dates_and_the_reason(self, status: RaffleStatus) -> None:
        raffle = builders.create_raffle(numbers=3, status=status)

        moved = move_draw(raffle, DRAW + HOUR, reason=" The rain. ")

        event = RaffleEvent.objects.get()
        assert (moved.draw_at, moved.status) == (DRAW + HOUR, status)
        assert (event.action, event.draw_before, event.draw_after, event.reason) == (
            RaffleAction.DRAW_MOVED,
            DRAW,
            DRAW + HOUR,
            "The rain.",
        )
        assert event.unfinished

    @pytest.mark.parametrize("sold_out", [False, True])
    def test_to_the_same_date_changes_nothing(self, sold_out: bool) -> None:
        draw_at = None if sold_out else DRAW
        raffle = builders.create_raffle(numbers=3, draw_at=draw_at, draw_when_sold_out=sold_out)

        move_draw(raffle, draw_at)

        assert not RaffleEvent.objects.exists()

    def test_to_no_date_draws_when_sold_out(self) -> None:
        raffle = builders.create_raffle(numbers=3)

        moved = move_draw(raffle, None)

        moved.refresh_from_db()
        assert (moved.draw_at, moved.draw_when_sold_out) == (None, True)

    def test_to_a_first_date_ends_the_wait_for_selling_out(self) -> None:
        raffle = builders.create_raffle(numbers=3, draw_at=None, draw_when_sold_out=True)

        moved = move_draw(raffle, DRAW)

        moved.refresh_from_db()
        assert (moved.draw_at, moved.draw_when_sold_out) == (DRAW, False)

    @pytest.mark.parametrize(
        ("chosen", "after"),
        [(None, None), (NOON + MINUTE, NOON + MINUTE), (DRAW, NOON + HOUR)],
    )
    def test_ends_the_sale_by_the_new_date(
        self, chosen: datetime | None, after: datetime | None
    ) -> None:
        raffle = builders.create_raffle(numbers=3, sales_close_at=chosen)

        moved = move_draw(raffle, NOON + HOUR)

        moved.refresh_from_db()
        assert moved.sales_close_at == after

    @pytest.mark.parametrize("now", [DRAW, DRAW + HOUR])
    @pytest.mark.parametrize("draw_at", [None, DRAW, DRAW + 2 * HOUR])
    def test_is_refused_once_the_date_has_passed(
        self, now: datetime, draw_at: datetime | None
    ) -> None:
        raffle = builders.create_raffle(numbers=3)

        with pytest.raises(DrawDatePassed):
            move_draw(raffle, draw_at, now=now)

    @pytest.mark.parametrize("draw_at", [NOON, NOON - MINUTE])
    def test_is_refused_into_the_past(self, draw_at: datetime) -> None:
        raffle = builders.create_raffle(numbers=3)

        with pytest.raises(DrawDateNotAhead):
            move_draw(raffle, draw_at)

    @pytest.mark.parametrize(
        "status",
        [RaffleStatus.DRAFT, RaffleStatus.SEALED, RaffleStatus.DRAWN, RaffleStatus.CANCELLED],
    )
    @pytest.mark.parametrize("draw_at", [DRAW, DRAW + HOUR])
    def test_is_refused_in_other_statuses(self, status: RaffleStatus, draw_at: datetime) -> None:
        raffle = builders.create_raffle(numbers=3, status=status)

        with pytest.raises(TransitionNotAllowed):
            move_draw(raffle, draw_at)

    @pytest.mark.parametrize(
        ("reason", "error"), [("  ", NoteMissing), ("x" * 100_000, NoteTooLong)]
    )
    def test_needs_a_reason_that_is_not_too_long(
        self, reason: str, error: type[DomainError]
    ) -> None:
        raffle = builders.create_raffle(numbers=3)

        with pytest.raises(error):
            move_draw(raffle, DRAW + HOUR, reason=reason)


class TestCallOff:
    @pytest.mark.parametrize("status", list(RaffleStatus))
    def test_is_possible_from_every_status_before_the_sealing(self, status: RaffleStatus) -> None:
        raffle = builders.create_raffle(numbers=3, status=status)
        allowed = status not in {
            RaffleStatus.SEALED,
            RaffleStatus.DRAWN,
            RaffleStatus.CANCELLED,
        }

        if allowed:
            lifecycle.call_off(raffle.pk, reason="storm", **BY_STAFF)
            event = RaffleEvent.objects.get()
            assert (event.from_status, event.to_status, event.unfinished) == (
                status,
                RaffleStatus.CANCELLED,
                True,
            )
            return
        with pytest.raises(TransitionNotAllowed):
            lifecycle.call_off(raffle.pk, reason="storm", **BY_STAFF)

    def test_is_possible_after_the_time_of_the_draw(self) -> None:
        raffle = builders.create_raffle(numbers=3, draw_at=NOON - HOUR)

        assert lifecycle.call_off(raffle.pk, reason="storm", **BY_STAFF).status == "CANCELLED"

    @pytest.mark.parametrize(("reason", "error"), [("", NoteMissing), ("x" * 100_000, NoteTooLong)])
    def test_needs_a_reason_that_is_not_too_long(
        self, reason: str, error: type[DomainError]
    ) -> None:
        raffle = builders.create_raffle(numbers=3)

        with pytest.raises(error):
            lifecycle.call_off(raffle.pk, reason=reason, **BY_STAFF)


class TestSeal:
    @pytest.mark.parametrize("status", OrderStatus)
    def test_waits_until_every_order_is_paid_or_ended(self, status: OrderStatus) -> None:
        raffle = builders.create_raffle(numbers=10)
        order_states.create_paid_order(raffle, numbers=[9])
        order_states.create_order_in_status(raffle, status)
        lifecycle.close(raffle.pk, **BY_STAFF)

        if status not in Order.LIVE:
            sealed_lists.seal(raffle.pk, two_people=False, **BY_STAFF)
            raffle.refresh_from_db()
            assert raffle.status == RaffleStatus.SEALED
            return
        with pytest.raises(OrdersUnsettled):
            sealed_lists.seal(raffle.pk, two_people=False, **BY_STAFF)

    @pytest.mark.parametrize("status", [s for s in RaffleStatus if s != RaffleStatus.CLOSED])
    def test_follows_the_closing_only(self, status: RaffleStatus) -> None:
        raffle = builders.create_raffle(numbers=3, status=status)

        with pytest.raises(TransitionNotAllowed):
            sealed_lists.seal(raffle.pk, two_people=False, **BY_STAFF)

    def test_does_not_mind_the_orders_of_other_raffles(self) -> None:
        raffle = builders.create_raffle(numbers=3)
        order_states.create_paid_order(raffle, numbers=[1])
        lifecycle.close(raffle.pk, **BY_STAFF)
        order_states.create_held_order(builders.create_raffle(numbers=5))

        sealed_lists.seal(raffle.pk, two_people=False, **BY_STAFF)


class TestDatabase:
    @pytest.mark.parametrize(
        "fields",
        [
            {"sales_close_at": DRAW + MINUTE},
            {"draw_when_sold_out": True},
        ],
    )
    def test_refuses_contradictory_dates(self, fields: dict[str, Any]) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            builders.create_raffle(with_numbers=False, **fields)

    @walk_cases("minutes", [0, 59, 60, 61])
    @walk_cases("chosen", [None, NOON, NOON + MINUTE, NOON + 59 * MINUTE])
    @walk_cases("opens", [None, NOON, NOON + MINUTE])
    def test_finds_the_raffles_on_sale_by_the_same_rule(
        self, minutes: int, chosen: datetime | None, opens: datetime | None
    ) -> None:
        draw_at = max(NOON + minutes * MINUTE, chosen or NOON)
        raffle = builders.create_raffle(
            with_numbers=False, draw_at=draw_at, sales_close_at=chosen, sales_open_at=opens
        )

        on_sale = Raffle.objects.filter(sale_rules.build_on_sale_condition(now=NOON))

        assert (raffle in on_sale) is (sale_rules.get_not_selling_reason(raffle, now=NOON) is None)


class TestLocks:
    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize(
        "lock",
        [
            lambda: locks.lock_order(1),
            lambda: locks.lock_order_with_contacts(1),
            lambda: locks.lock_orders(Order.objects.all()),
            lambda: locks.lock_raffle(1),
            lambda: locks.lock_raffle_shared(1),
            lambda: locks.lock_tickets(1, numbers=[1]),
        ],
    )
    def test_are_refused_outside_a_transaction(self, lock: Any) -> None:
        with pytest.raises(TransactionManagementError):
            lock()

    def test_of_an_unknown_raffle_say_so(self) -> None:
        with pytest.raises(RaffleNotFound):
            locks.lock_raffle(0)
        with pytest.raises(RaffleNotFound):
            locks.lock_raffle_shared(0)
