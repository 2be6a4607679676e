"""A store goes on from where it was, belongs to one job and one request, and mends what is damaged."""

import fcntl
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from store_tools import KEPT, kernel, put, start, stored

import ntklab
from ntklab.errors import FileError
from ntklab.progress import Progress
from ntklab.store import open_kernel
from ntklab.store.lock import writer


def test_finished_tiles_are_not_written_again(tmp_path):
    values = kernel(20, outputs="full")
    with start(tmp_path, values, outputs="full") as store:
        put(store, values, store.todo()[:7])
    with start(tmp_path, values, outputs="full") as store:
        events = list(store.verify())
        assert len(store.todo()) == 15 - 7
        put(store, values)
        assert store.log.written == 15
    assert events == [Progress(n + 1, 7, "checking stored tiles") for n in range(7)]
    np.testing.assert_array_equal(np.asarray(open_kernel(tmp_path).values), values)


def test_a_store_keeps_its_edge(tmp_path):
    values = kernel(10)
    with start(tmp_path, values, edge=3) as store:
        put(store, values, store.todo()[:2])
    with start(tmp_path, values, edge=5) as store:
        assert store.edge == 3
        assert len(store.todo()) == 10 - 2


CHANGES = [
    ({"network": "b", "seed": 3}, "network 'b' (stored 'aaaaaaaaaaaaaaa…')"),
    ({"network": "a" * 40, "seed": 4}, "seed 4 (stored 3)"),
    ({"network": "a" * 40, "seed": 3, "head": "sum"}, "head 'sum' (stored None)"),
    ({"symmetric": False}, "symmetric False (stored True)"),
    ({"values": kernel(6, dtype="float64")}, "dtype 'float64' (stored 'float32')"),
    ({"values": kernel(8)}, "shape '8 × 8' (stored '6 × 6')"),
    ({"values": kernel(6, outputs="full"), "outputs": "full"}, "outputs 'full' (stored 'mean')"),
]


@pytest.mark.parametrize(("changes", "words"), CHANGES, ids=[words.split()[0] for _, words in CHANGES])
def test_another_request_is_refused_and_told_what_differs(tmp_path, changes, words):
    values = kernel(6)
    stored(tmp_path, values)
    with pytest.raises(FileError, match="choose another folder, or delete this one") as caught:
        start(tmp_path, **{"values": values} | changes)
    assert words in str(caught.value)
    start(tmp_path, values).close()  # a refusal lets go of the lock


def test_a_second_job_is_refused(tmp_path):
    values = kernel(6)
    first = start(tmp_path, values)
    with pytest.raises(FileError, match=f"process {os.getpid()} is writing this kernel; wait"):
        start(tmp_path, values)
    done = child("start(folder, kernel(6))", tmp_path)
    assert f"process {os.getpid()} is writing this kernel" in done.stderr
    put(first, values)
    first.close()
    start(tmp_path, values).close()


def test_a_look_at_who_writes_does_not_turn_a_job_away(tmp_path, monkeypatch):
    values = kernel(6)
    start(tmp_path, values).close()
    looking = os.open(tmp_path / "lock", os.O_RDWR)
    fcntl.flock(looking, fcntl.LOCK_SH)
    monkeypatch.setattr("time.sleep", lambda _: fcntl.flock(looking, fcntl.LOCK_UN))
    with start(tmp_path, values):
        assert writer(tmp_path) == f"process {os.getpid()}"
    assert writer(tmp_path) == ""
    assert writer(tmp_path / "none") == ""
    os.close(looking)


def test_readers_need_no_lock_and_see_finished_tiles(tmp_path):
    values = kernel(8)
    with start(tmp_path, values) as store:
        put(store, values, store.todo()[:1])
        gram = open_kernel(tmp_path)
        np.testing.assert_array_equal(gram.values[:4, :4], values[:4, :4])
        assert np.isnan(gram.values[4:]).all()
        assert np.isnan(gram.values.overview).all()  # it is written every second, and at the end
    assert np.isfinite(open_kernel(tmp_path).values.overview[:4, :4]).all()


