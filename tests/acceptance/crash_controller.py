"""A gateway process that tests kill at a chosen point and restart."""

import json
import os
import signal
import sys
from dataclasses import dataclass
from typing import Any, Final

from deploy.child_processes import LOOPBACK_HOST, ChildProcess, find_free_ports
from tests.acceptance.stack import Stack, wait_while_messages_move
from tests.waiting import PATIENCE

INSERT_WEBHOOK: Final = "INSERT INTO whatsapp_receivedwebhook"
INSERT_INBOUND: Final = "INSERT INTO whatsapp_inboundmessage"
INSERT_ORDER_TICKET: Final = "INSERT INTO raffles_orderticket"
INSERT_OUTBOUND: Final = "INSERT INTO whatsapp_outboundmessage"
UPDATE_OUTBOUND: Final = "UPDATE whatsapp_outboundmessage"
INSERT_STATUS: Final = "INSERT INTO whatsapp_deliverystatus"

CRASH_POINTS: Final = {
    "webhook written": (INSERT_WEBHOOK, "", "after"),
    "webhook committed, Meta not told": (INSERT_WEBHOOK, "", "committed"),
    "message written": (INSERT_INBOUND, "", "after"),
    "message committed": (INSERT_INBOUND, "", "committed"),
    "numbers held": (INSERT_ORDER_TICKET, "", "after"),
    "answer written": (INSERT_OUTBOUND, "", "after"),
    "answer committed": (INSERT_OUTBOUND, "", "committed"),
    "answer committed and reserved, not sent": (UPDATE_OUTBOUND, "SENDING", "before"),
    "answer about to be sent": (UPDATE_OUTBOUND, "SENDING", "committed"),
    "answer sent": (UPDATE_OUTBOUND, "SENT", "before"),
    "sending committed": (UPDATE_OUTBOUND, "SENT", "committed"),
    "status committed": (INSERT_STATUS, "", "committed"),
}
"""SQL statement, one of its values, and the moment of the crash, for every commit."""


@dataclass
class CrashController:
    """A gateway on a fixed port that crashes at a chosen point and can be restarted."""

    stack: Stack
    parent: ChildProcess
    port: int

    @classmethod
    def start(cls, stack: Stack) -> "CrashController":
        """Start the gateway and send Meta's webhooks to it."""
        [port] = find_free_ports(0)
        command = [sys.executable, "-m", "tests.acceptance.crashing_gateway", str(port)]
        controller = cls(stack, stack.children.start("crashing-gateway", *command), port)
        controller._wait_until_ready()
        return controller

    def crash_at(self, point: str) -> None:
        """Make the gateway crash at a point of `CRASH_POINTS`."""
        statement, value, moment = CRASH_POINTS[point]
        draft = self.stack.folder / "crash_point.draft"
        draft.write_text(json.dumps({"statement": statement, "value": value, "moment": moment}))
        draft.replace(self.stack.folder / "crash_point.json")

    def wait_for_crash(self) -> bool:
        """Wait until the gateway has ended, and return whether it was killed."""
        return bool(wait_while_messages_move(lambda: self._state["code"]) == -signal.SIGKILL)

    def kill(self) -> None:
        """Kill the gateway at once, as a power failure does."""
        os.kill(self._state["pid"], signal.SIGKILL)
        assert self.wait_for_crash()

    def restart(self) -> None:
        """Restart the gateway on the same port, without a crash point."""
        (self.stack.folder / "crash_point.json").unlink(missing_ok=True)
        self.parent.popen.send_signal(signal.SIGUSR1)
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        ready = f"http://{LOOPBACK_HOST}:{self.port}/readyz"
        self.stack.children.wait_until_ready(self.parent, ready, timeout=PATIENCE)
        self.stack.sandbox.settings(webhook_url=f"http://{LOOPBACK_HOST}:{self.port}/webhook")

    @property
    def is_running(self) -> bool:
        """Return whether the gateway is still running."""
        return self._state["code"] is None

    @property
    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads((self.stack.folder / "process_state.json").read_text())
        return state
