"""Failures of answering a buyer."""


class AnswerFailed(Exception):
    """One message could not be answered; everything since the transaction began is undone."""

    def __init__(self, message_id: int) -> None:
        super().__init__(f"message {message_id} could not be answered")
        self.message_id = message_id


class EndlessConversation(RuntimeError):
    """One message led from effect to effect without ever coming to an answer."""


class LeftOver(Exception):
    """A buyer's messages wait for so long that a gateway may have died of the first."""

    def __init__(self, message_id: int) -> None:
        super().__init__(f"message {message_id} is left over")
        self.message_id = message_id


class TookTooLong(RuntimeError):
    """Answering one message took more processor time than its share."""
