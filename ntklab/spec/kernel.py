"""What kernel is asked for, and in what precision, where and within what memory."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from ntklab.spec.base import Seed
from ntklab.spec.codec import Document
from ntklab.spec.faults import complaint
from ntklab.spec.weights import Width

Bytes = Annotated[
    int, msgspec.Meta(ge=1, le=2**62, extra={"remedy": "give bytes, or none for a share of what is free"})
]
Device = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(cpu|cuda(:\d{1,3})?)\Z",
        extra={"words": "the name of a device", "remedy": "give 'cpu', 'cuda' or 'cuda:1' (the second GPU)"},
    ),
]
Dtype = Literal["float32", "float64"]
Outputs = Literal["full", "diagonal", "mean"]
Networks = Annotated[
    int,
    msgspec.Meta(ge=1, le=1_000_000, extra={"remedy": "give at least 3 for error bars, or none for no Monte Carlo"}),
]
Widths = Annotated[tuple[Width, ...], msgspec.Meta(min_length=1, max_length=32)]


class KernelRequest(Document, frozen=True):
    """The finite-width kernel of the network drawn with ``seed``, and its infinite-width limit.

    ``outputs``: "full" keeps (n1, n2, k, k), "diagonal" (n1, n2, k) keeps each output with itself, "mean" (n1, n2)
    averages the diagonal (the trace kernel over k). ``device`` is "cpu", "cuda" or "cuda:1". ``memory`` is the budget
    in bytes; None takes a share of what is free. ``monte_carlo`` networks are drawn at each of ``monte_carlo_widths``
    for estimates of the kernels with error bars, with seeds counted up from ``seed``; None draws none. Widths None are
    128, 256 and 512, or in standard parameterisation those written.
    """

    word = "kernel"

    outputs: Outputs = "mean"
    dtype: Dtype = "float32"
    device: Device = "cpu"
    seed: Seed = 0
    memory: Bytes | None = None
    monte_carlo: Networks | None = None
    monte_carlo_widths: Widths | None = None

    def check(self) -> None:
        widths = self.monte_carlo_widths or ()
        if len(set(widths)) < len(widths):
            raise complaint("monte_carlo_widths", "expected distinct widths", list(widths), "give each once")
