"""Tests of signed links: they open one proof for a week, and nothing else."""

from datetime import timedelta

import pytest
from django.core.signing import Signer

from shared.publishing import signed_links
from shared.publishing.errors import ProofLinkBroken, ProofLinkExpired
from tests.builders import NOON

SECOND = timedelta(seconds=1)


def test_is_good_for_a_week() -> None:
    signature = signed_links.sign_proof_id(12, now=NOON + timedelta(microseconds=5))

    assert (
        signed_links.verify_proof_signature(
            signature, now=NOON + signed_links.LINK_LIFETIME - SECOND
        )
        == 12
    )
    with pytest.raises(ProofLinkExpired) as refusal:
        signed_links.verify_proof_signature(signature, now=NOON + signed_links.LINK_LIFETIME)
    assert refusal.value.details["expired_at"] == NOON + timedelta(days=7)


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "12",
        "12.1796385600",
        "13" + signed_links.sign_proof_id(12, now=NOON)[2:],
        signed_links.sign_proof_id(12, now=NOON)[:-1],
        signed_links.sign_proof_id(12, now=NOON) + "x",
        Signer(sep=".").sign("12.1796385600"),  # signed by us for another purpose
        "é.\0.x",
    ],
)
def test_what_we_did_not_make_opens_nothing(signature: str) -> None:
    with pytest.raises(ProofLinkBroken):
        signed_links.verify_proof_signature(signature, now=NOON)


def test_needs_no_escaping() -> None:
    url = signed_links.build_proof_url(12, public_url="https://raffles.example", now=NOON)

    signature = signed_links.sign_proof_id(12, now=NOON)
    assert url == f"https://raffles.example/api/proofs/12/file?signature={signature}"
