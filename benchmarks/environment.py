"""What a benchmark ran on: printed, and saved beside its figures."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import jax

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("infogeo", "jax", "jaxlib", "numpy", "scipy", "torch")


def environment() -> dict[str, Any]:
    """The machine, the devices and the versions."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "devices": [str(d) for d in jax.devices()],
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
    }


def save(name: str, figures: Any) -> None:
    """Write results/NAME.json: the environment and the figures."""
    RESULTS.mkdir(exist_ok=True)
    content = {"environment": environment(), "figures": figures}
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
