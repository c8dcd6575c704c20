"""Change requests (5.4): agreed with the customer, decided, built, tested by who reported them, and brought to the customer."""
