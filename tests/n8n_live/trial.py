"""What the workflows do, tried: a real n8n beside a real back office, a seller who gets mail."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console
from rich.text import Text

from deploy import child_processes
from deploy.child_processes import CommandFailed, ProcessFailed, free_ports
from deploy.demo import interactive, services
from deploy.demo.environment import Home, Ports
from deploy.demo.services import House
from deploy.sandbox.client import NothingSeen, Sandbox, SandboxRefused
from shared.events import signing
from tests.n8n_live import setup
from tests.n8n_live.engine import Engine, Installation
from tests.n8n_live.mailbox import Mailbox, NoMail
from tests.n8n_live.participants import PATIENCE, Buyer, BuyerStuck, FormUnusable, Seller
from tests.n8n_live.setup import ASK, EVENTS, SUMMARY, TRANSFERS

CONFIRM: Final = "The money is there: confirm"
NOT_CREDITED: Final = "No money has arrived"
PRICE: Final = "10.00"
"""Of two numbers of the demo's raffle."""


class NotAsExpected(Exception):
    """A workflow did something else than it should; says both."""


@dataclass
class Trial:
    """Everything that runs, and where what is seen is told."""

    opened: House
    engine: Engine
    seller: Seller
    sandbox: Sandbox
    api: httpx.Client
    secrets: dict[str, str]
    tell: Callable[[str], None]

    def sees(self, what: str, found: object, wanted: object) -> None:
        """Tell what was found, and stop unless it is what was wanted."""
        self.tell(f"  {what}: {found}")
        if found != wanted:
            raise NotAsExpected(f"{what}: expected {wanted}, found {found}")

    def order(self, code: str) -> dict[str, Any]:
        """Read an order from the API."""
        found: dict[str, Any] = self.api.get(f"/orders/{code}").raise_for_status().json()
        return found

    def buyer(self, name: str) -> Buyer:
        """Give somebody new with a phone."""
        return Buyer.new(self.sandbox, name=name)


def run(installed: Installation, *, console: Console) -> int:
    """Try everything in a folder and on ports of its own, and clean up.

    Returns:
        The exit code: 0 only if everything went as it should.

    """
    folder = Path(tempfile.mkdtemp(prefix="rafflebot-n8n-"))
    announce = interactive.announcing(console)
    try:
        with _ready(installed, folder, tell=announce) as trial:
            _play(trial)
    except KeyboardInterrupt:
        console.print("stopped")
        return interactive.INTERRUPTED
    except (CommandFailed, ProcessFailed) as error:  # these say the end of the log themselves
        console.print(Text(f"\nThe trial failed: {error}", "red"))
        return 1
    except (
        subprocess.TimeoutExpired,
        NotAsExpected,
        NoMail,
        BuyerStuck,
        FormUnusable,
        NothingSeen,
        SandboxRefused,
        httpx.HTTPError,
    ) as error:
        console.print(Text(f"\nThe trial failed: {error}", "red"))
        for name in ("n8n", "gateway", "backoffice"):
            log = Home(folder).logs / f"{name}.log"
            console.print(Text(f"The log of {name} ends:\n{child_processes.tail(log)}"))
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    console.print(Text("\nEverything is as it should be.", "green"))
    return 0


@contextmanager
def _ready(
    installed: Installation, folder: Path, *, tell: Callable[[str], None]
) -> Iterator[Trial]:
    """Open the house, set n8n up as the README says, and start both."""
    meta, gateway, backoffice, port, *broker_ports = free_ports(0, 0, 0, 0, 0, 0)
    ports = Ports(meta=meta, gateway=gateway, backoffice=backoffice)
    engine = Engine(installed, folder / "n8n", port, (broker_ports[0], broker_ports[1]))
    with (
        services.running(Home(folder), ports=ports, tell=tell, static=False) as opened,
        Mailbox() as mailbox,
        Sandbox(opened.meta) as sandbox,
        setup.api(opened) as api,
    ):
        tell("importing credentials and workflows into n8n")
        secrets = setup.endpoints(api, n8n=engine.address)
        token = setup.review_token(opened)
        setup.credentials(engine, token=token, secrets=secrets, smtp_port=mailbox.port)
        setup.workflows(engine, public_url=opened.backoffice)
        for workflow in (ASK, EVENTS, SUMMARY):
            engine.run("publish:workflow", f"--id={workflow}")
        tell("starting n8n")
        with engine.serving(logs=opened.home.logs):
            yield Trial(opened, engine, Seller(mailbox), sandbox, api, secrets, tell)


def _play(trial: Trial) -> None:
    _confirmed_by_mail(trial)
    _forged_and_repeated(trial)
    _rejected_by_mail(trial)
    _another_proof_meanwhile(trial)
    _confirmed_from_a_statement(trial)
    _summed_up(trial)
    _caught_up(trial)


def _confirmed_by_mail(trial: Trial) -> None:
    trial.tell("a proof comes, the seller is asked by mail and confirms")
    ana = trial.buyer("Ana")
    code = ana.buys()
    ana.sends_proof()
    question = trial.seller.is_asked(code)
    trial.sees("the mail names buyer and amount", "Ana" in question.text, wanted=True)
    proof = httpx.get(question.link("/api/proofs/"), trust_env=False)
    trial.sees("the link to the proof answers", proof.status_code, 200)
    trial.sees(
        "until the form is sent the order is", trial.order(code)["status"], "PENDING_PAYMENT"
    )
    trial.seller.decides(question, CONFIRM, amount=PRICE)
    trial.sees("the seller reads", trial.seller.is_told(code), "confirmed")
    order = trial.order(code)
    trial.sees("the order is", order["status"], "PAID")
    trial.sees("confirmed by", order["history"][-1]["by"], {"kind": "token", "label": "n8n"})
    ana.hears("Paid")
    trial.tell("  Ana is told")


