"""Tests of how a winner is published."""

from datetime import UTC, datetime

from shared.raffles.draws.draw_models import PrizeClaim
from shared.raffles.services.draws import winners
from tests.cases import walk_cases

NOBODY = "the holder of 07"


@walk_cases(
    ("name", "phone", "published"),
    [
        ("Ana María López", "573001234567", "Ana …67"),
        ("🎉 José", "+57 (300) 123-45 6 7", "José …67"),
        ("Jean-Luc", "", "Jean-Luc"),
        ("O’Neil Smith", "1", "O’Neil …1"),
        ("प्रिया शर्मा", "919812345678", "प्रिया …78"),
        ("573001234567", "573001234567", NOBODY),
        ("+57 300 123 4567", "573001234567", NOBODY),
        ("ana@example.com", "573001234567", NOBODY),
        ("CO.573001234567", "573001234567", NOBODY),
        ("... - '", "573001234567", NOBODY),
        ("", "573001234567", NOBODY),
    ],
)
def test_a_winner_is_published_by_first_name_and_two_digits(
    name: str, phone: str, published: str
) -> None:
    claim = PrizeClaim(winner_name=name, winner_phone=phone, name_consent=True)
    assert winners.format_public_name(claim, ticket="07") == published


def test_without_consent_or_after_erasure_the_number_stands_for_the_winner() -> None:
    known = {"winner_name": "Ana", "winner_phone": "573001234567"}
    erased = datetime(2026, 12, 1, tzinfo=UTC)
    for claim in (
        PrizeClaim(**known),
        PrizeClaim(**known, name_consent=False),
        PrizeClaim(**known, name_consent=True, erased_at=erased),
    ):
        assert winners.format_public_name(claim, ticket="07") == NOBODY
