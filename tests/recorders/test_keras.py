"""Keras 3: the callback records every batch that is due."""

import os
import subprocess
import sys

import numpy as np
import pytest

import infogeo
from tests.recorders.digits import data, learned, recorder

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras", reason="needs Keras: pip install 'infogeo[keras]'")
from infogeo.recorders.keras import RecorderCallback, predictions  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # of Keras, about its backend


def network(steps_per_execution=1, accumulation=None):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(32, "relu"), keras.layers.BatchNormalization(), keras.layers.Dropout(0.2)]
    model = keras.Sequential([keras.Input((64,)), *layers, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam(1e-2, gradient_accumulation_steps=accumulation)
    model.compile(optimizer=optimizer, loss=loss, steps_per_execution=steps_per_execution)
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


def steps_recorded(path, run="a"):
    points = infogeo.load(path).points
    return points["step"][points["run"] == run].tolist()


def test_steps_count_the_updates_over_fits_with_new_callbacks(tmp_path):
    x, y, probe, _ = data()
    model = network()
    with recorder(tmp_path / "s", schedule=infogeo.EverySteps(4)) as record:
        for _ in range(3):  # the schedule leaves out steps 7, 14 and 21, where fits end
            model.fit(x[:280], y[:280], batch_size=40, verbose=0, callbacks=[RecorderCallback(record, probe)])
    assert int(model.optimizer.iterations) == 21
    assert steps_recorded(tmp_path / "s") == [0, 4, 8, 12, 16, 20]


def test_a_model_that_was_loaded_goes_on_at_its_step(tmp_path):
    x, y, probe, _ = data()
    model = network()
    fit = {"batch_size": 40, "verbose": 0}
    with pytest.raises(KeyboardInterrupt), recorder(tmp_path / "s", schedule=infogeo.EverySteps(4)) as record:
        model.fit(x, y, callbacks=[RecorderCallback(record, probe)], **fit)
        model.save(tmp_path / "model.keras")
        raise KeyboardInterrupt
    model = keras.models.load_model(tmp_path / "model.keras")
    with recorder(tmp_path / "s", schedule=infogeo.EverySteps(4), resume=True) as record:
        model.fit(x, y, callbacks=[RecorderCallback(record, probe)], **fit)
    assert steps_recorded(tmp_path / "s") == [0, 4, 8, 12, 16, 20]
    assert int(model.optimizer.iterations) == 20


@pytest.mark.parametrize(
    ("options", "schedule", "steps"),
    [
        ({"steps_per_execution": 4}, None, [0, 4, 8, 10, 14, 18, 20]),
        ({"steps_per_execution": 4}, infogeo.EverySteps(5), [0, 8, 10, 18, 20]),
        ({"accumulation": 4}, None, [0, 1, 2, 3, 4, 5]),
        ({"accumulation": 4}, infogeo.EverySteps(2), [0, 2, 4]),
    ],
)
def test_what_is_recorded_is_the_step_of_the_weights(tmp_path, options, schedule, steps):
    x, y, probe, _ = data()
    model = network(**options)
    asked = {0: predictions(model, probe)}

    class Ask(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            values = predictions(self.model, probe)
            asked.setdefault(int(self.model.optimizer.iterations), values)

    with recorder(tmp_path / "s", schedule=schedule) as record:
        callbacks = [RecorderCallback(record, probe), Ask()]
        model.fit(x, y, batch_size=40, epochs=2, verbose=0, callbacks=callbacks)
    assert steps_recorded(tmp_path / "s") == steps
    back = infogeo.load(tmp_path / "s")
    now = infogeo.Predictions.from_arrays({"a": [asked[step] for step in steps]}, kind="logits").log_probs
    assert np.array_equal(back.log_probs, now)


def test_an_optimizer_that_counts_anew_is_refused(tmp_path):
    x, y, probe, _ = data()
    with recorder(tmp_path / "s") as record:
        callback = RecorderCallback(record, probe)
        network().fit(x, y, batch_size=100, verbose=0, callbacks=[callback])
        with pytest.raises(infogeo.InputError, match="counts from 0 again, after 4 updates .compile makes a new one"):
            network().fit(x, y, batch_size=100, verbose=0, callbacks=[callback])


def test_a_recorder_that_is_closed_is_refused(tmp_path):
    x, y, probe, _ = data()
    record = recorder(tmp_path / "s")
    record.close()
    with pytest.raises(infogeo.InputError, match="recorder: that of run 'a' is closed"):
        network().fit(x, y, verbose=0, callbacks=[RecorderCallback(record, probe)])


def test_an_output_that_is_no_prediction_is_refused():
    given = keras.Input((64,))
    several = keras.Model(given, [keras.layers.Dense(3)(given), keras.layers.Dense(2)(given)])
    with pytest.raises(infogeo.InputError, match=r"model: has 2 outputs, expected one \[N, C\]; make a keras.Model of"):
        predictions(several, data()[2])
    sequence = keras.Model(given, keras.layers.Reshape((8, 8))(given))
    with pytest.raises(infogeo.InputError, match=r"model: gives \(60, 8, 8\), expected \[N, C\]; make a keras.Model"):
        predictions(sequence, data()[2])


TORCH = """
import sys, warnings; warnings.simplefilter("ignore")
import keras; assert keras.backend.backend() == "torch"
from infogeo.recorders.keras import RecorderCallback
from tests.recorders.digits import data, recorder
from tests.recorders.test_keras import network
x, y, probe, _ = data()
model = network(accumulation=4)
with recorder(sys.argv[1]) as record:
    for _ in range(2):
        model.fit(x, y, batch_size=40, epochs=2, verbose=0, callbacks=[RecorderCallback(record, probe)])
print(int(model.optimizer.iterations))
"""


def test_steps_are_right_with_the_torch_backend(tmp_path):
    pytest.importorskip("torch", reason="needs PyTorch: pip install 'infogeo[torch]'")
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    done = subprocess.run(
        [sys.executable, "-c", TORCH, tmp_path / "s"], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 10
    assert steps_recorded(tmp_path / "s") == list(range(11))
