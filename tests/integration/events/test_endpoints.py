"""Tests of endpoints: validation, changes and deletion with their deliveries."""

from typing import Any

import pytest

from shared.core.enums import EventType
from shared.core.errors import DomainError
from shared.events.errors import (
    AddressMalformed,
    AddressPrivate,
    EndpointNameTaken,
    EndpointNotFound,
    EventTypeUnknown,
    HeaderRefused,
    SecretRefused,
)
from shared.events.models import EventDelivery, EventEndpoint
from shared.events.services import endpoints
from tests.builders import MINUTE, NOON
from tests.cases import walk_cases
from tests.integration.events.event_builders import create_delivery, create_endpoint

pytestmark = pytest.mark.django_db


@pytest.mark.same_everywhere
def test_an_endpoint_has_a_secret_of_its_own_and_wants_what_it_was_made_for() -> None:
    one = create_endpoint(types=[EventType.ORDER_PAID, EventType.ORDER_CREATED])
    other = create_endpoint()

    endpoints.check_secret(one.secret)
    assert one.secret != other.secret
    assert one.types == ["order.created", "order.paid"]
    assert one.wants("order.paid")
    assert not one.wants("channel.alert")
    assert other.wants("channel.alert")
    assert (one.created_by, one.created_at, one.active) == ("olga", NOON, True)


@pytest.mark.same_everywhere
@walk_cases(
    ("about", "refusal"),
    [
        ({"url": "ftp://n8n.example/"}, AddressMalformed),
        ({"url": "http://127.0.0.1:5678/"}, AddressPrivate),
        ({"header_name": "X-N8N-Key"}, HeaderRefused),
        ({"header_value": "open sesame"}, HeaderRefused),
        ({"header_name": "X N8N", "header_value": "a"}, HeaderRefused),
        ({"header_name": "X-N8N-Key", "header_value": "a\r\nX-More: b"}, HeaderRefused),
        ({"header_name": "X-N8N-Key", "header_value": "é"}, HeaderRefused),
        ({"header_name": "x-n8n-key", "header_value": "a "}, HeaderRefused),
        ({"header_name": "host", "header_value": "a"}, HeaderRefused),
        ({"header_name": "Content-Length", "header_value": "1"}, HeaderRefused),
        ({"header_name": "Webhook-Signature", "header_value": "v1,a"}, HeaderRefused),
        ({"header_name": "X-Raffle-Signature", "header_value": "a"}, HeaderRefused),
        ({"types": ["order.payed"]}, EventTypeUnknown),
        ({"secret": "whsec_"}, SecretRefused),
        ({"secret": "whsec_short"}, SecretRefused),
        ({"secret": "whsec_" + "a" * 33}, SecretRefused),
        ({"secret": "whsec_" + "é" * 40}, SecretRefused),
        ({"secret": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, SecretRefused),
    ],
)
def test_refuses(about: dict[str, Any], refusal: type[DomainError]) -> None:
    with pytest.raises(refusal):
        create_endpoint(**about)

    assert not EventEndpoint.objects.exists()


def test_refuses_a_name_that_is_taken() -> None:
    create_endpoint(name="taken")

    with pytest.raises(EndpointNameTaken):
        create_endpoint(name="taken")

    assert EventEndpoint.objects.count() == 1


@pytest.mark.same_everywhere
def test_takes_a_secret_that_somebody_brings_along() -> None:
    brought = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    assert create_endpoint(secret=brought).secret == brought


def test_changes_keep_the_secret_and_renewing_does_not() -> None:
    made = create_endpoint(header_name="X-N8N-Key", header_value="a")

    changed = endpoints.change_endpoint(
        made.pk,
        name="renamed",
        url="http://10.0.0.7:5678/webhook",
        types=[],
        header_name="",
        header_value="",
        allow_private=True,
    )

    assert (changed.name, changed.url, changed.header_name, changed.secret) == (
        "renamed", "http://10.0.0.7:5678/webhook", "", made.secret
    )  # fmt: skip
    assert endpoints.renew_secret(made.pk).secret != made.secret


def test_keeps_the_first_reason_for_being_off_until_it_is_on_again() -> None:
    made = create_endpoint()

    endpoints.disable_endpoint(made.pk, reason="Switched off by rita.", now=NOON)
    off = endpoints.disable_endpoint(made.pk, reason="Switched off by olga.", now=NOON + MINUTE)
    assert (off.active, off.disabled_at) == (False, NOON)
    assert off.disabled_reason == "Switched off by rita."

    on = endpoints.enable_endpoint(made.pk)
    assert (on.active, on.disabled_at, on.disabled_reason) == (True, None, "")


def test_goes_with_its_deliveries_and_leaves_the_others() -> None:
    gone, stays = create_endpoint(), create_endpoint()
    for _ in range(5):
        create_delivery(gone)
    kept = create_delivery(stays)

    endpoints.delete_endpoint(gone.pk, now=NOON, batch_size=2)

    assert list(EventEndpoint.objects.all()) == [stays]
    assert list(EventDelivery.objects.all()) == [kept]
    for act in (endpoints.find_endpoint, endpoints.enable_endpoint, endpoints.renew_secret):
        with pytest.raises(EndpointNotFound):
            act(gone.pk)
