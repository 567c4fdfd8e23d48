"""The list of orders: filters, tabs and decisions about many at once."""
