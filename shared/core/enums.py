"""Enums of the domain: statuses, kinds and reasons."""

from enum import StrEnum


def build_choices(kind: type[StrEnum]) -> list[tuple[str, str]]:
    """Return the members of `kind` as Django choices: stored values with readable labels."""
    return [(member.value, format_label(member)) for member in kind]


def format_label(member: StrEnum) -> str:
    """Return a readable label: `PENDING_PAYMENT` becomes "Pending payment"."""
    return member.name.replace("_", " ").capitalize()


class State(StrEnum):
    """The state of the conversation with a buyer."""

    MENU = "MENU"
    CHOOSE_MODE = "CHOOSE_MODE"
    ASK_QTY = "ASK_QTY"
    ASK_PICK_NUMBERS = "ASK_PICK_NUMBERS"
    CONFIRM_RESERVATION = "CONFIRM_RESERVATION"
    WAIT_PROOF = "WAIT_PROOF"
    DONE = "DONE"


class Mode(StrEnum):
    """The way the numbers of an order were chosen."""

    RANDOM = "RANDOM"
    PICK = "PICK"


class OrderSourceKind(StrEnum):
    """What led a buyer to the chat."""

    LINK = "LINK"  # a link or QR code of the raffle
    AD = "AD"  # an ad of Meta that opens the chat
    POST = "POST"  # a post of Meta with a button that opens the chat


class RaffleStatus(StrEnum):
    """The status of a raffle; only an OPEN one sells."""

    DRAFT = "DRAFT"
    OPEN = "OPEN"
    PAUSED = "PAUSED"
    CLOSED = "CLOSED"
    SEALED = "SEALED"  # the list of sold numbers is final; the draw follows
    DRAWN = "DRAWN"
    CANCELLED = "CANCELLED"  # called off by the seller; the money goes back


class RaffleAction(StrEnum):
    """An action in the history of a raffle."""

    OPENED = "OPENED"
    PAUSED = "PAUSED"
    CLOSED = "CLOSED"
    DRAW_MOVED = "DRAW_MOVED"
    CALLED_OFF = "CALLED_OFF"
    SEALED = "SEALED"
    DRAWN = "DRAWN"
    RULES_FROZEN = "RULES_FROZEN"
    VALUE_ENTERED = "VALUE_ENTERED"
    VALUE_CONFIRMED = "VALUE_CONFIRMED"
    VOID_PROPOSED = "VOID_PROPOSED"
    VALUE_VOIDED = "VALUE_VOIDED"
    REDRAWN = "REDRAWN"
    WINNER_CONFIRMED = "WINNER_CONFIRMED"
    RESULTS_TOLD = "RESULTS_TOLD"
    PRIZE_CLAIMED = "PRIZE_CLAIMED"


class DrawMethod(StrEnum):
    """The way the winners of a raffle are found; see `shared.raffles.draws.draw_methods`."""

    PUBLIC_VALUE = "PUBLIC_VALUE"  # RFC 3797 over the sealed list, from values nobody can steer
    LOTTERY_DIGITS = "LOTTERY_DIGITS"  # the last digits of an official result are the ticket
    RECORDED_DRUM = "RECORDED_DRUM"  # printed stubs, drawn by hand before a witness


class UnsoldRule(StrEnum):
    """What happens when the digits of a lottery are a number that was not sold."""

    NEXT_SOLD_UPWARDS = "NEXT_SOLD_UPWARDS"  # after the last number, the first one follows
    NEXT_SOURCE_DATE = "NEXT_SOURCE_DATE"  # the next official draw decides


class SourceKind(StrEnum):
    """The kind of a public source of values."""

    DRAND = "DRAND"  # a round of drand's quicknet
    LOTTERY = "LOTTERY"
    OTHER = "OTHER"


class ReceiptKind(StrEnum):
    """The kind of an entry in the receipt chain: a sale, or a sale made void."""

    SALE = "SALE"
    VOID = "VOID"


class VoidReason(StrEnum):
    """The reason why the values of a source do not count."""

    SOURCE_VOID = "SOURCE_VOID"  # its publisher cancelled the draw, or declared it void
    MISREAD = "MISREAD"  # what was entered is not what was published


