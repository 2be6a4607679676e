"""Everything that running an experiment found."""

from __future__ import annotations

from dataclasses import dataclass

from ntklab.results.data import Data
from ntklab.results.gram import Gram
from ntklab.results.ledger import Ledger
from ntklab.results.monte_carlo import MonteCarlo
from ntklab.results.network import Absence, Network
from ntklab.results.phase import Phase
from ntklab.results.spectrum import Spectrum
from ntklab.results.trajectory import Trajectory


@dataclass(frozen=True, eq=False)
class Run:
    """Results by name; a part that was not asked for, or not reached, is None. Kernels are on the training samples.

    ``monte_carlo`` estimates the NTK, ``monte_carlo_nngp`` the NNGP kernel. ``phase`` is where depth leads the network.
    ``ledger`` is what each layer adds to the finite-width NTK, ``unmuted`` the kernel of training the layers that are
    not muted, where some are. ``network`` is told where it is the user's own, ``absence`` where a part cannot be had.
    """

    experiment: str
    data: Data
    empirical: Gram | None = None
    ntk: Gram | None = None
    nngp: Gram | None = None
    empirical_spectrum: Spectrum | None = None
    ntk_spectrum: Spectrum | None = None
    trajectory: Trajectory | None = None
    monte_carlo: MonteCarlo | None = None
    monte_carlo_nngp: MonteCarlo | None = None
    phase: Phase | None = None
    ledger: Ledger | None = None
    unmuted: Gram | None = None
    unmuted_spectrum: Spectrum | None = None
    network: Network | None = None
    absence: Absence | None = None
