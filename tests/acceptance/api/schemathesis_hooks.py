"""Exceptions to what Schemathesis reports, each with its reason."""

from collections.abc import Mapping
from typing import Any, Final

import schemathesis
from schemathesis import HookContext, Response
from schemathesis.core.failures import AcceptedNegativeData

INEXPRESSIBLE_REFUSALS: Final = frozenset(
    {
        # OpenAPI cannot say that two parameters exclude each other.
        "before: Give after or before, not both.",
        "after: Numbers that are named come on one page.",
        "limit: Numbers that are named come on one page.",
    }
)
"""Error messages for values that are valid one by one but not together."""
UNKNOWN_NUMBERS_PREFIX: Final = "numbers: "
"""Start of the error message for ticket numbers that the raffle does not have.

The OpenAPI document cannot know which numbers a raffle has.
"""
URI_TOO_LONG: Final = 414
"""Answered by gunicorn, in HTML, for a request line longer than 4,094 bytes.

The request never reaches Django.
"""


@schemathesis.hook
def filter_failure(context: HookContext, failure: Any, case: Any, response: Response) -> bool:
    """Keep a failure unless it is listed above or caused by an empty parameter.

    The API treats an empty parameter as a missing one.
    """
    if response.status_code == URI_TOO_LONG:
        return False
    if isinstance(failure, AcceptedNegativeData) and _is_empty(case.query):
        return False  # the document says `allowEmptyValue`, which Schemathesis ignores
    if response.status_code != 400:
        return True
    said = response.json()["message"]
    return said not in INEXPRESSIBLE_REFUSALS and not said.startswith(UNKNOWN_NUMBERS_PREFIX)


def _is_empty(query: Mapping[str, Any]) -> bool:
    """Return whether a query parameter is empty or holds only commas and spaces."""
    return any(not str(value).replace(",", "").strip() for value in query.values())
