"""Hugging Face: the callback records at the Trainer's steps; a language model with merged classes."""

import numpy as np
import pytest

import infogeo

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install 'infogeo[torch]'")
transformers = pytest.importorskip("transformers", reason="needs transformers: pip install 'infogeo[huggingface]'")
pytest.importorskip("accelerate", reason="needs accelerate: pip install 'infogeo[huggingface]'")
from infogeo.recorders.huggingface import RecorderCallback  # noqa: E402
from infogeo.recorders.torch import predictions  # noqa: E402

TEXT = (infogeo.__doc__ or "").encode()
LENGTH = 16


def tokens():
    """Overlapping pieces of a text, as bytes."""
    found = np.frombuffer(TEXT * 4, dtype=np.uint8).astype(np.int64)
    return torch.as_tensor(np.lib.stride_tricks.sliding_window_view(found, LENGTH)[::3].copy())


def language_model():
    torch.manual_seed(0)
    config = transformers.GPT2Config(vocab_size=256, n_positions=LENGTH, n_embd=32, n_layer=1, n_head=2)
    return transformers.GPT2LMHeadModel(config)


def next_token(model, batch):
    return model(**batch).logits[:, -2]


def train(model, pieces, folder, *callbacks, steps=30):
    arguments = transformers.TrainingArguments(
        str(folder / "out"), max_steps=steps, per_device_train_batch_size=16, learning_rate=1e-2, report_to=[],
        save_strategy="no", logging_strategy="no", disable_tqdm=True, use_cpu=True, dataloader_pin_memory=False,
    )  # fmt: skip
    rows = [{"input_ids": piece, "labels": piece} for piece in pieces]
    transformers.Trainer(model, arguments, train_dataset=rows, callbacks=list(callbacks)).train()


@pytest.mark.filterwarnings("ignore")  # of libraries, about devices and old names
def test_a_language_model_is_recorded_with_its_likely_tokens(tmp_path):
    model, pieces = language_model(), tokens()
    probe, labels = {"input_ids": pieces[:40]}, pieces[:40, -1].numpy()
    first = predictions(model, probe, forward=next_token)
    keep = infogeo.leading_classes(first, 20, labels=labels)
    record = infogeo.Recorder(
        tmp_path / "s", run="gpt", probe=infogeo.Probe(probe, labels=labels), schedule=infogeo.EverySteps(10),
        options=infogeo.RecordingOptions(keep=keep),
    )  # fmt: skip
    train(model, pieces, tmp_path, RecorderCallback(record, probe, forward=next_token))
    back = infogeo.load(tmp_path / "s")
    assert back.points["step"].tolist() == [0, 10, 20, 30]
    assert back.log_probs.shape == (4, 40, 21)
    _, loss = back.scores()
    assert loss[-1] < 0.8 * loss[0]
    assert abs(loss[0] - np.log(256)) < 0.5  # an untrained model knows little more than that there are 256 bytes


class Fail(transformers.TrainerCallback):
    """A training that fails at its third step."""

    def on_step_end(self, args, state, control, **rest):
        if state.global_step == 3:
            raise RuntimeError("training failed")


def recorded(folder, **options):
    return infogeo.Recorder(folder / "s", run="gpt", probe=infogeo.Probe(tokens()[:10]), **options)


def watched(record):
    return RecorderCallback(record, {"input_ids": tokens()[:10]}, forward=next_token)


@pytest.mark.filterwarnings("ignore")
def test_after_an_exception_the_run_goes_on_once_its_recorder_has_let_go(tmp_path):
    first = recorded(tmp_path)
    with pytest.raises(RuntimeError, match="training failed"):
        train(language_model(), tokens(), tmp_path, watched(first), Fail(), steps=5)
    with pytest.raises(infogeo.InputError, match="another recorder of this process, .*close.finished=False"):
        train(language_model(), tokens(), tmp_path, watched(recorded(tmp_path, resume=2)), steps=5)
    first.close(finished=False)
    with pytest.raises(RuntimeError, match="training failed"), recorded(tmp_path, resume=2) as second:
        train(language_model(), tokens(), tmp_path, watched(second), Fail(), steps=5)
    with recorded(tmp_path, resume=True) as third:
        train(language_model(), tokens(), tmp_path, watched(third), steps=5)
    assert infogeo.load(tmp_path / "s").points["step"].tolist() == [0, 1, 2, 3, 4, 5]
    with pytest.raises(infogeo.InputError, match="recorder: that of run 'gpt' is closed, .*another run name"):
        train(language_model(), tokens(), tmp_path, watched(third), steps=5)
