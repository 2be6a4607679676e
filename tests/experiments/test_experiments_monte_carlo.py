"""Monte Carlo as part of a run, alone, and for networks without analytic kernels."""

import numpy as np
from test_experiments import events_of, experiment, keys, network

from ntklab import experiments
from ntklab.kernels.monte_carlo import monte_carlo_kernel
from ntklab.networks.subject import described
from ntklab.progress import Forecast, drain
from ntklab.spec import KernelRequest
from ntklab.spec.activations import Relu

ASKED = KernelRequest(dtype="float64", seed=5, monte_carlo=4, monte_carlo_widths=(8, 16, 24))


def test_estimates_come_as_they_converge_and_say_where_they_are_from():
    asked = experiment(kernel=ASKED)
    found, events = events_of(experiments.monte_carlo(asked))
    assert isinstance(events[0], Forecast)
    named = [key for key in keys(events) if key != "tile"]
    assert named == ["data", "ntk", "nngp", *["estimate"] * 6, "monte_carlo", "monte_carlo_nngp"]
    assert found.monte_carlo.kind == "ntk"
    assert found.monte_carlo_nngp.kind == "nngp"
    assert found.monte_carlo.provenance.spec == asked.content_hash() == found.experiment
    assert found.monte_carlo.provenance.seed == 5
    assert found.empirical is None
    x = described(asked.architecture).samples(found.data.X_train)
    alone = drain(monte_carlo_kernel(asked.architecture, x, widths=(8, 16, 24), seeds=(5, 6, 7, 8), dtype="float64"))
    np.testing.assert_array_equal(found.monte_carlo.means, alone["ntk"].means)


def test_a_run_has_estimates_if_it_asks_for_them():
    run, events = events_of(experiments.run(experiment(kernel=ASKED)))
    assert run.monte_carlo.networks == 4
    assert run.monte_carlo_nngp.z_scores(run.nngp).rms < 3
    assert keys(events).index("monte_carlo") < keys(events).index("trajectory")
    assert drain(experiments.kernels(experiment(kernel=ASKED), estimates=False)).monte_carlo is None
    assert drain(experiments.kernels(experiment())).monte_carlo is None


def test_forecasts_count_them():
    with_them, without = (experiments.forecast(experiment(kernel=ASKED), estimates=e) for e in (True, False))
    assert "4 networks each at widths 8, 16, 24" in with_them.route
    assert "networks" not in without.route
    assert with_them.tiles == without.tiles + 12
    assert experiments.monte_carlo_forecast(experiment(kernel=ASKED)).tiles == 12


def test_data_and_analytic_kernels_that_are_there_are_not_computed_again():
    data = drain(experiments.load(experiment()))
    found, events = events_of(experiments.monte_carlo(experiment(kernel=ASKED), data, analytic=False))
    assert {*keys(events)} == {"estimate", "monte_carlo", "monte_carlo_nngp"}
    assert found.ntk is None
    assert found.data is data


def test_a_network_without_analytic_kernels_has_estimates():
    plain = network(3)
    early = experiment(architecture=plain.replace(layers=(Relu(), *plain.layers)), kernel=ASKED)
    alone = drain(experiments.kernels(early.replace(kernel=ASKED.replace(monte_carlo=None))))
    assert (alone.ntk, alone.nngp, alone.ntk_spectrum) == (None, None, None)
    assert alone.absence.parts == ("ntk", "nngp", "ntk_spectrum")
    assert "layer 1 (Relu): its input is not Gaussian" in alone.absence.reason
    assert alone.empirical_spectrum is not None
    found = drain(experiments.monte_carlo(early))
    assert found.ntk is None
    assert np.isfinite(found.monte_carlo.mean).all()


def test_cancelling_leaves_the_estimates_so_far():
    work = experiments.monte_carlo(experiment(kernel=ASKED.replace(monte_carlo=100)))
    seen = []
    for event in work:
        seen.append(event)
        if keys(seen).count("estimate") == 4:
            break
    work.close()
    states = [event.value for event in seen if getattr(event, "key", "") == "estimate"]
    assert [state.networks for state in states] == [1, 1, 2, 2]
    assert np.isfinite(states[-1].standard_error).all()
