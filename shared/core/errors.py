"""The base class of all refusals."""

from collections.abc import Mapping
from typing import Any, ClassVar


class DomainError(Exception):
    """The request was understood and refused.

    A subclass is named after what happened and is defined in the `errors.py` of its package. The
    first line of its docstring is the sentence that staff and API users read; `code` never changes
    once released; `details` are the values that a program needs to continue. With `retryable`, the
    same request may succeed later.
    """

    code: ClassVar[str] = "refused"
    retryable: ClassVar[bool] = False

    def __init__(self, **details: Any) -> None:
        super().__init__(self.message())
        self.details: Mapping[str, Any] = details

    @classmethod
    def message(cls) -> str:
        """Return the sentence that says what happened: the first line of the docstring."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0]
