"""Which signal goes where. One function a region; every connection of the window stands here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer

from ntklab.figures import captions
from ntklab.figures.views import find
from ntklab.gui import theme
from ntklab.gui.actions.build import guarded
from ntklab.gui.actions.export import copy_given_figure, export_given_figure
from ntklab.gui.widgets.numbers import byte_text, duration, rounded
from ntklab.jobs import Cancelled, Failed, Finished, Progressed, Started
from ntklab.progress import Forecast
from ntklab.session import Change, edits

MEMORY_MS = 2000
QUIET = ("forecast", "dial", "phase", "mute", "layer")  # lanes of jobs too short to be announced

if TYPE_CHECKING:
    from ntklab.gui.window import Window


def wire(window: Window) -> None:
    """Connect everything."""
    _wire_experiment(window)
    _wire_transport(window)
    _wire_views(window)
    _wire_jobs(window)
    window.session.subscribe(partial(_session_changed, window))


def _wire_experiment(window: Window) -> None:
    panel, laboratory = window.experiment_panel, window.laboratory
    panel.width_dragged.connect(laboratory.dial)
    panel.infinity.connect(partial(_dialled_to_infinity, window))
    panel.file_requested.connect(window.actions_by_id["open-data"].trigger)
    panel.compute_requested.connect(laboratory.compute)
    panel.train_requested.connect(laboratory.train)
    panel.stop_requested.connect(laboratory.stop)
    panel.draw_requested.connect(window.actions_by_id["monte-carlo"].trigger)
    panel.model_requested.connect(window.actions_by_id["use-model"].trigger)
    panel.parameters_requested.connect(window.actions_by_id["load-parameters"].trigger)
    laboratory.estimates_forecast_changed.connect(partial(_show_estimates_forecast, window))
    laboratory.forecast_changed.connect(partial(_show_forecast, window))
    laboratory.running_changed.connect(partial(_show_running, window))


def _wire_transport(window: Window) -> None:
    bar, actions = window.transport, window.actions_by_id
    bar.run_requested.connect(window.laboratory.train)
    bar.stop_requested.connect(window.laboratory.stop)
    bar.redraw_requested.connect(actions["seed"].trigger)
    bar.theme_requested.connect(actions["theme"].trigger)
    bar.palette_requested.connect(actions["palette"].trigger)
    bar.seed_committed.connect(partial(_edit_kernel, window, "seed"))
    bar.device_chosen.connect(partial(_edit_kernel, window, "device"))
    bar.set_devices(("cpu",), window.session.experiment.kernel.device)
    bar.set_dark(theme.current().dark)
    bar.set_seed(window.session.experiment.kernel.seed)


def _wire_views(window: Window) -> None:
    window.laboratory.figure_changed.connect(partial(_show_figure, window))
    window.views.active_changed.connect(partial(_show_card, window))
    window.views.raised.connect(partial(_raised, window))
    window.views.panels["phase"].clicked.connect(partial(_phase_clicked, window))
    window.mixer.chosen.connect(partial(_layer_chosen, window))
    window.mixer.refused.connect(window.say)
    for panel in window.views.panels.values():
        panel.choice_changed.connect(partial(_choice_changed, window))
        panel.clicked.connect(partial(_clicked, window))
        panel.hovered.connect(window.jobs_bar.set_readout)
        panel.export_requested.connect(partial(export_given_figure, window))
        panel.copy_requested.connect(partial(copy_given_figure, window))
        panel.data_requested.connect(window.actions_by_id["export-arrays"].trigger)


def _wire_jobs(window: Window) -> None:
    bar, bridge = window.jobs_bar, window.bridge
    bridge.started.connect(partial(_job_started, window))
    bridge.progressed.connect(partial(_job_progressed, window))
    for ended in (bridge.finished, bridge.failed, bridge.cancelled):
        ended.connect(partial(_job_ended, window))
    bar.cancel_requested.connect(window.laboratory.stop)
    bar.report_requested.connect(window.open_report)
    window.laboratory.said.connect(window.say)
    window.laboratory.devices_found.connect(partial(_devices_found, window))
    clock = QTimer(window, interval=MEMORY_MS)
    clock.timeout.connect(partial(_show_memory, window))
    clock.start()
    window.laboratory.failed.connect(window.show_failure)


def _devices_found(window: Window, devices: tuple[str, ...]) -> None:
    window.jobs_bar.set_device(window.session.experiment.kernel.device)
    window.transport.set_devices(devices, window.session.experiment.kernel.device)
    window.experiment_panel.set_devices(devices)


def _show_memory(window: Window) -> None:
    import psutil  # 15 ms that the plots need not wait for

    free = byte_text(psutil.virtual_memory().available)
    window.jobs_bar.set_memory(f"{byte_text(psutil.Process().memory_info().rss)} used · {free} free")


def _job_started(window: Window, message: Started) -> None:
    if message.job.lane not in QUIET:
        window.jobs_bar.set_job(message.job.title)
        if window.laboratory.warm:
            window.say("")  # what was said of an earlier job
        window.jobs_bar.set_queue(window.laboratory.waiting)


def _job_progressed(window: Window, message: Progressed) -> None:
    if message.job.lane not in QUIET:
        progress = message.progress
        window.jobs_bar.set_progress(progress.done, progress.total, progress.text, message.eta)


def _job_ended(window: Window, message: Finished | Failed | Cancelled) -> None:
    if message.job.lane not in QUIET:
        window.jobs_bar.clear_job()
    window.jobs_bar.set_queue(window.laboratory.waiting)


def _edit_kernel(window: Window, field: str, value: Any) -> None:
    experiment = window.session.experiment
    guarded(window, lambda: window.session.edit(edits.set_kernel(experiment, **{field: value}), f"{field} {value}"))


def _show_forecast(window: Window, forecast: Forecast | None, wrong: str) -> None:
    experiment = window.session.experiment
    window.experiment_panel.runbox.set_route(forecast, experiment.architecture if experiment.model is None else None)
    if forecast is None:
        window.experiment_panel.set_forecast(wrong, ok=False)
    else:
        window.experiment_panel.set_forecast(describe(forecast), ok=True)


def _show_estimates_forecast(window: Window, forecast: Forecast | str | None) -> None:
    if isinstance(forecast, Forecast):
        window.experiment_panel.set_estimates_forecast(describe(forecast))
    else:
        window.experiment_panel.set_estimates_forecast(forecast or "", ok=not forecast)


def describe(forecast: Forecast) -> str:
    """A forecast in a sentence: what matters most first, as a narrow line shows the beginning."""
    budget = "" if forecast.budget is None else f" of {byte_text(rounded(forecast.budget))}"
    seconds = "" if forecast.seconds is None else f"≈ {duration(forecast.seconds)}"
    tiles = captions.count(forecast.tiles, "tile") if forecast.layers else ""
    return captions.join(f"{byte_text(rounded(forecast.peak_bytes))}{budget}", seconds, tiles, forecast.route)


def _show_running(window: Window, running: bool) -> None:
    window.experiment_panel.set_running(running)
    window.transport.set_running(running)
    window.refresh()


def _show_figure(window: Window, view: str, choice: str, figure: Any) -> None:
    panel = window.views.panels[view]
    if panel.choice.id == choice:
        panel.show_figure(figure)
        window.refresh()


def _choice_changed(window: Window, view: str, choice: str) -> None:
    window.views.panels[view].show_figure(window.laboratory.figure(view, choice))
    _show_outdated(window)
    window.refresh()


def _show_card(window: Window, view: str, choice: str) -> None:
    window.inspector.set_card(find(view, choice).card)


def _clicked(window: Window, what: tuple[Any, ...]) -> None:
    kind, *rest = what
    if kind == "pair":
        window.session.select(pair=tuple(rest), samples=tuple(dict.fromkeys(rest)), mode=None)
    elif kind == "mode":
        window.session.select(mode=rest[0], pair=None, samples=())
        window.views.panels["function"].choose("mode")
    elif kind == "layer":
        _layer_chosen(window, rest[0])
    elif kind == "sample":
        window.session.select(samples=(rest[0],), pair=(rest[0], rest[0]))


def _layer_chosen(window: Window, layer: str) -> None:
    """Select a layer and show its map."""
    window.session.select(layer=layer)
    window.views.panels["kernel"].choose("layer")


def _raised(window: Window, _view: str) -> None:
    window.laboratory.look_at(frozenset(view for view in window.views.panels if window.views.sees(view)))


def _phase_clicked(window: Window, what: tuple[Any, ...]) -> None:
    """A place on the diagram: try the deviations there."""
    if what[0] != "at":
        return
    W_std, b_std = (float(f"{part:.3g}") for part in what[1:])
    experiment = window.session.experiment
    label = f"W_std {W_std:g}, b_std {b_std:g}"
    guarded(window, lambda: window.session.edit(edits.set_deviations(experiment, W_std, b_std), label))
    window.say(f"{label} in every hidden layer; Ctrl+Z takes it back")


def _dialled_to_infinity(window: Window, there: bool) -> None:
    window.views.panels["kernel"].choose("analytic" if there else "empirical")


def _session_changed(window: Window, change: Change) -> None:
    results, experiment = window.session.results, window.session.experiment
    if change.topic == "experiment":
        window.transport.set_seed(experiment.kernel.seed)
        window.transport.set_device(experiment.kernel.device)
        window.jobs_bar.set_device(experiment.kernel.device)
    _show_untrainable(window)
    if change.topic != "results":
        return
    if results.trajectory is not None and change.detail == "trajectory":
        window.transport.set_time(int(results.trajectory.steps[-1]), results.trajectory.learning_rate)
    _show_outdated(window)


def _show_untrainable(window: Window) -> None:
    """Training needs as many outputs as the data has targets; kernels do not."""
    results, own = window.session.results, window.session.experiment.model is not None
    network, data, reason = results.network, results.data, ""
    fresh = own and not {"network", "data"} & results.outdated
    if fresh and network is not None and data is not None and network.outputs != data.outputs:
        outputs, targets = captions.count(network.outputs, "output"), captions.count(data.outputs, "target")
        reason = f"It has {outputs} and the data {targets}, so it cannot be trained on it"
    window.experiment_panel.set_untrainable(reason)


def _show_outdated(window: Window) -> None:
    scene = window.laboratory.scene()
    unswept = "" if window.can_sweep else "This network has the width that it has: sweep that of a described one"
    for panel in window.views.panels.values():
        panel.set_outdated(bool(window.session.results.outdated & {*panel.choice.needs}))
        panel.set_missing(panel.choice.missing(scene) or (unswept if "convergence" in panel.choice.needs else ""))
