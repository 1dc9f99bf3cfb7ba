"""PyTorch: a plain loop records, and the training does not notice."""

import numpy as np
import pytest

import infogeo
from tests.recorders.digits import data, learned, recorder

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install 'infogeo[torch]'")
from infogeo.recorders.torch import predictions  # noqa: E402


def network():
    torch.manual_seed(0)
    layers = [torch.nn.Linear(64, 32), torch.nn.BatchNorm1d(32), torch.nn.ReLU(), torch.nn.Dropout(0.3)]
    return torch.nn.Sequential(*layers, torch.nn.Linear(32, 10))


def train(model, log, steps=60):
    x, y, *_ = data()
    x, y = torch.as_tensor(x), torch.as_tensor(y)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(steps + 1):
        log(step)
        rows = torch.randint(0, len(x), (50,))
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
        optimiser.step()


def test_a_plain_loop_is_recorded(tmp_path):
    probe, model = data()[2], network()
    with recorder(tmp_path / "s", schedule=infogeo.LogSpaced(5)) as record:
        train(model, lambda step: record.log(step, lambda: predictions(model, probe, batch_size=7)))
    assert learned(tmp_path / "s") == [0, 1, 2, 3, 4, 6, 10, 16, 25, 40]


def test_what_is_recorded_is_what_the_model_says_in_evaluation(tmp_path):
    probe, model = data()[2], network()
    found = predictions(model, probe, batch_size=7)
    with torch.no_grad():
        expected = torch.cat([model.eval()(torch.as_tensor(part)) for part in np.split(probe, range(7, 60, 7))])
    assert np.array_equal(found, expected.numpy())


def test_training_does_not_notice_that_it_is_recorded(tmp_path):
    """Weights, running means and random numbers are bit for bit those of a training that nobody watches."""
    probe, ends = data()[2], []
    for watched in (True, False):
        model = network()
        model[3].eval()  # a module that somebody keeps in evaluation mode stays so
        train(model, (lambda step, model=model: predictions(model, probe)) if watched else (lambda step: None))
        assert model.training
        assert not model[3].training
        ends.append([*(v.clone() for v in model.state_dict().values()), torch.rand(3)])
    for watched, alone in zip(*ends, strict=True):
        assert torch.equal(watched, alone)


def test_gradients_stay():
    probe, model = data()[2], network()
    model(torch.as_tensor(probe)).sum().backward()
    before = [parameter.grad.clone() for parameter in model.parameters()]
    predictions(model, probe)
    assert all(torch.equal(p.grad, b) for p, b in zip(model.parameters(), before, strict=True))
    assert torch.is_grad_enabled()


def test_modes_come_back_when_the_model_fails():
    model = network()
    with pytest.raises(RuntimeError):
        predictions(model, np.zeros((3, 5), dtype=np.float32))
    assert model.training


class Two(torch.nn.Module):
    """Two inputs, and an output with logits, as language models have."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 3)

    def forward(self, a, b):
        return type("Output", (), {"logits": self.layer(a + b)})()


@pytest.mark.parametrize("form", [tuple, dict])
def test_inputs_may_be_several_and_outputs_may_have_logits(form):
    a, b = np.random.default_rng(0).normal(size=(2, 9, 4)).astype(np.float32)
    model = Two()
    found = predictions(model, (a, b) if form is tuple else {"a": a, "b": b}, batch_size=4)
    assert found.shape == (9, 3)
    assert np.array_equal(found[8:], predictions(model, (a[8:], b[8:])))


def test_bfloat16_models_are_recorded_as_float32():
    model = torch.nn.Linear(4, 3).to(torch.bfloat16)
    found = predictions(model, torch.zeros(5, 4, dtype=torch.bfloat16))
    assert found.dtype == np.float32
    assert np.array_equal(found[0], model.bias.detach().float().numpy())


def test_an_output_that_is_no_prediction_is_refused():
    with pytest.raises(infogeo.InputError, match=r"model: gives \(5, 2, 3\), expected \[N, C\]; say with `forward`"):
        predictions(torch.nn.Linear(4, 3), np.zeros((5, 2, 4), dtype=np.float32))
    found = predictions(
        torch.nn.Linear(4, 3), np.zeros((5, 2, 4), dtype=np.float32), forward=lambda model, batch: model(batch)[:, -1]
    )
    assert found.shape == (5, 3)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (torch.utils.data.DataLoader(torch.zeros(6, 4)), "inputs: is of the type DataLoader; give an array"),
        ([torch.zeros(4), torch.zeros(4)], "inputs: are a list of arrays or tensors; stack them, or give an array"),
        (
            (torch.zeros(3, 4), torch.utils.data.TensorDataset(torch.zeros(3, 4))),
            "inputs: is of the type TensorDataset",
        ),
        (None, "inputs: is missing; give an array"),
    ],
)
def test_inputs_that_are_no_arrays_are_refused(inputs, said):
    with pytest.raises(infogeo.InputError, match=said):
        predictions(torch.nn.Linear(4, 3), inputs)


def test_inputs_may_be_lists_of_numbers():
    model = torch.nn.Linear(2, 3)
    given = [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    assert np.array_equal(
        predictions(model, given, batch_size=2), predictions(model, torch.tensor(given), batch_size=2)
    )


@pytest.mark.gpu
def test_a_model_on_a_gpu_is_asked_there():
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU that PyTorch can see")
    probe, model = data()[2], network()
    expected = predictions(model, probe)
    found = predictions(model.cuda(), probe)
    assert np.abs(found - expected).max() <= 1e-2 * np.abs(expected).max()  # TF32 keeps 10 bits of a product's factors
