"""Erasure of winners' identities, which the record of a draw needs for years and not for ever.

What was sold, sealed and drawn stays, with the claims: that a prize was claimed, and when. Name and
phone number of a winner lie outside the retention period of other data, because the law of raffles
asks for them: four years in Ontario, three in the UK and in Alaska.
"""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from shared.raffles.draws.draw_models import DrawResult, PrizeClaim


def compute_record_limit(now: datetime, *, years: int) -> datetime:
    """Return the time before which a raffle was drawn whose winners are named no longer."""
    try:
        return now.replace(year=now.year - years)
    except ValueError:  # 29 February
        return now.replace(year=now.year - years, day=28)


def query_expired_claims(*, before: datetime) -> QuerySet[PrizeClaim]:
    """Return the claims that still name a winner, of raffles last drawn before a time."""
    since = DrawResult.objects.filter(raffle=OuterRef("result__raffle"), at__gte=before)
    return PrizeClaim.objects.filter(~Exists(since.order_by()), erased_at=None)


def erase_winners(*, before: datetime, now: datetime) -> int:
    """Erase name, phone number and note of expired claims, and return how many there were.

    Args:
        before: see `compute_record_limit`.
        now: the present time.

    """
    return query_expired_claims(before=before).update(
        winner_name="", winner_phone="", note="", erased_at=now
    )


def list_won_orders(order_ids: Collection[int]) -> list[str]:
    """Return the codes of those orders whose buyers the record of a draw still names."""
    claims = PrizeClaim.objects.filter(order__in=order_ids, erased_at=None)
    orders = claims.select_related("order").order_by("order__pk")
    return list(dict.fromkeys(str(claim.order) for claim in orders))
