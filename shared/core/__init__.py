"""Enums, errors, configuration, logs and retry times; imports nothing from other packages."""
