"""Errors of signed links."""

from datetime import datetime

from shared.core.errors import DomainError


class ProofLinkBroken(DomainError):
    """The link to this payment proof is not one of ours, or was cut off."""

    code = "proof_link_broken"


class ProofLinkExpired(DomainError):
    """The link to this payment proof has expired; its order's events and page have a fresh one."""

    code = "proof_link_expired"

    def __init__(self, *, expired_at: datetime) -> None:
        super().__init__(expired_at=expired_at)
