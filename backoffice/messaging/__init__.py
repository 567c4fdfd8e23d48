"""Contacts, chats, messages in and out, alarms, and the business numbers."""
