"""Filters, tabs, facets and pages of Django change lists."""
