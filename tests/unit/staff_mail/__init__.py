"""Tests of e-mails to staff."""
