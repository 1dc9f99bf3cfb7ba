"""Keras 3: the callback records every batch that is due."""

import os

import numpy as np
import pytest

import infogeo
from tests.recorders.digits import data, learned, recorder

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras", reason="needs Keras: pip install 'infogeo[keras]'")
from infogeo.recorders.keras import RecorderCallback, predictions  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # of Keras, about its backend


def network():
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(32, "relu"), keras.layers.BatchNormalization(), keras.layers.Dropout(0.2)]
    model = keras.Sequential([keras.Input((64,)), *layers, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(1e-2), loss=loss)
    return model


def test_a_fit_is_recorded_over_several_calls(tmp_path):
    x, y, probe, _ = data()
    model = network()
    with recorder(tmp_path / "s", schedule=infogeo.EverySteps(5)) as record:
        callback = RecorderCallback(record, probe, batch_size=32)
        for _ in range(2):
            model.fit(x, y, batch_size=40, epochs=2, verbose=0, callbacks=[callback])
    assert learned(tmp_path / "s") == list(range(0, 41, 5))
    last = infogeo.load(tmp_path / "s").log_probs[-1]
    now = infogeo.Predictions.from_arrays({"a": predictions(model, probe)}, kind="logits").log_probs[0]
    assert np.abs(last - now).max() <= 32 * np.finfo(np.float32).eps * np.abs(now).max()  # sums of 32 terms


def test_training_does_not_notice_that_it_is_recorded(tmp_path):
    x, y, probe, _ = data()
    ends = []
    for watched in (True, False):
        model = network()
        with recorder(tmp_path / "s", overwrite=True) as record:
            callbacks = [RecorderCallback(record, probe)] if watched else []
            model.fit(x, y, batch_size=100, epochs=2, verbose=0, callbacks=callbacks, shuffle=False)
        ends.append([weight.copy() for weight in model.get_weights()])
    for watched, alone in zip(*ends, strict=True):
        assert np.array_equal(watched, alone)
