"""What was found: numpy arrays in frozen values that know where they come from."""

from ntklab.results.comparison import WidthConvergence, distance, relative_distance
from ntklab.results.data import Data
from ntklab.results.gaussian import Gaussian
from ntklab.results.gram import Gram, Health, Tile
from ntklab.results.monte_carlo import LEAST_NETWORKS, MonteCarlo, ZScores
from ntklab.results.operators import operator_of, outputs_of
from ntklab.results.path import FunctionPath
from ntklab.results.provenance import Provenance, versions
from ntklab.results.run import Run
from ntklab.results.spectrum import Spectrum
from ntklab.results.trajectory import RUNS, Moment, Trajectory

__all__ = [
    "LEAST_NETWORKS",
    "RUNS",
    "Data",
    "FunctionPath",
    "Gaussian",
    "Gram",
    "Health",
    "Moment",
    "MonteCarlo",
    "Provenance",
    "Run",
    "Spectrum",
    "Tile",
    "Trajectory",
    "WidthConvergence",
    "ZScores",
    "distance",
    "operator_of",
    "outputs_of",
    "relative_distance",
    "versions",
]
