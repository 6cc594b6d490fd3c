"""Sharded starts: what other libraries may rely on, and the pieces to build on.

The contract
------------
A weight's values are a function of the seed, its name, its whole shape and the scheme. They do
not depend on which rank computes them, on how many ranks there are, on the mesh, on the order of
the parameters or on the device. So every rank fills what it holds, nothing is sent, and what all
ranks hold together is bit for bit what one process would have written.

- A **whole** is a weight as one device would hold it, (out, in, *kernel); a **block** of it is
  given by one range of indices for each dimension (``Block``).
- Deterministic schemes are closed forms of the indices. Every fill in ``firstlight.init`` takes
  ``block=`` and writes into its tensor what it would write there into the whole. Given a DTensor, a
  fill finds the blocks by itself.
- Random schemes read words from a ``Stream``, whose key is blake2b-128 of "seed:name". A matrix is
  cut into strips of 512 columns (of the next power of two, 8 or more, where it has fewer). Word
  number (s m + i) w of a lane begins row i of strip s, w being the words of one row; there is one
  lane for uniform values and two for normal ones. Any row of any strip is reached at once.
- ``orthogonal``, ``looks_linear``, ``isometric_diagonal`` and ``lsuv`` need the whole matrix: every
  rank makes it, which is exact, sends nothing, and takes the time and memory of the whole.
  ``harmonic`` is the orthogonal alternative in closed form.
- float16 and bfloat16 hold float32's values, rounded; float64 has words of its own.
- Draws are made by NumPy and sines by torch on the weight's device, so the last place of a value
  may differ between processors for which their libraries have different logarithms and sines. Ranks
  on like machines agree in every bit.

Names are those of ``named_parameters()`` without what wrappers add (``_orig_mod`` and the like),
and so must be the same on every rank, pipeline stages included.

Recipe: meta device, parallelize, ``to_empty``, initialize
----------------------------------------------------------
The flow of torchtitan. The plan is made on the whole model, which tells each weight's place in it,
and applied to whatever part of it, sharded in whatever way, this rank holds::

    with torch.device("meta"):
        model = Llama(config)
    plan = firstlight.plan(model)                 # nothing is allocated
    model = parallelize(model, mesh)              # tensor parallel, fully_shard, a stage ...
    model.to_empty(device=device)
    with torch.no_grad():
        model.rope_cache.copy_(...)               # buffers that only the model can make
    plan.apply(model, undo=False)

Buffers that only the model can make are excluded, or the plan names them and refuses::

    plan = firstlight.plan(model, exclude=["rope_cache"])

A plan may also be made on the sharded model itself. After ``to_empty`` (``empty=True``) it looks at
no values. Where the model holds some, it looks at this rank's, to keep branches that start at
zero; ``check_agreement(plan)`` then makes sure that all ranks have seen the same.

A start that is not ours, such as the model's own ``init_weights``, becomes the same on every mesh
inside of ``placed_draws``::

    with firstlight.model.sharding.placed_draws(model, seed=0):
        model.init_weights()

Example:
    >>> import torch
    >>> from firstlight.init import harmonic_
    >>> from firstlight.model.sharding import Block
    >>> rank, ranks = 1, 4
    >>> rows = range(64 // ranks * rank, 64 // ranks * (rank + 1))
    >>> mine = harmonic_(torch.empty(16, 32), block=Block((64, 32), (rows, range(32))))
    >>> torch.equal(mine, harmonic_(torch.empty(64, 32))[16:32])
    True
"""

from firstlight.init.block import Block
from firstlight.init.shards import Piece, held, pieces
from firstlight.init.stream import Stream
from firstlight.model.agreement import check_agreement
from firstlight.model.placed_draws import placed_draws

__all__ = ["Block", "Piece", "Stream", "check_agreement", "held", "pieces", "placed_draws"]
