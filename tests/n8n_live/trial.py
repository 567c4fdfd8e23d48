"""Trial of the workflows with a real n8n, a real back office and a seller who gets mail."""

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
from deploy.child_processes import CommandFailed, ProcessFailed, find_free_ports
from deploy.demo import services
from deploy.demo.environment import DemoFolder, DemoPorts
from deploy.demo.services import RunningDemo
from deploy.exit_codes import INTERRUPTED_EXIT_CODE
from deploy.sandbox.client import NothingSeen, SandboxClient, SandboxRefused
from shared.events import signing
from tests.n8n_live import setup
from tests.n8n_live.engine import N8nEngine, N8nInstallation
from tests.n8n_live.mailbox import Mailbox, MailNotReceived
from tests.n8n_live.participants import (
    WAIT_TIMEOUT_SECONDS,
    BuyerStuck,
    FormUnusable,
    TrialBuyer,
    TrialSeller,
)
from tests.n8n_live.setup import (
    DRAWS_WORKFLOW_ID,
    EVENTS_WORKFLOW_ID,
    PROOFS_WORKFLOW_ID,
    SUMMARY_WORKFLOW_ID,
    TRANSFERS_WORKFLOW_ID,
)

CONFIRM_OPTION: Final = "The money is there: confirm"
NOT_CREDITED_OPTION: Final = "No money has arrived"
ORDER_TOTAL: Final = "10.00"
"""Total of two numbers of the demo's raffle."""


class TrialMismatch(Exception):
    """A workflow did not do what was expected; the message has both."""


@dataclass
class Trial:
    """The running services of a trial, and the function that prints progress."""

    opened: RunningDemo
    engine: N8nEngine
    seller: TrialSeller
    sandbox: SandboxClient
    api: httpx.Client
    secrets: dict[str, str]
    tell: Callable[[str], None]

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Print a result, and raise TrialMismatch unless it is the wanted one."""
        self.tell(f"  {what}: {found}")
        if found != wanted:
            raise TrialMismatch(f"{what}: expected {wanted}, found {found}")

    def load_order(self, code: str) -> dict[str, Any]:
        """Return an order from the API."""
        found: dict[str, Any] = self.api.get(f"/orders/{code}").raise_for_status().json()
        return found

    def create_buyer(self, name: str) -> TrialBuyer:
        """Return a new buyer."""
        return TrialBuyer.new(self.sandbox, name=name)


def run_trial(installed: N8nInstallation, *, console: Console) -> int:
    """Run the trial in a temporary folder on free ports, and clean up.

    Returns:
        The exit code: 0 only if everything was as expected.

    """
    folder = Path(tempfile.mkdtemp(prefix="rafflebot-n8n-"))
    announce = services.build_progress_printer(console)
    try:
        with _prepare_trial(installed, folder, tell=announce) as trial:
            _run_scenarios(trial)
    except KeyboardInterrupt:
        console.print("stopped")
        return INTERRUPTED_EXIT_CODE
    except (CommandFailed, ProcessFailed) as error:  # their messages contain the end of the log
        console.print(Text(f"\nThe trial failed: {error}", "red"))
        return 1
    except (
        subprocess.TimeoutExpired,
        TrialMismatch,
        MailNotReceived,
        BuyerStuck,
        FormUnusable,
        NothingSeen,
        SandboxRefused,
        httpx.HTTPError,
    ) as error:
        console.print(Text(f"\nThe trial failed: {error}", "red"))
        for name in ("n8n", "gateway", "backoffice"):
            log = DemoFolder(folder).logs_folder / f"{name}.log"
            console.print(Text(f"The log of {name} ends:\n{child_processes.read_log_tail(log)}"))
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    console.print(Text("\nEverything is as it should be.", "green"))
    return 0


@contextmanager
def _prepare_trial(
    installed: N8nInstallation, folder: Path, *, tell: Callable[[str], None]
) -> Iterator[Trial]:
    """Start the demo's services, set n8n up as its README describes, and start it."""
    meta, gateway, backoffice, port, *broker_ports = find_free_ports(0, 0, 0, 0, 0, 0)
    ports = DemoPorts(meta=meta, gateway=gateway, backoffice=backoffice)
    engine = N8nEngine(installed, folder / "n8n", port, (broker_ports[0], broker_ports[1]))
    with (
        services.run_demo_services(
            DemoFolder(folder), ports=ports, report=tell, static=False
        ) as opened,
        Mailbox() as mailbox,
        SandboxClient(opened.sandbox_url) as sandbox,
        setup.open_api_client(opened) as api,
    ):
        tell("importing credentials and workflows into n8n")
        secrets = setup.create_endpoints(api, n8n=engine.address)
        setup.import_credentials(
            engine,
            token=setup.create_token(opened, name="n8n", scope="review"),
            draw_token=setup.create_token(opened, name="n8n: draws", scope="draw"),
            secrets=secrets,
            smtp_port=mailbox.port,
        )
        setup.import_workflows(engine, public_url=opened.backoffice_url)
        for workflow in (PROOFS_WORKFLOW_ID, EVENTS_WORKFLOW_ID, SUMMARY_WORKFLOW_ID):
            engine.run("publish:workflow", f"--id={workflow}")
        tell("starting n8n")
        with engine.run_server(logs=opened.folder.logs_folder):
            yield Trial(opened, engine, TrialSeller(mailbox), sandbox, api, secrets, tell)