def test_a_folder_with_anything_else_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("…")
    with pytest.raises(FileError, match=r"holds other files, such as thesis\.tex"):
        start(tmp_path, kernel(4))
    with pytest.raises(FileError, match="not a folder"):
        start(tmp_path / "thesis.tex", kernel(4))
    with pytest.raises(FileError, match="is no stored kernel"):
        open_kernel(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_start_that_was_cut_short_is_made_good(tmp_path):
    values = kernel(4)
    stored(tmp_path, values)
    for name in ("manifest.json", "tiles.log", "kernel/c.0.0"):
        (tmp_path / name).unlink()
    np.testing.assert_array_equal(np.asarray(stored(tmp_path, values).values), values)


@pytest.mark.parametrize("outputs", KEPT)
@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "swap", "mean"])
def test_damaged_tiles_are_computed_again_and_named_when_read(tmp_path, outputs, damage):
    values = kernel(12, outputs=outputs)
    stored(tmp_path, values, outputs=outputs)
    folder = tmp_path / ("mean" if damage == "mean" and outputs != "mean" else "kernel")
    path = next(folder.glob("c.0.1*"))
    content = bytearray(path.read_bytes())
    if damage == "remove":
        path.unlink()
    elif damage == "swap":  # a whole tile, with a good checksum, in the wrong place
        path.write_bytes(next(folder.glob("c.0.2*")).read_bytes())
    else:
        content[len(content) // 2] ^= 16
        path.write_bytes(content[: -8 if damage == "cut" else None])
    gram = open_kernel(tmp_path)
    part = gram.matrix if folder.name == "mean" else gram.values
    np.testing.assert_array_equal(gram.values[:4, :4], values[:4, :4])
    for index in ((0, 5), (5, 0)):
        with pytest.raises(FileError, match=r"c\.0\.1.*; run the same request with this store"):
            part[index]
    with start(tmp_path, values, outputs=outputs) as store:
        assert [cell.place for cell in store.todo()] == [(0, 1)]
        put(store, values)
        assert store.log.written == 7
    again = open_kernel(tmp_path)
    np.testing.assert_array_equal(np.asarray(again.values), values)
    np.testing.assert_array_equal(
        np.asarray(again.matrix), np.asarray(stored(tmp_path / "b", values, outputs=outputs).matrix)
    )
    np.testing.assert_allclose(again.values.overview, np.asarray(again.matrix), rtol=1e-6)


def test_torn_lines_of_the_log_cost_one_tile(tmp_path):
    values = kernel(12)
    stored(tmp_path, values)
    log = tmp_path / "tiles.log"
    log.write_bytes(log.read_bytes()[:-9])
    with pytest.raises(FileError, match=r"tiles\.log: is damaged"):
        open_kernel(tmp_path)
    with start(tmp_path, values) as store:
        assert [cell.place for cell in store.todo()] == [(2, 2)]
        put(store, values)
    np.testing.assert_array_equal(np.asarray(open_kernel(tmp_path).values), values)


def test_leftovers_of_a_killed_writer_are_cleared(tmp_path):
    values = kernel(6)
    stored(tmp_path, values)
    left = [tmp_path / name for name in ("kernel/.c.0-abc.1", ".manifest-abc.json", "overview/.c.0-x.0")]
    for path in left:
        path.write_bytes(b"half")
    start(tmp_path, values).close()
    assert not any(path.exists() for path in left)


# -- the end of the process --------------------------------------------------------------------------------------------

CHILD = """
import sys, time
sys.path.insert(0, {tools!r})
import numpy as np
from store_tools import *
folder = {folder!r}
{body}
"""


def child(body, folder, **options):
    """Run ``body`` in a process of its own."""
    code = CHILD.format(tools=str(Path(__file__).parents[1]), folder=str(folder), body=textwrap.dedent(body))
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60, **options
    )


