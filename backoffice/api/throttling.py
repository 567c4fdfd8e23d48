"""How often a caller may ask."""
# ruff: noqa: ARG002 - DRF gives these arguments

from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.utils.connection import ConnectionProxy
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from backoffice.api.models import ApiToken
from shared.core import logs

_log = logs.get_logger(__name__)


class CallerRateThrottle(SimpleRateThrottle):
    """Lets each token, and each person, make so many requests within any minute.

    Counted in the cache `throttle`, which the processes of a back office share. Two that write at
    the same moment may count one request for both: a few more than the limit can pass.
    """

    cache = ConnectionProxy(caches, "throttle")  # type: ignore[assignment]

    def allow_request(self, request: Request, view: Any) -> bool:
        """Say whether it may go on; it may where nothing can be counted, as on a full disk."""
        try:
            return super().allow_request(request, view)
        except OSError as error:
            _log.warning("not_counted", error=type(error).__name__)
            return True

    def get_rate(self) -> str | None:
        """Give the limit as DRF writes it; None: there is none."""
        limit = settings.API_REQUESTS_PER_MINUTE
        return f"{limit}/min" if limit else None

    def get_cache_key(self, request: Request, view: Any) -> str:
        """Name the count of the token, or of the person who is logged in."""
        if isinstance(request.auth, ApiToken):
            return f"token_{request.auth.pk}"
        return f"person_{request.user.pk}"
