"""Lightning: the callback records at the trainer's steps."""

import numpy as np
import pytest

import infogeo
from tests.recorders.digits import data, learned, recorder

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install 'infogeo[torch]'")
lightning = pytest.importorskip("lightning.pytorch", reason="needs Lightning: pip install 'infogeo[lightning]'")
from infogeo.recorders.lightning import RecorderCallback  # noqa: E402


class Classifier(lightning.LightningModule):
    def __init__(self, fail_at=None):
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.fail_at = torch.nn.Sequential(torch.nn.Linear(64, 10), torch.nn.Dropout(0.1)), fail_at

    def forward(self, x):
        return self.layer(x)

    def training_step(self, batch, number):
        if number == self.fail_at:
            raise RuntimeError("training failed")
        return torch.nn.functional.cross_entropy(self(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=3e-2)


def fit(callback, folder, model=None, epochs=2):
    x, y, *_ = data()
    batches = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.as_tensor(x), torch.as_tensor(y)), batch_size=20
    )
    trainer = lightning.Trainer(
        max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[callback], default_root_dir=folder,
    )  # fmt: skip
    trainer.fit(model or Classifier(), batches)


@pytest.mark.filterwarnings("ignore")  # Lightning warns of few workers, and of much else
def test_a_fit_is_recorded_and_finished(tmp_path):
    record = recorder(tmp_path / "s", schedule=infogeo.EverySteps(10))
    fit(RecorderCallback(record, data()[2]), tmp_path)
    assert learned(tmp_path / "s") == [0, 10, 20, 30, 40]
    with pytest.raises(infogeo.InputError, match="is finished"):
        recorder(tmp_path / "s")


@pytest.mark.filterwarnings("ignore")
def test_a_fit_that_fails_keeps_what_was_recorded_and_can_go_on(tmp_path):
    record = recorder(tmp_path / "s", schedule=infogeo.EverySteps(5))
    with pytest.raises(RuntimeError, match="training failed"):
        fit(RecorderCallback(record, data()[2]), tmp_path, Classifier(fail_at=12))
    again = recorder(tmp_path / "s", resume=True)
    assert again.last_step == 10


@pytest.mark.filterwarnings("ignore")
def test_a_second_fit_with_a_recorder_that_is_closed_is_refused(tmp_path):
    callback = RecorderCallback(recorder(tmp_path / "s", schedule=infogeo.EverySteps(20)), data()[2])
    fit(callback, tmp_path, epochs=1)
    with pytest.raises(infogeo.InputError, match="recorder: that of run 'a' is closed, .*another run name"):
        fit(callback, tmp_path, epochs=2)


@pytest.mark.filterwarnings("ignore")
def test_several_probes_are_asked_at_once(tmp_path):
    x, y, probe, labels = data()
    probes = {"train": infogeo.Probe(x[:30], labels=y[:30]), "test": infogeo.Probe(probe, labels=labels)}
    record = infogeo.Recorder(tmp_path / "s", run="a", probe=probes, schedule=infogeo.EverySteps(20))
    fit(RecorderCallback(record, {"train": x[:30], "test": probe}), tmp_path)
    assert learned(tmp_path / "s/train") == learned(tmp_path / "s/test") == [0, 20, 40]
    assert np.isfinite(infogeo.load(tmp_path / "s/train").log_probs).all()
