"""Images that stay in a file: only those that are asked for are read."""

import numpy as np
import torch
from torch import Tensor


class Mapped:
    """Some images (N, C, H, W) of a memory-mapped file, in place of a tensor of bytes.

    Example:
        >>> import numpy as np
        >>> pixels = np.arange(12, dtype=np.uint8).reshape(4, 1, 1, 3)
        >>> images = Mapped(pixels, np.zeros((4, 2, 1), np.int64)).take(np.array([1, 3]))
        >>> images.shape, images[1:].flatten().tolist()
        (torch.Size([2, 1, 1, 3]), [9, 10, 11])
    """

    device = torch.device("cpu")
    dtype = torch.uint8

    def __init__(self, file: np.ndarray, sums: np.ndarray, rows: np.ndarray | None = None) -> None:
        """Take images of ``file``.

        Args:
            file: bytes (M, C, H, W).
            sums: sum and sum of squares of each channel of each of its images, (M, 2, C).
            rows: which images, (N,); all where None.
        """
        self._file, self._sums = file, sums
        self._rows = np.arange(len(file)) if rows is None else rows

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def shape(self) -> torch.Size:
        """(N, C, H, W)."""
        return torch.Size((len(self), *self._file.shape[1:]))

    def numel(self) -> int:
        """Return the number of bytes."""
        return self.shape.numel()

    def __getitem__(self, chosen: slice | Tensor) -> Tensor:
        rows = chosen if isinstance(chosen, slice) else chosen.numpy()
        return torch.from_numpy(np.take(self._file, self._rows[rows], axis=0))

    def take(self, indices: np.ndarray) -> "Mapped":
        """Return the images at ``indices``; none is read."""
        return Mapped(self._file, self._sums, self._rows[indices])

    def gather(self, indices: np.ndarray, out: np.ndarray) -> None:
        """Copy the images at ``indices``, which must exist, to ``out``."""
        np.take(self._file, self._rows[indices], axis=0, out=out, mode="clip")  # "raise" buffers

    def sums(self) -> Tensor:
        """Sum and sum of squares of each channel, (2, C), exact."""
        return torch.from_numpy(self._sums[self._rows].sum(0))

    def to(self, device: torch.device) -> Tensor:
        """Copy all images to ``device``, never holding all of them here."""
        found = torch.empty(self.shape, dtype=self.dtype, device=device)
        for begin in range(0, len(self), 1024):
            found[begin : begin + 1024] = self[begin : begin + 1024].to(device)
        return found
