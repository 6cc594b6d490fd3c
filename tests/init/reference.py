"""Slow, obvious references in float64; angles are reduced with exact integers."""

import numpy as np


def sinusoidal(m, n, rows=None):
    """The published formula at amplitude 1; ``rows`` picks 1-based row numbers."""
    i = np.arange(1, m + 1) if rows is None else np.asarray(rows)
    j = np.arange(1, n + 1)
    return np.sin(2 * np.pi * ((i[:, None] * j % n) / n + (i % m)[:, None] / m))


def harmonic_phases(frequency, layer):
    """Python's own integers, so nothing can overflow."""
    return [
        ((0x9E3779B1 * layer + (0x85EBCA77 + 0xC2B2AE3D * int(f)) * int(f)) % 2**32) / 2**32
        for f in frequency
    ]
