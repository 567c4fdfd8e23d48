"""Contacts, chats, messages in and out, alarms, and business numbers."""
