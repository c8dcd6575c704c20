"""Remote-support records: from the call to complete (5.1)."""
