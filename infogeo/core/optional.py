"""Packages that only some users need."""

import importlib
from types import ModuleType


def require(module: str, *, extra: str) -> ModuleType:
    """Import a module of an optional package.

    Raises:
        ImportError: the package is not installed; the message names the extra that brings it. Or it is, and itself
            misses another one, which the message names.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing = (error.name or module).partition(".")[0]
        if isinstance(error, ModuleNotFoundError) and missing not in (module.partition(".")[0], "infogeo"):
            raise ImportError(f"the package '{module}' misses the package '{missing}': pip install it") from error
        raise ImportError(f"this needs the package '{module}': pip install 'infogeo[{extra}]'") from error
