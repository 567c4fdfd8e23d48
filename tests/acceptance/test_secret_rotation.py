"""Tests of changing secrets while webhooks come in and people work: nothing and nobody is lost."""

import time

import httpx
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client, override_settings

from shared.publishing import signed_links
from shared.whatsapp.services import security
from tests import builders
from tests.acceptance.stack import SANDBOX_OPTIONS, Stack
from tests.unit.whatsapp import webhook_payloads

pytestmark = pytest.mark.same_everywhere

NEW_KEY = "a-new-key-only-for-tests-" + "y" * 40
NEW_APP_SECRET = "a_new_app_secret"


def test_a_new_secret_key_and_a_former_one_let_everybody_stay_in(stack: Stack) -> None:
    person = User.objects.create_superuser("olga", password="correct-horse-battery")
    before = Client()
    before.force_login(person, backend="backoffice.people.backends.People")
    cookie = {"Cookie": f"sessionid={before.cookies['sessionid'].value}"}
    link = signed_links.build_proof_url(1, public_url="", now=builders.NOON)
    former = {"DJANGO_SECRET_KEY_FALLBACKS": settings.SECRET_KEY}

    backoffice = stack.start_backoffice(DJANGO_SECRET_KEY=NEW_KEY, **former)
    page = httpx.get(f"{backoffice}/admin/raffles/order/", headers=cookie, trust_env=False)
    linked = httpx.get(backoffice + link, trust_env=False)

    assert page.status_code == 200
    assert linked.json()["code"] == "proof_link_expired"  # its signature is good
    after = Client()
    after.cookies["sessionid"] = page.cookies["sessionid"]
    with override_settings(SECRET_KEY=NEW_KEY):  # as once the former key is taken out
        assert after.get("/admin/raffles/order/").status_code == 200
        assert after.get(link).json()["code"] == "proof_link_broken"


def test_webhooks_signed_with_either_app_secret_are_stored(stack: Stack) -> None:
    old = SANDBOX_OPTIONS.app_secret
    stack.start_gateway_and_wait(META_APP_SECRET=f"{NEW_APP_SECRET}, {old}")

    def post(secret: str) -> int:
        body = webhook_payloads.encode_webhook(
            webhook_payloads.build_change(
                messages=[webhook_payloads.build_message(id=f"wamid.{secret}.{time.time_ns()}")]
            )
        )
        signature = security.compute_signature(body, secret=secret)
        return stack.post_webhook(body, header=f"sha256={signature}")

    assert [post(old), post(NEW_APP_SECRET), post("another")] == [200, 200, 401]
