"""Rate limit of API requests per caller."""
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
    """Limit of requests per minute for each token and each user.

    Requests are counted in the cache `throttle`, which the processes of a back office share. Two
    processes that write at the same moment may count one request for both, so slightly more
    requests than the limit can pass.
    """

    cache = ConnectionProxy(caches, "throttle")  # type: ignore[assignment]

    def allow_request(self, request: Request, view: Any) -> bool:
        """Return whether the request is allowed.

        It is allowed if the cache cannot be written, for example because the disk is full.
        """
        try:
            return super().allow_request(request, view)
        except OSError as error:
            _log.warning("not_counted", error=type(error).__name__)
            return True

    def get_rate(self) -> str | None:
        """Return the limit in the notation of DRF; None if there is no limit."""
        limit = settings.API_REQUESTS_PER_MINUTE
        return f"{limit}/min" if limit else None

    def get_cache_key(self, request: Request, view: Any) -> str:
        """Return the cache key of the token or user."""
        if isinstance(request.auth, ApiToken):
            return f"token_{request.auth.pk}"
        return f"person_{request.user.pk}"
