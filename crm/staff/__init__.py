"""Accounts, roles, log-in and sessions."""
