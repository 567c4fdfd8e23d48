"""Workflows for n8n, ready to import, and the trial of them on a real n8n; README.md tells how."""
