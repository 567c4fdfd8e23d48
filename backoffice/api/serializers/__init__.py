"""Serializers that validate request bodies."""