def _run_scenarios(trial: Trial) -> None:
    _confirm_by_mail(trial)
    _send_forged_and_repeated_events(trial)
    _reject_by_mail(trial)
    _decide_after_another_proof(trial)
    _confirm_from_bank_statement(trial)
    _send_daily_summary(trial)
    _catch_up_from_feed(trial)
    _look_for_sealed_raffles(trial)


def _confirm_by_mail(trial: Trial) -> None:
    trial.tell("a proof comes, the seller is asked by mail and confirms")
    ana = trial.create_buyer("Ana")
    code = ana.buy()
    ana.send_proof()
    question = trial.seller.wait_for_question(code)
    trial.expect("the mail names buyer and amount", "Ana" in question.text, wanted=True)
    proof = httpx.get(question.find_link("/api/proofs/"), trust_env=False)
    trial.expect("the link to the proof answers", proof.status_code, 200)
    trial.expect(
        "until the form is sent the order is", trial.load_order(code)["status"], "PENDING_PAYMENT"
    )
    trial.seller.submit_decision(question, CONFIRM_OPTION, amount=ORDER_TOTAL)
    trial.expect("the seller reads", trial.seller.wait_for_result(code), "confirmed")
    order = trial.load_order(code)
    trial.expect("the order is", order["status"], "PAID")
    trial.expect("confirmed by", order["history"][-1]["by"], {"kind": "token", "label": "n8n"})
    ana.wait_for_message("Paid")
    trial.tell("  Ana is told")


def _send_forged_and_repeated_events(trial: Trial) -> None:
    trial.tell("a forged event and a repeated one")
    event = next(
        event
        for event in trial.api.get("/events").raise_for_status().json()["results"]
        if event["type"] == "order.proof_received"
    )
    body = json.dumps(event).encode()
    for workflow, path in (
        (PROOFS_WORKFLOW_ID, "raffle-proof"),
        (EVENTS_WORKFLOW_ID, "raffle-events"),
    ):
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
                address,
                content=body,
                headers=headers,
                timeout=WAIT_TIMEOUT_SECONDS,
                trust_env=False,
            )
            trial.expect(f"{path}, {what}", answer.status_code, wanted)
    trial.expect("mails that came of it", trial.seller.list_unread_subjects(within=3), [])


def _reject_by_mail(trial: Trial) -> None:
    trial.tell("a proof comes, no money does, and the seller rejects")
    ben = trial.create_buyer("Ben")
    code = ben.buy()
    ben.send_proof()
    trial.seller.submit_decision(
        trial.seller.wait_for_question(code), NOT_CREDITED_OPTION, note="look at the account"
    )
    trial.expect("the seller reads", trial.seller.wait_for_result(code), "rejected")
    trial.expect("the order is", trial.load_order(code)["status"], "PENDING_PAYMENT")
    trial.expect("its proof is", trial.load_order(code)["proofs"][0]["verdict"], "REJECTED")
    ben.wait_for_message("look at the account")
    trial.tell("  Ben is told")


