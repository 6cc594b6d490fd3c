"""What is done with one tensor of a module: a matrix to fill, a value to set, or nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Part:
    """One logical matrix inside a stored tensor.

    Attributes:
        label: its mark in the name, such as "[q]", or "".
        view: the matrix in the tensor's memory, (out, in, *kernel); where its rows lie in several
            runs that no single stride joins, (runs, rows of a run, in).
        runs: whether it is of the second form.
    """

    label: str
    view: Tensor
    runs: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (out, in, *kernel)."""
        shape = tuple(self.view.shape)
        return (shape[0] * shape[1], *shape[2:]) if self.runs else shape

    def matrix(self) -> Tensor:
        """Return the matrix as (out, in, *kernel), in its own memory where one stride joins it."""
        return self.view.reshape(self.shape) if self.runs else self.view

    def write(self, matrix: Tensor) -> None:
        """Copy ``matrix`` in, unless it lies there already."""
        if matrix.data_ptr() != self.view.data_ptr() or matrix.is_meta:
            self.view.copy_(matrix.view(self.view.shape))


#: Splits one stored tensor into its logical matrices.
Split = Callable[[Tensor], list[Part]]


def whole(weight: Tensor) -> list[Part]:
    """Return the tensor as one matrix."""
    return [Part("", weight)]


@dataclass(frozen=True, eq=False)
class Matrix:
    """A tensor of one or several weight matrices.

    Attributes:
        kind: what it is, in a word or two.
        split: finds the matrices.
        role: "weight"; "depthwise" for one row per channel; "recurrent" for a layer's own past;
            "table" for an embedding, which is read row by row.
        kept_row: a row that is never written, as an embedding's padding.
        note: what a reader should know about it.
    """

    kind: str
    split: Split = whole
    role: str = "weight"
    kept_row: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Value:
    """A tensor that gets one value; ``rows`` of it may get another, as forget gates do."""

    kind: str
    value: float
    rows: slice | None = None


@dataclass(frozen=True)
class Kept:
    """A tensor that stays as it is, and why."""

    kind: str
    reason: str


Treatment = Matrix | Value | Kept
