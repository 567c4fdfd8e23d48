"""The state of a raffle that the record of its draw is made from, read at one moment."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum

from shared.core import logs
from shared.core.enums import LedgerKind
from shared.raffles.draws.draw_errors import RaffleNotSealed
from shared.raffles.draws.draw_models import (
    DrawResult,
    DrawRules,
    DrawSource,
    Prize,
    PrizeClaim,
    SealedList,
    SourceReading,
)
from shared.raffles.models import LedgerEntry, Raffle
from shared.raffles.services import locks
from shared.raffles.services.draws import draw_rules

_log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RecordState:
    """The rows of a sealed raffle's draw.

    Attributes:
        raffle: the raffle.
        rules: its frozen rules.
        sealed: its sealed list, without the numbers: those of a large raffle are many.
        prizes: in their order.
        sources: in their order; none for a drum.
        readings: values and stubs in the order in which they were entered, also void ones.
        photo_hashes: SHA-256 of the photo of each reading that has one; empty if the file is lost.
        results: in the order in which they were drawn.
        claims: confirmed winners by the id of their result.
        refunds: money that went back after the sealing, in its order.
        money: sums of the ledger by kind.

    """

    raffle: Raffle
    rules: DrawRules
    sealed: SealedList
    prizes: Sequence[Prize]
    sources: Sequence[DrawSource]
    readings: Sequence[SourceReading]
    photo_hashes: Mapping[int, str]
    results: Sequence[DrawResult]
    claims: Mapping[int, PrizeClaim]
    refunds: Sequence[LedgerEntry]
    money: Mapping[str, Decimal]

    def list_latest_results(self) -> dict[int, DrawResult]:
        """Return the latest result of each prize that was drawn, by the id of the prize."""
        return {result.prize_id: result for result in self.results}


@transaction.atomic
def load_record_state(raffle_id: int) -> RecordState:
    """Return what the record of a raffle's draw is made from.

    Raises:
        RaffleNotFound: there is no such raffle.
        RaffleNotSealed: it is not sealed.

    """
    raffle = locks.lock_raffle_shared(raffle_id)  # who seals, draws or confirms locks it, too
    sealed = SealedList.objects.defer("numbers").filter(raffle=raffle).first()
    if sealed is None:
        raise RaffleNotSealed
    readings = list(SourceReading.objects.filter(raffle=raffle).order_by("id"))
    results = list(DrawResult.objects.filter(raffle=raffle).order_by("id"))
    ledger = LedgerEntry.objects.filter(raffle=raffle)
    refunds = ledger.filter(kind=LedgerKind.REFUNDED, at__gte=sealed.sealed_at)
    return RecordState(
        raffle=raffle,
        rules=draw_rules.load_frozen_rules(raffle_id),
        sealed=sealed,
        prizes=list(Prize.objects.filter(raffle=raffle).order_by("position")),
        sources=list(DrawSource.objects.filter(raffle=raffle).order_by("position")),
        readings=readings,
        photo_hashes={reading.pk: _hash_photo(reading) for reading in readings if reading.photo},
        results=results,
        claims=PrizeClaim.objects.select_related("order").in_bulk(
            [result.pk for result in results]
        ),
        refunds=list(refunds.select_related("order").order_by("id")),
        money=dict(ledger.order_by("kind").values_list("kind").annotate(sum=Sum("amount"))),
    )


def _hash_photo(reading: SourceReading) -> str:
    try:
        with reading.photo.open("rb") as photo:
            return hashlib.file_digest(photo, "sha256").hexdigest()
    except FileNotFoundError:
        _log.warning("draw_photo_missing", reading_id=reading.pk)
        return ""
