"""What data is asked for: a source, and how it is chosen, split, scaled and turned into targets."""

from __future__ import annotations

from typing import Annotated, Literal, Union, get_args

import msgspec

from ntklab.spec.base import Count, NonNegative, Positive, Seed, Spec
from ntklab.spec.codec import Document
from ntklab.spec.faults import PlacedError, complaint

FilePath = Annotated[str, msgspec.Meta(extra={"path": True, "remedy": "give the path of a file in quotes"})]
ClassNumber = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
Dimension = Annotated[int, msgspec.Meta(ge=2, le=100_000)]


class Digits(Spec, frozen=True, tag=True):
    """1,797 handwritten digits, 8×8 pixels, 10 classes (scikit-learn)"""


class BreastCancer(Spec, frozen=True, tag=True):
    """569 tumours, 30 measurements, benign or malignant (scikit-learn)"""


class Wine(Spec, frozen=True, tag=True):
    """178 wines, 13 measurements, 3 cultivars (scikit-learn)"""


class Diabetes(Spec, frozen=True, tag=True):
    """442 patients, 10 measurements, progression after a year (scikit-learn; regression)"""


class Circle(Spec, frozen=True, tag=True):
    """Evenly spaced points on the unit circle scaled to |x|² = 2; the target is cos(frequency·angle)"""

    frequency: Count = 1


class TwoCircles(Spec, frozen=True, tag=True):
    """Two concentric circles, radii 1 and ½, two classes; ``noise`` is the standard deviation of the coordinates"""

    noise: NonNegative = 0.05


class Moons(Spec, frozen=True, tag=True):
    """Two interleaved half circles, two classes"""

    noise: NonNegative = 0.1


class Spirals(Spec, frozen=True, tag=True):
    """Intertwined spirals, one a class"""

    noise: NonNegative = 0.05
    turns: Positive = 1.5
    arms: Annotated[int, msgspec.Meta(ge=2, le=10)] = 2


class Regression1D(Spec, frozen=True, tag=True):
    """Points of [−1, 1] and a function of them"""

    target: Literal["sine", "step", "sawtooth", "gaussian", "polynomial"] = "sine"
    noise: NonNegative = 0.0


class Regression2D(Spec, frozen=True, tag=True):
    """Points of [−1, 1]² and a function of them"""

    target: Literal["product", "ripple", "plane", "gaussian"] = "ripple"
    noise: NonNegative = 0.0


class Sphere(Spec, frozen=True, tag=True):
    """Uniform points on the sphere of radius √dimension; the target is a Legendre polynomial of the first coordinate"""

    dimension: Dimension = 10
    degree: Annotated[int, msgspec.Meta(ge=0, le=20)] = 2


class File(Spec, frozen=True, tag=True):
    """The user's own ``.npz``, ``.npy``, ``.csv`` or MNIST-style IDX file.

    ``labels`` names a second file of labels (IDX, npy); ``target`` names the array (npz) or column (csv; default the
    last) to predict; ``features`` the array (npz) or columns (csv; comma-separated) to learn from. ``task`` "auto"
    takes whole numbers of few distinct values, and words, as classes.
    """

    path: FilePath
    labels: FilePath | None = None
    features: str | None = None
    target: str | None = None
    task: Literal["auto", "classes", "regression"] = "auto"

    def check(self) -> None:
        if not self.path:
            raise PlacedError(("path",), "expected the path of a data file, got an empty text; choose a file")


Source = Union[  # noqa: UP007 (one row a source)
    Digits, BreastCancer, Wine, Diabetes, Circle, TwoCircles, Moons, Spirals, Regression1D, Regression2D, Sphere, File
]  # fmt: skip

SOURCE_TYPES: dict[str, type[Spec]] = {cls.__name__: cls for cls in get_args(Source)}
CLASSES: dict[str, int] = {"Digits": 10, "BreastCancer": 2, "Wine": 3, "TwoCircles": 2, "Moons": 2}
SAMPLES: dict[str, int] = {"Digits": 1797, "BreastCancer": 569, "Wine": 178, "Diabetes": 442}
FEATURES: dict[str, int] = {
    "Digits": 64, "BreastCancer": 30, "Wine": 13, "Diabetes": 10, "Circle": 2, "TwoCircles": 2, "Moons": 2,
    "Spirals": 2, "Regression1D": 1, "Regression2D": 2,
}  # fmt: skip

# What suits each source: pictures on the sphere, measurements standardised, points of the plane as they are drawn.
SCALINGS: dict[str, str] = {
    "Digits": "sphere", "BreastCancer": "standardise", "Wine": "standardise", "Diabetes": "standardise",
    "Circle": "none", "TwoCircles": "standardise", "Moons": "standardise", "Spirals": "standardise",
    "Regression1D": "none", "Regression2D": "none", "Sphere": "none", "File": "standardise",
}  # fmt: skip


class Dataset(Document, frozen=True):
    """``n_train`` and ``n_test`` samples of ``source``, chosen and split with ``seed``.

    ``classes`` keeps those classes alone (numbers as in the source). ``scaling`` is fitted on the training samples:
    "standardise" gives each feature mean 0 and variance 1, "sphere" scales each sample to norm √d (so that x·x/d = 1),
    "unit_norm" to norm 1. ``targets`` "one_hot" is 1 − 1/k and −1/k, "sign" is ±1 for two classes, "values" are numbers
    as they are (standardised if ``scaling`` is "standardise"), "auto" takes ±1 for two classes, one-hot for more and
    values for regression.
    """

    word = "dataset"

    source: Source = Digits()
    n_train: Count = 128
    n_test: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 64
    classes: tuple[ClassNumber, ...] | None = None
    scaling: Literal["none", "standardise", "unit_norm", "sphere"] = "sphere"
    targets: Literal["auto", "one_hot", "sign", "values"] = "auto"
    seed: Seed = 0

    def check(self) -> None:
        if self.classes is not None and len(set(self.classes)) < 2:
            raise complaint("classes", "expected at least two classes", self.classes, "add another")
        known = class_count(self.source)
        if self.classes is not None and known is None and not isinstance(self.source, File):
            raise complaint("classes", "this source has no classes", self.classes, "give none")
        if self.classes is not None and known is not None:
            strange = [c for c in self.classes if not 0 <= c < known]
            if strange:
                raise complaint("classes", f"expected classes from 0 to {known - 1}", strange, "remove them")


def sample_count(source: Spec) -> int | None:
    """Number of samples that a source has, known without loading it; None for synthetic data and files."""
    return SAMPLES.get(type(source).__name__)


def class_count(source: Source) -> int | None:
    """Number of classes of a source that is known without loading it; None for regression and files."""
    if isinstance(source, Spirals):
        return source.arms
    return CLASSES.get(type(source).__name__)


def sample_shape(dataset: Dataset) -> tuple[int, int] | None:
    """(features, outputs) of a data set known without loading it; None for files."""
    source = dataset.source
    if isinstance(source, File):
        return None
    features = source.dimension if isinstance(source, Sphere) else FEATURES[type(source).__name__]
    total = class_count(source)
    if total is None:
        return features, 1
    classes = total if dataset.classes is None else len(set(dataset.classes))
    one_hot = dataset.targets == "one_hot" or (dataset.targets == "auto" and classes > 2)
    return features, classes if one_hot else 1