class RedrawReason(StrEnum):
    """The reason why a prize is drawn again."""

    UNCLAIMED = "UNCLAIMED"
    DECLINED = "DECLINED"
    INELIGIBLE = "INELIGIBLE"
    UNREACHABLE = "UNREACHABLE"
    SOURCE_VOID = "SOURCE_VOID"  # the values it was drawn from do not count


class TicketStatus(StrEnum):
    """The status of a ticket number: free, held for an order, or sold to its buyer."""

    AVAILABLE = "AVAILABLE"
    RESERVED = "RESERVED"
    SOLD = "SOLD"


class OrderStatus(StrEnum):
    """The status of an order; DRAFT is a hold that the buyer has not confirmed yet."""

    DRAFT = "DRAFT"
    PENDING_PAYMENT = "PENDING_PAYMENT"
    PAID = "PAID"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


class OrderAction(StrEnum):
    """An action in the history of an order."""

    HELD = "HELD"
    PLACED = "PLACED"
    PROOF_RECEIVED = "PROOF_RECEIVED"
    PROOF_REJECTED = "PROOF_REJECTED"
    PROOF_MOVED = "PROOF_MOVED"
    PROOF_DISMISSED = "PROOF_DISMISSED"
    PAID = "PAID"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    NUMBERS_TAKEN_BACK = "NUMBERS_TAKEN_BACK"
    NUMBERS_REPLACED = "NUMBERS_REPLACED"
    ASKED_AGAIN = "ASKED_AGAIN"
    LATE_PAYMENT = "LATE_PAYMENT"
    REFUND_NOTED = "REFUND_NOTED"
    UNCONFIRMED = "UNCONFIRMED"
    REFUNDED = "REFUNDED"
    CONTACT_CHANGED = "CONTACT_CHANGED"  # two contacts of one person were joined, or parted again
    REVIEW_ENDED = "REVIEW_ENDED"  # its last pending proof left; the time to pay runs again
    TIME_EXTENDED = "TIME_EXTENDED"  # for a receipt that may belong to it
    ERASED = "ERASED"  # its proofs, texts and the name of a cash buyer were erased
    NOTE_ADDED = "NOTE_ADDED"  # by staff, for staff
    TIME_GIVEN = "TIME_GIVEN"  # by staff


class LedgerKind(StrEnum):
    """The kind of a ledger entry: money in, or money back."""

    CONFIRMED = "CONFIRMED"
    UNDONE = "UNDONE"  # the confirmation was a mistake
    REFUNDED = "REFUNDED"
    LATE_REFUNDED = "LATE_REFUNDED"  # of a payment that was never confirmed: in no sum


class ActorKind(StrEnum):
    """The kind of actor who changed an order."""

    CHAT = "CHAT"
    STAFF = "STAFF"
    TOKEN = "TOKEN"  # noqa: S105 - a kind of actor, not a secret
    SWEEPER = "SWEEPER"


class ProofStatus(StrEnum):
    """The status of a payment proof's file: being downloaded, stored, not available, or erased."""

    FETCHING = "FETCHING"
    KEPT = "KEPT"
    FAILED = "FAILED"
    ERASED = "ERASED"  # with the personal data of the buyer; the SHA-256 stays


class RenditionStatus(StrEnum):
    """Whether a bounded picture of a payment proof's file could be made for pages."""

    PENDING = "PENDING"  # it is made when it is first looked at
    MADE = "MADE"
    TOO_COMPLEX = "TOO_COMPLEX"  # it takes more time or memory than a proof may
    PROTECTED = "PROTECTED"
    DAMAGED = "DAMAGED"


class FileFailure(StrEnum):
    """The reason why a payment proof's file is not available or cannot be opened."""

    GONE = "GONE"
    TOO_LARGE = "TOO_LARGE"
    EMPTY = "EMPTY"
    WRONG_TYPE = "WRONG_TYPE"
    PROTECTED = "PROTECTED"
    DAMAGED = "DAMAGED"
    UNREACHABLE = "UNREACHABLE"


class UnplacedReason(StrEnum):
    """The reason why a payment proof was kept without an order."""

    NO_ORDER = "NO_ORDER"  # its sender has no order that it may pay
    SEVERAL_ORDERS = "SEVERAL_ORDERS"  # its sender is asked which one
    UNKNOWN_CODE = "UNKNOWN_CODE"  # it names an order that is not its sender's
    REVIEW_LIMIT = "REVIEW_LIMIT"  # too many orders of its sender are under review


