"""NTK Lab: a laboratory for Neural Tangent Kernels.

>>> import ntklab
>>> net = ntklab.Architecture.from_dict({"input": {"kind": "vector", "shape": [64]}, "layers": [...]})
>>> K = ntklab.infinite_kernel(net, X)           # Gram: K.values (n, n) and K.provenance
>>> K_n = ntklab.empirical_ntk(net, X, seed=1)   # of one finite network, or of any torch module
>>> for event in ntklab.run(ntklab.Experiment(net)): ...
>>> ntklab.show(net)                             # the window

Importing this loads neither numpy nor torch nor Qt: each is imported when it is first needed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike
    from torch.nn import Module

    from ntklab.dynamics import (
        LinearModel,
        ensemble,
        gradient_descent,
        gradient_flow,
        largest_learning_rate,
        linearize,
        taylor_expand,
    )
    from ntklab.generalization import posterior
    from ntklab.kernel_calls import (
        empirical_ntk,
        infinite_kernel,
        monte_carlo_kernel,
        ntk_operator,
        ntk_sketch,
        open_kernel,
        spectrum,
        top_eigenpairs,
    )
    from ntklab.kernels.empirical import Loss, NtkOperator
    from ntklab.progress import Event, Forecast, Partial, Progress, Work, drain
    from ntklab.results import (
        Data,
        Eigenpairs,
        Estimate,
        FunctionPath,
        Gram,
        Ledger,
        Phase,
        Run,
        Spectrum,
        Trajectory,
    )
    from ntklab.spec import (
        Aggregate,
        Architecture,
        AvgPool,
        Branch,
        Checkpoint,
        Conv,
        ConvLocal,
        ConvTranspose,
        Dataset,
        Dense,
        DotGeneral,
        Dropout,
        Experiment,
        Flatten,
        GlobalAvgPool,
        GlobalSumPool,
        ImageResize,
        Index,
        Input,
        KernelRequest,
        LayerNorm,
        ModelFile,
        SelfAttention,
        Training,
    )
    from ntklab.spec.activations import Elementwise

__version__ = "0.1.0"

__all__ = [
    "Aggregate",
    "Architecture",
    "AvgPool",
    "Branch",
    "Checkpoint",
    "Conv",
    "ConvLocal",
    "ConvTranspose",
    "Data",
    "Dataset",
    "Dense",
    "DotGeneral",
    "Dropout",
    "Eigenpairs",
    "Estimate",
    "Experiment",
    "Flatten",
    "Forecast",
    "FunctionPath",
    "GlobalAvgPool",
    "GlobalSumPool",
    "Gram",
    "ImageResize",
    "Index",
    "Input",
    "KernelRequest",
    "LayerNorm",
    "Ledger",
    "LinearModel",
    "Loss",
    "ModelFile",
    "NtkOperator",
    "Partial",
    "Progress",
    "Run",
    "SelfAttention",
    "Spectrum",
    "Training",
    "Trajectory",
    "activation",
    "checkpoint_file",
    "drain",
    "empirical_ntk",
    "ensemble",
    "function_space_flow",
    "gradient_descent",
    "gradient_flow",
    "infinite_kernel",
    "largest_learning_rate",
    "ledger",
    "linearize",
    "load",
    "load_parameters",
    "model_file",
    "monte_carlo_kernel",
    "ntk_operator",
    "ntk_sketch",
    "open_kernel",
    "phase",
    "posterior",
    "run",
    "save_parameters",
    "show",
    "spectrum",
    "taylor_expand",
    "top_eigenpairs",
    "train",
]

_ROOMS = ("kernel_calls", "progress", "results", "spec", "dynamics", "generalization", "kernels.empirical")
"""Where names that are not defined below live."""


def activation(function: Callable[[Any], Any], name: str, *, kinks: Sequence[float] = ()) -> Elementwise:
    """The layer that applies your own pointwise ``function`` of a torch tensor; its kernels are integrated.

    Details and errors: ``ntklab.networks.functions.activation``.
    """
    from ntklab.networks import functions

    return functions.activation(function, name, kinks=kinks)


def load_parameters(module: Module, source: Mapping[str, Any] | str | Path) -> str:
    """Put parameters into ``module``, from a mapping or a checkpoint (.pt, .pth, .safetensors); returns their SHA-256.

    Nothing that a file may hold is run. Details and errors: ``ntklab.networks.checkpoints.load_parameters``.
    """
    from ntklab import networks

    return networks.load_parameters(module, source)


def save_parameters(module: Module, path: str | Path) -> Path:
    """Write parameters and buffers of ``module`` to a .safetensors file, whole or not at all.

    Details and errors: ``ntklab.networks.checkpoints.save_parameters``.
    """
    from ntklab import networks

    return networks.save_parameters(module, path)


def ledger(
    model_or_experiment: Module | Architecture | Experiment,
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
    **options: Any,
) -> Ledger:
    """What each layer adds to the finite-width NTK: its map, spectrum, and shares of trace and target alignment.

    Of an experiment, or of a torch module or architecture on the samples ``X`` (n, …) with the targets ``y`` (n,) or
    (n, k). ``options`` of a network: ``seed``, ``dtype``, ``device``, ``memory``. ``Ledger.total`` sums the parts of
    some layers: the kernel of training those alone. Raises ``SpecError`` where samples are missing or superfluous;
    formulas and other errors: ``ntklab.results.Ledger``, ``ntklab.experiments.ledger``.
    """
    from ntklab import experiments
    from ntklab.errors import SpecError
    from ntklab.progress import drain
    from ntklab.spec import Experiment

    if isinstance(model_or_experiment, Experiment):
        if X is not None or y is not None or options:
            raise SpecError("ledger: an experiment has its own data and options, got others too; leave them out")
        return drain(experiments.ledger(model_or_experiment))
    if X is None:
        raise SpecError("ledger: expected samples X (n, …) for a network, got none; pass the samples of its kernel")
    return drain(experiments.model_ledger(model_or_experiment, X, y, **options))


def phase(experiment: Experiment) -> Phase:
    """Ordered, critical or chaotic: χ₁, fixed points, and diagonals against depth of an experiment's network.

    Details, sources and errors: ``ntklab.experiments.phase``.
    """
    from ntklab import experiments
    from ntklab.progress import drain

    return drain(experiments.phase(experiment))


def load(dataset: Dataset) -> Data:
    """The samples and targets that ``dataset`` asks for; equal requests give equal numbers.

    Raises ``DataError``, ``FileError``, and ``SpecError`` for anything but a ``Dataset``. Details:
    ``ntklab.datasets.load``.
    """
    from ntklab import datasets
    from ntklab.errors import SpecError
    from ntklab.spec import Dataset

    if not isinstance(dataset, Dataset):
        raise SpecError(f"dataset: expected a Dataset, got {dataset!r}; write ntklab.Dataset(source=…, n_train=…)")
    return datasets.load(dataset)


def train(
    architecture: Architecture,
    data: Data,
    training: Training | None = None,
    *,
    seed: int = 0,
    dtype: str = "float64",
    device: str = "cpu",
    memory: int | None = None,
    listen: Callable[[Event], None] | None = None,
) -> Trajectory:
    """Train the network drawn with ``seed``, its linearisation and its infinite-width limit from one start.

    ``data`` comes from ``ntklab.load`` or is made from arrays; ``listen`` is called with every event, among
    them the moments as they are reached. Details and errors: ``ntklab.dynamics.train``.
    """
    from ntklab import dynamics
    from ntklab.progress import drain
    from ntklab.spec import Training

    training = Training() if training is None else training
    work = dynamics.train(architecture, data, training, seed=seed, dtype=dtype, device=device, memory=memory)
    return drain(work, listen)


def function_space_flow(
    model: LinearModel,
    steps: ArrayLike,
    *,
    loss: Any = "cross_entropy",
    rate: float = 1.0,
    momentum: float | None = None,
    tolerance: float = 1e-10,
) -> FunctionPath:
    """How the functions of a linear model move under any loss: df/dt = −Θ ∂L/∂f, integrated.

    Details, conventions and errors: ``ntklab.dynamics.function_space_flow``.
    """
    from ntklab import dynamics
    from ntklab.progress import drain

    return drain(
        dynamics.function_space_flow(model, steps, loss=loss, rate=rate, momentum=momentum, tolerance=tolerance)
    )


def model_file(path: str, function: str, *, input: Sequence[int] | None = None) -> ModelFile:
    """The network that ``function`` of the Python file at ``path`` makes, for ``Experiment(…, model=…)``. Runs nothing.

    The file is taken as it is now, known by its sha256: when it changes it must be named again. ``function`` takes no
    arguments and returns a torch module; ``input`` is the shape of one sample as that takes it, None for (features,).
    Raises ``FileError`` and ``SpecError``.
    """
    from ntklab.files import read_code
    from ntklab.spec import ModelFile

    return ModelFile(str(path), function, read_code(path)[1], None if input is None else tuple(input))


def checkpoint_file(path: str) -> Checkpoint:
    """The parameters in the file at ``path``, as they are now, for ``Experiment(…, checkpoint=…)``.

    A .safetensors file, or one that ``torch.save`` wrote, which is read with ``weights_only``. Raises ``FileError``.
    """
    from ntklab.files import sha256_of
    from ntklab.spec import Checkpoint

    return Checkpoint(str(path), sha256_of(path))


def run(
    experiment: Experiment, *, trust: bool | Callable[[ModelFile], bool] = False, model: Module | None = None
) -> Work[Run]:
    """Everything about ``experiment``, as an iterator of events; the last one is ``Partial("run", Run)``.

    ``trust``: whether the Python file of ``experiment.model`` may be run, which you have read: True, or a function that
    says so of it. ``model``: the network, where ``experiment.model`` names one that a program holds. Raises
    ``TrustError`` otherwise, and ``ModelError`` for what goes wrong in the file.

    The first event is a ``Forecast``. See ``ntklab.experiments.run`` for the others. Leaving the loop cancels the work;
    ``ntklab.drain(ntklab.run(experiment))`` returns the ``Run`` alone.
    """
    from ntklab import experiments
    from ntklab.experiments.models import Models
    from ntklab.progress import Partial

    found = yield from experiments.run(experiment, models=Models.of(trust, model))
    yield Partial("run", found)
    return found


def show(
    model_or_experiment: Module | Architecture | Experiment | None = None,
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
) -> Any:
    """Open the window: on an experiment, on a network (with samples ``X`` (n, …) and targets ``y``), or as left.

    An architecture is resized to the data, which is digits unless given. A torch module is shown as it is now, in
    evaluation mode, on ``X`` (n, *sample shape) as it takes them; what becomes of it afterwards is not seen. Arrays are
    kept in a file of the user's, so that the session can be opened again; a module is not, so that it must then be
    given again. Raises ``SpecError`` and ``DataError``.
    """
    from ntklab.own_arrays import experiment_of

    experiment, objects = experiment_of(model_or_experiment, X, y)
    window = import_module("ntklab.gui.main")  # by name: the one way from here to Qt
    return window.show(experiment, objects=objects)


def __getattr__(name: str) -> Any:
    if name in __all__:
        for room in _ROOMS:
            found = getattr(import_module(f"ntklab.{room}"), name, None)
            if found is not None:
                globals()[name] = found
                return found
    if name in ("datasets", "errors", "experiments", "kernels", "networks", "spectra", "store", *_ROOMS):
        return import_module(f"ntklab.{name}")
    raise AttributeError(f"module 'ntklab' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
