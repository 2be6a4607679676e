"""What is asked for, checked: samples, networks to draw, seeds, kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ntklab import spec
from ntklab.errors import SpecError
from ntklab.kernels.monte_carlo.moments import Array, intercept
from ntklab.kernels.monte_carlo.samples import Samples
from ntklab.kernels.monte_carlo.widths import drawing, every_layer
from ntklab.networks import torch_device, torch_dtype

KINDS = ("nngp", "ntk")


@dataclass(frozen=True, eq=False)
class Request:
    """``networks`` are drawn at the hidden ``widths`` with each of ``seeds``.

    ``readout`` is the read-out of the architecture, whose widths do not matter; None where the network ends otherwise.
    """

    architecture: spec.Architecture
    samples: Samples
    networks: tuple[spec.Architecture, ...]
    widths: tuple[int, ...]
    seeds: tuple[int, ...]
    kinds: tuple[str, ...]
    readout: spec.Dense | None
    dtype: str
    device: torch.device
    mask_constant: float | None = None

    @property
    def layers(self) -> tuple[spec.Layer, ...]:
        """All layers of the architecture, those inside branches too."""
        return tuple(every_layer(self.architecture.layers))

    @property
    def shape(self) -> tuple[int, int]:
        """(n1, n2) of the kernels."""
        x1, x2 = self.samples.x1, self.samples.x2
        return len(x1), len(x1 if x2 is None else x2)

    @property
    def symmetric(self) -> bool:
        """Whether rows and columns are the same samples."""
        return self.samples.x2 is None

    @property
    def weights(self) -> Array | None:
        """How kernels at the widths extrapolate to infinite width; None where they do not."""
        return intercept(self.widths)

    @property
    def parameterisation(self) -> str | None:
        """ "ntk", "standard", "mup" or "mixed"; None without weights."""
        found = {layer.param for layer in self.layers if hasattr(layer, "param")}
        return "mixed" if len(found) > 1 else next(iter(found), None)

    @property
    def total(self) -> int:
        """Number of networks."""
        return len(self.widths) * len(self.seeds)


def request_of(
    architecture: spec.Architecture, samples: Samples, *,
    kinds: Sequence[str], widths: int | Sequence[int] | None, seeds: int | Sequence[int], dtype: str,
    device: str | torch.device, mask_constant: float | None = None,
) -> Request:  # fmt: skip
    """Check everything. Raises ``SpecError`` and ``DeviceError``."""
    shape = spec.output_shape(architecture)
    if len(shape) != 1:
        raise SpecError(
            f"Monte Carlo: expected a network with a vector of outputs, got outputs of shape {list(shape)}; add a "
            "Flatten or GlobalAvgPool layer"
        )
    drawn, at = drawing(architecture, widths), architecture.readout_index
    place = torch_device(device)
    return Request(
        architecture,
        samples.to(place, torch_dtype(dtype)),
        networks=drawn.networks,
        widths=drawn.widths,
        seeds=_seeds(seeds),
        kinds=_kinds(kinds),
        readout=None if at is None else architecture.layers[at],  # type: ignore[arg-type]
        dtype=dtype,
        device=place,
        mask_constant=mask_constant,
    )


def _kinds(kinds: Sequence[str]) -> tuple[str, ...]:
    if not kinds or isinstance(kinds, str) or any(kind not in KINDS for kind in kinds):
        raise SpecError(f"kinds: expected some of {list(KINDS)}, got {kinds!r}; give for example kinds=('ntk',)")
    return tuple(dict.fromkeys(kinds))


def _seeds(seeds: int | Sequence[int]) -> tuple[int, ...]:
    """The seeds 0, 1, … or those given."""
    chosen = tuple(range(seeds)) if isinstance(seeds, int) else tuple(int(seed) for seed in seeds)
    if not chosen or len(set(chosen)) < len(chosen) or min(chosen) < 0:
        shown = seeds if isinstance(seeds, int) else list(seeds)
        raise SpecError(
            f"seeds: expected a number of networks of at least 1, or distinct seeds of at least 0, got {shown}; give "
            "for example 32"
        )
    return chosen
