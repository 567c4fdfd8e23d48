"""Errors of the raffle domain; staff and API users read the sentences in their docstrings."""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal

from shared.core.errors import DomainError


class RaffleNotFound(DomainError):
    """There is no such raffle."""

    code = "raffle_not_found"


class NumbersMissing(DomainError):
    """The raffle cannot open before all its numbers exist."""

    code = "numbers_missing"

    def __init__(self, *, missing: int) -> None:
        super().__init__(missing=missing)


class OrderNotFound(DomainError):
    """There is no such order."""

    code = "order_not_found"


class OrderNotDraft(DomainError):
    """Only a hold that was not confirmed yet can be placed."""

    code = "order_not_draft"

    def __init__(self, *, status: str) -> None:
        super().__init__(status=status)


class OrderExpired(DomainError):
    """The time for this order has run out."""

    code = "order_expired"


class OrderAlreadyPaid(DomainError):
    """The order is paid; its numbers belong to the buyer."""

    code = "order_already_paid"

    def __init__(self, *, order_id: int, by: str | None, at: datetime | None) -> None:
        super().__init__(order_id=order_id, by=by, at=at)


class OrderEnded(DomainError):
    """The order was cancelled or has expired."""

    code = "order_ended"

    def __init__(self, *, status: str, by: str | None, at: datetime | None) -> None:
        super().__init__(status=status, by=by, at=at)


class RaffleDrawn(DomainError):
    """The raffle is drawn; nothing about its numbers changes any more."""

    code = "raffle_drawn"


class RaffleSealed(DomainError):
    """The raffle is sealed for its draw; nothing about its numbers changes any more."""

    code = "raffle_sealed"


class RaffleCalledOff(DomainError):
    """The raffle was called off; its orders have ended and the money goes back."""

    code = "raffle_called_off"


class DrawTimeReached(DomainError):
    """The time of the draw has come: only staff decide now, about proofs sent before it."""

    code = "draw_time_reached"

    def __init__(self, *, draw_at: datetime | None) -> None:
        super().__init__(draw_at=draw_at)


class DrawDateMissing(DomainError):
    """A raffle needs a draw date in the future, or the choice that it is drawn when sold out."""

    code = "draw_date_missing"


class DrawDateNotAhead(DomainError):
    """The draw must be in the future."""

    code = "draw_date_not_ahead"

    def __init__(self, *, draw_at: datetime) -> None:
        super().__init__(draw_at=draw_at)


class DrawDatePassed(DomainError):
    """The draw date has passed; it never moves any more."""

    code = "draw_date_passed"

    def __init__(self, *, draw_at: datetime) -> None:
        super().__init__(draw_at=draw_at)


class SalesEndNotAhead(DomainError):
    """Sales would be over already: choose when they end, or a later draw."""

    code = "sales_end_not_ahead"

    def __init__(self, *, sales_end: datetime) -> None:
        super().__init__(sales_end=sales_end)


class NoTimeAfterDraw(DrawTimeReached):
    """The time of the draw has come, and nobody can pay after it: no order gets more time."""


class TimeZoneNotConfirmed(DomainError):
    """Nobody has chosen the raffle's time zone yet; its dates depend on it."""

    code = "time_zone_not_confirmed"


class OrdersUnsettled(DomainError):
    """Some orders are neither paid nor ended; settle them before the raffle is sealed."""

    code = "orders_unsettled"

    def __init__(self, *, count: int, orders: Mapping[int, str]) -> None:
        super().__init__(count=count, orders=list(orders.values()), order_ids=list(orders))


class NoteMissing(DomainError):
    """Please write why; the note stands in the history."""

    code = "note_missing"


class NoteTooLong(DomainError):
    """The note is too long."""

    code = "note_too_long"

    def __init__(self, *, maximum: int) -> None:
        super().__init__(maximum=maximum)


class NoteEmpty(DomainError):
    """The note is empty; write a few words."""

    code = "note_empty"


class OrderUnderReview(DomainError):
    """The order is under review, so its time does not run out."""

    code = "order_under_review"

    def __init__(self, *, order_id: int) -> None:
        super().__init__(order_id=order_id)


class EnoughTimeLeft(DomainError):
    """The order has that much time already."""

    code = "enough_time_left"

    def __init__(self, *, expires_at: datetime | None) -> None:
        super().__init__(expires_at=expires_at)


class OrderNotPaid(DomainError):
    """The order is not paid, so there is no confirmation to undo and nothing to refund."""

    code = "order_not_paid"

    def __init__(self, *, status: str) -> None:
        super().__init__(status=status)


