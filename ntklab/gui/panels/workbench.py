"""The network being worked at: what is chosen and folded, what every edit does, and what does not fit. No Qt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import prod
from typing import Any

from ntklab.errors import SpecError
from ntklab.gui.panels import slots
from ntklab.gui.panels.outline import Line, Problem, outline
from ntklab.gui.panels.words import shape_text
from ntklab.session import Session, sketches
from ntklab.session.sketches import Path, Sketch, settled, sketch_of
from ntklab.session.tracing import first_fault, shape_before, trace
from ntklab.spec import (
    LAYER_ROWS,
    Architecture,
    Branch,
    Input,
    Layer,
    Preset,
    TypeRow,
    caption,
    lay_out,
    output_shape,
)
from ntklab.spec.faults import PlacedError
from ntklab.spec.transitions import after

LONG = 24  # lines; a preset with more starts with its blocks folded
_LAYOUTS = {"transformer": ("sequence", "image")}  # tried in this order where a preset is not for vectors


@dataclass(frozen=True)
class Offer:
    """A layer type to add, as ``layer``; ``refusal`` says why that cannot be, ``warning`` what would not fit then."""

    row: TypeRow
    layer: Layer | None = None
    refusal: str = ""
    warning: str = ""


class Workbench:
    """Edits the network of ``session``: as its sketch while that is impossible, else as its architecture."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.selected: Path = (0,)
        self.folded: set[Path] = set()

    def choose(self, path: Path) -> None:
        """Choose the line at ``path``, and unfold the blocks around it."""
        self.selected = path
        self._unfold_around(path)

    @property
    def sketch(self) -> Sketch:
        """The network as the user left it."""
        return self._session.sketch or sketch_of(self._session.experiment)

    def problem(self) -> Problem | None:
        """Why the sketch is impossible; None where there is none."""
        sketch = self._session.sketch
        if sketch is None:
            return None
        fault = first_fault(trace(sketch))
        if fault is not None and fault.fault is not None:
            return Problem(fault.path, _words(fault.fault))
        try:
            settled(self._session.experiment, sketch, strict=True)
        except PlacedError as error:
            at_input = "input" in error.place
            return Problem(() if at_input else (len(sketch.layers) - 1,), error.text)
        return None

    def lines(self) -> tuple[Line, ...]:
        """The lines of the list."""
        return outline(self.sketch, folded=self.folded, problem=self.problem())

    def line(self, lines: Iterable[Line]) -> Line | None:
        """The chosen line among ``lines``, or that of the block that it is folded away in."""
        by_path = {line.path: line for line in lines}
        path = self.selected
        while path not in by_path and len(path) > 1:
            path = path[:-2] if len(path) % 2 else path[:-1]
        return by_path.get(path)

    # -- edits -----------------------------------------------------------------------------------------------------

    def apply(
        self, change: Callable[[Sketch], Sketch], label: str, *, merge: str | None = None, keep: Path | None = None,
    ) -> None:  # fmt: skip
        """Edit the network as a step that can be undone; what does not fit stays as a sketch.

        Raises ``SpecError`` for what is wrong in itself.
        """
        session, before = self._session, self.sketch
        sketch = change(before)
        self.folded = _carried(self.folded, before, sketch)
        try:
            experiment = settled(session.experiment, sketch, keep=keep, strict=session.sketch is not None)
        except SpecError:
            session.edit(session.experiment, label, merge=merge, sketch=sketch)
        else:
            session.edit(experiment, label, merge=merge)

    def _apply_moving(self, change: Callable[[Sketch], tuple[Sketch, Path]], label: str) -> None:
        """Like ``apply``; the layer that ``change`` says is chosen afterwards."""
        _, place = change(self.sketch)
        self.choose(place)
        self.apply(lambda sketch: change(sketch)[0], label)

    def add(self, name: str) -> None:
        """Put a new layer of type ``name`` where ``place_to_add`` says, and choose it."""
        path = self.place_to_add()
        self._apply_moving(lambda sketch: sketches.add_layer(sketch, path, name), f"add {name}")

    def place_to_add(self) -> Path:
        """Behind the chosen layer, or into the empty branch; before the read-out where that or nothing is chosen."""
        line, sketch = self.line(self.lines()), self.sketch
        if line is None or line.readout:
            last = sketch.readout_index
            return (len(sketch.layers) if last is None else last,)
        if line.kind == "input":
            return (0,)
        if line.kind == "identity":
            return line.path
        return (*line.target[:-1], line.target[-1] + 1)

    def place_words(self) -> str:
        """Where ``place_to_add`` is, in words."""
        line = self.line(self.lines())
        if line is None or line.readout:
            return "before the read-out" if self.sketch.readout_index is not None else "at the end"
        if line.kind == "identity":
            return "into the empty branch"
        title = caption(line.layer) if line.layer is not None else "the input"
        return f"after {title}"

    def remove(self) -> None:
        """Take the chosen layer out; the next one is chosen, or the one before where there is none."""
        line = self.line(self.lines())
        if line is None or line.layer is None:
            return
        path = line.target
        self.apply(lambda sketch: sketches.remove_layer(sketch, path), f"remove {caption(line.layer)}")
        self.selected = self._after_removal(path)

    def _after_removal(self, path: Path) -> Path:
        by_path = {line.path: line for line in self.lines()}
        there = by_path.get(path)
        if there is not None and not there.readout:
            return path
        before = (*path[:-1], path[-1] - 1)
        return before if before in by_path else path if there is not None else (path[:-2] or (0,))

    def duplicate(self) -> None:
        """Put another layer like the chosen one behind it."""
        line = self.line(self.lines())
        if line is not None and line.layer is not None:
            path = line.target
            self._apply_moving(
                lambda sketch: sketches.duplicate_layer(sketch, path), f"duplicate {caption(line.layer)}"
            )

    def move(self, source: Path, target: Path) -> None:
        """Put the layer at ``source`` before what stands at ``target`` now."""
        layer = sketches.layer_at(self.sketch, source)
        if target != source:
            self._apply_moving(lambda sketch: sketches.move_layer(sketch, source, target), f"move {caption(layer)}")

    def step(self, direction: str) -> None:
        """Move the chosen layer "up" or "down", "in" the block beside it or "out" of the one around it."""
        source, target = self._step(direction)
        if source is not None and target is not None:
            self.move(source, target)

    def can_step(self, direction: str) -> bool:
        """Whether there is somewhere to go."""
        return self._step(direction)[1] is not None

    def _step(self, direction: str) -> tuple[Path | None, Path | None]:
        lines = outline(self.sketch)
        line = self.line(lines)
        if line is None or not line.movable:
            return None, None
        source = line.target
        if direction in ("up", "down"):
            return source, slots.along(lines, source, -1 if direction == "up" else 1)
        return source, slots.inwards(lines, source) if direction == "in" else slots.outwards(source)

    def wrap(self) -> None:
        """Put the chosen layer into a residual block of its own."""
        line = self.line(self.lines())
        if line is not None and line.layer is not None:
            path = line.target
            self._apply_moving(lambda sketch: sketches.wrap_layer(sketch, path), f"block around {caption(line.layer)}")

    def unwrap(self) -> None:
        """Put the layers of the chosen block in its place."""
        line = self.line(self.lines())
        if line is not None and isinstance(line.layer, Branch):
            path = line.target
            self.selected = path
            self.apply(lambda sketch: sketches.unwrap_layer(sketch, path), f"dissolve {caption(line.layer)}")

    def edit(self, path: Path, field: str, value: Any, *, label: str, merge: str | None = None) -> None:
        """Give a field of the layer at ``path`` another value."""
        self.apply(lambda sketch: sketches.edit_layer(sketch, path, **{field: value}), label, merge=merge, keep=path)

    def set_input(self, given: Input) -> None:
        """Read the samples in another layout."""
        label = f"read samples as {given.kind} {shape_text(given.shape)}"
        self.apply(lambda sketch: sketches.set_input(sketch, given), label)

    def set_parameterisation(self, param: str) -> None:
        """Give it to every layer with weights."""
        self.apply(lambda sketch: sketches.set_everywhere(sketch, param=param), f"{param} parameterisation")

    def revert(self) -> None:
        """Go back to the last possible network."""
        self._session.edit(self._session.experiment, "back to the last network that fits")

    # -- presets ---------------------------------------------------------------------------------------------------

    def use_preset(self, preset: Preset) -> None:
        """Put a preset, fitted to the data, in place of the network; raises ``SpecError`` where that cannot be."""
        made = self.fitted(preset)
        self.selected = (0,)
        lines = outline(made)
        self.folded = {line.path for line in lines if line.folded is False} if len(lines) > LONG else set()
        self._session.edit(self._session.experiment.replace(architecture=made), preset.title)

    def fitted(self, preset: Preset) -> Architecture:
        """``preset`` for the data: on vectors if it can be, else in the network's layout or in one that suits it."""
        experiment = self._session.experiment
        outputs, given = output_shape(experiment.architecture)[-1], experiment.architecture.input
        if "vector" in preset.kinds:
            return preset.make(lay_out("vector", prod(given.shape)), outputs)
        return preset.make(given if preset.applies(given) else _layout_for(preset, prod(given.shape)), outputs)

    # -- what may be added -----------------------------------------------------------------------------------------

    def offers(self) -> tuple[Offer, ...]:
        """Every layer type, with why it cannot be added where ``place_to_add`` says."""
        path, sketch = self.place_to_add(), self.sketch
        before = shape_before(sketch, path)
        return tuple(self._offer(row, sketch, path, before) for row in LAYER_ROWS)

    def _offer(self, row: TypeRow, sketch: Sketch, path: Path, before: tuple[int, ...] | None) -> Offer:
        try:
            changed, place = sketches.add_layer(sketch, path, row.name)
            layer = sketches.layer_at(changed, place)
            if before is not None:
                after(layer, before)
        except PlacedError as error:
            return Offer(row, refusal=_words(error))
        fault = first_fault(trace(changed)) if self._session.sketch is None else None
        if fault is None or fault.fault is None or isinstance(fault.layer, Branch):  # branches follow
            return Offer(row, layer)
        return Offer(row, layer, warning=f"then {caption(fault.layer)} does not fit: {_words(fault.fault)}")

    # -- folding ---------------------------------------------------------------------------------------------------

    def toggle(self, path: Path) -> None:
        """Fold or unfold the block at ``path``."""
        self.folded ^= {path}
        if path in self.folded and self.selected[: len(path)] == path:
            self.selected = path

    def _unfold_around(self, path: Path) -> None:
        self.folded -= {path[:length] for length in range(1, len(path), 2)}


