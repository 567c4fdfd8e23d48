"""The words of the domain, as sellers, buyers and Meta use them."""

from enum import StrEnum


def build_choices(kind: type[StrEnum]) -> list[tuple[str, str]]:
    """Give the members of `kind` as Django model choices: stored value and a readable label."""
    return [(member.value, format_label(member)) for member in kind]


def format_label(member: StrEnum) -> str:
    """Say a member in words: `PENDING_PAYMENT` becomes "Pending payment"."""
    return member.name.replace("_", " ").capitalize()


class State(StrEnum):
    """Where a buyer stands in the conversation."""

    MENU = "MENU"
    CHOOSE_MODE = "CHOOSE_MODE"
    ASK_QTY = "ASK_QTY"
    ASK_PICK_NUMBERS = "ASK_PICK_NUMBERS"
    CONFIRM_RESERVATION = "CONFIRM_RESERVATION"
    WAIT_PROOF = "WAIT_PROOF"
    DONE = "DONE"


class Mode(StrEnum):
    """How the numbers of an order were chosen."""

    RANDOM = "RANDOM"
    PICK = "PICK"


class RaffleStatus(StrEnum):
    """What a raffle may do: only an OPEN one sells."""

    DRAFT = "DRAFT"
    OPEN = "OPEN"
    PAUSED = "PAUSED"
    CLOSED = "CLOSED"
    DRAWN = "DRAWN"


class TicketStatus(StrEnum):
    """Whose a ticket number is: nobody's, held for an order, or its buyer's."""

    AVAILABLE = "AVAILABLE"
    RESERVED = "RESERVED"
    SOLD = "SOLD"


class OrderStatus(StrEnum):
    """How far an order has come: DRAFT is a hold the buyer has not confirmed yet."""

    DRAFT = "DRAFT"
    PENDING_PAYMENT = "PENDING_PAYMENT"
    PAID = "PAID"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


class OrderAction(StrEnum):
    """What happened to an order, as its history tells it."""

    HELD = "HELD"
    PLACED = "PLACED"
    PROOF_RECEIVED = "PROOF_RECEIVED"
    PROOF_REJECTED = "PROOF_REJECTED"
    PAID = "PAID"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    NUMBERS_TAKEN_BACK = "NUMBERS_TAKEN_BACK"
    NUMBERS_REPLACED = "NUMBERS_REPLACED"
    ASKED_AGAIN = "ASKED_AGAIN"
    LATE_PAYMENT = "LATE_PAYMENT"
    REFUND_NOTED = "REFUND_NOTED"


class ActorKind(StrEnum):
    """Who changed an order."""

    CHAT = "CHAT"
    STAFF = "STAFF"
    TOKEN = "TOKEN"  # noqa: S105 - a kind of actor, not a secret
    SWEEPER = "SWEEPER"


class ProofStatus(StrEnum):
    """Whether the file of a payment proof is on its way, with us, or could not be had."""

    FETCHING = "FETCHING"
    KEPT = "KEPT"
    FAILED = "FAILED"


class Verdict(StrEnum):
    """What a reviewer decided about a payment proof."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    DISMISSED = "DISMISSED"  # it pays nothing: no order of ours, or the money went back


class RejectReason(StrEnum):
    """Why a payment proof was turned down."""

    ILLEGIBLE = "ILLEGIBLE"
    WRONG_AMOUNT = "WRONG_AMOUNT"
    NOT_CREDITED = "NOT_CREDITED"
    REPEATED = "REPEATED"
    OTHER = "OTHER"


class InboxStatus(StrEnum):
    """Whether an inbound message still waits for its answer."""

    RECEIVED = "RECEIVED"
    PROCESSED = "PROCESSED"
    IGNORED = "IGNORED"  # kept, and by design not answered: reactions, edits, echoes
    FAILED = "FAILED"


class OutboxStatus(StrEnum):
    """How far an outgoing message has come."""

    QUEUED = "QUEUED"
    SENDING = "SENDING"
    SENT = "SENT"  # accepted by Meta; what became of it is its `delivery`
    UNKNOWN = "UNKNOWN"  # handed over without an answer: it may have arrived
    WITHHELD = "WITHHELD"  # a notice outside the 24 h window: waits until the buyer writes
    STALE = "STALE"  # a reply nobody waits for any more
    FAILED = "FAILED"


class OutboxKind(StrEnum):
    """A REPLY answers what a buyer just wrote; a NOTICE tells them what changed meanwhile."""

    REPLY = "REPLY"
    NOTICE = "NOTICE"


class MessageDeliveryStatus(StrEnum):
    """What Meta's status webhooks said of a sent message, in rising order."""

    FAILED = "failed"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"


class EventType(StrEnum):
    """What other systems are told of; the value is the name they know."""

    ORDER_CREATED = "order.created"
    ORDER_PROOF_RECEIVED = "order.proof_received"
    ORDER_PAID = "order.paid"
    ORDER_REJECTED = "order.rejected"
    ORDER_CANCELLED = "order.cancelled"
    ORDER_EXPIRED = "order.expired"
    ORDER_LATE_PAYMENT = "order.late_payment"
    RAFFLE_SOLD_OUT = "raffle.sold_out"
    MESSAGE_FAILED = "message.failed"
    CHANNEL_ALERT = "channel.alert"


class EventDeliveryStatus(StrEnum):
    """What became of an event on its way to an endpoint."""

    QUEUED = "QUEUED"
    SENDING = "SENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


class Scope(StrEnum):
    """What an API token may do; each includes the one before."""

    READ = "READ"
    REVIEW = "REVIEW"
    ADMIN = "ADMIN"
