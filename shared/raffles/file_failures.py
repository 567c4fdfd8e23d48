"""Reasons why a proof's file is not available, from the name of the error that was stored."""

from collections.abc import Mapping
from typing import Final

from shared.core.enums import FileFailure

_FAILURES_BY_ERROR: Final[Mapping[str, FileFailure]] = {
    "MediaGone": FileFailure.GONE,
    "MediaElsewhere": FileFailure.GONE,
    "MediaTooLarge": FileFailure.TOO_LARGE,
    "MediaEmpty": FileFailure.EMPTY,
    "MediaWrongType": FileFailure.WRONG_TYPE,
    "MediaCorrupt": FileFailure.DAMAGED,
    "MediaDamaged": FileFailure.DAMAGED,
    "MediaProtected": FileFailure.PROTECTED,
}


def parse_failure(error: str) -> FileFailure:
    """Return the reason that the name of an error stands for.

    Args:
        error: `PaymentProof.fetch_error`; any error of the connection is `UNREACHABLE`.

    """
    return _FAILURES_BY_ERROR.get(error, FileFailure.UNREACHABLE)
