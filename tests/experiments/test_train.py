import importlib
import sys
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import pytest

from adamcore import SGD, Adam, LogisticRegression, inverse_sqrt
from adamcore.experiments import streams, train
from adamcore.experiments.progress import progress_bar
from adamcore.models import MLP


@pytest.fixture
def small():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 4)).astype(np.float32)
    return x, (x[:, 0] > 0).astype(int)


def test_history(small):
    x, y = small
    seen = []
    history = train(
        LogisticRegression(4, 2, l2=0.1),
        Adam(alpha=0.05),
        (x, y),
        epochs=20,
        batch_size=16,
        streams=streams(0),
        callbacks=[lambda epoch, h: seen.append((epoch, h.epoch_cost[-1]))],
    )
    assert seen == list(enumerate(history.epoch_cost, start=1))
    assert history.state.t == 20 * 4
    assert len(history.first_losses) == 5
    assert history.first_losses[0] == pytest.approx(np.log(2))
    assert history.diverged_at is None
    assert history.epoch_cost[-1] < 0.5 * history.epoch_cost[0]
    assert all(total > cost for total, cost in zip(history.epoch_objective, history.epoch_cost, strict=True))


def test_losses_of_every_step_and_cost_of_all_data_on_request(small):
    x, y = small
    model = LogisticRegression(4, 2, l2=0.1)
    options = {"epochs": 3, "batch_size": 16}
    history = train(model, Adam(), small, streams=streams(0), step_losses=True, full_cost=True, **options)
    assert len(history.step_losses) == 3 * 4
    assert history.step_losses[:5] == history.first_losses
    last, _ = model.loss_and_grad(history.state.theta, (x, y))
    assert history.full_cost[-1] == pytest.approx(last - model.penalty(history.state.theta))
    plain = train(model, Adam(), small, streams=streams(0), **options)
    assert plain.epoch_cost == history.epoch_cost
    assert (plain.step_losses, plain.full_cost) == ([], [])
    assert len(plain.epoch_seconds) == 3


def test_a_callback_may_stop_and_training_go_on(small):
    """All callbacks of that epoch are called; what follows gives the bits of a training that never stopped."""
    model, called = LogisticRegression(4, 2), []
    callbacks = [lambda epoch, h: epoch == 2, lambda epoch, h: called.append(epoch)]
    whole = train(model, Adam(), small, epochs=5, batch_size=16, streams=streams(0))
    source = streams(0)
    history = train(model, Adam(), small, epochs=5, batch_size=16, streams=source, callbacks=callbacks)
    assert called == [1, 2]
    assert history.epoch_cost == whole.epoch_cost[:2]
    assert train(model, Adam(), small, epochs=5, batch_size=16, streams=source, history=history) is history
    assert history.epoch_cost == whole.epoch_cost
    np.testing.assert_array_equal(history.state.theta, whole.state.theta)
    assert history.start == whole.start


def test_the_start_is_told_apart(small):
    def start(seed, rule, epochs=1):
        model = LogisticRegression(4, 2)
        return train(model, rule, small, epochs=epochs, batch_size=16, streams=streams(seed)).start

    assert start(0, Adam()) == start(0, SGD())
    assert start(0, Adam(), epochs=3) == start(0, Adam())  # of the first epoch
    assert start(0, Adam())["order"] != start(1, Adam())["order"]


def test_no_epoch_at_all_and_fewer(small):
    model = LogisticRegression(4, 2)
    assert train(model, Adam(), small, epochs=0, batch_size=16, streams=streams(0)).epoch_cost == []
    with pytest.raises(ValueError, match="train: epochs = -1 is not allowed; it must be 0 or more"):
        train(model, Adam(), small, epochs=-1, batch_size=16, streams=streams(0))


def test_a_bar_only_on_request(small, capsys):
    model = LogisticRegression(4, 2)
    train(model, Adam(), small, epochs=2, batch_size=16, streams=streams(0))
    assert capsys.readouterr() == ("", "")
    train(model, Adam(), small, epochs=2, batch_size=16, streams=streams(0), progress=True)
    shown = capsys.readouterr().err
    assert "2/2" in shown
    assert "cost=" in shown


