"""Implementations (5.7.3, 7.6): begun, ended, and the three papers that are then owed."""
