"""What kernel is asked for, and in what precision, where and within what memory."""

from __future__ import annotations

from typing import Annotated, Any, Literal

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
LayerName = Annotated[str, msgspec.Meta(max_length=1000, extra={"remedy": "give the name that the ledger has for it"})]


class KernelRequest(Document, frozen=True):
    """The finite-width kernel of the network drawn with ``seed``, and its infinite-width limit.

    ``outputs``: "full" keeps (n1, n2, k, k), "diagonal" (n1, n2, k) keeps each output with itself, "mean" (n1, n2)
    averages the diagonal (the trace kernel over k). ``device`` is "cpu", "cuda" or "cuda:1". ``memory`` is the budget
    in bytes; None takes a share of what is free. ``monte_carlo`` networks are drawn at each of ``monte_carlo_widths``
    for estimates of the kernels with error bars, with seeds counted up from ``seed``; None draws none. Widths None are
    128, 256 and 512, or in standard parameterisation those written.

    ``split`` keeps what each layer adds to the finite-width kernel, as a ledger; ``muted`` layers are left out of the
    kernel that is shown beside it, that of training the others alone. Their names are those of ``named_modules`` of the
    network, as the ledger has them; names of layers that it lacks mean nothing.
    """

    word = "kernel"

    outputs: Outputs = "mean"
    dtype: Dtype = "float32"
    device: Device = "cpu"
    seed: Seed = 0
    memory: Bytes | None = None
    monte_carlo: Networks | None = None
    monte_carlo_widths: Widths | None = None
    split: bool = False
    muted: tuple[LayerName, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As ``Document.to_dict``; without ``split`` and ``muted`` as in schema 1, where they say nothing."""
        whole = super().to_dict()
        return whole if self.schema > 1 else {name: whole[name] for name in whole if name not in ("split", "muted")}

    @property
    def schema(self) -> int:
        """The first that can say this."""
        return 2 if self.split or self.muted else 1

    def check(self) -> None:
        widths = self.monte_carlo_widths or ()
        if len(set(widths)) < len(widths):
            raise complaint("monte_carlo_widths", "expected distinct widths", list(widths), "give each once")
        if len(set(self.muted)) < len(self.muted):
            raise complaint("muted", "expected distinct layers", list(self.muted), "give each once")
