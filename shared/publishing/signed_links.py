"""Signed links to payment proofs, valid for one proof and one week without a token."""

from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from django.core.signing import BadSignature, Signer

from shared.publishing.errors import ProofLinkBroken, ProofLinkExpired

LINK_LIFETIME: Final = timedelta(days=7)
"""Long enough to look at a proof after a holiday."""

_SALT: Final = "shared.conversation.proof_links"


def sign_proof_id(proof_id: int, *, now: datetime) -> str:
    """Return the `signature` parameter for the address of a proof's file.

    Args:
        proof_id: the proof whose file may be read with it.
        now: the start of the week for which it is valid.

    """
    return _build_signer().sign(f"{proof_id}.{int(compute_link_expiry(now=now).timestamp())}")


def verify_proof_signature(signature: str, *, now: datetime) -> int:
    """Return the id of the proof whose file may be read with a signature.

    Args:
        signature: the `signature` parameter of the address.
        now: the current time.

    Raises:
        ProofLinkBroken: the signature was not made here.
        ProofLinkExpired: it was valid until `expired_at`.

    """
    try:
        proof_id, expiry = map(int, _build_signer().unsign(signature).split("."))
    except (BadSignature, ValueError):
        raise ProofLinkBroken from None
    expired_at = datetime.fromtimestamp(expiry, tz=UTC)
    if now >= expired_at:
        raise ProofLinkExpired(expired_at=expired_at)
    return proof_id


def compute_link_expiry(*, now: datetime) -> datetime:
    """Return when a link made now expires, rounded down to the second."""
    return (now + LINK_LIFETIME).replace(microsecond=0)


def build_proof_url(proof_id: int, *, public_url: str, now: datetime) -> str:
    """Return the full address of a proof's file, with its signature.

    Args:
        proof_id: the proof.
        public_url: the address of the back office, without a trailing slash.
        now: the start of the week for which the link is valid.

    """
    query = urlencode({"signature": sign_proof_id(proof_id, now=now)})
    return f"{public_url}/api/proofs/{proof_id}/file?{query}"


def _build_signer() -> Signer:
    return Signer(sep=".", salt=_SALT)