def test_every_announced_tile_survives_a_kill(tmp_path):
    body = """
    values = kernel(64, outputs="diagonal")
    with start(folder, values, outputs="diagonal") as store:
        for cell in store.todo():
            store.write(cell, cut(values, cell))
            print(*cell.place, flush=True)
            time.sleep(0.001)
    """
    values = kernel(64, outputs="diagonal")
    code = CHILD.format(tools=str(Path(__file__).parents[1]), folder=str(tmp_path), body=textwrap.dedent(body))
    running = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    announced = {tuple(map(int, running.stdout.readline().split())) for _ in range(40)}
    running.send_signal(signal.SIGKILL)
    rest, _ = running.communicate()
    announced |= {tuple(map(int, line.split())) for line in rest.splitlines() if line.count(" ") == 1}
    with start(tmp_path, values, outputs="diagonal") as store:
        todo = store.todo()
        assert announced.isdisjoint(cell.place for cell in todo)
        before = store.log.written
        assert before + len(todo) == len(store.layout)
        assert before <= len(announced) + 1  # at most the tile in flight was not announced
        put(store, values)
        assert store.log.written == len(store.layout)
    np.testing.assert_array_equal(np.asarray(open_kernel(tmp_path).values), values)


# -- a full disk -------------------------------------------------------------------------------------------------------


def test_a_kernel_that_does_not_fit_the_disk_is_refused_before_the_start(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda *_: SimpleNamespace(free=5 * 2**20))
    with pytest.raises(FileError, match=r"it needs 13\.54 MiB more, 5 MiB are free; free some space") as caught:
        start(tmp_path / "K", kernel(2000), edge=500)
    assert str(tmp_path / "K") in str(caught.value)
    assert not (tmp_path / "K").exists()


def test_a_disk_that_fills_up_stops_the_job_and_keeps_what_is_there(tmp_path):
    done = child(
        """
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        values = kernel(40, outputs="full")
        with start(folder, values, outputs="full") as store:
            cells = store.todo()
            put(store, values, cells[:5])
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
            try:
                store.write(cells[5], cut(values, cells[5]))
            except Exception as error:
                print(type(error).__name__, error)
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        """,
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"FileError cannot store the kernel in {tmp_path}: it needs ")
    assert "are free; free some space and run it again, which goes on from here" in done.stdout
    values = kernel(40, outputs="full")
    with start(tmp_path, values, outputs="full") as store:
        assert len(store.todo()) == 55 - 5
        put(store, values)
    np.testing.assert_array_equal(np.asarray(open_kernel(tmp_path).values), values)


@pytest.mark.parametrize("after", range(0, 12))
def test_a_failure_at_any_write_leaves_a_store_that_goes_on(tmp_path, monkeypatch, after):
    values = kernel(12, outputs="diagonal")
    calls, fsync = [], os.fsync

    def failing(handle):
        calls.append(handle)
        if len(calls) > after:
            raise OSError(28, "No space left on device")
        fsync(handle)

    with monkeypatch.context() as patch, start(tmp_path, values, outputs="diagonal") as store:
        patch.setattr("os.fsync", failing)
        with pytest.raises(FileError, match="free some space"):
            put(store, values)
    with start(tmp_path, values, outputs="diagonal") as store:
        assert len(store.todo()) == 6 - (after + 1) // 5  # five files and folders a tile; the log comes last
        put(store, values)
    np.testing.assert_array_equal(np.asarray(open_kernel(tmp_path).values), values)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(FileError, match="no permission"):
        start(tmp_path / "K", kernel(4))


def fail_after_one(folder, values):
    with start(folder, values) as store:
        put(store, values, store.todo()[:1])
        raise ZeroDivisionError


def test_leaving_by_an_exception_lets_go_of_the_store(tmp_path):
    values = kernel(6)
    with pytest.raises(ZeroDivisionError):
        fail_after_one(tmp_path, values)
    with start(tmp_path, values) as store:
        assert store.done == 1
    assert ntklab.open_kernel(tmp_path).values.missing == 2
