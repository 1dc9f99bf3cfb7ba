"""Packages that only some users need."""

import importlib
from types import ModuleType


def require(module: str, *, extra: str) -> ModuleType:
    """Import a module of an optional package.

    Raises:
        ImportError: the package is not installed; the message names the extra that brings it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"this needs the package '{module}': pip install 'infogeo[{extra}]'") from error
