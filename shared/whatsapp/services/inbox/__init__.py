"""Webhook items stored once, and the contacts who wait for an answer."""
