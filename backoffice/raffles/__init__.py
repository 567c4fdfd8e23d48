"""Raffles: their form, lifecycle, ticket numbers and cash sales."""
