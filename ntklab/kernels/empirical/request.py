"""A request for an empirical kernel, from its samples to the finished ``Gram``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from ntklab import spec
from ntklab.errors import SpecError
from ntklab.kernels.budget import allocation, require, resolve
from ntklab.kernels.empirical import storing
from ntklab.kernels.empirical.asking import Asking
from ntklab.kernels.empirical.engine import Run, tile_count
from ntklab.kernels.empirical.forecast import forecast
from ntklab.kernels.empirical.foreign import naming
from ntklab.kernels.empirical.forms import form
from ntklab.kernels.empirical.graphs import rows_of
from ntklab.kernels.empirical.plan import REMEDY
from ntklab.kernels.empirical.precision import measured_error
from ntklab.kernels.empirical.preparation import Ready, Samples, Terms, own_bytes, prepared
from ntklab.kernels.empirical.subject import Subject, subject
from ntklab.kernels.empirical.targets import Parts, Stored, Target, Whole
from ntklab.kernels.threads import threads_for
from ntklab.networks import torch_dtype
from ntklab.progress import Work
from ntklab.results import Gram, Provenance
from ntklab.store import TileStore


@dataclass(frozen=True, eq=False)
class Request:
    """What ``empirical_ntk`` is asked for; see there."""

    model: nn.Module | spec.Architecture
    x1: Samples
    x2: Samples | None
    outputs: str
    split: bool
    seed: int
    dtype: str
    device: str
    memory: int | None
    store: Path | str | None
    patterns: tuple[Samples | None, Samples | None]
    mask_constant: float | None
    asking: Asking

    def work(self) -> Work[Gram]:
        """Forecast, tiles, and at last the kernel."""
        started = time.perf_counter()
        with allocation(REMEDY), threads_for(0):
            ready = self._ready()
        job, blocks, about = ready.job, ready.job.plan.blocks, self._about(ready)
        with self._target(ready, about) as target:
            with allocation(REMEDY):
                names = [layer.name for layer in ready.cost.layers] if self.split else []
                parts = Parts(names, blocks.n1, blocks.n2, self.dtype) if self.split else None
            tiles, left = tile_count(job.plan, target)
            yield forecast(job, ready.cost, one=ready.one, tiles=tiles, left=left)
            yield from target.checked()
            run = Run(job, target, parts)
            yield from run.work()
            error = None
            if ready.measure:
                error = run.spared(lambda: measured_error(job.asked, job.form, target.values, job.x1, job.x2))
            seconds = time.perf_counter() - started
            done = replace(about, notes=(*about.notes, *run.remarks()), seconds=seconds)
            return target.gram(
                done, symmetric=blocks.symmetric, error=error, parts={} if parts is None else parts.arrays
            )

    def _ready(self) -> Ready:
        """Who is asked, for what, and how the work is cut."""
        what = form(self.outputs)
        if self.split and self.store is not None:
            raise SpecError(
                "split: a kernel in a store keeps no parts, got split=True; ask for layers=… with a store of its own"
            )
        asked, rows, columns = self._subject()
        held = own_bytes(asked.module, self.model, [(rows, self.x1), (columns, self.x2)])
        terms = Terms(self.memory, self.split)
        with naming(asked.module):
            if self.store is not None:
                n1, n2 = len(rows), len(rows if columns is None else columns)
                cell = asked.dtype.itemsize * int(np.prod(what(asked.outputs(rows[:1])).store(1, 1)))
                terms = storing.terms(Path(self.store), n1, n2, cell, memory=self.memory)
            return prepared(asked, what, rows, columns, terms, held=held)

    @contextmanager
    def _target(self, ready: Ready, about: Provenance) -> Iterator[Target]:
        """Where the tiles go, and what must be let go of at the end."""
        job, blocks = ready.job, ready.job.plan.blocks
        if self.store is None:
            with allocation(REMEDY):
                whole = Whole(job.form, blocks.n1, blocks.n2, self.dtype)
            yield whole
            return
        assert ready.edge is not None, "a plan for a store has tiles"
        like = job.form.values(np.empty(job.form.store(1, 1)))
        store = TileStore.create_or_resume(
            self.store, shape=(blocks.n1, blocks.n2, *like.shape[2:]), edge=ready.edge, dtype=self.dtype,
            outputs=self.outputs, symmetric=blocks.symmetric, about=about,
            fingerprint=storing.fingerprint(
                job.asked.module, job.x1, job.x2, architecture=job.asked.content, seed=job.asked.seed,
                mask_constant=self.mask_constant, metric=repr(sorted(job.asked.scales.items())),
            ),
        )  # fmt: skip
        with store:
            yield Stored(job.form, store)

    def _about(self, ready: Ready) -> Provenance:
        asked = ready.job.asked
        return Provenance(
            "empirical", asked.parameterisation, self.dtype, str(asked.device), asked.seed, self.outputs, asked.content,
            asked.route.name, notes=asked.notes,
        )  # fmt: skip

    def _subject(self) -> tuple[Subject, Tensor, Tensor | None]:
        """Who is asked, and the samples, None for columns that are the rows."""
        if isinstance(self.model, spec.Architecture):
            self._check_weights(self.model)
        asked = subject(
            self.model, seed=self.seed, dtype=self.dtype, device=self.device, pairs=self.outputs == "full",
            mask_constant=self.mask_constant,
        )  # fmt: skip
        asked = self.asking.inside(asked, self.model)
        rows = asked.samples(self.x1, "x1")
        columns = None if self.x2 is None or self.x2 is self.x1 else asked.samples(self.x2, "x2")
        pattern1, pattern2 = self.patterns
        if pattern1 is None:
            return self.asking.behind(asked, rows, columns)
        shape = tuple(np.shape(pattern1)[1:])
        asked = asked.with_patterns(tuple(rows.shape[1:]), shape)
        across = None if columns is None else rows_of(columns, pattern2, shape, "pattern2")
        return self.asking.behind(asked, rows_of(rows, pattern1, shape, "pattern1"), across)

    def _check_weights(self, architecture: spec.Architecture) -> None:
        """Refuse a network whose weights alone exceed the budget before it is drawn."""
        count = spec.parameter_count(architecture)
        require(
            count * torch_dtype(self.dtype).itemsize, resolve(self.memory, self.device),
            f"empirical NTK: a network of {count} parameters", "use narrower layers or float32, or raise memory",
        )  # fmt: skip
