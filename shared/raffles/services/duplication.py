"""Makes a new raffle from the terms of another."""

from datetime import datetime
from pathlib import PurePosixPath
from typing import Final

from django.core.files.base import ContentFile
from django.db import transaction

from shared.core.enums import RaffleStatus
from shared.raffles.models import Raffle
from shared.raffles.services import raffle_queries

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
    "time_zone",
    "payment_instructions",
    "seller_contact",
    "phone_number_id",
)
"""What a copy has in common with its original; neither its dates nor anything that was sold."""


@transaction.atomic(durable=True)
def duplicate_raffle(raffle_id: int, *, now: datetime) -> Raffle:
    """Make a draft with the same terms, without dates, numbers or orders.

    The picture is copied into a file of its own, so that changing one raffle's leaves the other's.

    Args:
        raffle_id: the original, whatever its status.
        now: when the copy begins to exist.

    Returns:
        The copy, titled like the original with "(copy)" behind.

    Raises:
        RaffleNotFound: there is no such raffle.

    """
    original = raffle_queries.load_raffle(raffle_id)
    copy = Raffle(
        title=_build_copy_title(original.title),
        status=RaffleStatus.DRAFT,
        **{name: getattr(original, name) for name in _COPIED_FIELDS},
    )
    _copy_picture(original, to=copy)
    copy.save()
    Raffle.objects.filter(pk=copy.pk).update(created_at=now, updated_at=now)
    copy.created_at = copy.updated_at = now
    return copy


def _build_copy_title(original: str) -> str:
    """Put the ending behind, within what the field holds; a copy of a copy has it once."""
    field = Raffle._meta.get_field("title")  # noqa: SLF001 - Django documents it
    room = field.max_length or len(original)
    return original.removesuffix(_COPY_SUFFIX)[: room - len(_COPY_SUFFIX)].rstrip() + _COPY_SUFFIX


def _copy_picture(original: Raffle, *, to: Raffle) -> None:
    """Copy the file under a new name; a picture that the storage has lost is left out."""
    if not original.picture:
        return
    try:
        with original.picture.open("rb") as file:
            content = file.read()
    except FileNotFoundError:
        return
    name = PurePosixPath(original.picture.name or "picture").name
    to.picture.save(name, ContentFile(content), save=False)
