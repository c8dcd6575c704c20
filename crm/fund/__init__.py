"""The month's statement of penalties, and the fund they go into (7.7, 7.8)."""
