"""Signatures of webhooks, which prove that they come from Meta.

Source: Meta's page "Create a webhook endpoint": `X-Hub-Signature-256: sha256=` and the HMAC-SHA256
of the body, keyed with the app's secret.
"""

import hmac
import re
from collections.abc import Sequence
from typing import Final, TypeGuard

_SIGNATURE_PREFIX: Final = "sha256="
_SIGNATURE: Final = re.compile(_SIGNATURE_PREFIX + "[0-9a-f]{64}")


def is_signature_well_formed(header: str | None) -> TypeGuard[str]:
    """Return whether the header has the form of a signature; checked before the body is read."""
    return header is not None and _SIGNATURE.fullmatch(header) is not None


def is_signed(body: bytes, *, header: str, secrets: Sequence[str]) -> bool:
    """Return whether one of the app's secrets signed exactly these bytes.

    Args:
        body: the raw body, since decoding and encoding it may change its signature.
        header: the value of `X-Hub-Signature-256`.
        secrets: the app secrets in use; during a rotation, the old and the new one.

    """
    if not is_signature_well_formed(header):
        return False
    signature = header.removeprefix(_SIGNATURE_PREFIX)
    return any(
        hmac.compare_digest(compute_signature(body, secret=secret), signature)
        for secret in secrets
        if secret
    )


def compute_signature(body: bytes, *, secret: str) -> str:
    """Return the hex digest with which Meta signs these bytes."""
    return hmac.digest(secret.encode(), body, "sha256").hex()


def is_verify_token(given: str | None, *, token: str) -> bool:
    """Return whether a verification request has the right token; a blank one is never right."""
    return bool(token) and hmac.compare_digest((given or "").encode(), token.encode())