class Verdict(StrEnum):
    """The decision of a reviewer on a payment proof."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    DISMISSED = "DISMISSED"  # it pays no order, or the payment was refunded


class RejectReason(StrEnum):
    """The reason why a payment proof was rejected."""

    ILLEGIBLE = "ILLEGIBLE"
    WRONG_AMOUNT = "WRONG_AMOUNT"
    NOT_CREDITED = "NOT_CREDITED"
    REPEATED = "REPEATED"
    OTHER = "OTHER"


class InboxStatus(StrEnum):
    """The status of an inbound message; RECEIVED waits for its answer."""

    RECEIVED = "RECEIVED"
    PROCESSED = "PROCESSED"
    IGNORED = "IGNORED"  # stored but never answered: reactions, edits, echoes
    FAILED = "FAILED"


class SilenceReason(StrEnum):
    """The reason why a message was kept without an answer, stored in its `error`."""

    FLOOD = "Flood"  # the buyer sent more messages than are answered
    LOOP = "Loop"  # the buyer wrote again and again what leads nowhere
    TOO_EARLY = "TooEarly"  # a yes or no from before the question was sent
    PERSON = "Person"  # a person answers this buyer, so the bot is silent
    STOPPED = "Stopped"  # a repeated STOP, which was confirmed before


class PauseReason(StrEnum):
    """The reason why the bot is quiet to a buyer's words."""

    ASKED = "ASKED"  # the buyer asked for a person
    QUIETED = "QUIETED"  # staff pressed the button
    WROTE = "WROTE"  # staff wrote to the buyer in the back office
    WROTE_IN_APP = "WROTE_IN_APP"  # the seller did in the WhatsApp Business app


class OutboxStatus(StrEnum):
    """The status of an outbound message."""

    QUEUED = "QUEUED"
    SENDING = "SENDING"
    SENT = "SENT"  # accepted by Meta; its further status is in `delivery`
    UNKNOWN = "UNKNOWN"  # sent without a response: it may have arrived
    WITHHELD = "WITHHELD"  # a notice outside the 24-hour window: waits until the buyer writes
    STALE = "STALE"  # became too old to send, or untrue
    FAILED = "FAILED"


class OutboxKind(StrEnum):
    """The kind of an outbound message: a REPLY to the buyer, or a NOTICE of a change."""

    REPLY = "REPLY"
    NOTICE = "NOTICE"


class MessageDeliveryStatus(StrEnum):
    """The status of a sent message in Meta's status webhooks, in rising order."""

    FAILED = "failed"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"


class EventType(StrEnum):
    """The type of an event for other systems; the value is the name in the API."""

    ORDER_CREATED = "order.created"
    ORDER_PROOF_RECEIVED = "order.proof_received"
    ORDER_PAID = "order.paid"
    ORDER_REJECTED = "order.rejected"
    ORDER_CANCELLED = "order.cancelled"
    ORDER_EXPIRED = "order.expired"
    ORDER_LATE_PAYMENT = "order.late_payment"
    ORDER_UNCONFIRMED = "order.unconfirmed"
    ORDER_REFUNDED = "order.refunded"
    RAFFLE_SOLD_OUT = "raffle.sold_out"
    RAFFLE_DRAW_MOVED = "raffle.draw_moved"
    RAFFLE_CALLED_OFF = "raffle.called_off"
    RAFFLE_SEALED = "raffle.sealed"
    RAFFLE_DRAWN = "raffle.drawn"
    WINNER_CONFIRMED = "winner.confirmed"
    PRIZE_CLAIMED = "prize.claimed"
    MESSAGE_FAILED = "message.failed"
    CONTACT_WANTS_PERSON = "contact.wants_person"
    CHANNEL_ALERT = "channel.alert"


class EventDeliveryStatus(StrEnum):
    """The status of an event's delivery to an endpoint."""

    QUEUED = "QUEUED"
    SENDING = "SENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


class Scope(StrEnum):
    """The scope of an API token; `backoffice.api.scopes` says which ones each includes."""

    READ = "READ"
    REVIEW = "REVIEW"
    ADMIN = "ADMIN"
    DRAW = "DRAW"
