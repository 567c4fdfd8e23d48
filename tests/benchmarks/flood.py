"""Benchmark of a buyer who floods: how long another buyer waits for the answers of a purchase.

A gateway and a stand-in for Meta run in processes of their own. One buyer's texts are posted,
signed as Meta does, while another buyer takes three numbers.
"""

import itertools
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table

from tests.benchmarks.support import databases

if TYPE_CHECKING:
    from deploy.sandbox.client import BuyerClient
    from tests.acceptance.stack import Stack

TEXTS: Final = 1_000
TEXTS_PER_WEBHOOK: Final = 1_000
"""Meta may put as many into one request."""
FLOODER: Final = "15550108888"
PATIENCE: Final = 900.0
"""Seconds until an answer must have come."""


def run() -> None:
    """Measure on both databases and print the results."""
    table = Table(title=f"A purchase while another buyer sends {TEXTS:,} texts")
    for heading in ("database", "flood", "hi", "3 random", "Confirm", "drained", "replies to it"):
        table.add_column(heading, justify="left" if heading == "database" else "right")
    kinds: Sequence[databases.Kind] = ("sqlite", "postgresql")
    for kind in kinds:
        for texts in (0, TEXTS):
            table.add_row(kind, f"{texts:,}", *measure_purchase(kind, texts=texts))
    Console(width=110).print(table)


def measure_purchase(kind: databases.Kind, *, texts: int) -> tuple[str, ...]:
    """Return the waits of the other buyer, the time until all is handled, and the paid replies."""
    with (
        databases.create_database(kind) as address,
        tempfile.TemporaryDirectory(prefix="rafflebot-flood-") as folder,
    ):
        from shared.whatsapp.models import OutboundMessage
        from tests.acceptance import stack as stacks

        stacks.seed_database()
        with stacks.run_stack(vendor=kind, database=address, folder=Path(folder)) as stack:
            stack.start_gateway_and_wait(LOG_LEVEL="WARNING")
            buyer = stack.buyer()
            began = time.monotonic()
            with ThreadPoolExecutor(1) as flood:
                posted = flood.submit(post_flood, stack, texts=texts)
                time.sleep(0.3)
                waits = [
                    time_answer(buyer, lambda: buyer.says("hi")),
                    time_answer(buyer, lambda: buyer.says("3 random")),
                    time_answer(buyer, lambda: buyer.taps("Confirm")),
                ]
                posted.result()
            wait_until_handled()
            drained = time.monotonic() - began
            replies = OutboundMessage.objects.filter(contact__wa_id=FLOODER).count()
    return (*(f"{wait:.2f} s" for wait in waits), f"{drained:.1f} s", f"{replies:,}")


def post_flood(stack: "Stack", *, texts: int) -> None:
    """Post the texts of one buyer, some in each webhook, and expect each to be accepted."""
    from tests.unit.whatsapp import webhook_payloads

    now = int(time.time())
    said = (build_text(serial, at=now) for serial in range(texts))
    for together in itertools.batched(said, TEXTS_PER_WEBHOOK):
        body = webhook_payloads.encode_webhook(
            webhook_payloads.build_change(messages=list(together))
        )
        if stack.post_webhook(body) != 200:
            raise SystemExit("a webhook was refused")


def build_text(serial: int, *, at: int) -> dict[str, Any]:
    """Build a text of the buyer who floods."""
    from tests.unit.whatsapp import webhook_payloads

    return webhook_payloads.build_message(
        **{"from": FLOODER, "from_user_id": None, "id": f"wamid.FLOOD{serial}"},
        timestamp=str(at),
        text={"body": f"hello number {serial}"},
    )


def time_answer(buyer: "BuyerClient", act: Callable[[], int]) -> float:
    """Return the seconds from what a buyer does until the answer is there."""
    began = time.monotonic()
    act()
    buyer.waits_for(1, timeout=PATIENCE)
    return time.monotonic() - began


def wait_until_handled() -> None:
    """Wait until no message waits for its answer."""
    from shared.whatsapp.models import InboundMessage

    until = time.monotonic() + PATIENCE
    while InboundMessage.objects.filter(status="RECEIVED").exists():
        if time.monotonic() > until:
            raise SystemExit("messages are still waiting")
        time.sleep(0.2)


if __name__ == "__main__":
    run()
