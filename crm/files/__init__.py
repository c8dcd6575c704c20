"""Attachments: kept by their content, checked by their content, never served as a page."""
