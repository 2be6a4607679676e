"""What was found: numpy arrays in frozen values that know where they come from."""

from ntklab.results.comparison import WidthConvergence, distance, relative_distance
from ntklab.results.data import Data
from ntklab.results.gram import Gram, Health, Tile
from ntklab.results.provenance import Provenance, versions
from ntklab.results.run import Run
from ntklab.results.spectrum import Spectrum
from ntklab.results.trajectory import RUNS, Moment, Trajectory

__all__ = [
    "RUNS",
    "Data",
    "Gram",
    "Health",
    "Moment",
    "Provenance",
    "Run",
    "Spectrum",
    "Tile",
    "Trajectory",
    "WidthConvergence",
    "distance",
    "relative_distance",
    "versions",
]
