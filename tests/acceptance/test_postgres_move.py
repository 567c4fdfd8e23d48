"""Test of a move from SQLite to PostgreSQL while buyers go on writing."""

import json
import os
import signal
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from deploy.child_processes import CommandFailed, find_free_ports
from shared.core.enums import OrderStatus
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.services.ticket_numbers import inventory
from shared.use_cases import payments
from shared.whatsapp.models import Alarm, BusinessNumber, InboundMessage
from tests import builders
from tests.acceptance.buyer_steps import (
    hold_numbers,
    place_order,
    request_card,
    send_receipt,
    wait_for_message,
)
from tests.acceptance.stack import Stack, count_sends, wait_while_messages_move
from tests.builders import PHONE_NUMBER_ID
from tests.databases import DatabaseFactory, use_database
from tests.waiting import wait_until

BARRIER = """
CREATE FUNCTION wait_at_barrier() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NEW; END $$;
CREATE TRIGGER barrier BEFORE INSERT ON whatsapp_outboundmessage
FOR EACH ROW EXECUTE FUNCTION wait_at_barrier();
"""
"""Stops whoever writes the first message, while somebody else has the advisory lock 7."""
WAITING_AT_BARRIER = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.mark.same_everywhere
def test_buyers_who_write_during_a_move_are_answered_once_afterwards(
    stack: Stack, run_folder: Path
) -> None:
    [port] = find_free_ports(0)
    start_a_silent_sale()
    stack.start_gateway_and_wait(port=port)
    wait_until(lambda: Alarm.objects.filter(key=f"silent:{PHONE_NUMBER_ID}").exists())
    before, meanwhile = stack.buyer(), stack.buyer()
    request_card(before)
    numbers = hold_numbers(before)
    code = place_order(before)
    send_receipt(before)
    hold_numbers(meanwhile)
    wait_while_messages_move(stack.is_quiet)
    connection.close()

    with DatabaseFactory("postgresql", run_folder).fresh() as address:
        file = stack.database.removeprefix("sqlite:///")
        with pytest.raises(CommandFailed, match=r"is in use\. Stop gateway and back office first"):
            stack.run_manage("move_to_postgres", file, DATABASE_URL=address)
        assert stack.gateway.stop_gracefully()

        meanwhile.taps("Confirm")  # nobody listens: Meta tries again
        kill_in_the_middle(stack, file, address)
        moved = stack.run_manage("move_to_postgres", file, DATABASE_URL=address)
        assert "counts, checksums and the inventory agree" in moved
        stack.start_gateway_and_wait(port=port, DATABASE_URL=address)
        with use_database(address):
            wait_for_message(meanwhile, "please pay")
            stack.sandbox.post_webhook(text=list_deliveries(stack)[0], times=2)  # moved already
            order = Order.objects.get(code=code)
            payments.confirm_payment(
                order.pk, by=builders.build_staff_actor(), now=datetime.now(UTC)
            )
            assert numbers[0] in wait_for_message(before, "Paid").text
            stack.wait_until_settled()
            check_nothing_is_lost_or_doubled(stack)
            for buyer in (before, meanwhile):
                assert set(count_sends(stack, buyer).values()) == {1}
        assert stack.gateway.stop_gracefully()


def start_a_silent_sale() -> None:
    """Let the business number be silent for longer than a day of the sale."""
    now = datetime.now(UTC)
    Raffle.objects.update(created_at=now - timedelta(days=3))
    BusinessNumber.objects.create(
        phone_number_id=PHONE_NUMBER_ID, last_webhook_at=now - timedelta(hours=25)
    )


def kill_in_the_middle(stack: Stack, file: str, address: str) -> None:
    """Kill a move between two tables, and check that it has moved nothing."""
    with closing(psycopg.connect(address, autocommit=True)) as postgres:
        postgres.execute(BARRIER)
        postgres.execute("SELECT pg_advisory_lock(7)")
        command = stack.start_manage("move_to_postgres", file, DATABASE_URL=address)
        wait_until(lambda: (postgres.execute(WAITING_AT_BARRIER).fetchone() or (0,))[0])
        os.killpg(command.popen.pid, signal.SIGKILL)
        command.popen.wait()
        postgres.execute("SELECT pg_advisory_unlock(7)")
        postgres.execute("DROP FUNCTION wait_at_barrier CASCADE")  # waits for its transaction
        assert postgres.execute("SELECT count(*) FROM raffles_raffle").fetchone() == (0,)


def list_deliveries(stack: Stack) -> list[str]:
    """Return the webhooks that Meta delivered, in order."""
    return [delivery["body"] for delivery in stack.sandbox.deliveries()]


def check_nothing_is_lost_or_doubled(stack: Stack) -> None:
    """Check the database that the gateway uses now against what Meta delivered."""
    assert connection.vendor == "postgresql"
    assert inventory.find_inventory_problems() == []
    sent_ids = {
        message["id"]
        for delivery in list_deliveries(stack)
        for entry in json.loads(delivery)["entry"]
        for change in entry["changes"]
        for message in change["value"].get("messages", ())
    }
    stored = list(InboundMessage.objects.values_list("wa_message_id", flat=True))
    assert sorted(stored) == sorted(sent_ids)
    assert sorted(Order.objects.values_list("status", flat=True)) == [
        OrderStatus.PAID,
        OrderStatus.PENDING_PAYMENT,
    ]
    assert PaymentProof.objects.get().file.name
    assert Alarm.objects.filter(key=f"silent:{PHONE_NUMBER_ID}").exists()
