"""Run the benchmarks: `python -m benchmarks`, in an environment with benchmarks/requirements.txt.

On an otherwise idle machine: two cores that are shared make thread pools wait for each other.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import chart, footprint, growth, machine, report
from benchmarks.libraries import LIBRARIES
from benchmarks.race import check_agreement, race
from benchmarks.workloads import WORKLOADS

LEGEND = """\
Medians of interleaved rounds; for a chain, the time of one operation. All give the same values and
gradients, which is checked first. JAX is waited for after every step. In the rows -kept, all
processes keep the memory that they free. The row cold is a whole process, from its start to the
1,000th step of moons. Under ÷, TinyTorch's figure over the other's, and under
compiled ÷ the compiled one's, the bound that it should stay below, and ✗ where it does not."""
FLAT = "The last 9,000 of 10,000 steps of moons add"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the table, and write the files that were asked for."""
    options = parse(arguments)
    os.environ.update(
        OMP_NUM_THREADS=str(machine.cores()),
        OPENBLAS_NUM_THREADS=str(machine.cores()),
        JAX_ENABLE_X64="1",
        JAX_PLATFORMS="cpu",
    )
    start, others = time.perf_counter(), machine.seconds_of_others()
    rounds = run_races(options.workloads, quick=options.quick)
    medians = {
        row: {library: statistics.median(times) for library, times in libraries.items()}
        for row, libraries in rounds.items()
    }
    everything = options.workloads == list(WORKLOADS)
    if everything:
        medians |= run_footprints(quick=options.quick)
    grown = run_growth() if everything and not options.quick else None
    used = (machine.seconds_of_others() - others) / (time.perf_counter() - start)

    text = describe(medians, grown)
    print(text)
    if used > 0.1:
        say(f"Others used {used:.1f} cores meanwhile: don't trust these figures.")
    if options.json:
        results = {
            "machine": machine.description(),
            "cores_used_by_others": used,
            "medians": medians,
            "rounds": rounds,
            "growth": grown,
        }
        options.json.write_text(
            json.dumps(results, indent=1, default=vars) + "\n", encoding="utf-8"
        )
    if options.chart:
        chart.draw(medians, options.chart)
    if options.readme:
        report.write_between_markers(options.readme, text)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument(
        "workloads",
        nargs="*",
        default=list(WORKLOADS),
        help=f"what to race, of {', '.join(WORKLOADS)}; all, and more, if none is named",
    )
    parser.add_argument("--quick", action="store_true", help="few rounds, no memory, no growth")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draw a bar chart")
    parser.add_argument(
        "--readme", type=Path, metavar="FILE", help="put the results between the marks of this file"
    )
    options = parser.parse_args(arguments)
    unknown = set(options.workloads) - set(WORKLOADS)
    if unknown:
        parser.error(f"no workload {', '.join(sorted(unknown))}; there are {', '.join(WORKLOADS)}")
    return options


def run_races(names: Sequence[str], *, quick: bool) -> dict[str, dict[str, list[float]]]:
    """Race all libraries through the workloads."""
    say("check that all compute the same")
    check_agreement([name for name in names if not WORKLOADS[name].keep])
    results = {}
    for name in names:
        say(name)
        results[name] = race(name, seconds=0 if quick else 1.5, heats=1 if quick else 3)
    return results


def run_footprints(*, quick: bool) -> dict[str, dict[str, float]]:
    """Measure what it costs to have each library; scalar micrograd can't train `wide`."""
    say("footprints")
    peers = [
        name for name, library in LIBRARIES.items() if not library.compiled and name != "numpy"
    ]
    times: dict[str, list[float]] = {library: [] for library in peers}
    footprint.import_seconds("tinytorch")  # compiles it; pip has compiled the others
    for _ in range(1 if quick else 7):
        for library in peers:
            times[library].append(footprint.import_seconds(library))
    rows: dict[str, dict[str, float]] = {
        "import": {library: statistics.median(times[library]) for library in peers},
        "installed": {library: footprint.installed_bytes(library) for library in peers},
    }
    rounds = range(1 if quick else 3)
    rows["cold"] = {
        library: statistics.median(footprint.cold_seconds(library) for _ in rounds)
        for library in footprint.COLD
    }
    if not quick:
        trainers = [name for name in LIBRARIES if name not in ("micrograd", "pytorch_compiled")]
        rows["memory"] = {library: footprint.training_bytes(library) for library in trainers}
    return rows


def run_growth() -> dict[str, Any]:
    """Measure how TinyTorch's costs grow."""
    say("growth")
    return {
        "nodes": {n: growth.of_nodes(n) for n in growth.NODES},
        "entries": {n: growth.of_entries(n, keep=False) for n in growth.ENTRIES},
        "keeping": {n: growth.of_entries(n, keep=True) for n in growth.ENTRIES},
        "training": {collect: growth.of_training(collect=collect) for collect in (True, False)},
    }


def describe(medians: dict[str, dict[str, float]], grown: dict[str, Any] | None) -> str:
    """Word the results."""
    about = ". ".join(machine.description().values())
    parts = [report.results(medians), f"{LEGEND}\n{about}."]
    if grown:
        on, off = (f"{grown['training'][collect] / 1e6:.2f} MB" for collect in (True, False))
        flat = f"{FLAT} {on} to its resident memory; with the garbage collector off, {off}."
        parts += [report.growth(grown["nodes"], grown["entries"], grown["keeping"]), flat]
    return "\n\n".join(parts)


def say(what: str) -> None:
    """Tell the one who waits."""
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
