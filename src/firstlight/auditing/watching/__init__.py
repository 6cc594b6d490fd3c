"""The parts of ``firstlight.watch``: counting steps, seeing a training pass, sending it on."""
