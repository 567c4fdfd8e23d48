"""Removal of the files of erased payment proofs, after the erasure is committed."""

from django.db import transaction

from shared.core import logs
from shared.core.write_turns import WriteTurns
from shared.raffles.models import ErasedFile, PaymentProof, proof_storage
from shared.raffles.predicates import HASHED_PROOFS
from shared.raffles.services.payment_proofs import proof_queries, renditions

_log = logs.get_logger(__name__)


def remove_erased_files() -> int:
    """Remove the files of erased proofs that no other proof needs, each in a transaction.

    A file that cannot be removed is tried again by the next call, and so are those that a process
    left when it died. Several processes may call this at once.

    Returns:
        The number of files that were removed or are still needed.

    """
    done = 0
    turns = WriteTurns()
    for erased_id in list(ErasedFile.objects.order_by("pk").values_list("pk", flat=True)):
        try:
            with turns.take():
                done += _remove_file(erased_id)
        except OSError as error:
            _log.warning("file_not_removed", erased_id=erased_id, reason=type(error).__name__)
    return done


@transaction.atomic
def _remove_file(erased_id: int) -> int:
    rows = ErasedFile.objects.select_for_update(skip_locked=True)
    erased = rows.filter(pk=erased_id).first()
    if erased is None:
        return 0
    others = proof_queries.query_receipt_rows({erased.receipt_id})
    if erased.name and not others.filter(file=erased.name).exists():
        proof_storage().delete(erased.name)
    same = PaymentProof.objects.filter(HASHED_PROOFS, sha256=erased.sha256).exclude(file="")
    if erased.sha256 and not same.exists():
        renditions.delete_renditions(erased.sha256)
    erased.delete()
    return 1
