"""Tests of injected faults: which requests they affect, and with what result."""

import time

import httpx
import pytest

from deploy.sandbox.client import BuyerClient, SandboxClient, SandboxRefused
from tests.unit.deploy.sandbox.conftest import ANA, GraphClient, parse_error
from tests.unit.deploy.sandbox.fake_gateway import FakeGateway
from tests.waiting import PATIENCE


class TestErrors:
    @pytest.mark.parametrize(
        ("code", "http"),
        [(131056, 400), (131047, 400), (130429, 400), (131000, 500), (190, 401), (133004, 503)],
    )
    def test_come_with_metas_own_http_status(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient, code: int, http: int
    ) -> None:
        sandbox.plan_fault("error", code=code)

        answer = graph.send_text()

        assert (answer.status_code, parse_error(answer)["code"]) == (http, code)
        assert parse_error(answer)["message"].startswith(f"(#{code})")
        assert ana.replies() == []

    def test_happen_as_often_as_told(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient
    ) -> None:
        sandbox.plan_fault("error", code=130429, times=2)
        sandbox.plan_fault("error", code=131056)

        codes = [answer.status_code for answer in (graph.send_text() for _ in range(4))]

        assert codes == [400, 400, 400, 200]
        assert [each["code"] for each in sandbox.requests()] == [130429, 130429, 131056, None]
        assert len(sandbox.list_refused_requests()) == 3

    def test_last_until_cleared(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient
    ) -> None:
        sandbox.plan_fault("error", times=None)
        codes = [graph.send_text().status_code for _ in range(5)]
        sandbox.clear_faults()

        assert codes == [500] * 5
        assert graph.send_text().status_code == 200

    def test_can_be_spelt_out(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient
    ) -> None:
        sandbox.plan_fault(
            "error", code=7, http=418, details="tea", subcode=8, transient=True, retry_after=9
        )

        answer = graph.send_text()

        assert (answer.status_code, answer.headers["retry-after"]) == (418, "9")
        found = parse_error(answer)
        assert found["error_data"] == {"messaging_product": "whatsapp", "details": "tea"}
        assert (found["error_subcode"], found["is_transient"]) == (8, True)

    def test_can_concern_one_buyer(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient
    ) -> None:
        sandbox.buyer("15550101002", user_id="US.2").says("hello")
        sandbox.plan_fault("error", code=131056, to="15550101002", times=2)

        assert graph.send_text().status_code == 200
        assert graph.send_text(to="+15550101002").status_code == 400
        assert graph.send_text(to="", recipient="US.2").status_code == 400

    def test_can_concern_another_operation(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient
    ) -> None:
        sandbox.plan_fault("error", code=131009, operation="read")

        read = {"messaging_product": "whatsapp", "status": "read", "message_id": ana.sees()[0].id}
        assert graph.send_text().status_code == 200
        assert graph.post(read).status_code == 400

    def test_throttle(self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient) -> None:
        sandbox.plan_fault("429", retry_after=2)

        answer = graph.send_text()

        assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")

    def test_come_later_as_a_failed_status(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient, gateway: FakeGateway
    ) -> None:
        sandbox.plan_fault("fails_later", code=131049)

        answer = graph.send_text()
        sandbox.wait_until_idle()

        assert answer.status_code == 200
        (status,) = gateway.statuses()
        assert (status["status"], status["errors"][0]["code"]) == ("failed", 131049)
        assert ana.replies() == []

    def test_of_unknown_kinds_are_refused(self, sandbox: SandboxClient) -> None:
        for wrong in ({"kind": "flood"}, {"kind": "error", "times": 0}, {}):
            with pytest.raises(SandboxRefused):
                sandbox.request_json("POST", "/sandbox/faults", json=wrong)


class TestDoubt:
    def test_a_500_may_come_after_accepting(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient
    ) -> None:
        sandbox.plan_fault("500_after_accepting")

        assert graph.send_text("really").status_code == 500
        assert ana.waits_for("really", read=False).status == "delivered"
        assert sandbox.outgoing()[0]["answered"] == "500_after_accepting"

    def test_a_500_may_come_without_sending(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient
    ) -> None:
        sandbox.plan_fault("500")

        assert graph.send_text().status_code == 500
        assert sandbox.outgoing() == []

    def test_an_answer_may_be_garbled(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient
    ) -> None:
        sandbox.plan_fault("garbled")

        answer = graph.send_text("really")

        assert (answer.status_code, answer.headers["content-type"][:9]) == (200, "text/html")
        assert ana.waits_for("really").sender == "business"

    @pytest.mark.parametrize("delivers", [True, False])
    def test_an_answer_may_not_come(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient, delivers: bool
    ) -> None:
        sandbox.plan_fault("timeout", seconds=2, delivers=delivers)

        with pytest.raises(httpx.ReadTimeout):
            graph.http.post(
                "/v26.0/106540352242922/messages",
                json={"messaging_product": "whatsapp", "to": f"+{ANA}", "text": {"body": "x"}},
                timeout=httpx.Timeout(PATIENCE, read=0.2),
            )

        if delivers:
            ana.waits_for(1, timeout=PATIENCE)
        assert len(ana.replies()) == int(delivers)

    @pytest.mark.parametrize("delivers", [True, False])
    def test_the_connection_may_be_cut(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient, delivers: bool
    ) -> None:
        sandbox.plan_fault("drop", delivers=delivers)

        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            graph.send_text()

        assert len(ana.replies()) == int(delivers)
        assert graph.send_text().status_code == 200


class TestDown:
    def test_refuses_everything_until_cleared(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient
    ) -> None:
        sandbox.plan_fault("down")

        statuses = [
            graph.send_text().status_code,
            graph.http.get("/v26.0/106540352242922").status_code,
            graph.http.get("/v26.0/1234").status_code,
            graph.http.get("/whatsapp_business/attachments/").status_code,
        ]
        sandbox.clear_faults()

        assert statuses == [503] * 4
        assert graph.send_text().status_code == 200


class TestDelay:
    def test_takes_its_time_and_then_works(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient
    ) -> None:
        sandbox.plan_fault("delay", seconds=0.3)
        started = time.monotonic()

        assert graph.send_text().status_code == 200
        assert time.monotonic() - started >= 0.3
