"""Whether a webhook comes from Meta: the signature over its raw bytes.

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
    """Whether the header could be a signature at all; asked before the body is read."""
    return header is not None and _SIGNATURE.fullmatch(header) is not None


def is_signed(body: bytes, *, header: str, secrets: Sequence[str]) -> bool:
    """Whether one of the app's secrets signed exactly these bytes.

    Args:
        body: the raw body, before any decoding: written anew it would have another signature.
        header: the value of `X-Hub-Signature-256`.
        secrets: the app secrets in use; while rotating the old and the new one.

    """
    if not is_signature_well_formed(header):
        return False
    given = header.removeprefix(_SIGNATURE_PREFIX)
    return any(
        hmac.compare_digest(compute_signature(body, secret=secret), given)
        for secret in secrets
        if secret
    )


def compute_signature(body: bytes, *, secret: str) -> str:
    """Compute the hex digest with which Meta signs these bytes."""
    return hmac.digest(secret.encode(), body, "sha256").hex()


def is_verify_token(given: str | None, *, token: str) -> bool:
    """Whether Meta's verification request says our word; a blank word verifies nobody."""
    return bool(token) and hmac.compare_digest((given or "").encode(), token.encode())
