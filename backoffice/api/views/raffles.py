"""Raffles and their numbers."""
# ruff: noqa: ARG002 - DRF gives these arguments

from typing import Final

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backoffice.api import answers
from shared.core.enums import Scope
from shared.raffles.models import Raffle
from shared.raffles.services import availability, lifecycle

_DIGITS: Final = 18
"""A longer number is no key of either database."""


class RaffleAvailability(APIView):
    """`GET /api/raffles/{id}/availability`."""

    scope = Scope.READ

    def get(self, request: Request, raffle_id: str) -> Response:
        """Count a raffle's numbers, free, held and sold."""
        raffle = Raffle.objects.filter(pk=_key(raffle_id)).first()
        if raffle is None:
            raise lifecycle.RaffleNotFound(reference=raffle_id)
        return answers.response(
            answers.availability(
                raffle,
                counts=availability.counts(raffle.pk),
                why_not=availability.why_not_selling(raffle, now=timezone.now()),
            )
        )


def _key(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else 0
