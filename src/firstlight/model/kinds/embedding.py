"""Embeddings: tables read row by row, in which a row is no unit with inputs."""

from typing import Any

from firstlight.model.kinds.treatment import Matrix, Treatment


def embedding(module: Any, *_: object) -> dict[str, Treatment]:
    """Describe Embedding and EmbeddingBag; the padding row is never written."""
    return {"weight": Matrix("embedding", role="table", kept_row=module.padding_idx)}
