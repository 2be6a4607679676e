"""The stored starter result is what this version computes."""

import numpy as np

from ntklab import experiments
from ntklab.gui import starter
from ntklab.progress import drain


def test_the_stored_result_is_what_is_computed_now():
    stored = starter.stored_run()
    computed = drain(experiments.run(starter.starter_experiment()))
    assert stored.experiment == computed.experiment
    assert starter.largest_difference(stored, computed) <= starter.TOLERANCE
    assert np.allclose(stored.trajectory.train_loss, computed.trajectory.train_loss, rtol=1e-6)
    assert np.allclose(stored.ntk_spectrum.eigenvalues, computed.ntk_spectrum.eigenvalues, rtol=1e-6)
