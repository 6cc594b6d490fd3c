"""Recurrent networks."""

import torch
from torch import nn

from .entry import Entry, normal, quiet, tokens


class LanguageModel(nn.Module):
    """An LSTM whose head is the embedding's weight; row 0 is padding."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(64, 32, padding_idx=0)
        self.lstm = nn.LSTM(32, 32, num_layers=2, batch_first=True)
        self.head = nn.Linear(32, 64)
        self.head.weight = self.embedding.weight

    def forward(self, x):
        return self.head(self.lstm(self.embedding(x))[0])


class Classifier(nn.Module):
    """A recurrent ``body`` over token embeddings, and a head on its last state."""

    def __init__(self, body, width):
        super().__init__()
        self.embedding = nn.Embedding(64, 16)
        self.body = body
        self.head = nn.Linear(width, 5)

    def forward(self, x):
        return self.head(self.body(self.embedding(x))[0][:, -1])


class CellLoop(nn.Module):
    """A cell stepped by hand."""

    def __init__(self, cell):
        super().__init__()
        self.cell = cell
        self.head = nn.Linear(32, 5)

    def forward(self, x):
        state = None
        for step in x.unbind(1):
            state = self.cell(step, state)
        return self.head(state[0] if isinstance(state, tuple) else state)


class ConvolutionalLSTM(nn.Module):
    """One convolution makes all four gates; the forget gate's bias starts at one."""

    def __init__(self):
        super().__init__()
        self.gates = nn.Conv2d(3 + 8, 4 * 8, 3, padding=1)
        nn.init.ones_(self.gates.bias.data[8:16])

    def forward(self, x):
        hidden = cell = x.new_zeros(len(x), 8, *x.shape[-2:])
        for step in x.unbind(1):
            i, f, o, g = self.gates(torch.cat([step, hidden], 1)).chunk(4, 1)
            cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
            hidden = o.sigmoid() * cell.tanh()
        return hidden


class Projected(Classifier):
    def forward(self, x):
        with quiet("LSTM with projections is not supported with oneDNN"):
            return super().forward(x)


_WORDS = tokens(4, 12)

ENTRIES = {
    "lstm_language_model": Entry(LanguageModel, _WORDS),
    "gru_bidirectional": Entry(
        lambda: Classifier(nn.GRU(16, 32, 2, batch_first=True, bidirectional=True), 64), _WORDS
    ),
    "lstm_projection": Entry(
        lambda: Projected(nn.LSTM(16, 32, batch_first=True, proj_size=8), 8), _WORDS
    ),
    "rnn_relu": Entry(
        lambda: Classifier(nn.RNN(16, 32, nonlinearity="relu", batch_first=True), 32), _WORDS
    ),
    "rnn_tanh_no_bias": Entry(
        lambda: Classifier(nn.RNN(16, 32, bias=False, batch_first=True), 32), _WORDS
    ),
    "lstm_cell_loop": Entry(lambda: CellLoop(nn.LSTMCell(16, 32)), normal(4, 10, 16)),
    "gru_cell_loop": Entry(lambda: CellLoop(nn.GRUCell(16, 32)), normal(4, 10, 16)),
    "convolutional_lstm": Entry(ConvolutionalLSTM, normal(2, 4, 3, 8, 8)),
}