class ConfirmationReplaced(DomainError):
    """The order was confirmed anew since; look at it again."""

    code = "confirmation_replaced"

    def __init__(self, *, confirmation_id: int) -> None:
        super().__init__(confirmation_id=confirmation_id)


class ConfirmationUndone(DomainError):
    """A person undid the confirmation of this payment, so a person must decide about it."""

    code = "confirmation_undone"

    def __init__(self, *, by: str | None, at: datetime | None) -> None:
        super().__init__(by=by, at=at)


class CashSaleNotUndone(DomainError):
    """A sale for cash is not undone; refund it."""

    code = "cash_sale_not_undone"


class OrderRefunded(DomainError):
    """The order was refunded and can never be confirmed again."""

    code = "order_refunded"

    def __init__(self, *, by: str | None, at: datetime | None) -> None:
        super().__init__(by=by, at=at)


class OrderNotPlaced(DomainError):
    """The buyer has not confirmed this order yet, so it cannot be paid."""

    code = "order_not_placed"


class NothingToReview(DomainError):
    """The order has no payment proof that waits for a decision."""

    code = "nothing_to_review"

    def __init__(self, *, order_id: int, by: str | None, at: datetime | None) -> None:
        super().__init__(order_id=order_id, by=by, at=at)


class RejectionNoteMissing(DomainError):
    """A proof turned down for another reason than the listed ones needs a note that says why."""

    code = "rejection_note_missing"


class AskedJustNow(DomainError):
    """The buyer was asked for a better proof a moment ago."""

    code = "asked_just_now"

    def __init__(self, *, by: str | None, at: datetime | None) -> None:
        super().__init__(by=by, at=at)


class DecisionMade(DomainError):
    """There is no late payment of this order to decide about any more."""

    code = "decision_made"

    def __init__(self, *, by: str | None, at: datetime | None) -> None:
        super().__init__(by=by, at=at)


class AmountMismatch(DomainError):
    """The amount is not the order's total; send accept_difference to confirm all the same."""

    code = "amount_mismatch"

    def __init__(self, *, expected: Decimal, received: Decimal, currency: str) -> None:
        super().__init__(expected=str(expected), received=str(received), currency=currency)


class AmountOutOfBounds(DomainError):
    """Say how much goes back: more than nothing."""

    code = "amount_out_of_bounds"

    def __init__(self, *, maximum: Decimal) -> None:
        super().__init__(maximum=str(maximum))


class RaffleNotSelling(DomainError):
    """The raffle sells nothing at the moment."""

    code = "raffle_not_selling"

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason=reason)


class QuantityOutOfBounds(DomainError):
    """That many numbers cannot be had in one order."""

    code = "quantity_out_of_bounds"

    def __init__(self, *, minimum: int, maximum: int) -> None:
        super().__init__(minimum=minimum, maximum=maximum)


class NumbersUnknown(DomainError):
    """The raffle has no such numbers."""

    code = "numbers_unknown"

    def __init__(self, *, unknown: Collection[int], first: int, last: int) -> None:
        super().__init__(unknown=sorted(unknown), first=first, last=last)


class NumbersTaken(DomainError):
    """Some of the numbers asked for belong to somebody else."""

    code = "numbers_taken"

    def __init__(self, *, taken: Collection[int], free: Collection[int]) -> None:
        super().__init__(taken=sorted(taken), free=sorted(free))


class TooFewLeft(DomainError):
    """Fewer numbers are left than were asked for."""

    code = "too_few_left"

    def __init__(self, *, available: int) -> None:
        super().__init__(available=available)


class ContactLimitReached(DomainError):
    """The buyer would have more numbers than one buyer may have in this raffle."""

    code = "contact_limit_reached"

    def __init__(self, *, limit: int, remaining: int) -> None:
        super().__init__(limit=limit, remaining=remaining)


class CoolingDown(DomainError):
    """The buyer let several holds in a row run out and must wait before the next."""

    code = "cooling_down"

    def __init__(self, *, until: datetime) -> None:
        super().__init__(until=until)


class OrderWantsPayment(DomainError):
    """The buyer has an order in this raffle that wants to be paid first."""

    code = "order_wants_payment"

    def __init__(self, *, order_id: int, code: str | None) -> None:
        super().__init__(order_id=order_id, code=code)


class TransitionNotAllowed(DomainError):
    """That change is not possible from the present status."""

    code = "transition_not_allowed"