@pytest.fixture
def notebook(monkeypatch):
    """Make this process look like a notebook's kernel to tqdm; what is returned adds widgets, or their absence."""
    ipython = pytest.importorskip("IPython")
    modules = ("auto", "autonotebook", "notebook")
    for name in modules:  # so that there is something to come back to after the test
        importlib.import_module(f"tqdm.{name}")
    monkeypatch.setattr(ipython, "get_ipython", lambda: SimpleNamespace(config={"IPKernelApp": {}}))
    monkeypatch.setitem(sys.modules, "ipykernel.zmqshell", SimpleNamespace())
    monkeypatch.setattr("IPython.display.display", lambda *shown, **more: None)
    for name in modules:  # they look when they are imported
        monkeypatch.delitem(sys.modules, f"tqdm.{name}")
        monkeypatch.delattr(f"tqdm.{name}")

    def with_widgets(there):
        widgets = SimpleNamespace(HTML=MagicMock, FloatProgress=MagicMock, HBox=MagicMock)
        monkeypatch.setitem(sys.modules, "ipywidgets", widgets if there else None)

    return with_widgets


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("widgets", [True, False])
def test_a_bar_is_a_widget_in_a_notebook_that_has_widgets(notebook, capsys, widgets):
    """And text in one that has none, without the warning that would stand in every chapter."""
    notebook(widgets)
    with progress_bar(True, total=2) as bar:
        bar.update()
    assert [kind.__module__ for kind in type(bar).__mro__].count("tqdm.notebook") == widgets
    assert ("1/2" in capsys.readouterr().err) != widgets


def test_a_bar_is_text_in_a_terminal_and_not_even_that_where_none_is_wanted(capsys):
    with progress_bar(True, total=2) as bar:
        bar.update()
    assert "1/2" in capsys.readouterr().err
    with progress_bar(False, total=2) as bar:
        bar.update()
    assert capsys.readouterr() == ("", "")


def test_parts_of_the_data_have_one_length(small):
    """Otherwise the surplus would be left out without a word."""
    x, y = small
    for data in ((x, y[1:]), (x[1:], y)):
        with pytest.raises(ValueError, match=r"the parts of data have the lengths \[(50, 49|49, 50)\]; all must"):
            train(LogisticRegression(4, 2), Adam(), data, epochs=1, batch_size=16, streams=streams(0))


def test_evaluation_is_without_dropout(small):
    x, y = small
    model = MLP((4, 8, 2), hidden_dropout=0.9)
    history = train(model, SGD(alpha=0), small, epochs=1, batch_size=50, streams=streams(0), full_cost=True)
    assert history.full_cost[0] == pytest.approx(model.loss(history.state.theta, (x, y.astype(np.intp))), rel=1e-5)
    assert history.full_cost[0] != pytest.approx(history.epoch_cost[0], rel=1e-3)


def test_each_example_weighs_the_same(small):
    """With a step size of 0, the mean over an epoch is the cost of the whole set, short last batch or not."""
    x, y = small
    model = LogisticRegression(4, 2)
    history = train(model, SGD(alpha=0), (x, y), epochs=1, batch_size=16, streams=streams(0))
    assert history.epoch_cost[0] == pytest.approx(model.loss_and_grad(model.init(None), (x, y))[0])


def test_same_seed_same_numbers_other_seed_other_order(small):
    def losses(seed):
        model = LogisticRegression(4, 2)
        return train(model, Adam(), small, epochs=2, batch_size=16, streams=streams(seed)).first_losses

    assert losses(3) == losses(3)
    assert losses(3) != losses(4)


def test_streams_are_independent():
    one, other = streams(0), streams(0)
    one.initialization.normal(size=1000)
    assert one.order.integers(1 << 30) == other.order.integers(1 << 30)
    assert one.noise.integers(1 << 30) != one.order.integers(1 << 30)


class Cliff:
    """An objective whose loss, or gradient, stops being finite at the third step."""

    def __init__(self, loss, gradient):
        self.values = {3: (loss, gradient)}
        self.step = 0

    def init(self, rng):
        return np.zeros(1)

    def loss_and_grad(self, theta, batch, rng):
        self.step += 1
        loss, gradient = self.values.get(self.step, (1.0, 1.0))
        return loss, np.array([gradient])

    def penalty(self, theta):
        return 0.0


@pytest.mark.parametrize(("loss", "gradient"), [(np.nan, 1.0), (np.inf, 1.0), (1.0, np.nan)])
def test_divergence_is_reported_with_its_step_and_the_history_kept(loss, gradient):
    x = np.zeros((2, 1))
    history = train(Cliff(loss, gradient), SGD(), (x, x[:, 0]), epochs=9, batch_size=1, streams=streams(0))
    assert history.diverged_at == 3
    assert history.epoch_cost == [1.0]
    assert history.state.t == 2
    # Asked to go on, it stays where it ended.
    model = Cliff(1.0, 1.0)
    train(model, SGD(), (x, x[:, 0]), epochs=9, batch_size=1, streams=streams(0), history=history)
    assert (history.diverged_at, history.epoch_cost, history.state.t, model.step) == (3, [1.0], 2, 0)


@pytest.mark.filterwarnings("error")
def test_overflow_on_the_way_to_divergence_is_silent(small):
    x, y = small
    model = LogisticRegression(4, 2, l2=1.0)
    rule = SGD(alpha=inverse_sqrt(1e30))
    assert train(model, rule, (x, y), epochs=3, batch_size=16, streams=streams(0)).diverged_at is not None
