"""Immutable facts that a step of the conversation is decided by."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.core.constants import DEFAULT_HOLD_MINUTES
from shared.core.enums import DrawMethod, Mode, OrderStatus


@dataclass(frozen=True, slots=True)
class RaffleFacts:
    """A raffle as the conversation sees it.

    Attributes:
        price: the price of one number, in `currency`.
        currency: an ISO 4217 code.
        available: the count of free numbers, which may be some seconds old.
        number_count: the count of all numbers.
        width: the digits of a number, with its leading zeros.
        remaining_for_buyer: how many numbers this buyer may still take; None: no limit.
        example_numbers: a few free numbers to show where a buyer picks.
        not_selling_reason: the reason why it sells nothing now, as
            `sale_rules.get_not_selling_reason` returns it; None: it is on sale.
        draw_when_sold_out: whether it has no draw date because it is drawn when all is sold.
        draw_time_reached: whether the time of its draw has come, so that no order can be placed,
            paid or changed any more.
        draw_in_other_year: whether its draw is in another year than now, so that texts name it.
        draw_method: how its winners are found; None: nobody has said so far.
        adults_only: whether its buyers are asked once whether they are 18 or older.
        hold_minutes: how long numbers wait for the buyer, and after that for the payment.
        promoter: who holds it and answers for it; may be empty.
        permit_number: the number of its permit; may be empty.

    """

    id: int
    title: str
    prize: str
    price: Decimal
    currency: str
    available: int
    number_count: int
    first_number: int
    last_number: int
    width: int
    min_per_order: int
    max_per_order: int
    seller_contact: str
    payment_instructions: str = ""
    description: str = ""
    time_zone: str = "UTC"
    draw_at: datetime | None = None
    remaining_for_buyer: int | None = None
    example_numbers: tuple[int, ...] = ()
    not_selling_reason: str | None = None
    draw_when_sold_out: bool = False
    draw_time_reached: bool = False
    draw_in_other_year: bool = False
    draw_method: DrawMethod | None = None
    adults_only: bool = False
    hold_minutes: int = DEFAULT_HOLD_MINUTES
    promoter: str = ""
    permit_number: str = ""

    @property
    def is_free(self) -> bool:
        """Whether a number costs nothing."""
        return not self.price

    @property
    def is_called_off(self) -> bool:
        """Whether the seller called the raffle off."""
        return self.not_selling_reason == "cancelled"

    @property
    def is_sealed(self) -> bool:
        """Whether its list of sold numbers is sealed and nothing is drawn so far."""
        return self.not_selling_reason == "sealed"

    @property
    def is_drawn(self) -> bool:
        """Whether it was drawn."""
        return self.not_selling_reason == "drawn"

    @property
    def is_over(self) -> bool:
        """Whether it was called off or the time of its draw has come."""
        return self.is_called_off or self.draw_time_reached

    @property
    def is_on_sale(self) -> bool:
        """Whether a number can be held now."""
        return self.not_selling_reason is None

    @property
    def max_quantity(self) -> int:
        """The most numbers that this buyer may take at once now."""
        own = self.max_per_order if self.remaining_for_buyer is None else self.remaining_for_buyer
        return max(0, min(self.max_per_order, self.available, own))

    def format_ticket_number(self, number: int) -> str:
        """Return a ticket number with its leading zeros."""
        return f"{number:0{self.width}d}"

    def has_ticket_number(self, number: int) -> bool:
        """Return whether the raffle has such a number, free or not."""
        return self.first_number <= number <= self.last_number


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """One of the buyer's orders.

    Attributes:
        numbers: the ticket numbers it holds, or held last, in ascending order.
        total: the amount to be paid, in `currency` (ISO 4217).
        expires_at: the end of the hold or of the time to pay; None: no time limit.
        under_review: whether a payment proof is being checked.
        needs_decision: whether a late payment waits for the seller's decision.
        asked_again: whether the seller asked for a better proof.
        has_receipt: whether it has a payment proof that was neither turned down nor lost, so that
            its buyer may have paid.
        was_placed: whether it is more than a hold, so that its buyer was told how to pay.
        receipt_entry: the number of its entry in the raffle's receipt chain; None: it has none.
        receipt_head: the first hex digits of the chain's head with that entry.

    """

    id: int
    code: str
    raffle: RaffleFacts
    status: OrderStatus
    mode: Mode
    numbers: tuple[int, ...]
    total: Decimal
    currency: str
    expires_at: datetime | None = None
    under_review: bool = False
    needs_decision: bool = False
    asked_again: bool = False
    has_receipt: bool = False
    was_placed: bool = True
    receipt_entry: int | None = None
    receipt_head: str = ""

    @property
    def is_free(self) -> bool:
        """Whether nothing is to be paid."""
        return not self.total

    @property
    def is_live(self) -> bool:
        """Whether the order keeps numbers for a while: it is a hold or still to be paid."""
        return self.status in {OrderStatus.DRAFT, OrderStatus.PENDING_PAYMENT}

    @property
    def has_lapsed(self) -> bool:
        """Whether its raffle is over although it was not; a worker ends it in a moment."""
        raffle = self.raffle
        too_late = raffle.draw_time_reached and not self.under_review
        return self.is_live and (raffle.is_called_off or too_late)

    def can_be_confirmed(self, now: datetime) -> bool:
        """Return whether it is a hold whose time is not over yet."""
        is_hold = self.status is OrderStatus.DRAFT and not self.has_lapsed
        return is_hold and (self.expires_at is None or self.expires_at > now)

    @property
    def has_clock(self) -> bool:
        """Whether its numbers are lost if nothing happens in time."""
        return self.is_live and not self.under_review and not self.has_lapsed

    @property
    def wants_payment(self) -> bool:
        """Whether the buyer still has to pay and to send a proof."""
        return self.status is OrderStatus.PENDING_PAYMENT and not self.under_review

    @property
    def wants_receipt(self) -> bool:
        """Whether a receipt is due, also one in place of the confirmation of a hold."""
        is_unpaid_hold = self.status is OrderStatus.DRAFT and not self.is_free
        return self.wants_proof or is_unpaid_hold

    @property
    def holds_numbers(self) -> bool:
        """Whether its ticket numbers are the buyer's, for a while or for good."""
        return self.is_live or self.status is OrderStatus.PAID

    @property
    def wants_proof(self) -> bool:
        """Whether the buyer has to send a proof: the first one, or a better one."""
        return self.wants_payment or self.asked_again


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts about one buyer at one moment; gathered anew before every decision.

    Attributes:
        raffles: the raffles on sale.
        orders: the buyer's live and paid orders, the latest of those that ended, and those that
            the event is about; oldest first.
        seller_contact: how to reach the seller; empty if unknown.
        unplaced_proof_id: the buyer's latest picture without an order, if the event names an order
            and the picture came shortly before.
        is_adult: whether the buyer has said before that they are 18 or older.
        is_paused: whether a person has the chat, so that the bot does not answer words.
        wants_person: whether the buyer waits for an answer from a person.
        is_stopped: whether the buyer wrote STOP.

    """

    now: datetime
    raffles: tuple[RaffleFacts, ...] = ()
    orders: tuple[OrderFacts, ...] = ()
    seller_contact: str = ""
    unplaced_proof_id: int | None = None
    is_adult: bool = False
    is_paused: bool = False
    wants_person: bool = False
    is_stopped: bool = False

    def find_raffle(self, raffle_id: int | None) -> RaffleFacts | None:
        """Return a raffle that is on sale or that one of the buyer's orders belongs to."""
        known = (*self.raffles, *(order.raffle for order in self.orders))
        return next((raffle for raffle in known if raffle.id == raffle_id), None)

    def find_seller_contact(self, raffle_id: int | None) -> str:
        """Return the seller's contact details for a raffle, or the general ones."""
        raffle = self.find_raffle(raffle_id)
        return raffle.seller_contact if raffle else self.seller_contact

    def find_order(self, order_id: int | None) -> OrderFacts | None:
        """Return one of the buyer's own orders."""
        return next((order for order in self.orders if order.id == order_id), None)

    @property
    def live_orders(self) -> tuple[OrderFacts, ...]:
        """Holds and orders to be paid, oldest first."""
        return tuple(order for order in self.orders if order.is_live)

    @property
    def orders_wanting_payment(self) -> tuple[OrderFacts, ...]:
        """Orders that wait for the payment and its proof."""
        return tuple(order for order in self.orders if order.wants_payment)

    @property
    def orders_wanting_receipt(self) -> tuple[OrderFacts, ...]:
        """Holds and orders that a receipt may be for: their payment or a better proof is due.

        Those whose raffle is over are left out, unless there are no others.
        """
        wanting = tuple(order for order in self.orders if order.wants_receipt)
        return tuple(order for order in wanting if not order.has_lapsed) or wanting

    def find_orders_by_code(self, codes: Iterable[str]) -> tuple[OrderFacts, ...]:
        """Return the buyer's own orders with these codes, in the order of the codes."""
        by_code = {order.code: order for order in self.orders}
        return tuple(by_code[code] for code in codes if code in by_code)

    def find_draft(self, raffle_id: int | None) -> OrderFacts | None:
        """Return the hold in a raffle that the buyer has not confirmed yet."""
        return next(
            (
                order
                for order in self.orders
                if order.status is OrderStatus.DRAFT and order.raffle.id == raffle_id
            ),
            None,
        )
