"""The root of every refusal: named after what happened, with a sentence and a stable code."""

from collections.abc import Mapping
from typing import Any, ClassVar


class DomainError(Exception):
    """The request was understood and refused.

    The subclasses of a package stand on one page, its `errors.py`. The first line of a docstring
    is the sentence that staff and API users read; `code` never changes once released; `details`
    are the values that a program needs to go on.
    """

    code: ClassVar[str] = "refused"
    retryable: ClassVar[bool] = False

    def __init__(self, **details: Any) -> None:
        super().__init__(self.message())
        self.details: Mapping[str, Any] = details

    @classmethod
    def message(cls) -> str:
        """Say in one sentence what happened."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0]
