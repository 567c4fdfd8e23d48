"""How often a caller may ask, and how often an address may be wrong about a token.

Both count in a cache of files, which the processes on all machines of a back office share. Two
requests at the very same moment may count as one: it is a brake, and no bookkeeping. Where the
files cannot be written, everybody is let through.
"""

import pickle
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.core.cache import BaseCache, caches
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from backoffice.api.models import ApiToken
from shared.core import logs

WRONG_TOKENS: Final = 30
"""How many an address may send in a minute before none of its new tokens is looked at."""
_MINUTE: Final = 60
_KNOWN_FOR: Final = 60 * 60
"""Seconds that a token which worked is let through whatever else its address sends."""
_BROKEN: Final = (OSError, EOFError, zlib.error, pickle.UnpicklingError)

_log = logs.get(__name__)


class PerCaller(SimpleRateThrottle):
    """Lets each token, and each person, make so many requests in any minute."""

    scope = "caller"

    @property
    def cache(self) -> BaseCache:  # type: ignore[override]
        """Give the files."""
        return caches["api"]

    def get_rate(self) -> str | None:
        """Read how many; None: no limit."""
        limit = settings.API_REQUESTS_PER_MINUTE
        return f"{limit}/min" if limit else None

    def get_cache_key(self, request: Request, view: Any) -> str:  # noqa: ARG002 - DRF gives it
        """Say whose requests are counted together."""
        if isinstance(request.auth, ApiToken):
            return f"token-{request.auth.digest}"
        return f"person-{request.user.pk}"

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count a request and say whether it may go on."""
        try:
            return bool(super().allow_request(request, view))
        except _BROKEN as error:
            _log.warning("requests_not_counted", error=type(error).__name__)
            return True


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
        if not self._counted or self._get(self._wrong, 0) < WRONG_TOKENS:
            return None
        if self._get(self._right, False):
            return None
        return _MINUTE - int(self.now.timestamp()) % _MINUTE

    def count(self) -> None:
        """Remember that it was wrong."""
        if self._counted:
            self._set(self._wrong, self._get(self._wrong, 0) + 1, _MINUTE)

    def was_right(self) -> None:
        """Remember that it works from here, so that others' wrong ones do not stop it."""
        if self._counted and not self._get(self._right, False):
            self._set(self._right, True, _KNOWN_FOR)

    @property
    def _counted(self) -> bool:
        return self.address is not None and bool(settings.API_REQUESTS_PER_MINUTE)

    @property
    def _wrong(self) -> str:
        return f"wrong-{self.address}-{int(self.now.timestamp()) // _MINUTE}"

    @property
    def _right(self) -> str:
        return f"right-{self.address}-{self.digest}"

    def _get(self, key: str, default: Any) -> Any:
        try:
            return caches["api"].get(key, default)
        except _BROKEN:
            return default

    def _set(self, key: str, value: Any, seconds: int) -> None:
        try:
            caches["api"].set(key, value, seconds)
        except _BROKEN as error:
            _log.warning("guesses_not_counted", error=type(error).__name__)
