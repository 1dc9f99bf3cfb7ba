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
