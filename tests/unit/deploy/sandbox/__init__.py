"""Tests of the sandbox of Meta's API."""
