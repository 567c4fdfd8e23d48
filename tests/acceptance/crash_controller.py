"""The lives of a gateway that is killed again and again, as a test sees them."""

import json
import os
import signal
import sys
from dataclasses import dataclass
from typing import Any, Final

from deploy.child_processes import LOOPBACK_HOST, ChildProcess, find_free_ports
from tests.acceptance.stack import Stack, wait_while_messages_move
from tests.waiting import PATIENCE

INSERT_INBOUND: Final = "INSERT INTO whatsapp_inboundmessage"
INSERT_ORDER_TICKET: Final = "INSERT INTO raffles_orderticket"
INSERT_OUTBOUND: Final = "INSERT INTO whatsapp_outboundmessage"
UPDATE_OUTBOUND: Final = "UPDATE whatsapp_outboundmessage"
INSERT_STATUS: Final = "INSERT INTO whatsapp_deliverystatus"

CRASH_POINTS: Final = {
    "webhook written": (INSERT_INBOUND, "", "after"),
    "webhook committed, Meta not told": (INSERT_INBOUND, "", "committed"),
    "numbers held": (INSERT_ORDER_TICKET, "", "after"),
    "answer written": (INSERT_OUTBOUND, "", "after"),
    "answer committed": (INSERT_OUTBOUND, "", "committed"),
    "answer claimed": (UPDATE_OUTBOUND, "SENDING", "committed"),
    "answer sent": (UPDATE_OUTBOUND, "SENT", "before"),
    "sending committed": (UPDATE_OUTBOUND, "SENT", "committed"),
    "status committed": (INSERT_STATUS, "", "committed"),
}
"""Statement, one of its values, and when the process dies: around every commit there is."""


@dataclass
class CrashController:
    """A gateway at one port that can be told when to die, and started anew."""

    house: Stack
    parent: ChildProcess
    port: int

    @classmethod
    def begin(cls, house: Stack) -> "CrashController":
        """Start the first of its lives and let Meta knock there."""
        [port] = find_free_ports(0)
        command = [sys.executable, "-m", "tests.acceptance.crashing_gateway", str(port)]
        lives = cls(house, house.children.start("mortal", *command), port)
        lives._awaits()
        return lives

    def dies_at(self, point: str) -> None:
        """Let it die at this point."""
        statement, value, moment = CRASH_POINTS[point]
        draft = self.house.folder / "doom.draft"
        draft.write_text(json.dumps({"statement": statement, "value": value, "moment": moment}))
        draft.replace(self.house.folder / "doom.json")

    def is_over(self) -> bool:
        """Wait until it has died; say whether of a kill."""
        return bool(wait_while_messages_move(lambda: self._life["code"]) == -signal.SIGKILL)

    def kill(self) -> None:
        """End it at once, as a machine that loses its power does."""
        os.kill(self._life["pid"], signal.SIGKILL)
        assert self.is_over()

    def again(self) -> None:
        """Start the next life in the same place, one that nobody wants to end."""
        (self.house.folder / "doom.json").unlink(missing_ok=True)
        self.parent.popen.send_signal(signal.SIGUSR1)
        self._awaits()

    def _awaits(self) -> None:
        ready = f"http://{LOOPBACK_HOST}:{self.port}/readyz"
        self.house.children.wait_until_ready(self.parent, ready, timeout=PATIENCE)
        self.house.meta.settings(webhook_url=f"http://{LOOPBACK_HOST}:{self.port}/webhook")

    @property
    def lives(self) -> bool:
        """Whether it has not died since it was started."""
        return self._life["code"] is None

    @property
    def _life(self) -> dict[str, Any]:
        life: dict[str, Any] = json.loads((self.house.folder / "life.json").read_text())
        return life