def _decide_after_another_proof(trial: Trial) -> None:
    trial.tell("another proof comes before the seller answers")
    cleo = trial.create_buyer("Cleo")
    code = cleo.buy()
    cleo.send_proof()
    first = trial.seller.wait_for_question(code)
    cleo.send_proof()
    second = trial.seller.wait_for_question(code)
    trial.seller.submit_decision(first, CONFIRM_OPTION)
    trial.expect("the seller reads", trial.seller.wait_for_result(code), "proof_unseen")
    trial.seller.submit_decision(second, CONFIRM_OPTION)
    trial.expect("the seller reads", trial.seller.wait_for_result(code), "confirmed")
    trial.expect("the order is", trial.load_order(code)["status"], "PAID")


def _confirm_from_bank_statement(trial: Trial) -> None:
    trial.tell("transfers of a bank statement")
    dora, emil, fay = (trial.create_buyer(name) for name in ("Dora", "Emil", "Fay"))
    hers, his, waits = dora.buy(), emil.buy(), fay.buy()
    fay.send_proof()
    trial.seller.wait_for_question(waits)
    rows = [
        {"reference": f"SPEI 88213 {hers.replace('-', ' ').lower()}", "amount": ORDER_TOTAL},
        {"reference": f"SPEI 88214 {his}", "amount": "1.00"},
        {"reference": "SPEI 88215 thank you", "amount": ORDER_TOTAL},
    ]
    trial.expect("with an empty list", _run_and_group_transfers(trial), {"No money yet": [waits]})
    setup.import_workflows(trial.engine, public_url=trial.opened.backoffice_url, rows=rows)
    wanted = {
        "Confirmed": [hers],
        "For a person": [f"{his} amount_mismatch"],
        "No money yet": [waits],
        "Unclear rows": ["SPEI 88215 thank you"],
    }
    trial.expect("with three rows", _run_and_group_transfers(trial), wanted)
    trial.expect("Dora's order is", trial.load_order(hers)["status"], "PAID")
    trial.expect(
        "its history says", trial.load_order(hers)["history"][-1]["reason"][:10], "SPEI 88213"
    )
    again = wanted | {"Already confirmed": [hers]}
    del again["Confirmed"]
    trial.expect("with the same rows again", _run_and_group_transfers(trial), again)


def _run_and_group_transfers(trial: Trial) -> dict[str, list[str]]:
    """Run the workflow of the bank statement and return the transfers by final node."""
    reached = trial.engine.execute_workflow(TRANSFERS_WORKFLOW_ID)
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


def _send_daily_summary(trial: Trial) -> None:
    trial.tell("the summary of the day")
    trial.engine.execute_workflow(SUMMARY_WORKFLOW_ID)
    mail = trial.seller.wait_for_mail("Raffles: ")
    for line in mail.text.splitlines():
        trial.tell(f"  | {line}")
    statistics = trial.api.get("/statistics").raise_for_status().json()
    wanted = f"Raffles: {statistics['proofs_waiting']} to check, 0 numbers sold yesterday"
    trial.expect("its subject", mail.subject, wanted)


def _catch_up_from_feed(trial: Trial) -> None:
    trial.tell("the feed, where every event was heard of before")
    reached = trial.engine.execute_workflow(EVENTS_WORKFLOW_ID)
    events = trial.api.get("/events").raise_for_status().json()["results"]
    trial.expect("events read", len(reached.get("One by one", [])), len(events))
    new = len(reached.get("Which event?", []))
    trial.tell(f"  of them new: {new}")  # n8n may forget one of two events that arrived at once
    trial.expect("hardly any", new * 5 <= len(events), wanted=True)
    trial.expect(
        "read once more",
        len(trial.engine.execute_workflow(EVENTS_WORKFLOW_ID).get("One by one", [])),
        0,
    )


def _look_for_sealed_raffles(trial: Trial) -> None:
    trial.tell("sealed raffles, of which there are none")
    reached = trial.engine.execute_workflow(DRAWS_WORKFLOW_ID)
    trial.expect("lists read", len(reached.get("Sealed raffles", [])), 1)
    trial.expect("values entered", len(reached.get("Enter it", [])), 0)
