"""Errors about payment proofs."""

from collections.abc import Collection
from datetime import datetime

from shared.core.errors import DomainError


class ProofNotFound(DomainError):
    """There is no such payment proof."""

    code = "proof_not_found"


class ProofSettled(DomainError):
    """Somebody has put this payment proof to an order already, or decided about it."""

    code = "proof_settled"

    def __init__(self, *, by: str, at: datetime, order_code: str | None, verdict: str) -> None:
        super().__init__(by=by, at=at, order_code=order_code, verdict=verdict)


class ProofElsewhere(DomainError):
    """Some of the payment proofs that were named do not belong to this order, or not any more."""

    code = "proof_elsewhere"

    def __init__(self, *, proof_ids: Collection[int]) -> None:
        super().__init__(proof_ids=sorted(proof_ids))


class ProofUnderReview(DomainError):
    """The order of this payment proof is under review: confirm or reject it there, or move it."""

    code = "proof_under_review"

    def __init__(self, *, order_id: int, order_code: str | None) -> None:
        super().__init__(order_id=order_id, order_code=order_code)


class ProofNotViewable(DomainError):
    """Nobody can see what would be confirmed: no payment proof can be opened."""

    code = "proof_not_viewable"

    def __init__(self, *, proof_ids: Collection[int]) -> None:
        super().__init__(proof_ids=sorted(proof_ids))


class ProofRowExists(DomainError):
    """This payment proof belongs to that order already."""

    code = "proof_row_exists"

    def __init__(self, *, order_id: int, order_code: str | None) -> None:
        super().__init__(order_id=order_id, order_code=order_code)


class ProofFileLost(DomainError):
    """The file of this payment proof could not be opened, so it proves nothing."""

    code = "proof_file_lost"

    def __init__(self, *, order_id: int) -> None:
        super().__init__(order_id=order_id)


class ProofUnseen(DomainError):
    """Another payment proof has arrived that was not looked at yet."""

    code = "proof_unseen"

    def __init__(self, *, proof_ids: Collection[int]) -> None:
        super().__init__(proof_ids=sorted(proof_ids))
