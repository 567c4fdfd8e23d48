"""The list of orders: filters, tabs and bulk actions."""
