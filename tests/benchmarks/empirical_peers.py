"""Other libraries beside ours, round by round in one run: each peer is a process that keeps its kernel ready.

``Peer`` starts ``script`` with some Python and talks to it in lines of JSON: the script first names its methods; a
request {"method", "network", "n", "outputs"} prepares a kernel and times it once, an empty object times it again. The
answer is the seconds, or a text that says why there are none. Nothing of a peer is needed here.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from empirical_cases import Case
from empirical_clock import seconds

from ntklab.errors import NtkLabError

FOLDER = Path(__file__).resolve().parent
SCRIPTS = ("peer_torch.py", "peer_jax.py")
METHODS = {
    "peer_torch.py": ("torch.func tutorial", "torch Jacobians by layer", "nngeometry", "BackPACK", "curvlinops"),
    "peer_jax.py": ("neural-tangents", "neural-tangents, Jacobians"),
}
_JACOBIAN_BYTES = 1.2 * 2**30  # numbers of the Jacobian that a method without tiles may hold


class Peer:
    """A script of other methods in a process of its own."""

    def __init__(self, python: str, script: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(FOLDER), "JAX_PLATFORMS": "cpu"}
        self._process = subprocess.Popen(
            [python, "-W", "ignore", str(FOLDER / script)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
        )  # fmt: skip
        self.methods: list[str] = self._read() or []

    def ask(self, request: dict[str, Any]) -> float | str:
        """Seconds of a kernel, or why there are none."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return "ended"
        answer = self._read()
        return "ended (out of memory?)" if answer is None else answer

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        return json.loads(line) if line else None


def compared(cases: list[Case], ours: Callable[[Case], Callable[[], object]], pythons: list[str], rounds: int) -> None:
    """Print for each case how long every method takes, and how many times longer than ours.

    ``ours`` prepares our kernel of a case. Peers that hold whole Jacobians are asked for fewer samples where these
    would not fit, and compared with ours on as many.
    """
    for case in cases:
        for script in SCRIPTS:
            for method in METHODS[script]:
                python = _python_with(script, method, pythons)
                if python is None:
                    print(f"{case.name:14s} {case.n:5d} {case.outputs:5s} {method:28s} not installed", flush=True)
                    continue
                asked = case.of(min(case.n, _most(case))) if script == "peer_torch.py" else case
                print(_line(asked, method, ours(asked), Peer(python, script), rounds), flush=True)


def _python_with(script: str, method: str, pythons: list[str]) -> str | None:
    for python in pythons:
        peer = Peer(python, script)
        peer.close()
        if method in peer.methods:
            return python
    return None


def _most(case: Case) -> int:
    """Samples whose Jacobian is no larger than allowed."""
    weights = sum(parameter.numel() for parameter in case.described.module().parameters())
    return max(4, int(_JACOBIAN_BYTES / (4 * weights * case.described.outputs)))


def _line(case: Case, method: str, ours: Callable[[], object], peer: Peer, rounds: int) -> str:
    head = f"{case.name:14s} {case.n:5d} {case.outputs:5s} {method:28s}"
    first = peer.ask({"method": method, "network": case.network, "n": case.n, "outputs": case.outputs})
    try:
        mine, theirs = [seconds(ours)], [first]
    except NtkLabError as error:
        peer.close()
        return f"{head} {first if isinstance(first, str) else f'{first:8.4f} s'}, ours: {error}"[:140]
    for _ in range(rounds if isinstance(first, float) and first < 20 else 0):
        mine.append(seconds(ours))
        theirs.append(peer.ask({}))
    peer.close()
    told = [answer for answer in theirs if isinstance(answer, str)]
    if told:
        return f"{head} {told[0]}"
    best, their_best = min(mine), min(answer for answer in theirs if isinstance(answer, float))
    return f"{head} {their_best:8.4f} s, ours {best:8.4f} s: {their_best / best:7.1f} times"
