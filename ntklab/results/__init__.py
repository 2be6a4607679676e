"""What was found: numpy arrays in frozen values that know where they come from."""

from ntklab.results.comparison import WidthConvergence, distance, relative_distance
from ntklab.results.data import Data
from ntklab.results.eigenpairs import Eigenpairs
from ntklab.results.estimate import Estimate
from ntklab.results.gaussian import Gaussian
from ntklab.results.gram import Gram, Health, Tile
from ntklab.results.ledger import Ledger, grouped
from ntklab.results.monte_carlo import MonteCarlo, ZScores, agreement
from ntklab.results.network import Absence, Network
from ntklab.results.operators import operator_of, outputs_of
from ntklab.results.path import FunctionPath
from ntklab.results.phase import Phase, Regime
from ntklab.results.provenance import Provenance, versions
from ntklab.results.run import Run
from ntklab.results.spectrum import Spectrum
from ntklab.results.trajectory import RUNS, Moment, Trajectory

__all__ = [
    "RUNS",
    "Absence",
    "Data",
    "Eigenpairs",
    "Estimate",
    "FunctionPath",
    "Gaussian",
    "Gram",
    "Health",
    "Ledger",
    "Moment",
    "MonteCarlo",
    "Network",
    "Phase",
    "Provenance",
    "Regime",
    "Run",
    "Spectrum",
    "Tile",
    "Trajectory",
    "WidthConvergence",
    "ZScores",
    "agreement",
    "distance",
    "grouped",
    "operator_of",
    "outputs_of",
    "relative_distance",
    "versions",
]
