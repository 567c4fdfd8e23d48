"""Exports of sales and buyers as CSV and Excel."""
