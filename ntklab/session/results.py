"""What was found so far, and which parts of it the experiment has moved away from."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

from ntklab.errors import SpecError
from ntklab.results import (
    Absence,
    Data,
    Gram,
    Ledger,
    MonteCarlo,
    Network,
    Phase,
    Run,
    Spectrum,
    Trajectory,
    WidthConvergence,
)
from ntklab.spec import Architecture, Branch, Experiment, Layer


@dataclass(eq=False)
class Results:
    """Results by name, each None until it is found. Only ``Session.put`` writes here.

    ``outdated`` names the parts that were computed for an experiment from which the present one differs in a way that
    matters to them: another learning rate leaves kernels as they are, another width leaves the infinite ones.
    """

    data: Data | None = None
    empirical: Gram | None = None
    ntk: Gram | None = None
    nngp: Gram | None = None
    empirical_spectrum: Spectrum | None = None
    ntk_spectrum: Spectrum | None = None
    trajectory: Trajectory | None = None
    convergence: WidthConvergence | None = None
    monte_carlo: MonteCarlo | None = None
    monte_carlo_nngp: MonteCarlo | None = None
    phase: Phase | None = None
    ledger: Ledger | None = None
    unmuted: Gram | None = None
    unmuted_spectrum: Spectrum | None = None
    network: Network | None = None
    absence: Absence | None = None
    outdated: frozenset[str] = frozenset()
    _made_of: dict[str, Hashable] = field(default_factory=dict, repr=False)

    @property
    def stale(self) -> bool:
        """Whether any part is of another experiment than the present one."""
        return bool(self.outdated)

    def put(self, name: str, value: Any, experiment: Experiment) -> None:
        """Keep ``value``, computed for ``experiment``, as a fresh part; ``compare`` tells if it is not.

        Raises ``KeyError`` for a name that is no part.
        """
        self._made_of[name] = ingredients(experiment)[name]
        self.outdated -= {name}
        setattr(self, name, value)

    def compare(self, experiment: Experiment) -> bool:
        """Bring ``outdated`` up to date; whether it changed."""
        before = self.outdated
        now = ingredients(experiment)
        found = (name for name in self._made_of if getattr(self, name) is not None)
        self.outdated = frozenset(name for name in found if now[name] != self._made_of[name])
        return self.outdated != before

    def clear(self) -> None:
        """Forget everything."""
        for name in INGREDIENTS:
            setattr(self, name, None)
        self._made_of.clear()
        self.outdated = frozenset()

    def run(self, experiment: str) -> Run | None:
        """The results as a ``Run`` of the experiment with that content hash; None without data."""
        if self.data is None:
            return None
        parts = [part.name for part in fields(Run) if part.name not in ("experiment", "data")]
        return Run(experiment, self.data, **{part: getattr(self, part) for part in parts})


@lru_cache(maxsize=64)  # asked for at every frame of the width dial; making specs takes milliseconds
def ingredients(experiment: Experiment) -> Mapping[str, Hashable]:
    """What each part is made of for ``experiment``: a part is outdated when this has changed."""
    return {name: of(experiment) for name, of in INGREDIENTS.items()}


def _data(experiment: Experiment) -> Hashable:
    return experiment.dataset


def _finite(experiment: Experiment) -> Hashable:
    return experiment.dataset, _network(experiment), experiment.checkpoint, experiment.kernel.replace(**_ELSEWHERE)


def _trained(experiment: Experiment) -> Hashable:
    """Of the layers that are not muted."""
    return _finite(experiment), frozenset(experiment.kernel.muted)


def _infinite(experiment: Experiment) -> Hashable:
    kernel = experiment.kernel.replace(**_ELSEWHERE, seed=0, outputs="mean")
    return experiment.dataset, _limit_of(experiment), kernel


def _estimated(experiment: Experiment) -> Hashable:
    kernel = experiment.kernel.replace(**_UNSEEN, outputs="mean")
    return experiment.dataset, _limit_of(experiment), kernel


def _network(experiment: Experiment) -> Hashable:
    """The user's own, or that described."""
    return experiment.model or experiment.architecture.replace(name="")


def _limit_of(experiment: Experiment) -> Hashable:
    """What the infinite-width kernel sees: of the user's own network its parameters too, whose scales are measured."""
    if experiment.model is None:
        return _limit(experiment.architecture)
    return experiment.model, experiment.checkpoint, experiment.kernel.seed


_UNSEEN: dict[str, Any] = {"memory": None, "split": False, "muted": ()}  # what no kernel sees
_ELSEWHERE = {**_UNSEEN, "monte_carlo": None, "monte_carlo_widths": None}  # what other kernels do not see


@lru_cache(maxsize=64)
def _limit(architecture: Architecture) -> Architecture:
    """The network with its widths evened out where the infinite-width kernel does not see them."""
    architecture = architecture.replace(name="")
    if any(_sees_width(layer) for layer in architecture.layers):
        return architecture
    try:
        return architecture.with_width(1)
    except SpecError:  # branches whose widths are tied to each other in another way than by a sum
        return architecture


def _sees_width(layer: Layer) -> bool:
    if isinstance(layer, Branch):
        return layer.merge == "concat" or any(_sees_width(part) for branch in layer.branches for part in branch)
    return getattr(layer, "param", "") == "standard"


def _with_loss(kernel: Callable[[Experiment], Hashable]) -> Callable[[Experiment], Hashable]:
    """A spectrum states the largest stable rate of the loss and momentum in use."""
    return lambda experiment: (kernel(experiment), experiment.training.loss, experiment.training.momentum)


INGREDIENTS: dict[str, Callable[[Experiment], Hashable]] = {
    "data": _data,
    "empirical": _finite,
    "ntk": _infinite,
    "nngp": _infinite,
    "empirical_spectrum": _with_loss(_finite),
    "ntk_spectrum": _with_loss(_infinite),
    "trajectory": lambda experiment: (_finite(experiment), experiment.training),
    "convergence": _infinite,
    "monte_carlo": _estimated,
    "monte_carlo_nngp": _estimated,
    "phase": lambda experiment: (experiment.dataset, _network(experiment), _limit_of(experiment)),
    "network": _finite,
    "absence": _infinite,
    "ledger": _finite,
    "unmuted": _trained,
    "unmuted_spectrum": _with_loss(_trained),
}
