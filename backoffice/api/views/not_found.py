"""View for unknown addresses of the API."""
# ruff: noqa: ARG002 - DRF gives these arguments

from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.views import APIView


class NotFoundView(APIView):
    """Response 404 to any method at an address below `/api/` that no other view has."""

    authentication_classes = ()
    permission_classes = ()
    schema = None
    http_method_names = []  # every method is handled by `http_method_not_allowed`

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Raise `NotFound`."""
        raise NotFound
