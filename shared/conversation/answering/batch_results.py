"""Result of a batch of answers."""

from dataclasses import dataclass, field

from shared.conversation.answering.message_answers import AnswerResult


@dataclass(frozen=True, slots=True)
class BatchResult:
    """The result of a batch.

    Attributes:
        answered: the result for all answered buyers together.
        left: the contacts to be answered one by one now.
        postponed: the contacts for another batch, because another transaction had locked them or
            the random ticket numbers they need, or there was no more time.
        has_more: whether a buyer who was answered wrote more than one message.

    """

    answered: AnswerResult = field(default_factory=AnswerResult)
    left: tuple[int, ...] = ()
    postponed: tuple[int, ...] = ()
    has_more: bool = False

    def __add__(self, other: "BatchResult") -> "BatchResult":
        return BatchResult(
            self.answered + other.answered,
            self.left + other.left,
            self.postponed + other.postponed,
            self.has_more or other.has_more,
        )
