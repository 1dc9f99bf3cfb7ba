"""How long does a newcomer wait: for `infogeo --help`, and for `infogeo demo` from command to report?

Each runs in a process of its own, as a user starts it; memory is the peak of that process.

    python benchmarks/bench_demo.py [--save]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from environment import environment, save

COMMAND = [sys.executable, "-c", "from infogeo.cli.main import run; run()"]


def timed(*arguments: str) -> tuple[float, float]:
    """Seconds and peak resident MB of one command."""
    start = perf_counter()
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"infogeo {' '.join(arguments)} failed with status {status}")
    return perf_counter() - start, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--save", action="store_true", help="write results/demo.json")
    arguments = parser.parse_args()
    helps = sorted(timed("--help")[0] for _ in range(7))
    with tempfile.TemporaryDirectory() as folder:
        seconds, memory = timed("demo", "--out", f"{folder}/demo")
        report = Path(folder, "demo", "map", "report.html").stat().st_size / 1e6
    figures = {
        "help, seconds (median of 7)": helps[3],
        "help, seconds (slowest of 7)": helps[-1],
        "demo, seconds": seconds,
        "demo, peak MB": memory,
        "report, MB": report,
    }
    print(environment())
    print("\n".join(f"{name}: {value:.3g}" for name, value in figures.items()))
    if arguments.save:
        save("demo", figures)


if __name__ == "__main__":
    main()
