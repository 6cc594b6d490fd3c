"""Networks of neural fields: one family, one file."""
