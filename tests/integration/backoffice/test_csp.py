"""Tests of the Content Security Policy, and of pages that need nothing it blocks."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

import backoffice
from backoffice.ui import brand

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]

TEMPLATES = Path(backoffice.__file__).parent / "templates"


class InlineCodeFinder(HTMLParser):
    """Parser that collects what a strict policy blocks: inline scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect a tag that a browser would block in whole or in part."""
        about = {name: value or "" for name, value in attrs}
        own = tag == "style" or (tag == "script" and not about.get("src"))
        data = about.get("type", "") in {"application/json", "application/ld+json"}
        if own and not data and "nonce" not in about:
            self.found.append(f"<{tag}>")
        self.found += [
            f"<{tag} {name}>" for name in about if name == "style" or name.startswith("on")
        ]
        self.found += [
            f"<{tag} {name}>" for name, value in about.items() if value.startswith("javascript:")
        ]


class TestPolicy:
    @pytest.mark.parametrize("path", ["/admin/login/", "/admin/", "/api/orders", "/healthz"])
    def test_lets_a_page_run_our_own_files_alone(self, owner: Client, path: str) -> None:
        answer = owner.get(path)

        policy: dict[str, str] = dict(
            part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";")
        )
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["base-uri"] == "'none'"
        assert policy["frame-ancestors"] == policy["frame-src"] == "'none'"

    def test_stands_beside_the_other_headers(self, client: Client) -> None:
        answer = client.get("/admin/login/")

        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "camera=()" in answer["Permissions-Policy"]

    @pytest.mark.parametrize(
        "path",
        [
            "/admin/",
            "/admin/login/",
            "/admin/password_change/",
            "/admin/security/",
            "/admin/auth/user/",
            "/admin/auth/user/add/",
            "/admin/auth/user/{me}/change/",
            "/admin/auth/user/{me}/password/",
            "/admin/auth/user/{me}/history/",
            "/admin/auth/group/add/",
            "/admin/raffles/raffle/add/",
            "/admin/raffles/order/",
            "/admin/whatsapp/alarm/",
            "/api/docs",
        ],
    )
    def test_is_never_broken_by_a_page(self, owner: Client, path: str) -> None:
        me = owner.session["_auth_user_id"]

        page = (Client() if "login" in path else owner).get(path.format(me=me))

        assert page.status_code == 200
        assert InlineCodeFinder(page.content.decode()).found == []


def test_no_template_of_ours_has_anything_inline() -> None:
    found = {
        str(path.relative_to(TEMPLATES)): inline
        for path in TEMPLATES.rglob("*.html")
        if (inline := InlineCodeFinder(path.read_text()).found)
    }

    assert found == {}


class TestBrand:
    def test_is_a_style_sheet_that_browsers_keep(self, client: Client) -> None:
        sheet = client.get("/admin/brand.css")
        again = client.get("/admin/brand.css", headers={"If-None-Match": sheet["ETag"]})

        assert sheet["Content-Type"] == "text/css; charset=utf-8"
        assert "--rt-accent: #0f766e" in sheet.content.decode()
        assert "max-age=86400" in sheet["Cache-Control"]
        assert again.status_code == 304

    def test_gives_text_a_colour_that_can_be_read_on_it(self) -> None:
        assert "--rt-on-accent: #000000" in brand.build_style_sheet("#ffd400")
        assert "--rt-on-accent: #ffffff" in brand.build_style_sheet("#12245a")

    def test_shows_a_logo_that_can_run_nothing(self, tmp_path: Path) -> None:
        logo = tmp_path / "club.SVG"
        logo.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")

        answer: Any = brand.build_picture_response(logo)

        assert answer.getvalue().startswith(b"<svg")
        answer.file_to_stream.close()
        assert answer["Content-Type"] == "image/svg+xml"
        assert "sandbox" in answer["Content-Security-Policy"]

    def test_has_no_logo_of_its_own_unless_configured(self, client: Client) -> None:
        assert client.get("/admin/brand/logo").status_code == 404
