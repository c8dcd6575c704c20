"""Penalties: proposed with their evidence, issued or waived by a manager, signed, contested, answered (7, 3, D1)."""
