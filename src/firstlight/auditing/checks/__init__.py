"""The table of checks, by what they look at."""
