"""Tests of webhook signatures; the first five cases are test vectors computed independently."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.whatsapp.services import security

EMPTY = b'{"object":"whatsapp_business_account","entry":[]}'
SPACED = b'{"object": "whatsapp_business_account", "entry": []}'
ESCAPED = (
    rb'{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages",'
    rb'"value":{"t":"\u00e4\u00f6\u00e5 a\/b \u003c \ud83d\ude80"}}]}]}'
)
WRITTEN_ANEW = (
    '{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages",'
    '"value":{"t":"äöå a/b < 🚀"}}]}]}'
).encode()

EMPTY_SIGNATURE = "dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"


@pytest.mark.parametrize(
    ("secret", "body", "digest"),
    [
        ("test_app_secret", EMPTY, EMPTY_SIGNATURE),
        (
            "test_app_secret",
            SPACED,
            "56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a",
        ),
        (
            "otro_secreto",
            EMPTY,
            "769b03d8c2ae6498f2d1e1f7299c0ba55448c69d741e7b0bb243d852d8a8d8c7",
        ),
        (
            "test_app_secret",
            ESCAPED,
            "13bf369e2d9e2aeae84f7206294ed95bd6f566a5565ab910ac9fd93528ca858e",
        ),
        (
            "test_app_secret",
            WRITTEN_ANEW,
            "cee7dfba40721c1e1d428ef6f5836d48f3e3c1f80ff60111727530c879dad0ca",
        ),
    ],
)
def test_the_bytes_as_they_came_are_what_is_signed(secret: str, body: bytes, digest: str) -> None:
    assert security.is_signed(body, header="sha256=" + digest, secrets=[secret])
    assert not security.is_signed(body + b" ", header="sha256=" + digest, secrets=[secret])


def test_while_rotating_any_of_the_secrets_will_do() -> None:
    header = "sha256=" + EMPTY_SIGNATURE

    assert security.is_signed(EMPTY, header=header, secrets=["new", "test_app_secret"])
    assert not security.is_signed(EMPTY, header=header, secrets=["new", "newer"])
    assert not security.is_signed(EMPTY, header=header, secrets=[])


def test_a_blank_secret_signs_nothing() -> None:
    header = "sha256=" + security.compute_signature(EMPTY, secret="")

    assert not security.is_signed(EMPTY, header=header, secrets=[""])


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        EMPTY_SIGNATURE,
        "sha1=" + EMPTY_SIGNATURE,
        "SHA256=" + EMPTY_SIGNATURE,
        "sha256=" + EMPTY_SIGNATURE.upper(),
        "sha256=" + EMPTY_SIGNATURE[:-1],
        "sha256=" + EMPTY_SIGNATURE + "0",
        "sha256=" + EMPTY_SIGNATURE + "\n",
        "sha256=" + "g" * 64,
        "sha256=" + "٣" * 64,
        " sha256=" + EMPTY_SIGNATURE,
    ],
)
def test_a_header_of_another_shape_is_refused_before_the_body_matters(header: str | None) -> None:
    assert not security.is_signature_well_formed(header)
    assert not security.is_signed(EMPTY, header=header or "", secrets=["test_app_secret"])


@given(st.text())
def test_no_header_makes_it_fail(header: str) -> None:
    assert not security.is_signed(EMPTY, header=header, secrets=["test_app_secret"])


@pytest.mark.parametrize(
    ("given_word", "token", "expected"),
    [
        ("word", "word", True),
        ("wörd", "wörd", True),
        ("other", "word", False),
        (None, "word", False),
        ("", "", False),
        (None, "", False),
    ],
)
def test_the_verify_token_must_be_said_exactly(
    given_word: str | None, token: str, expected: bool
) -> None:
    assert security.is_verify_token(given_word, token=token) is expected
