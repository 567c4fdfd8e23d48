"""A database as the former release left it, filled to any size, and processes that still run it."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

from django.db import OperationalError, connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from tests.benchmarks.support.rows import format_moment, insert_rows
from tests.builders import PHONE_NUMBER_ID
from tests.databases import DatabaseFactory

LAST_MIGRATIONS: Final = {
    "api": "0002_old_tokens",
    "backoffice": "0002_automation",
    "events": "0001_initial",
    "raffles": "0004_events_by_time",
    "whatsapp": "0002_failed_messages",
}
"""The last migration of each of our apps in the former release, 0.2.0."""

NEW_APPS: Final = frozenset({"maintenance", "staff_mail"})
"""Apps with tables that the former release did not have."""

NOW: Final = datetime(2026, 11, 29, 12, tzinfo=UTC)
MAX_TRIES: Final = 5
"""How often the former release tried a transaction again that met a deadlock."""

_EVENT_DATA: Final = '{"about": "' + "x" * 300 + '"}'
_serial = count(1)


def create_former_tables() -> None:
    """Migrate an empty database to where the former release ended."""
    executor = MigrationExecutor(connection)
    executor.loader = MigrationLoader(connection, replace_migrations=False)
    others = [
        (app, name)
        for app, name in executor.loader.graph.leaf_nodes()
        if app not in {*LAST_MIGRATIONS, *NEW_APPS}
    ]
    executor.migrate([*LAST_MIGRATIONS.items(), *others])


@contextmanager
def copy_former_tables(vendor: str, run_folder: Path) -> Iterator[str]:
    """Copy a database that ends where the former release ended, and yield its URL."""
    factory = DatabaseFactory(vendor, run_folder)
    with factory.prepared("former", create_former_tables) as address:
        yield address


def load_former_models() -> Any:
    """Return the registry of the models as the former release knew them."""
    loader = MigrationLoader(None, replace_migrations=False)
    return loader.project_state(list(LAST_MIGRATIONS.items())).apps


@dataclass(frozen=True)
class FormerRelease:
    """The tables of the former release and what it writes into them.

    Attributes:
        models: the registry of its models.
        numbers: count of ticket numbers.
        orders: count of paid orders, each of another buyer, with a number, a proof and events.

    """

    models: Any
    numbers: int
    orders: int

    def fill(self) -> None:
        """Write a raffle that is being sold, a few seconds for 100,000 orders."""
        at, every = format_moment(NOW), range(1, self.orders + 1)
        self.create("raffles.Raffle", **_build_raffle(self.numbers))
        self._insert(
            "raffles.TicketNumber",
            "raffle_id number status shuffle_key",
            (
                (1, n, "SOLD" if n <= self.orders else "AVAILABLE", n * 7919 % 2**31)
                for n in range(1, self.numbers + 1)
            ),
        )
        self._insert(
            "whatsapp.WhatsAppContact",
            "phone_number_id wa_id profile_name created_at",
            ((PHONE_NUMBER_ID, f"1555{n:08d}", f"Buyer {n}", at) for n in every),
        )
        self._insert(
            "raffles.Order",
            "raffle_id contact_id code status mode quantity unit_price total currency created_at "
            "placed_at closed_at",
            ((1, n, f"R-F{n}", "PAID", "PICK", 1, 5, 5, "USD", at, at, at) for n in every),
        )
        self._insert("raffles.OrderTicket", "order_id ticket_id", ((n, n) for n in every))
        self._insert(
            "raffles.OrderEvent",
            "order_id action actor_kind from_status to_status at",
            (
                (n, action, "STAFF", "", status, at)
                for n in every
                for action, status in (("PLACED", "PENDING_PAYMENT"), ("PAID", "PAID"))
            ),
        )
        self._insert(
            "raffles.PaymentProof",
            "order_id contact_id phone_number_id wa_message_id media_id status arrived_at",
            ((n, n, PHONE_NUMBER_ID, f"wamid.{n}", str(n), "KEPT", at) for n in every),
        )
        self._insert(
            "events.Event",
            "event_id type dedupe_key subject order_id data created_at",
            (
                (f"evt_{n}_{kind}", kind, f"{kind}:{n}", f"R-F{n}", n, _EVENT_DATA, at)
                for n in every
                for kind in ("order.created", "order.proof_received", "order.paid")
            ),
        )

    def create(self, model: str, **values: Any) -> Any:
        """Insert a row, naming the columns that the former release knew."""
        return self.models.get_model(model)._default_manager.create(**values)

    def query(self, model: str) -> Any:
        """Return all rows of a model."""
        return self.models.get_model(model)._default_manager.all()

    def _insert(self, model: str, names: str, rows: Iterable[tuple[Any, ...]]) -> None:
        insert_rows(self.models.get_model(model), names, rows)

    def store_webhook(self) -> None:
        """Store a message of a new buyer."""
        serial = next(_serial)
        buyer = self.create(
            "whatsapp.WhatsAppContact",
            phone_number_id=PHONE_NUMBER_ID,
            wa_id=f"1666{serial:08d}",
            created_at=NOW,
        )
        self.create(
            "whatsapp.InboundMessage",
            contact=buyer,
            phone_number_id=PHONE_NUMBER_ID,
            wa_message_id=f"wamid.new{serial}",
            dedupe_key=f"wamid.new{serial}",
            type="text",
            text="hi",
            payload={},
            sent_at=NOW,
            received_at=NOW,
        )

    def sell_number(self) -> None:
        """Place an order for a free number, and take its proof."""
        serial = next(_serial)
        buyer = self._lock("whatsapp.WhatsAppContact").get(pk=serial % self.orders + 1)
        raffle = self.query("raffles.Raffle").get(pk=1)
        ticket = self._lock("raffles.TicketNumber").filter(status="AVAILABLE").order_by("pk")[0]
        order = self.create(
            "raffles.Order",
            raffle=raffle,
            contact=buyer,
            code=f"R-N{serial}",
            status="PENDING_PAYMENT",
            mode="PICK",
            quantity=1,
            unit_price=5,
            total=5,
            currency="USD",
            created_at=NOW,
            placed_at=NOW,
            under_review_since=NOW,
        )
        self.query("raffles.TicketNumber").filter(pk=ticket.pk).update(status="RESERVED")
        self.create("raffles.OrderTicket", order=order, ticket=ticket)
        self._record(order, action="PLACED", event="order.created")
        self.create(
            "raffles.PaymentProof",
            order=order,
            contact=buyer,
            phone_number_id=PHONE_NUMBER_ID,
            wa_message_id=f"wamid.proof{serial}",
            media_id=str(serial),
            arrived_at=NOW,
        )

    def confirm_payment(self) -> None:
        """Confirm an order that waits; without one do nothing."""
        order = self._lock("raffles.Order").filter(status="PENDING_PAYMENT").first()
        if order is None:
            return
        links = self.query("raffles.OrderTicket").filter(order=order, released_at=None)
        held = links.values("ticket")
        self.query("raffles.TicketNumber").filter(pk__in=held).update(status="SOLD")
        self.query("raffles.Order").filter(pk=order.pk).update(
            status="PAID", closed_at=NOW, under_review_since=None
        )
        self._record(order, action="PAID", event="order.paid")

    def _lock(self, model: str) -> Any:
        return self.query(model).select_for_update(no_key=True)

    def _record(self, order: Any, *, action: str, event: str) -> None:
        self.create("raffles.OrderEvent", order=order, action=action, actor_kind="STAFF", at=NOW)
        self.create(
            "events.Event",
            event_id=f"evt_new{next(_serial)}",
            type=event,
            subject=order.code,
            order_id=order.pk,
            data={},
            created_at=NOW,
        )


@dataclass
class Writers:
    """Threads that write as processes of the former release do.

    Attributes:
        transactions: count of transactions that were committed.
        repeated: count of those that met a deadlock and were tried again.
        longest: the longest time of a transaction, waiting included, in seconds.
        errors: what made a thread give up.

    """

    transactions: int = 0
    repeated: int = 0
    longest: float = 0
    errors: list[Exception] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def write(self, *acts: Callable[[], None], pause: float) -> None:
        """Run the acts in turn, a transaction each, until the writers are stopped."""
        try:
            while not self._ended.wait(pause):
                for act in acts:
                    began = time.monotonic()
                    self._commit(act)
                    self.longest = max(self.longest, time.monotonic() - began)
                    self.transactions += 1
        except Exception as error:  # noqa: BLE001 - the test reports whatever it is
            self.errors.append(error)
        finally:
            connections.close_all()

    def _commit(self, act: Callable[[], None]) -> None:
        for tried in range(1, MAX_TRIES + 1):
            try:
                with transaction.atomic():
                    act()
            except OperationalError as error:
                if tried == MAX_TRIES or "deadlock" not in str(error):
                    raise
                self.repeated += 1
            else:
                return

    def stop(self) -> None:
        """Let the threads end after their act."""
        self._ended.set()


@contextmanager
def run_writers(release: FormerRelease, *, pause: float = 0.02) -> Iterator[Writers]:
    """Let two processes of the former release write while the block runs.

    Args:
        release: the release.
        pause: seconds between two transactions of a process.

    """
    writers = Writers()
    threads = [
        threading.Thread(target=writers.write, args=acts, kwargs={"pause": pause})
        for acts in (
            (release.store_webhook,),
            (release.sell_number, release.sell_number, release.confirm_payment),
        )
    ]
    for thread in threads:
        thread.start()
    try:
        yield writers
    finally:
        writers.stop()
        for thread in threads:
            thread.join()


def _build_raffle(numbers: int) -> dict[str, Any]:
    return {
        "title": "Summer Raffle",
        "prize": "A motorbike",
        "price": 5,
        "currency": "USD",
        "number_count": numbers,
        "payment_instructions": "Bank of Example",
        "seller_contact": "Ana",
        "status": "OPEN",
        "created_at": NOW,
        "updated_at": NOW,
    }
