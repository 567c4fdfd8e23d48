"""Duplication of raffles."""

from datetime import datetime
from pathlib import PurePosixPath
from typing import Final

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models.fields.files import ImageFieldFile

from shared.core.enums import RaffleStatus
from shared.raffles.draws.draw_models import DrawRules, DrawSource, Prize
from shared.raffles.models import Raffle
from shared.raffles.services.queries import raffle_queries

_COPY_SUFFIX: Final = " (copy)"

_COPIED_FIELDS: Final = (
    "description",
    "prize",
    "price",
    "currency",
    "number_count",
    "first_number",
    "number_width",
    "min_per_order",
    "max_per_order",
    "max_per_contact",
    "hold_minutes",
    "draw_when_sold_out",
    "time_zone",
    "time_zone_confirmed",
    "payment_instructions",
    "seller_contact",
    "phone_number_id",
    "promoter",
    "rules_url",
    "adults_only",
)
"""Fields that a copy takes from its original.

Dates, the picture and the permit number, which is that of one raffle, are not among them.
"""


@transaction.atomic(durable=True)
def duplicate_raffle(raffle_id: int, *, now: datetime) -> Raffle:
    """Create a draft with the same terms, without dates, ticket numbers or orders.

    Rules, public sources and prizes of its draw are copied, too, if somebody chose them; the dates
    of sources are left out. Pictures are copied into files of their own, so changing one does not
    affect the other.

    Args:
        raffle_id: id of the original, which may have any status.
        now: time of creation.

    Returns:
        The copy, whose title is that of the original followed by "(copy)".

    Raises:
        RaffleNotFound: there is no such raffle.

    """
    original = raffle_queries.load_raffle(raffle_id)
    copy = Raffle(
        title=_build_copy_title(original.title),
        status=RaffleStatus.DRAFT,
        **{name: getattr(original, name) for name in _COPIED_FIELDS},
    )
    _copy_picture(original.picture, to=copy.picture)
    copy.save()
    Raffle.objects.filter(pk=copy.pk).update(created_at=now, updated_at=now)
    copy.created_at = copy.updated_at = now
    _copy_rules(original, to=copy)
    return copy


def _copy_rules(original: Raffle, *, to: Raffle) -> None:
    rules = DrawRules.objects.filter(raffle=original).first()
    if rules is None:
        return
    DrawRules.objects.create(
        raffle=to, **{name: getattr(rules, name) for name in _COPIED_RULE_FIELDS}
    )
    Raffle.objects.filter(pk=to.pk).update(draw_method=original.draw_method)
    to.draw_method = original.draw_method
    for source in DrawSource.objects.filter(raffle=original):
        source.pk, source.raffle, source.at = None, to, None
        source.save(force_insert=True)
    for prize in Prize.objects.filter(raffle=original):
        copied = Prize(raffle=to, position=prize.position, title=prize.title)
        _copy_picture(prize.picture, to=copied.picture)
        copied.save()


_COPIED_RULE_FIELDS: Final = ("unsold_rule", "minimum_sold", "claim_days", "further_terms")


def _build_copy_title(original: str) -> str:
    """Return the title with the suffix, cut to the length of the field; never with two suffixes."""
    field = Raffle._meta.get_field("title")  # noqa: SLF001 - Django documents it
    limit = field.max_length or len(original)
    return original.removesuffix(_COPY_SUFFIX)[: limit - len(_COPY_SUFFIX)].rstrip() + _COPY_SUFFIX


def _copy_picture(picture: ImageFieldFile, *, to: ImageFieldFile) -> None:
    """Copy a picture into a new file; skip it if the storage has lost it."""
    if not picture:
        return
    try:
        with picture.open("rb") as file:
            content = file.read()
    except FileNotFoundError:
        return
    name = PurePosixPath(picture.name or "picture").name
    to.save(name, ContentFile(content), save=False)
