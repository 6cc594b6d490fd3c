"""How many samples a step of a fit takes."""

#: The most samples that "auto" takes in every step.
MOST_FULL = 2**18


def batch_size(asked: int | str, count: int) -> int | None:
    """Samples of a step; None for all ``count`` of them.

    Example:
        >>> batch_size("auto", 2**18), batch_size("auto", 10**6), batch_size(4096, 10**6)
        (None, 262144, 4096)
    """
    if asked == "full":
        return None
    most = MOST_FULL if asked == "auto" else int(asked)
    return most if count > most else None
