"""BERT-mini for masked-language modelling (transformers'), which can predict chosen places only."""

from typing import Any

import torch
from torch import Tensor, nn

from firstlight.model.libraries import library, quiet

_POSITIONS = 512


def bert_mini(
    vocabulary: int, context: int, *, layers: int = 4, width: int = 256, heads: int = 4
) -> nn.Module:
    """Build a BERT of 4 layers, 256 wide, 4 heads and 1024 up, with transformers' own start.

    It is called as ``network(tokens, places=None)``: tokens (N, context), places (N, k) of those to
    predict or None for all. The head is most of the work of so small a network; at 15 % of the
    tokens a step takes about half the time.

    Args:
        vocabulary: tokens that there are.
        context: tokens of a row.
        layers: transformer layers.
        width: features of a token; the feed-forward layers have 4 times as many.
        heads: attention heads.

    Raises:
        FirstlightError: transformers is not installed.

    Example:
        >>> import torch
        >>> from firstlight.comparison.bert_mini import bert_mini
        >>> bert_mini(100, 16)(torch.ones(2, 16, dtype=torch.long)).shape
        torch.Size([2, 16, 100])

    Reference: arXiv 1908.08962 (BERT-mini), arXiv 1810.04805 (BERT).
    """
    transformers: Any = library("transformers")

    class BertMini(transformers.BertForMaskedLM):
        """Returns logits, of chosen places where asked."""

        takes_places = True

        def forward(self, input_ids: Tensor, places: Tensor | None = None) -> Tensor:
            hidden = self.bert(input_ids)[0]
            if places is not None:
                hidden = hidden[torch.arange(len(hidden), device=hidden.device)[:, None], places]
            return self.cls(hidden)

    with quiet():
        config = transformers.BertConfig(
            vocab_size=vocabulary,
            hidden_size=width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            intermediate_size=4 * width,
            max_position_embeddings=max(_POSITIONS, context),
        )
        return BertMini(config)
