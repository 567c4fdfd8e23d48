"""Changes of orders by staff, the API and the clock: one transaction each, the buyer told in it."""
