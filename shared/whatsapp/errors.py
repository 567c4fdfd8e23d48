"""Errors of the channel, of the Graph API and of media files."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from shared.core.errors import DomainError
from shared.whatsapp import graph_errors
from shared.whatsapp.graph_errors import Judgement

MAX_RETRY_AFTER: Final = timedelta(hours=1)
"""The longest wait that Meta may ask for; a longer one comes from a wrong clock."""


class UnreadableJson(ValueError):
    """The JSON cannot be read or stored; the message says why."""


class NoAddressee(ValueError):
    """The contact has neither a phone number nor a user id that a message can be sent to."""


class AlarmResolved(DomainError):
    """The alarm was resolved before."""

    code = "alarm_resolved"


class MessageAnswered(DomainError):
    """Only a message whose answer failed can be answered again."""

    code = "message_answered"


class SameContact(DomainError):
    """A contact cannot be joined with itself."""

    code = "same_contact"


class OtherBusinessNumber(DomainError):
    """Only contacts of the same business number can be joined."""

    code = "other_business_number"


class ContactAlreadyJoined(DomainError):
    """One of the contacts was joined into another one before."""

    code = "contact_already_joined"


class JoinAlreadyUndone(DomainError):
    """The join was undone before."""

    code = "join_already_undone"


class JoinNotUndoable(DomainError):
    """The join cannot be undone any more, because something new belongs to the joined contact.

    It wrote or ordered since, was joined again, or one of its earlier ids has another owner.
    """

    code = "join_not_undoable"


class GraphError(Exception):
    """A request to the Graph API failed."""


class GraphUnreachable(GraphError):
    """No connection was made, so nothing was sent."""


class GraphUncertain(GraphError):
    """The connection broke off, or the answer is unclear: the request may have succeeded."""


class GraphRefused(GraphError):
    """The Graph API refused the request.

    Attributes:
        code: the error code of the answer, if it has one.
        subcode: its `error_subcode`, if it has one.
        http_status: the status of the answer; None if nothing was sent.
        details: Meta's explanation.
        transient: whether Meta calls the error transient.
        retry_after: the wait that Meta asks for, if it does.

    """

    def __init__(
        self,
        *,
        code: int | None,
        http_status: int | None,
        subcode: int | None = None,
        details: str = "",
        transient: bool = False,
        retry_after: timedelta | None = None,
    ) -> None:
        with_subcode = "" if subcode is None else f" with subcode {subcode}"
        super().__init__(f"code {code}{with_subcode}, HTTP status {http_status}")
        self.code = code
        self.subcode = subcode
        self.http_status = http_status
        self.details = details
        self.transient = transient
        self.retry_after = retry_after

    @property
    def is_object_hidden(self) -> bool:
        """Whether Meta has no object with this id, or does not show it to the access token."""
        return graph_errors.is_object_hidden(code=self.code, subcode=self.subcode)

    @property
    def judgement(self) -> Judgement:
        """The consequence of the error; it waits as long as Meta asks for, up to an hour."""
        judged = graph_errors.judge_send_error(
            code=self.code,
            subcode=self.subcode,
            http_status=self.http_status,
            transient=self.transient,
        )
        return replace(
            judged, wait=max(judged.wait, min(self.retry_after or timedelta(0), MAX_RETRY_AFTER))
        )


class MediaError(Exception):
    """The file cannot be fetched, and another attempt does not help."""


class MediaGone(MediaError):
    """Meta no longer has the file."""


class MediaElsewhere(MediaGone):
    """The file is on a host that must not receive the access token."""


class MediaTooLarge(MediaError):
    """The file is larger than a payment proof may be."""


class MediaEmpty(MediaError):
    """The file has no content."""


class MediaWrongType(MediaError):
    """The file is neither a picture of a known type nor a PDF."""


class MediaDamaged(MediaError):
    """The file is a picture or PDF by its first bytes and cannot be opened."""


class MediaProtected(MediaError):
    """The PDF needs a password."""


class MediaCorrupt(MediaError):
    """The bytes differ from those that were announced."""


class BusinessNumberSends(DomainError):
    """The number is sending; there is nothing to try."""

    code = "number_sends"


class MessageNotFailed(DomainError):
    """Only a message that failed can be sent again."""

    code = "message_not_failed"
