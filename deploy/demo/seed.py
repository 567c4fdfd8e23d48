"""Contents of a demo's database: the schema, a login, an API token and a raffle on sale."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command

from backoffice.api import tokens
from backoffice.api.models import ApiToken
from deploy.demo.environment import SeededDemo
from shared.core.config import PROJECT_ROOT
from shared.core.enums import DrawMethod, RaffleStatus, Scope
from shared.raffles.actor import SYSTEM
from shared.raffles.models import Raffle
from shared.raffles.services import lifecycle
from shared.raffles.services.draws import draw_rules
from shared.raffles.services.draws.draw_rules import ChosenRules
from shared.raffles.services.ticket_numbers import number_generation

API_CLIENT_NAME: Final = "demo"
SAMPLE_RULES: Final = ChosenRules(
    method=DrawMethod.RECORDED_DRUM,
    sources=(),
    prizes=("a motorbike",),
    further_terms="This is a demo: whoever plays the seller is the hand that draws a stub. In "
    "`rafflebot demo --script` it is the script, which takes a sold number by chance.",
)
"""Rules that need no source on the internet and no minutes of waiting for it."""


def seed_database(
    *, username: str, password: str, token: str, static: bool, now: datetime
) -> SeededDemo:
    """Migrate the database; create the login, the API token and the raffle if they are missing.

    Args:
        username: name of the login.
        password: password of the login.
        token: API token of an earlier demo, since the database has only its hash; may be empty.
        static: whether static files are collected.
        now: current time.

    Returns:
        The raffle and the valid API token.

    """
    call_command("migrate", verbosity=0)
    if static and not _are_static_files_current():
        call_command("collectstatic", verbosity=0, interactive=False)
    raffle_id, title = _ensure_raffle(now=now)
    _ensure_login(username, password)
    return SeededDemo(raffle_id=raffle_id, raffle=title, token=_ensure_token(token, now=now))


def _are_static_files_current() -> bool:
    """Whether the static files were collected after the last change of any source."""
    manifest = settings.STATIC_ROOT / "staticfiles.json"
    sources = [PROJECT_ROOT / "uv.lock", *(PROJECT_ROOT / "backoffice" / "static").rglob("*")]
    newest = max(path.stat().st_mtime for path in sources if path.exists())
    return manifest.exists() and bool(manifest.stat().st_mtime > newest)


def _ensure_login(username: str, password: str) -> None:
    user = User.objects.filter(username=username).first()
    if user is None:
        user = User.objects.create_superuser(username, password=password)
    elif not user.check_password(password):  # the password file was lost, or changed by hand
        user.set_password(password)
        user.save(update_fields=["password"])


def _ensure_token(kept: str, *, now: datetime) -> str:
    try:
        tokens.find_token(kept, now=now)
    except tokens.TokenRefused:  # the first demo, or its database or file was lost
        for lost in ApiToken.objects.filter(name=API_CLIENT_NAME, revoked_at=None):
            tokens.revoke_token(lost, by=API_CLIENT_NAME, now=now)
        return tokens.issue_token(
            name=API_CLIENT_NAME, scope=Scope.ADMIN, by=API_CLIENT_NAME, now=now
        ).text
    return kept


def _ensure_raffle(*, now: datetime) -> tuple[int, str]:
    raffle = Raffle.objects.order_by("id").first()
    if raffle is None:
        raffle = Raffle.objects.create(**_build_sample_raffle(now=now))
    if raffle.status == RaffleStatus.DRAFT:  # new, or the first demo was cut short
        number_generation.generate_numbers(raffle.pk)
        draw_rules.save_rules(raffle.pk, SAMPLE_RULES, by=SYSTEM, now=now)
        lifecycle.open_raffle(raffle.pk, by=SYSTEM, now=now)
    return raffle.pk, raffle.title


def _build_sample_raffle(*, now: datetime) -> dict[str, object]:
    draw = datetime.combine(now.date() + timedelta(days=20), time(20), tzinfo=UTC)
    return {
        "title": "Summer Raffle",
        "prize": "a motorbike",
        "description": "One hundred numbers, one winner.",
        "price": Decimal("5.00"),
        "currency": "USD",
        "time_zone_confirmed": True,
        "number_count": 100,
        "first_number": 0,  # 00 to 99: two digits each
        "draw_at": draw,
        "payment_instructions": "Bank of Example, account 000-123, name: Club.",
        "seller_contact": "Ana, +1 555 010 0000",
        "promoter": "The Club",
    }
