"""The second factor: a code from an app on the phone, and codes on paper for when it is lost."""

from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

import segno
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

RECOVERY_CODE_COUNT: Final = 10


@dataclass(frozen=True, slots=True)
class CodeAccepted:
    """The code fits; the session is verified by this device."""

    device: TOTPDevice | StaticDevice


@dataclass(frozen=True, slots=True)
class CodeWrong:
    """The code does not fit, or was used before."""


@dataclass(frozen=True, slots=True)
class CodeEntryPaused:
    """There were too many wrong codes; the next is looked at after so many seconds."""

    seconds: int


@dataclass(frozen=True, slots=True)
class AuthenticatorSetup:
    """What a phone needs once: a picture to scan, or the same as letters to type."""

    picture: str
    letters: str


def select_people() -> QuerySet[User]:
    """Give the people, each with the attribute `second_factor`: whether a code is asked for."""
    return User.objects.annotate(
        second_factor=Exists(TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True))
    )


def has_second_factor(user: User) -> bool:
    """Whether a code is asked for; costs a query only where the person came without the answer."""
    known: bool | None = getattr(user, "second_factor", None)
    if known is None:
        return bool(TOTPDevice.objects.filter(user_id=user.pk, confirmed=True).exists())
    return known


def find_pending_device(user: User) -> TOTPDevice | None:
    """Give the device that was begun and not confirmed yet, if any."""
    return TOTPDevice.objects.filter(user=user, confirmed=False).first()


@transaction.atomic
def start_setup(user: User) -> None:
    """Make a new device that counts once a code of it was typed; an older attempt is dropped."""
    cancel_setup(user)
    if not has_second_factor(user):
        TOTPDevice.objects.create(user=user, name="Authenticator app", confirmed=False)


def cancel_setup(user: User) -> None:
    """Drop what was begun and not confirmed."""
    TOTPDevice.objects.filter(user=user, confirmed=False).delete()


def build_authenticator_setup(device: TOTPDevice) -> AuthenticatorSetup:
    """Draw what the phone scans."""
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
    """Turn the second factor on, given a code of the device that was begun."""
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
    """Compare a code with the person's app, or, where it is no six digits, with the paper.

    Each wrong one doubles the wait before the next is looked at, beginning with a second.
    """
    plain = _normalise_code(code)
    kind: type[TOTPDevice | StaticDevice] = TOTPDevice if plain.isdecimal() else StaticDevice
    device = kind.objects.select_for_update().filter(user=user, confirmed=True).first()
    return CodeWrong() if device is None else _verify_code(device, plain, now=now)


@transaction.atomic
def count_wrong_attempt(user: User) -> None:
    """Count something else that was wrong, such as a password, as a wrong code."""
    device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=True).first()
    if device is not None and device.verify_is_allowed()[0]:
        device.throttle_increment()


def get_remaining_pause(user: User, *, now: datetime) -> CodeEntryPaused | None:
    """Say whether codes of the app are looked at at all just now."""
    device = TOTPDevice.objects.filter(user=user, confirmed=True).first()
    return None if device is None else _get_device_pause(device, now=now)


@transaction.atomic
def create_recovery_codes(user: User) -> list[str]:
    """Make ten codes for paper, each good once; the former ones are void."""
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="Recovery codes", confirmed=True)
    codes: set[str] = set()
    while len(codes) < RECOVERY_CODE_COUNT:
        code = StaticToken.random_token()
        if not code.isdecimal():  # digits alone are the app's, so paper always has a letter
            codes.add(code)
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return sorted(f"{code[:4]} {code[4:]}" for code in codes)


def count_recovery_codes(user: User) -> int:
    """Count the codes on paper that are still good."""
    return int(StaticToken.objects.filter(device__user=user).count())


@transaction.atomic
def remove_second_factor(user: User) -> bool:
    """Take the second factor away altogether; says whether there was one."""
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
