"""The callback desk (5.5): whom to call, what they said, and what becomes of a doubt."""
