"""Mean field of a planned network: the second moment of every signal, op by op."""
