"""The report stands alone, says what it shows, and leaves nothing half-written."""

from dataclasses import replace
from html.parser import HTMLParser

import fake_results as fake
import numpy as np
import pytest

from ntklab import export
from ntklab.errors import FileError
from ntklab.export.numbers import key_numbers
from ntklab.export.reports import figures
from ntklab.progress import Forecast, Progress
from ntklab.results import Run


class Page(HTMLParser):
    """Collects words, sources and links, and checks that tags are closed in order."""

    VOID = ("meta", "img", "br")

    def __init__(self, text):
        super().__init__()
        self.open, self.sources, self.links, self.words = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)
        found = dict(attributes)
        self.sources += [found["src"]] if "src" in found else []
        self.links += [found["href"]] if "href" in found else []

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture
def few_figures(monkeypatch):
    """Two figures instead of a dozen: drawing is tested elsewhere."""
    from ntklab.export import reports

    everything = reports.figures
    monkeypatch.setattr(reports, "figures", lambda run: list(everything(run))[3:5])


@pytest.mark.usefixtures("few_figures")
def test_report_is_a_folder_that_stands_alone(experiment, tmp_path):
    run = fake.run(fake.classes())
    path = export.report(experiment, run, tmp_path / "out")
    assert path == tmp_path / "out" / "report.html"
    page = Page(path.read_text())
    assert page.sources
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert page.links
    assert all((path.parent / link).is_file() for link in page.links)
    text = " ".join(page.words)
    expected = (
        'digits, "small"',
        "64–16–10",
        experiment.content_hash()[:12],
        "NTK parameterisation",
        "seed 7",
        "condition number",
        "1,040",
        "0.5 × the largest stable rate of the linear model",
        "1/(2N)·Σ(f−y)²",
    )
    for words in expected:
        assert words in text, words
    assert "http" not in path.read_text()
    assert type(experiment).from_json((path.parent / "experiment.json").read_bytes()) == experiment
    with np.load(path.parent / "arrays.npz") as found:
        np.testing.assert_array_equal(found["ntk"], run.ntk.values)
    assert (path.parent / "reproduce.py").read_text() == export.script(experiment)


@pytest.mark.usefixtures("few_figures")
def test_names_cannot_break_the_page(experiment, tmp_path):
    hostile = experiment.replace(name="<script>alert(1)</script> & \"'")
    text = export.report(hostile, fake.run(fake.classes()), tmp_path).read_text()
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    Page(text)


def test_a_partial_run_gives_a_partial_report(experiment, tmp_path):
    run = Run("hash", fake.classes(n=6, n_test=0))
    page = Page(export.report(experiment, run, tmp_path).read_text())
    assert [link for link in page.links if link.endswith(".pdf")] == ["figures/function-prediction.pdf"]
    assert "Numbers" not in page.words


@pytest.mark.usefixtures("few_figures")
def test_a_cancelled_report_leaves_the_folder_as_it_was(experiment, tmp_path):
    (tmp_path / "report.html").write_text("an older one")
    work = export.reporting(experiment, fake.run(fake.classes()), tmp_path)
    assert isinstance(next(work), Forecast)
    drawing = next(event for event in work if event.text.startswith("drawing"))
    assert isinstance(drawing, Progress)
    assert next(event for event in work if event.text == "writing files").done
    work.close()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"report.html": "an older one"}


def test_a_file_in_the_way_is_one_clear_error(experiment, tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(FileError, match="cannot write"):
        export.report(experiment, fake.run(fake.classes()), tmp_path / "out")


def test_the_report_shows_the_mode_with_most_of_the_target():
    run = fake.run(fake.two_circles())
    titles = {stem: figure.title for stem, figure in figures(run)}
    assert titles["function-mode"] == f"Eigenfunction {run.empirical_spectrum.target_power.argmax() + 1}"
    assert set(titles) >= {"kernel-empirical", "kernel-difference", "spectrum-eigenvalues", "dynamics-loss"}


def test_key_numbers():
    data = fake.two_circles()
    run = fake.run(data)
    outputs = data.Y_train[None].repeat(3, 0).copy()
    outputs[0, :4] *= -1
    numbers = {
        n.name: n.value for n in key_numbers(replace(run, trajectory=replace(run.trajectory, train_outputs=outputs)))
    }
    assert numbers["train accuracy in %"] == "75 network, 100 linearised, 100 infinite"
    assert numbers["largest stable learning rate"].endswith("empirical")
    assert numbers["learning rate η"] == "0.5"
    assert "kernel drift at the end" in numbers


def test_key_numbers_of_a_diverged_run():
    run = fake.run(fake.two_circles())
    loss = np.full_like(run.trajectory.train_loss, np.inf)
    diverged = replace(run, trajectory=replace(run.trajectory, train_loss=loss))
    assert {n.name: n.value for n in key_numbers(diverged)}["train loss at step 400"] == "NaN or infinite"
