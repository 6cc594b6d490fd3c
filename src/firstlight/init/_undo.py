"""All or nothing: tensors that come back as they were when a block fails."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


@contextmanager
def restored_on_error(
    tensors: Iterable[Tensor], source: torch.Generator | None = None
) -> Iterator[None]:
    """Put ``tensors`` and the state of ``source`` back, bit for bit, if the block raises."""
    saved = [(tensor, tensor.detach().clone()) for tensor in tensors]
    state = source.get_state() if source is not None else None
    try:
        yield
    except BaseException:  # Ctrl-C, too, must not leave a model half written
        with torch.no_grad():
            for tensor, values in saved:
                tensor.copy_(values)
        if source is not None and state is not None:
            source.set_state(state)
        raise
