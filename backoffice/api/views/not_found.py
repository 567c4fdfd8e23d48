"""What is not there."""
# ruff: noqa: ARG002 - DRF gives these arguments

from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.views import APIView


class NotFoundView(APIView):
    """Every other address below `/api/`."""

    authentication_classes = ()
    permission_classes = ()
    schema = None
    http_method_names = []  # whatever the method, it comes to the line below

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Say that nothing is here."""
        raise NotFound
