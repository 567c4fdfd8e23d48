"""Texts that answer questions, each with the next step at its end."""
