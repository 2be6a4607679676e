"""The phase in files: tables, key numbers, pictures with lines, and runs that are stored."""

import fake_results as fake
import numpy as np
import pytest

from ntklab import experiments, export, figures, spec
from ntklab.export.numbers import key_numbers
from ntklab.export.tables import tables
from ntklab.progress import drain
from ntklab.results import Run
from ntklab.session.stored import load_run, save_run
from ntklab.spec import activations as acts


@pytest.fixture(scope="module")
def run():
    net = spec.Architecture(
        input=spec.Input("vector", (4,)),
        layers=(spec.Dense(30, W_std=1.6, b_std=0.3), acts.Erf(), spec.Dense(30, W_std=1.6, b_std=0.3), acts.Erf(),
                spec.Dense(1)),
    )  # fmt: skip
    return Run("5pec", fake.two_circles(), phase=drain(experiments.phase_of(net)))


def test_tables_hold_what_the_figures_draw(run):
    found, phase = tables(run), run.phase
    assert [row[0] for row in found["phase"].rows] == list(phase.names)
    assert found["phase"].rows[0][1] == "chaotic"
    diagram = np.asarray(found["phase_diagram"].rows)
    assert diagram.shape == (phase.grid_chi1.size, 3)
    row = diagram[np.abs(diagram[:, :2] - (phase.grid_W_std[7], phase.grid_b_std[3])).sum(axis=1).argmin()]
    assert row[2] == phase.grid_chi1[3, 7]
    assert len(found["phase_profiles"].rows) == phase.variance_profile.size
    assert found["phase_profiles"].rows[0][2:] == tuple(
        float(part[0, 0]) for part in (phase.variance_profile, phase.tangent_profile, phase.correlation_profile)
    )
    assert [row[0] for row in found["phase_layers"].rows] == list(phase.layers)


def test_key_numbers_name_the_phase(run):
    said = {number.name: number.value for number in key_numbers(run)}
    assert said["phase"].startswith("chaotic, χ₁ = 1.2")
    assert said["depth over width"] == "0.067"


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_pictures(run, form):
    for draw in (figures.phase_diagram, figures.correlation_map, figures.depth_diagonals, figures.depth_correlation):
        assert len(export.figure_bytes(draw(run.phase), form)) > 2000
    if form == "svg":
        picture = export.figure_bytes(figures.phase_diagram(run.phase), "svg").decode()
        assert "critical, χ₁ = 1" in picture
        assert "this network" in picture


def test_a_stored_run_keeps_it(run, tmp_path):
    found = load_run(save_run(tmp_path / "run.npz", run)).phase
    assert found.regimes == run.phase.regimes
    np.testing.assert_array_equal(found.grid_chi1, run.phase.grid_chi1)
    assert found.layers == run.phase.layers
    assert found.provenance == run.phase.provenance


def test_arrays_and_metadata(run, tmp_path):
    (path,) = export.arrays(run, tmp_path / "arrays.npz")
    with np.load(path) as stored:
        np.testing.assert_array_equal(stored["phase_critical_line"], run.phase.critical_line)
    assert export.metadata(run)["parts"]["phase"]["activation"] == "Erf"
