"""Errors of the channel: refusals, and failures of the Graph API and of media."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from shared.core.errors import DomainError
from shared.whatsapp import graph_errors
from shared.whatsapp.graph_errors import Judgement

MAX_RETRY_AFTER: Final = timedelta(hours=1)
"""Longest wait that Meta may ask for; a longer one is a mistake of somebody's clock."""


class UnreadableJson(ValueError):
    """The bytes or the value cannot be read or stored; the message says why."""


class NoAddressee(ValueError):
    """The contact has neither a phone number nor a user id that a message can be sent to."""


class AlarmResolved(DomainError):
    """The alarm was resolved before."""

    code = "alarm_resolved"


class MessageAnswered(DomainError):
    """Only a message whose answer failed can be answered again."""

    code = "message_answered"


class GraphError(Exception):
    """The Graph API did not do what it was asked."""


class GraphUnreachable(GraphError):
    """No connection was made, so nothing was sent."""


class GraphUncertain(GraphError):
    """It broke off, or the answer says nothing: what was asked may have been done."""


class GraphRefused(GraphError):
    """The Graph API refused.

    Attributes:
        code: the code of Meta's table, if the answer has one.
        http_status: of the answer.
        details: what Meta says about it.
        transient: whether Meta calls it passing.
        retry_after: how long Meta asks to wait, if it does.

    """

    def __init__(
        self,
        *,
        code: int | None,
        http_status: int | None,
        details: str = "",
        transient: bool = False,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(f"code {code}, HTTP status {http_status}")
        self.code = code
        self.http_status = http_status
        self.details = details
        self.transient = transient
        self.retry_after = retry_after

    @property
    def judgement(self) -> Judgement:
        """What to do about it; a wait that Meta asks for is kept, up to an hour."""
        judged = graph_errors.judge_send_error(
            code=self.code, http_status=self.http_status, transient=self.transient
        )
        return replace(
            judged, wait=max(judged.wait, min(self.retry_after or timedelta(0), MAX_RETRY_AFTER))
        )


class MediaError(Exception):
    """The file cannot be had; trying again does not help."""


class MediaGone(MediaError):
    """Meta does not have the file any more."""


class MediaElsewhere(MediaGone):
    """The file lies on a host that must not see our token."""


class MediaTooLarge(MediaError):
    """The file is larger than a payment proof may be."""


class MediaWrongType(MediaError):
    """The file is neither a JPEG, PNG, WebP or HEIC picture nor a PDF."""


class MediaCorrupt(MediaError):
    """The bytes are not those that were announced."""


class BusinessNumberSends(DomainError):
    """The number is sending; there is nothing to try."""

    code = "number_sends"


class MessageNotFailed(DomainError):
    """Only a message that failed can be sent again."""

    code = "message_not_failed"
