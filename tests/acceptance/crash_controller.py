"""The lives of a gateway that is killed again and again, as a test sees them."""

import json
import os
import signal
import sys
from dataclasses import dataclass
from typing import Any, Final

from deploy.child_processes import LOOPBACK_HOST, ChildProcess, find_free_ports
from tests.acceptance.stack import House, until
from tests.waiting import PATIENCE

INBOUND: Final = "INSERT INTO whatsapp_inboundmessage"
LINKS: Final = "INSERT INTO raffles_orderticket"
OUTBOUND: Final = "INSERT INTO whatsapp_outboundmessage"
OUTBOX: Final = "UPDATE whatsapp_outboundmessage"
STATUS: Final = "INSERT INTO whatsapp_deliverystatus"

POINTS: Final = {
    "webhook written": (INBOUND, "", "after"),
    "webhook committed, Meta not told": (INBOUND, "", "committed"),
    "numbers held": (LINKS, "", "after"),
    "answer written": (OUTBOUND, "", "after"),
    "answer committed": (OUTBOUND, "", "committed"),
    "answer claimed": (OUTBOX, "SENDING", "committed"),
    "answer sent": (OUTBOX, "SENT", "before"),
    "sending committed": (OUTBOX, "SENT", "committed"),
    "status committed": (STATUS, "", "committed"),
}
"""Statement, one of its values, and when the process dies: around every commit there is."""


@dataclass
class Lives:
    """A gateway at one port that can be told when to die, and started anew."""

    house: House
    parent: ChildProcess
    port: int

    @classmethod
    def begin(cls, house: House) -> "Lives":
        """Start the first of its lives and let Meta knock there."""
        [port] = find_free_ports(0)
        command = [sys.executable, "-m", "tests.acceptance.crashing_gateway", str(port)]
        lives = cls(house, house.children.start("mortal", *command), port)
        lives._awaits()
        return lives

    def dies_at(self, point: str) -> None:
        """Let it die at this point."""
        statement, value, moment = POINTS[point]
        draft = self.house.folder / "doom.draft"
        draft.write_text(json.dumps({"statement": statement, "value": value, "moment": moment}))
        draft.replace(self.house.folder / "doom.json")

    def is_over(self) -> bool:
        """Wait until it has died; say whether of a kill."""
        return bool(until(lambda: self._life["code"]) == -signal.SIGKILL)

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
