"""Tests that the README keeps to its form, and that what it names is there."""

import re
import tomllib
from typing import Final

from deploy.cli import app
from shared.core.config import PROJECT_ROOT

README: Final = (PROJECT_ROOT / "README.md").read_text()


def test_leads_from_the_chat_to_its_picture_to_two_commands_to_links() -> None:
    order = [
        README.index(part)
        for part in (
            "# Raffle Tickets Bot",
            "▶ hi",
            "![Reviewing a payment proof",
            "The bot speaks and understands **English**",
            "**What it does not do:**",
            "## Two commands",
            "## The parts",
            "## Read on",
        )
    ]

    assert order == sorted(order)


def test_links_lead_to_files() -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", README)

    assert len(links) > 5
    assert [link for link in links if not (PROJECT_ROOT / link).exists()] == []


def test_commands_exist() -> None:
    scripts = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    known = {
        each.name or each.callback.__name__ for each in app.registered_commands if each.callback
    }
    named = set(re.findall(r"uv run rafflebot (\w+)", README))

    assert set(re.findall(r"uv run (rafflebot|manage)", README)) == scripts.keys()
    assert named == known
