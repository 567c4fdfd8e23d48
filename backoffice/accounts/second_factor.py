"""Second factor: codes of an authenticator app, and recovery codes for a lost phone."""

from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

import segno
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, IntegerField, OuterRef, QuerySet
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from shared.core.statements.compiled_queries import CompiledQuery, Parameter

RECOVERY_CODE_COUNT: Final = 10


@dataclass(frozen=True, slots=True)
class CodeAccepted:
    """The code is right; `device` is the device that verifies the session."""

    device: TOTPDevice | StaticDevice


@dataclass(frozen=True, slots=True)
class CodeWrong:
    """The code is wrong or was used before."""


@dataclass(frozen=True, slots=True)
class CodeEntryPaused:
    """Too many wrong codes; the next code is checked after `seconds`."""

    seconds: int


@dataclass(frozen=True, slots=True)
class AuthenticatorSetup:
    """Setup data for an authenticator app.

    Attributes:
        picture: the QR code as inline SVG.
        letters: the same key in base32, for typing.

    """

    picture: str
    letters: str


def select_people() -> QuerySet[User]:
    """Return all users, each with the attribute `second_factor`: whether it is turned on."""
    return User.objects.annotate(
        second_factor=Exists(TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True))
    )


def load_person(user_id: int) -> User | None:
    """Return a user as `select_people` does, or None if there is none; every request needs one."""
    return next(iter(_PERSON.fetch(user_id=user_id)), None)


def has_second_factor(user: User) -> bool:
    """Return whether the user has a second factor.

    This costs a query if the user was not loaded by `select_people` or `load_person`.
    """
    known: bool | None = getattr(user, "second_factor", None)
    if known is None:
        return bool(TOTPDevice.objects.filter(user_id=user.pk, confirmed=True).exists())
    return known


_PERSON: Final = CompiledQuery(
    lambda: select_people().filter(pk=Parameter("user_id", IntegerField()))
)


def find_pending_device(user: User) -> TOTPDevice | None:
    """Return the device whose setup has not been confirmed yet, if any."""
    return TOTPDevice.objects.filter(user=user, confirmed=False).first()


@transaction.atomic
def start_setup(user: User) -> None:
    """Create an unconfirmed device in place of an earlier one, if there is no second factor yet."""
    cancel_setup(user)
    if not has_second_factor(user):
        TOTPDevice.objects.create(user=user, name="Authenticator app", confirmed=False)


def cancel_setup(user: User) -> None:
    """Delete the device whose setup has not been confirmed."""
    TOTPDevice.objects.filter(user=user, confirmed=False).delete()


def build_authenticator_setup(device: TOTPDevice) -> AuthenticatorSetup:
    """Return the QR code and the key of a device."""
    picture = segno.make(device.config_url, error="m").svg_inline(
        light="#fff", border=4, svgclass="qr", lineclass=None, omitsize=True, title="QR code"
    )
    letters = b32encode(device.bin_key).decode()
    return AuthenticatorSetup(
        picture, " ".join(letters[at : at + 4] for at in range(0, len(letters), 4))
    )


@transaction.atomic
def confirm_setup(
    user: User, code: str, *, now: datetime
) -> CodeAccepted | CodeWrong | CodeEntryPaused:
    """Turn the second factor on if the code is one of the unconfirmed device.

    Args:
        user: the owner of the device.
        code: the code as typed.
        now: the current time.

    Returns:
        Whether the code was right, wrong, or not checked because of earlier wrong codes.

    """
    device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
    if device is None:
        return CodeWrong()
    outcome = _verify_code(device, _normalise_code(code), now=now)
    if isinstance(outcome, CodeAccepted):
        device.confirmed = True
        device.save(update_fields=["confirmed"])
    return outcome


@transaction.atomic
def check_code(
    user: User, code: str, *, now: datetime
) -> CodeAccepted | CodeWrong | CodeEntryPaused:
    """Check a code; six digits are a code of the app, anything else is a recovery code.

    Each wrong code doubles the pause before the next is checked, starting with one second.

    Args:
        user: the user who logs in or confirms.
        code: the code as typed.
        now: the current time.

    Returns:
        Whether the code was right, wrong, or not checked because of earlier wrong codes.

    """
    plain = _normalise_code(code)
    kind: type[TOTPDevice | StaticDevice] = TOTPDevice if plain.isdecimal() else StaticDevice
    device = kind.objects.select_for_update().filter(user=user, confirmed=True).first()
    return CodeWrong() if device is None else _verify_code(device, plain, now=now)


@transaction.atomic
def count_wrong_attempt(user: User) -> None:
    """Count another wrong secret, such as a password, as a wrong code."""
    device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=True).first()
    if device is not None and device.verify_is_allowed()[0]:
        device.throttle_increment()


def get_remaining_pause(user: User, *, now: datetime) -> CodeEntryPaused | None:
    """Return the pause before the next code of the app is checked; None if there is none."""
    device = TOTPDevice.objects.filter(user=user, confirmed=True).first()
    return None if device is None else _get_device_pause(device, now=now)


@transaction.atomic
def create_recovery_codes(user: User) -> list[str]:
    """Create ten recovery codes, each valid once; earlier recovery codes become void."""
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="Recovery codes", confirmed=True)
    codes: set[str] = set()
    while len(codes) < RECOVERY_CODE_COUNT:
        code = StaticToken.random_token()
        if not code.isdecimal():  # digits alone are a code of the app
            codes.add(code)
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return sorted(f"{code[:4]} {code[4:]}" for code in codes)


def count_recovery_codes(user: User) -> int:
    """Return the number of unused recovery codes."""
    return int(StaticToken.objects.filter(device__user=user).count())


@transaction.atomic
def remove_second_factor(user: User) -> bool:
    """Remove the second factor and the recovery codes; return whether there was one."""
    StaticDevice.objects.filter(user=user).delete()
    removed, _ = TOTPDevice.objects.filter(user=user).delete()
    return bool(removed)


def _verify_code(
    device: TOTPDevice | StaticDevice, plain: str, *, now: datetime
) -> CodeAccepted | CodeWrong | CodeEntryPaused:
    if closed := _get_device_pause(device, now=now):
        return closed
    return CodeAccepted(device) if device.verify_token(plain) else CodeWrong()


def _get_device_pause(
    device: TOTPDevice | StaticDevice, *, now: datetime
) -> CodeEntryPaused | None:
    allowed, why = device.verify_is_allowed()
    if allowed:
        return None
    left: timedelta = why["locked_until"] - now
    return CodeEntryPaused(max(1, ceil(left.total_seconds())))


def _normalise_code(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()
