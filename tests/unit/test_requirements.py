"""Tests of the version bounds of requirements."""

import importlib.metadata

import pytest
from packaging.requirements import Requirement


def find_requirement(name: str) -> Requirement:
    """Return this distribution's requirement of a package."""
    declared = importlib.metadata.requires("raffle-tickets-bot") or []
    return next(each for text in declared if (each := Requirement(text)).name == name)


@pytest.mark.parametrize("version", ["1.0", "1.0.dev3", "2.0"])
def test_a_different_library_under_the_name_httpx_is_never_installed(version: str) -> None:
    assert not find_requirement("httpx").specifier.contains(version)