def _layout_for(preset: Preset, features: int) -> Input:
    """The first layout that suits the preset and that the features fill. Raises ``SpecError`` if there is none."""
    *others, last = _LAYOUTS.get(preset.id, ("image", "sequence"))
    for kind in others:
        try:
            return lay_out(kind, features)
        except SpecError:
            continue
    return lay_out(last, features)


def _words(fault: PlacedError) -> str:
    """A fault of a layer seen from itself: the field, and what is wrong."""
    return f"{', '.join(fault.place)}: {fault.text}" if fault.place else fault.text


def _carried(folded: set[Path], before: Sketch, now: Sketch) -> set[Path]:
    """Where the blocks that were folded are now: a block is known by being the same object, or in the same place."""
    was, now_at = _blocks(before), _blocks(now)
    kept = {now_at[key] for key, path in was.items() if path in folded and key in now_at}
    lost = {path for key, path in was.items() if path in folded and key not in now_at}
    return kept | (lost & set(now_at.values()))


def _blocks(sketch: Sketch) -> dict[tuple[int, int], Path]:
    """The path of each block, by its object and how often that came before it."""
    seen: Counter[int] = Counter()
    found: dict[tuple[int, int], Path] = {}
    for line in outline(sketch):
        if line.folded is False:
            found[id(line.layer), seen[id(line.layer)]] = line.path
            seen[id(line.layer)] += 1
    return found
