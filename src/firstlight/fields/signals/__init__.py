"""Signals that fields are fitted to: one kind, one file."""
