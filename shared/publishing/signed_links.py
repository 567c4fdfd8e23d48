"""Links to payment proofs that need no token: signed, good for one proof and for a week."""

from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from django.core.signing import BadSignature, Signer

from shared.publishing.errors import ProofLinkBroken, ProofLinkExpired

LINK_LIFETIME: Final = timedelta(days=7)
"""Long enough for a person to look at a proof after a holiday."""

_SALT: Final = "shared.conversation.proof_links"


def sign_proof_id(proof_id: int, *, now: datetime) -> str:
    """Give the value of `signature` in the address of a proof's file, good for a week.

    Args:
        proof_id: whose file may be read with it.
        now: the week begins here.

    """
    return _build_signer().sign(f"{proof_id}.{int(compute_link_expiry(now=now).timestamp())}")


def verify_proof_signature(signature: str, *, now: datetime) -> int:
    """Give the proof whose file may be read with a signature.

    Raises:
        ProofLinkBroken: we did not make it.
        ProofLinkExpired: it was good until `expired_at`.

    """
    try:
        proof_id, until = map(int, _build_signer().unsign(signature).split("."))
    except (BadSignature, ValueError):
        raise ProofLinkBroken from None
    expired_at = datetime.fromtimestamp(until, tz=UTC)
    if now >= expired_at:
        raise ProofLinkExpired(expired_at=expired_at)
    return proof_id


def compute_link_expiry(*, now: datetime) -> datetime:
    """Say until when a link made now is good, to the second."""
    return (now + LINK_LIFETIME).replace(microsecond=0)


def build_proof_url(proof_id: int, *, public_url: str, now: datetime) -> str:
    """Write the whole address of a proof's file, e.g. for a message to a reviewer.

    Args:
        proof_id: whose file it is.
        public_url: where the back office is reached, without a slash at its end.
        now: it is good for a week from here.

    """
    query = urlencode({"signature": sign_proof_id(proof_id, now=now)})
    return f"{public_url}/api/proofs/{proof_id}/file?{query}"


def _build_signer() -> Signer:
    return Signer(sep=".", salt=_SALT)
