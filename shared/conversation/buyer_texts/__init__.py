"""Texts that buyers write, and what they mean: commands, quantities, numbers, orders."""
