"""What Schemathesis may meet although the document does not say so, each with its reason."""

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
"""Refusals of values that are well-formed one by one."""
UNKNOWN_NUMBERS_PREFIX: Final = "numbers: "
"""Begins the refusal of numbers that this raffle has not got, which its document cannot know."""
URI_TOO_LONG: Final = 414
"""Of gunicorn, in HTML, for a line longer than 4,094 bytes: Django never saw the request."""


@schemathesis.hook
def filter_failure(context: HookContext, failure: Any, case: Any, response: Response) -> bool:
    """Keep every failure but those above, and those of an empty parameter: it counts as none."""
    if response.status_code == URI_TOO_LONG:
        return False
    if isinstance(failure, AcceptedNegativeData) and _is_empty(case.query):
        return False  # `allowEmptyValue` says so, which Schemathesis does not read
    if response.status_code != 400:
        return True
    said = response.json()["message"]
    return said not in INEXPRESSIBLE_REFUSALS and not said.startswith(UNKNOWN_NUMBERS_PREFIX)


def _is_empty(query: Mapping[str, Any]) -> bool:
    """Whether some parameter of an address says nothing, or nothing but commas and blanks."""
    return any(not str(value).replace(",", "").strip() for value in query.values())
