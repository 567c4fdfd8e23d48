"""How often a caller may ask, and how often an address may be wrong about a token."""
# ruff: noqa: ARG002 - DRF gives these arguments

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from backoffice.api import tally
from backoffice.api.models import ApiToken

WRONG_TOKENS: Final = 30
"""How many an address may send in a minute before none of its new tokens is looked at."""


class PerCaller(BaseThrottle):
    """Lets each token, and each person, make so many requests in a minute by the clock."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count a request and say whether it may go on."""
        limit = settings.API_REQUESTS_PER_MINUTE
        if not limit:
            return True
        return tally.add(_caller(request), window=tally.MINUTE, now=timezone.now()) <= limit

    def wait(self) -> float:
        """Say after how many seconds the next may come."""
        return tally.left(window=tally.MINUTE, now=timezone.now())


@dataclass(frozen=True, slots=True)
class Guesses:
    """The tokens that come from an address, of which one is about to be looked at.

    Attributes:
        address: where it comes from; None: the server does not tell, so nothing is counted.
        digest: of the token.
        now: the clock.

    """

    address: str | None
    digest: str
    now: datetime

    def wait(self) -> int | None:
        """Say in how many seconds it may be looked at; None: now."""
        if not self._counted:
            return None
        if tally.read(self._wrong, window=tally.MINUTE, now=self.now) < WRONG_TOKENS:
            return None
        if tally.read(self._right, window=tally.HOUR, now=self.now):
            return None
        return tally.left(window=tally.MINUTE, now=self.now)

    def was_wrong(self) -> None:
        """Count it."""
        if self._counted:
            tally.add(self._wrong, window=tally.MINUTE, now=self.now)

    def was_right(self) -> None:
        """Remember that it works from here, so that others' wrong ones do not stop it."""
        if self._counted and not tally.read(self._right, window=tally.HOUR, now=self.now):
            tally.add(self._right, window=tally.HOUR, now=self.now)

    @property
    def _counted(self) -> bool:
        return self.address is not None and bool(settings.API_REQUESTS_PER_MINUTE)

    @property
    def _wrong(self) -> str:
        return f"wrong {self.address}"

    @property
    def _right(self) -> str:
        return f"right {self.address} {self.digest}"


def _caller(request: Request) -> str:
    if isinstance(request.auth, ApiToken):
        return f"token {request.auth.digest}"
    return f"person {request.user.pk}"
