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

RECOVERY_CODES: Final = 10


@dataclass(frozen=True, slots=True)
class Accepted:
    """The code fits; the session is verified by this device."""

    device: TOTPDevice | StaticDevice


@dataclass(frozen=True, slots=True)
class Wrong:
    """The code does not fit, or was used before."""


@dataclass(frozen=True, slots=True)
class Wait:
    """There were too many wrong codes; the next is looked at after so many seconds."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Setup:
    """What a phone needs once: a picture to scan, or the same as letters to type."""

    picture: str
    letters: str


def people() -> QuerySet[User]:
    """Give the people, each with the attribute `second_factor`: whether a code is asked for."""
    return User.objects.annotate(
        second_factor=Exists(TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True))
    )


def wanted(user: User) -> bool:
    """Whether a code is asked for; costs a query only where the person came without the answer."""
    known: bool | None = getattr(user, "second_factor", None)
    if known is None:
        return bool(TOTPDevice.objects.filter(user_id=user.pk, confirmed=True).exists())
    return known


def started(user: User) -> TOTPDevice | None:
    """Give the device that was begun and not confirmed yet, if any."""
    return TOTPDevice.objects.filter(user=user, confirmed=False).first()


@transaction.atomic
def begin(user: User) -> None:
    """Make a new device that counts once a code of it was typed; an older attempt is dropped."""
    give_up(user)
    if not wanted(user):
        TOTPDevice.objects.create(user=user, name="Authenticator app", confirmed=False)


def give_up(user: User) -> None:
    """Drop what was begun and not confirmed."""
    TOTPDevice.objects.filter(user=user, confirmed=False).delete()


def setup(device: TOTPDevice) -> Setup:
    """Draw what the phone scans."""
    picture = segno.make(device.config_url, error="m").svg_inline(
        light="#fff", border=4, svgclass="qr", lineclass=None, omitsize=True, title="QR code"
    )
    letters = b32encode(device.bin_key).decode()
    return Setup(picture, " ".join(letters[at : at + 4] for at in range(0, len(letters), 4)))


@transaction.atomic
def confirm(user: User, code: str, *, now: datetime) -> Accepted | Wrong | Wait:
    """Turn the second factor on, given a code of the device that was begun."""
    device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
    if device is None:
        return Wrong()
    outcome = _asked(device, _plain(code), now=now)
    if isinstance(outcome, Accepted):
        device.confirmed = True
        device.save(update_fields=["confirmed"])
    return outcome


@transaction.atomic
def check(user: User, code: str, *, now: datetime) -> Accepted | Wrong | Wait:
    """Compare a code with the person's app, or, where it is no six digits, with the paper.

    Each wrong one doubles the wait before the next is looked at, beginning with a second.
    """
    plain = _plain(code)
    kind: type[TOTPDevice | StaticDevice] = TOTPDevice if plain.isdecimal() else StaticDevice
    device = kind.objects.select_for_update().filter(user=user, confirmed=True).first()
    return Wrong() if device is None else _asked(device, plain, now=now)


@transaction.atomic
def count_as_wrong(user: User) -> None:
    """Count something else that was wrong, such as a password, as a wrong code."""
    device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=True).first()
    if device is not None and device.verify_is_allowed()[0]:
        device.throttle_increment()


def waiting(user: User, *, now: datetime) -> Wait | None:
    """Say whether codes of the app are looked at at all just now."""
    device = TOTPDevice.objects.filter(user=user, confirmed=True).first()
    return None if device is None else _closed(device, now=now)


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """Make ten codes for paper, each good once; the former ones are void."""
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="Recovery codes", confirmed=True)
    codes: set[str] = set()
    while len(codes) < RECOVERY_CODES:
        code = StaticToken.random_token()
        if not code.isdecimal():  # digits alone are the app's, so paper always has a letter
            codes.add(code)
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return sorted(f"{code[:4]} {code[4:]}" for code in codes)


def recovery_codes_left(user: User) -> int:
    """Count the codes on paper that are still good."""
    return int(StaticToken.objects.filter(device__user=user).count())


@transaction.atomic
def remove(user: User) -> bool:
    """Take the second factor away altogether; says whether there was one."""
    StaticDevice.objects.filter(user=user).delete()
    removed, _ = TOTPDevice.objects.filter(user=user).delete()
    return bool(removed)


def _asked(
    device: TOTPDevice | StaticDevice, plain: str, *, now: datetime
) -> Accepted | Wrong | Wait:
    if closed := _closed(device, now=now):
        return closed
    return Accepted(device) if device.verify_token(plain) else Wrong()


def _closed(device: TOTPDevice | StaticDevice, *, now: datetime) -> Wait | None:
    allowed, why = device.verify_is_allowed()
    if allowed:
        return None
    left: timedelta = why["locked_until"] - now
    return Wait(max(1, ceil(left.total_seconds())))


def _plain(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()
