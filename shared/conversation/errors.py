"""Errors of answering a buyer.

The name of a class is stored in `InboundMessage.error`.
"""


class AnswerFailed(Exception):
    """A message could not be answered; the whole transaction is rolled back.

    Attributes:
        message_id: the message.
        has_run: whether others were to get one answer with it, one of which may be to blame.

    """

    def __init__(self, message_id: int, *, has_run: bool = False) -> None:
        super().__init__(f"message {message_id} could not be answered")
        self.message_id = message_id
        self.has_run = has_run


class EffectAfterEffect(RuntimeError):
    """A message led to a second effect, which a batch cannot lock for any more."""


class EndlessConversation(RuntimeError):
    """A message led from effect to effect without a reply."""


class LeftOver(Exception):
    """A buyer's message has waited so long that a gateway may have died while answering it."""

    def __init__(self, message_id: int) -> None:
        super().__init__(f"message {message_id} is left over")
        self.message_id = message_id


class TookTooLong(RuntimeError):
    """Answering one message took more processor time than allowed."""
