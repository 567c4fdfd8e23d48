"""Serializers that check request bodies before anything is done."""
