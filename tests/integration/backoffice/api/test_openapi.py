"""Tests of access to the API's OpenAPI description."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from backoffice.api.views import openapi

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_document_is_no_secret(client: Client, slash: str) -> None:
    answer = client.get(f"/api/schema{slash}")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer.content == openapi.render_openapi_document()


def test_the_page_asks_who_is_there_and_comes_back(client: Client) -> None:
    client.force_login(User.objects.create_user("buyer"))

    answer = client.get("/api/docs")

    assert answer.status_code == 302
    assert answer["Location"] == "/admin/login/?next=/api/docs"


def test_the_page_is_for_staff_and_takes_everything_from_here(owner: Client) -> None:
    page = owner.get("/api/docs/").content.decode()

    assert "/static/swagger-ui/swagger-ui-bundle" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
