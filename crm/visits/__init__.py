"""On-site visits (5.3): requested, approved, made, written up."""
