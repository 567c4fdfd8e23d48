"""What Schemathesis may meet although the document does not say so, each with its reason."""

from typing import Any, Final

import schemathesis
from schemathesis import HookContext, Response

NO_WORDS_FOR_IT: Final = frozenset(
    {
        # OpenAPI cannot say that two parameters exclude each other.
        "before: Give after or before, not both.",
        "after: Numbers that are named come on one page.",
        "limit: Numbers that are named come on one page.",
    }
)
"""Refusals of values that are well-formed one by one."""
OF_THIS_RAFFLE: Final = "numbers: "
"""Begins the refusal of numbers that this raffle has not got, which its document cannot know."""
TOO_LONG: Final = 414
"""Of gunicorn, in HTML, for a line longer than 4,094 bytes: Django never saw the request."""


@schemathesis.hook
def filter_failure(context: HookContext, failure: Any, case: Any, response: Response) -> bool:
    """Keep every failure but those above."""
    if response.status_code == TOO_LONG:
        return False
    if response.status_code != 400:
        return True
    said = response.json()["message"]
    return said not in NO_WORDS_FOR_IT and not said.startswith(OF_THIS_RAFFLE)
