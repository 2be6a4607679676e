"""Words for people about the types and fields of the specs: titles, groups, labels, tooltips, usual ranges.

What a type or field *is* (kind, limits, choices, default) stands in the structs; ``catalogue`` joins the two.
"""

from __future__ import annotations

from ntklab.spec.layer_notes import LAYER_NOTES, LAYER_TITLES
from ntklab.spec.note import BUNDLED, FILES, SYNTHETIC, Note

TITLES: dict[str, tuple[str, str]] = {
    **LAYER_TITLES,
    "Digits": ("Digits", BUNDLED),
    "BreastCancer": ("Breast cancer", BUNDLED),
    "Wine": ("Wine", BUNDLED),
    "Diabetes": ("Diabetes", BUNDLED),
    "Circle": ("Circle", SYNTHETIC),
    "TwoCircles": ("Two circles", SYNTHETIC),
    "Moons": ("Moons", SYNTHETIC),
    "Spirals": ("Spirals", SYNTHETIC),
    "Regression1D": ("Regression, 1-D", SYNTHETIC),
    "Regression2D": ("Regression, 2-D", SYNTHETIC),
    "Sphere": ("Sphere", SYNTHETIC),
    "File": ("From a file", FILES),
}

_NOISE = Note("Noise", "Standard deviation of the Gaussian noise added to the coordinates", (0.0, 0.5), 0.01)
_TARGET_NOISE = Note("Noise", "Standard deviation of the Gaussian noise added to the targets", (0.0, 0.5), 0.01)

NOTES: dict[str, Note] = {
    **LAYER_NOTES,
    "Circle.frequency": Note("Frequency", "Periods of the target around the circle", (1, 20)),
    "TwoCircles.noise": _NOISE, "Moons.noise": _NOISE, "Spirals.noise": _NOISE,
    "Spirals.turns": Note("Turns", "Turns of each arm", (0.5, 4.0), 0.25),
    "Spirals.arms": Note("Arms", "Number of arms, one a class", (2, 10)),
    "Regression1D.target": Note("Target", "The function to learn"),
    "Regression1D.noise": _TARGET_NOISE,
    "Regression2D.target": Note("Target", "The function to learn"),
    "Regression2D.noise": _TARGET_NOISE,
    "Sphere.dimension": Note("Dimension", "Number of coordinates", (2, 1000), log=True),
    "Sphere.degree": Note("Degree", "Degree of the Legendre polynomial to learn", (0, 10)),
    "File.path": Note("File", "A .npz, .npy or .csv file, or MNIST-style IDX images"),
    "File.labels": Note("Labels file", "Second file with the labels (IDX or .npy)", none="none", start=""),
    "File.features": Note(
        "Features", "Array (npz) or columns (csv, separated by commas) to learn from", none="all others", start=""
    ),
    "File.target": Note("Target", "Array (npz) or column (csv) to predict", none="the last", start=""),
    "File.task": Note("Task", "auto takes words, and whole numbers of few distinct values, as classes"),
    "Dataset.source": Note("Data", "Where the samples come from"),
    "Dataset.n_train": Note("Training samples", "Number of training samples N: the kernel is N×N", (8, 2048), log=True),
    "Dataset.n_test": Note("Test samples", "Number of test samples", (0, 2048)),
    "Dataset.classes": Note("Classes", "Keep these classes alone (numbers from 0)", none="all", start=(0, 1)),
    "Dataset.scaling": Note(
        "Scaling", "sphere: each sample has norm √d; unit_norm: norm 1; standardise: each feature has variance 1"
    ),
    "Dataset.targets": Note("Targets", "one_hot: 1 − 1/k and −1/k; sign: ±1; values: as they are; auto: by the data"),
    "Dataset.seed": Note("Seed", "Fixes which samples are drawn, their noise and the split"),
    "KernelRequest.outputs": Note(
        "Outputs", "mean: average over the outputs (N×N); diagonal: each output with itself; full: all pairs"
    ),
    "KernelRequest.dtype": Note("Precision", "Floating-point type of the finite-width kernel"),
    "KernelRequest.device": Note("Device", "cpu, cuda, or cuda:1 for the second GPU"),
    "KernelRequest.seed": Note("Seed", "Draws the weights of the finite network"),
    "KernelRequest.memory": Note(
        "Memory budget", "Most bytes that kernels may take", (2**28, 2**36), 2**28, log=True,
        none="a share of what is free", start=2**30,
    ),
    "KernelRequest.monte_carlo": Note(
        "Networks", "Networks drawn at each width for estimates of the kernels with error bars: for any architecture",
        (3, 300), log=True, none="none", start=32,
    ),
    "KernelRequest.monte_carlo_widths": Note(
        "Widths drawn", "Hidden widths of these networks; from three on there is an extrapolation to infinite width. "
        "Automatic: 128, 256, 512, in standard parameterisation as written", (16, 2048), none="automatic",
        start=(128, 256, 512),
    ),
    "KernelRequest.split": Note("By layer", "Keep what each layer adds to the finite-width kernel, for the ledger"),
    "KernelRequest.muted": Note("Muted layers", "Layers left out of the kernel of training the others alone"),
    "Training.steps": Note("Steps", "Number of gradient steps", (10, 10_000), log=True),
    "Training.learning_rate": Note(
        "Learning rate", "Step size η of gradient descent", (1e-3, 1e3), 0.1, log=True,
        none="a share of the largest stable rate", start=1.0,
    ),
    "Training.critical_share": Note(
        "Share of critical rate", "Learning rate over the largest stable one of the linear model; above 1 it diverges",
        (0.01, 2.0), 0.05,
    ),
    "Training.momentum": Note("Momentum", "Heavy-ball momentum, as in torch", (0.0, 0.99), 0.05),
    "Training.batch_size": Note("Batch size", "Samples a step", (1, 512), log=True, none="full batch", start=32),
    "Training.loss": Note("Loss", "half_mse: 1/(2N)·Σ(f−y)²; torch_mse: the mean of (f−y)² over samples and outputs"),
    "Training.seed": Note("Seed", "Fixes the order of minibatches"),
    "Training.kernel_every": Note(
        "Kernel snapshots", "Steps between kernel snapshots for the drift curve", (1, 1000), log=True,
        none="about twelve in all", start=50,
    ),
    "Input.kind": Note("Kind", "What a sample is"),
    "Input.shape": Note("Shape", "Size of each axis of a sample, channels last", (1, 1000)),
    "Architecture.input": Note("Input", "Shape of one sample"),
    "Architecture.layers": Note("Layers", "From input to output"),
    "Architecture.name": Note("Name", "Name of the architecture"),
    "Experiment.architecture": Note("Architecture", "The network"),
    "Experiment.dataset": Note("Data", "What it learns"),
    "Experiment.kernel": Note("Kernel", "Which kernels are computed, how and where"),
    "Experiment.training": Note("Training", "How the network is trained"),
    "Experiment.model": Note("Model", "Your own torch network in place of the one described", none="the one described"),
    "Experiment.checkpoint": Note("Parameters", "A file with the parameters of the network", none="drawn"),
    "Experiment.name": Note("Name", "Name of the experiment"),
}  # fmt: skip