def _forged_and_repeated(trial: Trial) -> None:
    trial.tell("a forged event and a repeated one")
    event = next(
        event
        for event in trial.api.get("/events").raise_for_status().json()["results"]
        if event["type"] == "order.proof_received"
    )
    body = json.dumps(event).encode()
    for workflow, path in ((ASK, "raffle-proof"), (EVENTS, "raffle-events")):
        address = f"{trial.engine.address}/webhook/{path}"
        ours = signing.build_signature_headers(
            trial.secrets[workflow], event_id=event["id"], body=body, now=datetime.now(tz=UTC)
        )
        for what, signed, wanted in (
            ("forged", ours | {"X-Raffle-Signature": "sha256=" + "0" * 64}, 401),
            ("unsigned", {}, 401),
            ("repeated", ours, 200),
        ):
            headers = {"Content-Type": "application/json", **signed}
            answer = httpx.post(
                address, content=body, headers=headers, timeout=PATIENCE, trust_env=False
            )
            trial.sees(f"{path}, {what}", answer.status_code, wanted)
    trial.sees("mails that came of it", trial.seller.unread(within=3), [])


def _rejected_by_mail(trial: Trial) -> None:
    trial.tell("a proof comes, no money does, and the seller rejects")
    ben = trial.buyer("Ben")
    code = ben.buys()
    ben.sends_proof()
    trial.seller.decides(trial.seller.is_asked(code), NOT_CREDITED, note="look at the account")
    trial.sees("the seller reads", trial.seller.is_told(code), "rejected")
    trial.sees("the order is", trial.order(code)["status"], "PENDING_PAYMENT")
    trial.sees("its proof is", trial.order(code)["proofs"][0]["verdict"], "REJECTED")
    ben.hears("look at the account")
    trial.tell("  Ben is told")


def _another_proof_meanwhile(trial: Trial) -> None:
    trial.tell("another proof comes before the seller answers")
    cleo = trial.buyer("Cleo")
    code = cleo.buys()
    cleo.sends_proof()
    first = trial.seller.is_asked(code)
    cleo.sends_proof()
    second = trial.seller.is_asked(code)
    trial.seller.decides(first, CONFIRM)
    trial.sees("the seller reads", trial.seller.is_told(code), "proof_unseen")
    trial.seller.decides(second, CONFIRM)
    trial.sees("the seller reads", trial.seller.is_told(code), "confirmed")
    trial.sees("the order is", trial.order(code)["status"], "PAID")


def _confirmed_from_a_statement(trial: Trial) -> None:
    trial.tell("transfers of a bank statement")
    dora, emil, fay = (trial.buyer(name) for name in ("Dora", "Emil", "Fay"))
    hers, his, waits = dora.buys(), emil.buys(), fay.buys()
    fay.sends_proof()
    trial.seller.is_asked(waits)
    rows = [
        {"reference": f"SPEI 88213 {hers.replace('-', ' ').lower()}", "amount": PRICE},
        {"reference": f"SPEI 88214 {his}", "amount": "1.00"},
        {"reference": "SPEI 88215 thank you", "amount": PRICE},
    ]
    trial.sees("with an empty list", _by_group(trial), {"No money yet": [waits]})
    setup.workflows(trial.engine, public_url=trial.opened.backoffice, rows=rows)
    wanted = {
        "Confirmed": [hers],
        "For a person": [f"{his} amount_mismatch"],
        "No money yet": [waits],
        "Unclear rows": ["SPEI 88215 thank you"],
    }
    trial.sees("with three rows", _by_group(trial), wanted)
    trial.sees("Dora's order is", trial.order(hers)["status"], "PAID")
    trial.sees("its history says", trial.order(hers)["history"][-1]["reason"][:10], "SPEI 88213")
    again = wanted | {"Already confirmed": [hers]}
    del again["Confirmed"]
    trial.sees("with the same rows again", _by_group(trial), again)


def _by_group(trial: Trial) -> dict[str, list[str]]:
    """Run the workflow of the statement and read what reached each of its ends."""
    reached = trial.engine.executed(TRANSFERS)
    groups = (
        "Confirmed",
        "Already confirmed",
        "Try again",
        "For a person",
        "Unclear rows",
        "No money yet",
    )
    return {
        group: [
            f"{item['code']} {item.get('why', '')}".strip() if "code" in item else item["reference"]
            for item in reached[group]
        ]
        for group in sorted(groups)
        if group in reached
    }


def _summed_up(trial: Trial) -> None:
    trial.tell("the summary of the day")
    trial.engine.executed(SUMMARY)
    mail = trial.seller.reads("Raffles: ")
    for line in mail.text.splitlines():
        trial.tell(f"  | {line}")
    statistics = trial.api.get("/statistics").raise_for_status().json()
    wanted = f"Raffles: {statistics['proofs_waiting']} to check, 0 numbers sold yesterday"
    trial.sees("its subject", mail.subject, wanted)


def _caught_up(trial: Trial) -> None:
    trial.tell("the feed, where every event was heard of before")
    reached = trial.engine.executed(EVENTS)
    events = trial.api.get("/events").raise_for_status().json()["results"]
    trial.sees("events read", len(reached.get("One by one", [])), len(events))
    new = len(reached.get("Which event?", []))
    trial.tell(f"  of them new: {new}")  # n8n may forget one of two that came at once
    trial.sees("hardly any", new * 5 <= len(events), wanted=True)
    trial.sees("read once more", len(trial.engine.executed(EVENTS).get("One by one", [])), 0)
