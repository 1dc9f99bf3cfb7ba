"""A framework that is not installed is an error that names the extra."""

import importlib
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "package", "extra"),
    [
        ("torch", "torch", "torch"),
        ("lightning", "lightning.pytorch", "lightning"),
        ("huggingface", "transformers", "huggingface"),
        ("keras", "keras", "keras"),
    ],
)
def test_a_framework_that_is_missing_names_its_extra(monkeypatch, module, package, extra):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"infogeo.recorders.{module}", raising=False)
    with pytest.raises(ImportError, match=rf"needs the package '{package}': pip install 'infogeo\[{extra}\]'"):
        importlib.import_module(f"infogeo.recorders.{module}")


def test_keras_without_its_backend_names_tensorflow_and_how_to_do_without(monkeypatch):
    from infogeo.core import optional

    def importing(name):
        raise ModuleNotFoundError("No module named 'tensorflow'", name="tensorflow.python")

    monkeypatch.setattr(optional.importlib, "import_module", importing)
    monkeypatch.delitem(sys.modules, "infogeo.recorders.keras", raising=False)
    with pytest.raises(ImportError, match="TensorFlow is not installed: set KERAS_BACKEND=jax or KERAS_BACKEND=torch"):
        __import__("infogeo.recorders.keras")
    with pytest.raises(ImportError, match="the package 'h5py' misses the package 'tensorflow': pip install it"):
        optional.require("h5py", extra="h5")
