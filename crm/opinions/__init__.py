"""Customers' opinions: complaints, suggestions, praise and letters, each with an owner, an answer and a call (4.manager.3)."""
