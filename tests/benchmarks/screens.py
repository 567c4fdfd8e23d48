"""Opens every screen of the back office over a busy month's books, and times it.

A million numbers, a hundred thousand orders, a thousand waiting proofs. Each screen is opened as
production serves it, by a member of the group Seller: cold, over a new connection and with nothing
remembered in the process, then warm.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.benchmarks.support import databases, table
from tests.benchmarks.support.databases import Kind

if TYPE_CHECKING:
    from django.http import StreamingHttpResponse
    from django.test import Client

MOST_QUERIES: Final = 12
MOST_MS: Final = 300
COLD: Final = 3
"""Times a screen is opened cold; the median counts."""
WARM: Final = 7
KINDS: Final[tuple[Kind, ...]] = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Screen:
    """A page, by its name in the table; `form` is what is posted, if it is posted."""

    name: str
    path: str
    form: dict[str, str] | None = None


@dataclass(slots=True)
class Timed:
    """What opening a screen took: queries of the most expensive time, and milliseconds."""

    queries: int = 0
    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)

    @property
    def slow(self) -> bool:
        """Whether it is beyond what a screen may take, cold or warm."""
        middles = statistics.median(self.cold), statistics.median(self.warm)
        return self.queries > MOST_QUERIES or max(middles) > MOST_MS

    def cells(self) -> list[str]:
        """Write the figures."""
        figures = statistics.median(self.cold), statistics.median(self.warm)
        worst = max(self.cold + self.warm)
        return [str(self.queries), *(f"{ms:.0f}" for ms in (*figures, worst))]


def run() -> None:
    """Measure on both databases.

    Raises:
        SystemExit: if a screen takes more than `MOST_QUERIES` queries or `MOST_MS` milliseconds.

    """
    slow = [screen for kind in KINDS for screen in _measured(kind)]
    if slow:
        raise SystemExit(f"more than {MOST_QUERIES} queries or {MOST_MS} ms: {', '.join(slow)}")


def seed() -> None:
    """Write a busy month into the default database, which is empty and migrated."""
    from tests.benchmarks.support.busy_month import Month

    Month(now=datetime.now(UTC)).write()


def _measured(kind: Kind) -> list[str]:
    with databases.fresh(kind), _production():
        began = time.perf_counter()
        seed()
        seeded = time.perf_counter() - began
        client = _seller()
        timed = {screen.name: _timed(client, screen) for screen in screens()}
    table.show(
        f"Screens over a busy month on {kind} (written in {seeded:.0f} s)",
        columns=["screen", "queries", "cold ms", "warm ms", "worst ms"],
        rows=[[name, *found.cells()] for name, found in timed.items()],
    )
    return [f"{name} on {kind}" for name, found in timed.items() if found.slow]


@contextmanager
def _production() -> Iterator[None]:
    """Serve as in production: no DEBUG, hashed static files."""
    from django.core.management import call_command
    from django.test import override_settings
    from django.test.utils import setup_test_environment, teardown_test_environment

    with (
        tempfile.TemporaryDirectory(prefix="rafflebot-screens-") as folder,
        override_settings(DEBUG=False, STATIC_ROOT=Path(folder), WHITENOISE_USE_FINDERS=False),
    ):
        call_command("collectstatic", interactive=False, verbosity=0)
        setup_test_environment(debug=False)
        try:
            yield
        finally:
            teardown_test_environment()


def _seller() -> "Client":
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.get(username="sofia"), "backoffice.people.backends.People")
    return client


def screens() -> list[Screen]:
    """List every screen, with one of what it shows."""
    from django.urls import reverse

    from shared.raffles.models import Order, PaymentProof, Raffle

    def at(name: str, *args: object) -> str:
        return reverse(f"admin:{name}", args=args)

    raffle = Raffle.objects.order_by("pk").values_list("pk", flat=True)[0]
    waiting = Order.objects.filter(under_review_since__isnull=False).order_by("pk")
    paid = Order.objects.filter(status="PAID", contact__isnull=False).select_related("contact")[0]
    orphan = PaymentProof.objects.filter(order=None, verdict="PENDING")[0]
    cash = Order.objects.filter(contact=None)[0]
    buyer, orders = paid.contact, at("raffles_order_changelist")
    assert buyer is not None
    return [
        Screen("dashboard", at("index")),
        Screen("queue", at("desk_queue")),
        Screen("queue, last page", at("desk_queue") + "?p=20"),
        Screen("queue of a raffle", at("desk_queue") + f"?raffle={raffle}"),
        Screen("review", at("desk_review", waiting[10].pk)),
        Screen("review: is it still so", at("desk_review_state", waiting[10].pk)),
        Screen("orphans", at("desk_orphans")),
        Screen("orphan", at("desk_orphan", orphan.pk)),
        Screen("orphan, orders searched", at("desk_orphan", orphan.pk) + "?q=Ana"),
        Screen("late payments", at("desk_late")),
        Screen("orders", orders),
        Screen("orders, last page", orders + "?p=1000"),
        Screen("orders paid", orders + "?status=PAID"),
        Screen("orders of a raffle", orders + f"?raffle={raffle}"),
        Screen("orders under review", orders + "?review=waiting"),
        Screen("orders by amount", orders + "?o=4"),
        Screen("orders: a code", orders + f"?q={str(paid.code).lower()}"),
        Screen("orders: a phone", orders + f"?q=%2B{buyer.wa_id}"),
        Screen("orders: part of a phone", orders + f"?q={str(buyer.wa_id)[-5:]}"),
        Screen("orders: a name", orders + "?q=Ana+Torres"),
        Screen("orders: a common name", orders + "?q=Ana"),
        Screen("orders: nobody", orders + "?q=Xavier"),
        Screen("orders: a number", orders + f"?q=%23007919&raffle={raffle}"),
        Screen("orders: a number anywhere", orders + "?q=7919"),
        Screen("order", at("raffles_order_change", paid.pk)),
        Screen("order for cash", at("raffles_order_change", cash.pk)),
        Screen("order, history", at("raffles_order_history", paid.pk)),
        Screen("proofs", at("raffles_paymentproof_changelist")),
        Screen("proof", at("raffles_paymentproof_change", orphan.pk)),
        Screen("proof, file", at("raffles_paymentproof_file", orphan.pk)),
        Screen("proof, thumbnail", at("raffles_paymentproof_thumbnail", orphan.pk)),
        Screen("raffles", at("raffles_raffle_changelist")),
        Screen("raffle", at("raffles_raffle_change", raffle)),
        Screen("raffle, new", at("raffles_raffle_add")),
        Screen("numbers, overview", at("desk_numbers", raffle)),
        Screen("numbers, a page", at("desk_numbers", raffle) + "?page=500"),
        Screen("sell for cash", at("desk_sell", raffle)),
        Screen("outbox", at("whatsapp_outboundmessage_changelist")),
        Screen("outbox, failed", at("whatsapp_outboundmessage_changelist") + "?status=FAILED"),
        Screen("outbox, a buyer", at("whatsapp_outboundmessage_changelist") + "?q=Torres"),
        Screen("inbox", at("whatsapp_inboundmessage_changelist")),
        Screen("inbox, a buyer", at("whatsapp_inboundmessage_changelist") + "?q=Torres"),
        Screen("contacts", at("whatsapp_whatsappcontact_changelist")),
        Screen("contacts, a name", at("whatsapp_whatsappcontact_changelist") + "?q=Torres"),
        Screen("contact", at("whatsapp_whatsappcontact_change", buyer.pk)),
        Screen("alarms", at("whatsapp_alarm_changelist")),
        Screen("business numbers", at("whatsapp_businessnumber_changelist")),
        Screen("what people did", at("admin_logentry_changelist")),
        Screen("export", at("desk_export")),
        Screen(
            "export, first bytes of CSV",
            at("desk_export"),
            {"what": "numbers", "raffle": "", "status": "", "format": "csv"},
        ),
        Screen("security", at("desk_security")),
    ]


def _timed(client: "Client", screen: Screen) -> Timed:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    timed = Timed()
    for _ in range(COLD):
        _forget()
        timed.cold.append(_ms(lambda: _open(client, screen)))
    for _ in range(WARM):
        timed.warm.append(_ms(lambda: _open(client, screen)))
    _forget()
    with CaptureQueriesContext(
        connection,
    ) as captured:
        _open(client, screen)
    timed.queries = len(captured)
    return timed


def _forget() -> None:
    """Let the next request find a process as if it had just started."""
    from django.core.cache import cache
    from django.db import connection

    from shared.raffles.services import availability

    cache.clear()
    availability.forget_counts()
    connection.close()
    connection.ensure_connection()


def _ms(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def _open(client: "Client", screen: Screen) -> None:
    """Open a screen to its end; of a file that streams only the first bytes."""
    if screen.form is None:
        answer = client.get(screen.path)
    else:
        answer = client.post(screen.path, screen.form)
    if answer.status_code != 200:
        raise SystemExit(f"{screen.name}: {answer.status_code} at {screen.path}")
    if answer.streaming:
        _first_bytes(answer)  # type: ignore[arg-type]


def _first_bytes(answer: "StreamingHttpResponse") -> None:
    parts = iter(answer.streaming_content)  # type: ignore[arg-type]
    assert next(parts)
    answer.close()
