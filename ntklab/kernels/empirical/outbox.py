"""Tiles on their way from a device to the host, so that the device computes the next meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Settle = Callable[[Tensor, Sequence[Tensor]], None]
_AHEAD = 2
"""Tiles that may be on their way while the next is computed."""


@dataclass(frozen=True, eq=False)
class _Sent:
    """Tiles that are copied to page-locked memory; ``arrived`` is set when that is done."""

    values: Tensor
    by_layer: tuple[Tensor, ...]
    arrived: torch.cuda.Event
    settle: Settle


class Outbox:
    """Hands tiles to whoever settles them, once they are on the host: at once for the CPU."""

    def __init__(self, device: torch.device) -> None:
        self._sent: deque[_Sent] = deque()
        self._stream = _stream(device)

    @property
    def busy(self) -> bool:
        """Whether tiles are on their way."""
        return bool(self._sent)

    def send(self, values: Tensor, by_layer: Sequence[Tensor], settle: Settle) -> None:
        """Settle ``values`` with ``by_layer`` when they are here."""
        if self._stream is None:
            settle(values, by_layer)
            return
        while len(self._sent) >= _AHEAD:
            self._receive()
        self._stream.wait_stream(torch.cuda.current_stream(values.device))
        with torch.cuda.stream(self._stream):
            here = [self._copied(tensor) for tensor in (values, *by_layer)]
            arrived: torch.cuda.Event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            arrived.record(self._stream)
        self._sent.append(_Sent(here[0], tuple(here[1:]), arrived, settle))

    def flush(self) -> None:
        """Settle all that is on its way."""
        while self._sent:
            self._receive()

    def _copied(self, tensor: Tensor) -> Tensor:
        """``tensor`` in page-locked memory, when the stream gets there."""
        assert self._stream is not None
        packed = tensor.contiguous()
        packed.record_stream(self._stream)  # its memory must not be used again before it was read
        here = torch.empty(packed.shape, dtype=packed.dtype, pin_memory=True)
        return here.copy_(packed, non_blocking=True)

    def _receive(self) -> None:
        sent = self._sent.popleft()
        sent.arrived.synchronize()
        sent.settle(sent.values, sent.by_layer)


def _stream(device: torch.device) -> torch.cuda.Stream | None:
    return torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]
