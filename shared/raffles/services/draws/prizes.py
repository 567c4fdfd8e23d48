"""Prizes of a raffle: their titles and pictures."""

from collections.abc import Sequence

from shared.raffles.draw_models import Prize
from shared.raffles.models import Raffle


def write_prizes(raffle: Raffle, titles: Sequence[str]) -> None:
    """Write the prizes of a raffle in their order; a picture stays with its prize.

    A prize is known by its title, so that it keeps its picture in another place. One that was
    renamed is known by its place.
    """
    pictures = _match_pictures(list(Prize.objects.filter(raffle=raffle)), titles)
    Prize.objects.filter(raffle=raffle, position__gt=len(titles)).delete()
    for position, (title, picture) in enumerate(zip(titles, pictures, strict=True), start=1):
        Prize.objects.update_or_create(
            raffle=raffle, position=position, defaults={"title": title, "picture": picture}
        )


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
