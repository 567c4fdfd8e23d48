"""Promoter, permit, rules address and age of a raffle, and the pictures of its prizes."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial

from django.core.files.base import File
from django.db import transaction

from shared.raffles import sale_rules
from shared.raffles.draw_errors import RulesFrozen
from shared.raffles.draw_models import Prize
from shared.raffles.models import Raffle
from shared.raffles.services import locks
from shared.raffles.services.draws import draw_rules


@dataclass(frozen=True, slots=True)
class LegalDetails:
    """Who answers for a raffle and who may take part; the attributes are those of `Raffle`."""

    promoter: str = ""
    permit_number: str = ""
    rules_url: str = ""
    adults_only: bool = False


@transaction.atomic(durable=True)
def save_legal_details(raffle_id: int, details: LegalDetails, *, now: datetime) -> None:
    """Set the legal details of a raffle, which stand in its rules.

    Raises:
        RaffleNotFound: there is no such raffle.
        RulesFrozen: a number was sold under its present rules.
        RaffleSealed, RaffleDrawn: its list of sold numbers is final.

    """
    raffle = locks.lock_raffle(raffle_id)
    sale_rules.refuse_after_sealing(raffle)
    if draw_rules.are_rules_frozen(raffle_id):
        raise RulesFrozen
    Raffle.objects.filter(pk=raffle_id).update(**asdict(details), updated_at=now)


@transaction.atomic(durable=True)
def save_prize_pictures(
    raffle_id: int, pictures: "Sequence[File[bytes] | str]", *, former: Collection[str] = ()
) -> None:
    """Set the pictures of a raffle's prizes; they are no part of the rules.

    Files that no prize has any more are deleted.

    Args:
        raffle_id: primary key of the raffle.
        pictures: of each prize in their order: a new file, the name of a stored one, or "".
        former: names of the pictures that its prizes had before their titles were saved.

    Raises:
        RaffleNotFound: there is no such raffle.
        RaffleSealed, RaffleDrawn: its list of sold numbers is final.

    """
    raffle = locks.lock_raffle(raffle_id)
    sale_rules.refuse_after_sealing(raffle)
    prizes = list(Prize.objects.filter(raffle=raffle))
    before = {*former, *(prize.picture.name for prize in prizes)}
    for prize, picture in zip(prizes, pictures, strict=False):
        if isinstance(picture, str):
            prize.picture.name = picture
            prize.save(update_fields=["picture"])
        else:
            prize.picture.save(picture.name or "prize", picture)
    storage = Prize._meta.get_field("picture").storage  # noqa: SLF001 - Django documents it
    for name in before - {prize.picture.name for prize in prizes}:
        if name:
            transaction.on_commit(partial(storage.delete, name))
