"""Printed forms: what stands on them as data, typeset as PDF."""
