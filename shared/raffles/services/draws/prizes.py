"""Prizes of a raffle: their titles and pictures, which change until the first number is sold."""

from collections.abc import Collection, Sequence
from functools import partial

from django.core.files.base import File
from django.db import transaction

from shared.raffles.draws.draw_errors import PrizeNotFound, RulesFrozen
from shared.raffles.draws.draw_models import DrawRules, Prize
from shared.raffles.models import Raffle
from shared.raffles.services import locks


@transaction.atomic(durable=True)
def set_prize_picture(raffle_id: int, *, position: int, picture: "File[bytes] | None") -> Prize:
    """Set or remove the picture of a prize; the former file is deleted.

    Args:
        raffle_id: primary key of the raffle.
        position: of the prize, from 1.
        picture: a picture that was checked; None removes it.

    Raises:
        RaffleNotFound: there is no such raffle.
        RulesFrozen: a number was sold, and buyers saw what they can win.
        PrizeNotFound: the saved rules have no such prize.

    """
    raffle = locks.lock_raffle(raffle_id)
    if DrawRules.objects.filter(raffle=raffle, frozen_at__isnull=False).exists():
        raise RulesFrozen
    prize = Prize.objects.filter(raffle=raffle, position=position).first()
    if prize is None:
        raise PrizeNotFound
    former = prize.picture.name
    if picture is None:
        prize.picture = ""
    else:
        prize.picture.save(picture.name or "prize", picture, save=False)
    prize.save(update_fields=["picture"])
    if former:
        _delete_after_commit({former})
    return prize


def write_prizes(raffle: Raffle, titles: Sequence[str]) -> None:
    """Write the prizes of a raffle in their order; a picture stays with its prize.

    A prize is known by its title, so that it keeps its picture in another place. One that was
    renamed is known by its place.
    """
    before = list(Prize.objects.filter(raffle=raffle))
    pictures = _match_pictures(before, titles)
    if any(prize.position > len(titles) for prize in before):
        Prize.objects.filter(raffle=raffle, position__gt=len(titles)).delete()
    Prize.objects.bulk_create(
        (
            Prize(raffle=raffle, position=position, title=title, picture=picture)
            for position, (title, picture) in enumerate(zip(titles, pictures, strict=True), start=1)
        ),
        update_conflicts=True,
        unique_fields=["raffle", "position"],
        update_fields=["title", "picture"],
    )
    _delete_after_commit({prize.picture.name or "" for prize in before} - {*pictures, ""})


def _match_pictures(before: Sequence[Prize], titles: Sequence[str]) -> list[str]:
    """Return the picture's name of each title; empty for a prize without one."""
    known = {prize.title for prize in before}
    left = [prize for prize in before if prize.picture]
    pictures = [""] * len(titles)
    for renamed in (False, True):
        for place, title in enumerate(titles):
            if pictures[place] or (renamed and title in known):
                continue
            match = [
                prize
                for prize in left
                if (prize.position == place + 1 if renamed else prize.title == title)
            ]
            if match:
                pictures[place] = match[0].picture.name or ""
                left.remove(match[0])
    return pictures


def _delete_after_commit(names: Collection[str]) -> None:
    """Delete picture files once the transaction is committed."""
    storage = Prize._meta.get_field("picture").storage  # noqa: SLF001 - Django documents it
    for name in names:
        transaction.on_commit(partial(storage.delete, name))
