"""Ticket numbers as a whole: created, counted, drawn as a map, and proved consistent."""
