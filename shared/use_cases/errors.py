"""Errors of the use cases; staff read the sentences in their docstrings."""

from shared.core.errors import DomainError


class BuyerNameMissing(DomainError):
    """A sale for cash needs the buyer's name: there is no chat to find them by."""

    code = "buyer_name_missing"


class BuyerNotFound(DomainError):
    """There is no buyer with this phone number, user id or order code."""

    code = "buyer_not_found"


class BuyerErased(DomainError):
    """The personal data of this buyer was erased before."""

    code = "buyer_erased"


class BuyerHasOpenOrder(DomainError):
    """An order of theirs is not settled: cancel it or decide about it first."""

    code = "buyer_has_open_order"


class BuyerHasUndecidedReceipt(DomainError):
    """A receipt of theirs waits for a decision: decide about it first."""

    code = "buyer_has_undecided_receipt"


class BuyerInUndrawnRaffle(DomainError):
    """They have paid numbers in a raffle that is not over, and a winner must be reachable."""

    code = "buyer_in_undrawn_raffle"


class BuyerIsOwedMoney(DomainError):
    """A raffle of theirs was called off: record the refund of their money first."""

    code = "buyer_is_owed_money"


class BuyerMessageUnderWay(DomainError):
    """A message from or to them is being handled: try again in a minute or two."""

    code = "buyer_message_under_way"
    retryable = True


class ContactJoined(DomainError):
    """This contact was joined into another one: write to that one."""

    code = "contact_joined"


class ContactBlocked(DomainError):
    """This buyer is blocked: unblock them before you write to them."""

    code = "contact_blocked"


class ServiceWindowClosed(DomainError):
    """They wrote more than 24 hours ago, and WhatsApp allows no message until they write again."""

    code = "service_window_closed"


class BusinessNumberNotOurs(DomainError):
    """This buyer wrote to a business number that this program does not send from."""

    code = "business_number_not_ours"


class MessageTextMissing(DomainError):
    """A message needs a text."""

    code = "message_text_missing"


class MessageTextTooLong(DomainError):
    """A message may have 4,096 characters at most."""

    code = "message_text_too_long"
