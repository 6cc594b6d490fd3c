"""Slow, obvious references in float64; angles are reduced with exact integers."""

from itertools import islice

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


_64 = 2**64 - 1


def philox(counter, key):
    """Ten rounds of Philox4x64 (Salmon et al., 2011): four words from four words and two keys."""
    a, b, c, d = counter
    k, q = key
    for _ in range(10):
        p, r = a * 0xD2E7470EE14C6C93, c * 0xCA5A826395121157
        a, b, c, d = (r >> 64) ^ b ^ k, r & _64, (p >> 64) ^ d ^ q, p & _64
        k, q = (k + 0x9E3779B97F4A7C15) & _64, (q + 0xBB67AE8584CAA73B) & _64
    return a, b, c, d


def dxsm(state, increment):
    """Words of PCG64 without end: O'Neill's double xorshift multiply of each state."""
    cheap = 0xDA942042E4DD58B5
    while True:
        high, low = state >> 64, state & _64 | 1
        high = (high ^ high >> 32) * cheap & _64
        yield (high ^ high >> 48) * low & _64
        state = (state * cheap + increment) % 2**128


def words(key, lane, start, count):
    """Words of a lane of a stream: Philox of the lane's number is the state of its generator."""
    counter = [lane >> shift & _64 for shift in (0, 64, 128, 192)]
    a, b, c, d = philox(counter, (key & _64, key >> 64))
    lanes = dxsm(a << 64 | b, c << 64 | d | 1)
    return list(islice(lanes, start, start + count))
