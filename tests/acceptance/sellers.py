"""Threads that sell ticket numbers at a steady rate: orders, payment proofs and confirmations."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from django.db import connections, transaction

from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.results import ProofSource
from shared.raffles.services import locks, orders, reservations
from shared.raffles.services.proof_placement import proofs
from shared.use_cases import payments, proof_files
from tests import builders
from tests.builders import PHONE_NUMBER_ID

SALES_PER_SECOND: Final = 20
THREADS: Final = 2
"""As many as write to SQLite at once in a small installation: a gateway and the back office."""
LEAST_PAUSE: Final = 0.02
"""Seconds between two sales of a thread on a machine that is too slow for the rate; without them
SQLite, which has no queue of writers, may let one thread wait until its time is up."""
NUMBERS_PER_ORDER: Final = 2


@dataclass
class Sellers:
    """What was sold so far.

    Attributes:
        sold: codes of the orders whose proof is stored, in the order in which they were finished.
        failures: errors that sellers met; they sell on.

    """

    sold: list[str] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)


@contextmanager
def sell_steadily(raffle: Raffle) -> Iterator[Sellers]:
    """Sell while the block runs; every second order is confirmed."""
    sellers = Sellers()
    threads = [
        threading.Thread(target=_sell, args=(sellers, raffle, random.Random(nth)))
        for nth in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield sellers
    finally:
        sellers.done.set()
        for thread in threads:
            thread.join()


def _sell(sellers: Sellers, raffle: Raffle, dice: random.Random) -> None:
    try:
        while not sellers.done.is_set():
            due = time.monotonic() + THREADS / SALES_PER_SECOND
            try:
                sellers.sold.append(sell_with_proof(raffle, dice=dice))
            except Exception as failure:  # noqa: BLE001 - the test lists them
                sellers.failures.append(failure)
            sellers.done.wait(max(LEAST_PAUSE, due - time.monotonic()))
    finally:
        connections.close_all()


def sell_with_proof(raffle: Raffle, *, dice: random.Random) -> str:
    """Sell random numbers to a new buyer, as chat, gateway and staff do; return the code."""
    now, chat = datetime.now(UTC), builders.build_chat_actor()
    buyer = builders.create_contact(last_inbound_at=now)
    with transaction.atomic():
        order = reservations.hold_random(
            raffle,
            contact_id=buyer.pk,
            quantity=NUMBERS_PER_ORDER,
            pivot=dice.randrange(2**31),
            now=now,
            by=chat,
        )
    with transaction.atomic():
        order = orders.place(locks.lock_order(order.pk), at=now, now=now, by=chat)
    code = str(order.code)
    proof = _receive_proof(order, now=now)
    proof_files.keep_proof_file(
        proof.pk,
        content=b"%PDF-1.4 the receipt of " + code.encode(),
        content_type="application/pdf",
        extension="pdf",
        now=now,
    )
    if dice.random() < 0.5:
        payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=now)
    return code


def _receive_proof(order: Order, *, now: datetime) -> PaymentProof:
    name = f"proof-of-{order.code}"
    source = ProofSource(PHONE_NUMBER_ID, f"wamid.{name}", name, "", "", now)
    with transaction.atomic():
        received = proofs.receive_proof(
            source,
            order=locks.lock_order(order.pk),
            contact_id=order.contact_id or 0,
            by=builders.build_chat_actor(),
            now=now,
        )
    return received.proof
