"""Tests of error pages, and of what follows a POST without the session it needs."""

import re
from typing import Any, Final

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import Settings

from backoffice import urls
from shared.core.enums import OrderStatus
from tests import builders
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.pages import list_messages, refresh_status

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]

PASSWORD: Final = "correct-horse-battery"
LOGIN: Final = "/admin/login/"
HOST: Final = "http://testserver"


def broken_view(request: HttpRequest) -> HttpResponse:
    raise ValueError(request.path)


urlpatterns = [path("broken", broken_view), *urls.urlpatterns]
handler500 = urls.handler500


def check_error_page(answer: Any, *, status: int, way_on: str) -> None:
    page = answer.content.decode()
    assert answer.status_code == status
    assert 'class="door-brand"' in page
    assert f'href="{way_on}"' in page


def get_token(browser: Client, address: str) -> str:
    """Open a page and return the CSRF token of its form."""
    page = browser.get(address).content.decode()
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert found is not None
    return found[1]


class TestErrorPage:
    def test_of_every_status_has_the_brand_and_a_way_on(
        self, owner: Client, settings: Settings
    ) -> None:
        order = sample_data.place_order()
        clerk = Client()
        clerk.force_login(sample_data.create_user("clerk"))
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(User.objects.get(username="olga"))
        cancel = f"/admin/raffles/order/{order.pk}/cancel/"

        host = owner.get("/admin/", headers={"host": "other.example"})
        check_error_page(host, status=400, way_on=settings.PUBLIC_URL)
        check_error_page(clerk.get("/admin/export/"), status=403, way_on="/admin/")
        check_error_page(owner.get("/nowhere"), status=404, way_on="/admin/")
        blank = owner.get(cancel)
        check_error_page(blank, status=405, way_on=f"/admin/raffles/order/{order.pk}/change/")
        assert blank["Allow"] == "POST"
        check_error_page(strict.post(cancel), status=403, way_on="/admin/")

    @pytest.mark.urls(__name__)
    def test_of_an_unexpected_error_says_what_to_look_at(self) -> None:
        answer = Client(raise_request_exception=False).get("/broken")

        check_error_page(answer, status=500, way_on="/admin/")


class TestEndedSession:
    def test_leads_to_the_login_and_back_to_the_page_where_nothing_was_decided(
        self, client: Client
    ) -> None:
        person = User.objects.create_superuser("olga", password=PASSWORD)
        order = sample_data.place_order()
        sample_data.receive_proof(order)
        page = f"/admin/queue/{order.pk}/?from=queue"

        ended = client.post(
            f"/admin/raffles/order/{order.pk}/confirm/", headers={"referer": HOST + page}
        )
        login = client.get(ended["Location"])
        back = client.post(ended["Location"], {"username": person.username, "password": PASSWORD})

        assert ended["Location"].startswith(LOGIN)
        assert "nothing was decided" in login.content.decode()
        assert back["Location"] == page
        assert client.get(page).status_code == 200
        assert ["Nothing was decided" in each for each in list_messages(back)] == [True]
        assert refresh_status(order) == OrderStatus.PENDING_PAYMENT

    def test_leads_to_the_dashboard_if_the_form_names_another_site(self, client: Client) -> None:
        for referer in ("", "https://evil.example/admin/", "//evil.example/", HOST + LOGIN):
            ended = client.post("/admin/export/", headers={"referer": referer})

            assert ended["Location"] == f"{LOGIN}?interrupted=1&next=%2Fadmin%2F"


class TestLoginInAnotherTab:
    def test_leads_the_second_form_of_the_login_to_the_wanted_page(self) -> None:
        User.objects.create_superuser("olga", password=PASSWORD)
        browser, address = Client(enforce_csrf_checks=True), f"{LOGIN}?next=/admin/export/"
        typed = {"username": "olga", "password": PASSWORD}
        typed["csrfmiddlewaretoken"] = get_token(browser, address)
        headers = {"referer": HOST + address}

        browser.post(address, typed, headers=headers)
        second = browser.post(address, typed, headers=headers)
        wanted = browser.get(second["Location"])

        assert (second.status_code, wanted["Location"]) == (302, "/admin/export/")

    def test_leads_an_older_form_to_its_page_where_nothing_was_decided(self) -> None:
        User.objects.create_superuser("olga", password=PASSWORD)
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(User.objects.get())
        stale = {"csrfmiddlewaretoken": get_token(browser, "/admin/export/"), "what": "ORDERS"}
        browser.cookies.pop("sessionid")
        typed = {"username": "olga", "password": PASSWORD}
        typed["csrfmiddlewaretoken"] = get_token(browser, LOGIN)
        browser.post(LOGIN, typed)

        answer = browser.post("/admin/export/", stale, headers={"referer": f"{HOST}/admin/export/"})

        assert answer["Location"] == "/admin/export/"
        assert ["Nothing was decided" in each for each in list_messages(answer)] == [True]

    def test_sends_a_form_after_the_end_of_the_session_to_the_login(self) -> None:
        browser = Client(enforce_csrf_checks=True)
        stale = {"csrfmiddlewaretoken": "x" * 64}
        get_token(browser, LOGIN)

        answer = browser.post("/admin/export/", stale, headers={"referer": f"{HOST}/admin/export/"})

        assert answer["Location"] == f"{LOGIN}?interrupted=1&next=%2Fadmin%2Fexport%2F"

    @pytest.mark.parametrize("end", ["", "?x=1"])
    def test_leads_to_the_page_above_if_the_browser_names_only_the_site(self, end: str) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(User.objects.create_superuser("olga"))
        get_token(browser, "/admin/export/")
        buyer = builders.create_contact()

        answer = browser.post(
            f"/admin/whatsapp/whatsappcontact/{buyer.pk}/reply/",
            {"text": "Hello", "csrfmiddlewaretoken": "x" * 64},
            headers={"referer": HOST + end},
        )

        assert answer["Location"] == f"/admin/whatsapp/whatsappcontact/{buyer.pk}/change/"

    def test_lets_no_form_of_another_site_through(self, client: Client) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(User.objects.create_superuser("olga"))
        strict.get("/admin/export/")

        answer = strict.post("/admin/export/", headers={"referer": "https://evil.example/"})

        check_error_page(answer, status=403, way_on="/admin/")
