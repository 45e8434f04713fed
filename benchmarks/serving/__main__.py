"""How fast `heed serve` answers: `python -m benchmarks.serving`.

A synthetic model of 100 thousand items, histories of 50, k = 100. The server, the
generator, the callers who hurt and the model without a server are processes of their
own. One JSON line a measurement, and a table in the form of `benchmarks/results` at the
end. On fewer cores than four the processes take each other's: the figures say so.

  light     open loop, few requests a second: p50 and p99 by protocol
  highest   closed loop of 32 callers by gRPC; by REST wrk where it is installed
  lone      one caller with and without batching, beside the model in process
  beside    open loop at light load beside slow, huge and half-open callers
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from benchmarks.serving import wrk

CALLERS = 32
BAD_CALLERS = {"slow": 100, "huge": 1, "half_open": 600}
_READY = re.compile(r"REST http://(?P<rest>\S+), gRPC (?P<grpc>\S+)")
_HEED = "from pipeline.cli import main; main()"


class Run:
    """What all measurements share."""

    def __init__(self, chosen: argparse.Namespace, folder: pathlib.Path) -> None:
        """Takes the command line, and the folder of model and requests."""
        self.chosen, self.bodies = chosen, folder / "bodies"
        self.models = folder / "heed"
        self.found: list[dict[str, Any]] = []

    def prepare(self) -> None:
        """Exports the model and writes the requests, unless they are there."""
        from benchmarks.serving import bodies

        self.models.mkdir(parents=True, exist_ok=True)
        if not (self.models / "1").is_dir():
            _python(
                "benchmarks.serving.synthetic_model", self.models, self.chosen.items
            )
        bodies.write(self.bodies, bodies.draw(self.chosen.items, self.chosen.length))

    def tell(self, what: str, **figures: Any) -> None:
        """Prints a measurement and keeps it."""
        self.found.append({"what": what, **figures})
        print(json.dumps(self.found[-1]), flush=True)

    def generate(self, protocol: str, target: str, **options: float) -> dict[str, Any]:
        """Returns what the generator measured, in a process of its own."""
        options.setdefault("seconds", self.chosen.seconds)
        named = [str(x) for key, value in options.items() for x in (f"--{key}", value)]
        place = (protocol, target, self.bodies)
        return json.loads(_python("benchmarks.serving.generator", *place, *named))


def _python(module: str, *arguments: Any) -> str:
    command = [sys.executable, "-W", "ignore", "-m", module, *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip().rpartition("\n")[2]


@contextlib.contextmanager
def server(models: pathlib.Path, **settings: Any) -> Iterator[dict[str, str]]:
    """Yields HOST:PORT by protocol of a server in a process of its own."""
    options = [
        x for key, value in settings.items() for x in ("--set", f"{key}={value}")
    ]
    command = [sys.executable, "-W", "ignore", "-c", _HEED, "serve"]
    command += ["--models", str(models), "--rest-port", "0", "--grpc-port", "0"]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command + options, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            for line in process.stdout or ():
                if ready := _READY.search(line):
                    yield ready.groupdict()
                    return
            log.seek(0)
            raise RuntimeError(f"the server ended:\n{log.read()[-2_000:]}")
        finally:
            process.terminate()
            process.wait(60)


@contextlib.contextmanager
def bad_callers(kind: str, target: str) -> Iterator[None]:
    """Keeps callers of a kind at work."""
    module = "benchmarks.serving.bad_callers"
    process = subprocess.Popen(
        [sys.executable, "-m", module, kind, target, str(BAD_CALLERS[kind])]
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def measure(run: Run) -> None:
    """Measures all, one after the other."""
    chosen = run.chosen
    place = (run.models / "1", chosen.items, chosen.length, chosen.seconds)
    alone = json.loads(_python("benchmarks.serving.in_process", *place))
    run.tell("in process", **alone)
    for batching in ("batching", "no batching"):
        settings = {} if batching == "batching" else {"serving.max_batch_rows": 1}
        with server(run.models, **settings) as target:
            for protocol in ("grpc", "rest"):
                one = run.generate(protocol, target[protocol], callers=1)
                ratio = None
                if one["counted"] and alone["p50_ms"]:
                    ratio = round(alone["p50_ms"] / one["p50_ms"], 2)
                run.tell(
                    f"lone caller, {protocol}, {batching}", of_in_process=ratio, **one
                )
            if settings:
                continue
            for protocol in ("grpc", "rest"):
                light = run.generate(protocol, target[protocol], rate=chosen.rate)
                run.tell(f"light load, {protocol}", **light)
            most = run.generate("grpc", target["grpc"], callers=CALLERS)
            run.tell("highest rate, grpc", **most)
            if shutil.which("wrk"):
                most = wrk.run(target["rest"], run.bodies, CALLERS, chosen.seconds)
            else:
                most = run.generate("rest", target["rest"], callers=CALLERS)
            run.tell("highest rate, rest", by_wrk=bool(shutil.which("wrk")), **most)
            for kind, number in BAD_CALLERS.items():
                with bad_callers(kind, target["rest"]):
                    honest = run.generate("rest", target["rest"], rate=chosen.rate)
                run.tell(f"beside {number} {kind} callers, rest", **honest)


def table(run: Run) -> dict[str, Any]:
    """Returns the figures in the form of `benchmarks/results`."""
    chosen = run.chosen
    return {
        "title": "Serving, by open loop and at its highest rate",
        "says": f"{chosen.items:,} items, histories of {chosen.length}, k = 100; light "
        f"load is {chosen.rate:g} requests a second.",
        "command": "python -m benchmarks.serving " + " ".join(sys.argv[1:]),
        "machine": f"{os.cpu_count()} cores, load average {os.getloadavg()[1]:.1f}; "
        "server and load on the same",
        "columns": [
            "",
            "answered a second",
            "p50 ms",
            "p99 ms",
            "failed",
            "of in process",
        ],
        "rows": [
            [
                one["what"],
                one["answered_per_sec"],
                one["p50_ms"],
                one["p99_ms"],
                one.get("failed", 0),
                one.get("of_in_process") or "",
            ]
            for one in run.found
        ],
    }


def main() -> None:
    """Runs all and writes the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--length", type=int, default=50)
    parser.add_argument("--rate", type=float, default=50.0, help="of light load")
    parser.add_argument("--seconds", type=float, default=30.0, help="each measurement")
    parser.add_argument("--folder", type=pathlib.Path, help="keeps the model; any")
    parser.add_argument("--output", type=pathlib.Path, help="of the table, JSON")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (chosen.folder or pathlib.Path(temporary)) / f"items-{chosen.items}"
        run = Run(chosen, folder)
        run.prepare()
        measure(run)
    content = json.dumps(table(run), indent=1)
    if chosen.output:
        chosen.output.write_text(content + "\n")
    print(content)


if __name__ == "__main__":
    main()
