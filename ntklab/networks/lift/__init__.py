"""Torch modules as architectures: what a network becomes at infinite width, or the first operation that forbids it."""

from ntklab.networks.lift.lifting import Lifted, examine, lift

__all__ = ["Lifted", "examine", "lift"]
