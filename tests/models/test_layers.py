from types import SimpleNamespace

import numpy as np
import pytest

from adamcore.models import (
    Bias,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    MaxPool2D,
    ReLU,
    Sequential,
    Softplus,
    WinogradConv2D,
    glorot_uniform,
    he_normal,
)
from tests.models.numerical import assert_close, gradient

SEED = 5

CASES = {
    "Dense": (lambda: Dense(5, 3), (4, 5)),
    "Dense, one of everything": (lambda: Dense(1, 1), (1, 1)),
    "Bias of a matrix": (lambda: Bias(3), (4, 3)),
    "Bias of images": (lambda: Bias(3), (2, 3, 1, 3)),
    "ReLU": (ReLU, (4, 5)),
    "ReLU of images": (ReLU, (2, 3, 4, 2)),
    "Softplus": (Softplus, (4, 5)),
    "Dropout, a half": (lambda: Dropout(0.5), (4, 5)),
    "Dropout, little": (lambda: Dropout(0.1), (4, 5)),
    "Dropout, much": (lambda: Dropout(0.9), (2, 3, 4, 2)),
    "Flatten": (Flatten, (2, 3, 4, 2)),
    "Conv2D": (lambda: Conv2D(3, 4), (2, 6, 7, 3)),
    "Conv2D, few channels to many": (lambda: Conv2D(1, 6), (2, 7, 5, 1)),
    "Conv2D, as few as make whole windows": (lambda: Conv2D(2, 6, size=3), (3, 4, 3, 2)),
    "Conv2D, an image smaller than the window": (lambda: Conv2D(2, 3), (1, 2, 1, 2)),
    "Conv2D, few channels, smaller than the window": (lambda: Conv2D(1, 5), (1, 1, 2, 1)),
    "Conv2D, one pixel": (lambda: Conv2D(2, 3, size=1), (2, 3, 2, 2)),
    "Conv2D, seven pixels": (lambda: Conv2D(2, 1, size=7), (1, 5, 9, 2)),
    "WinogradConv2D": (lambda: WinogradConv2D(3, 4), (2, 8, 4, 3)),
    "WinogradConv2D, odd sizes": (lambda: WinogradConv2D(2, 3), (3, 7, 5, 2)),
    "WinogradConv2D, smaller than a tile": (lambda: WinogradConv2D(1, 2), (1, 1, 3, 1)),
    "MaxPool2D, even": (MaxPool2D, (2, 6, 4, 3)),
    "MaxPool2D, odd": (MaxPool2D, (2, 5, 7, 2)),
    "MaxPool2D, even and odd": (MaxPool2D, (1, 2, 3, 1)),
    "MaxPool2D, smallest": (MaxPool2D, (1, 2, 2, 1)),
    "Sequential": (lambda: Sequential(Dropout(0.3), Dense(4, 5), Softplus(), Dropout(0.5), Dense(5, 2)), (3, 4)),
    "Sequential of images": (
        lambda: Sequential(Conv2D(2, 3), MaxPool2D(), Bias(3), ReLU(), Flatten(), Dense(2 * 3 * 3, 2)),
        (2, 5, 7, 2),
    ),
}


def made(case, dtype=np.float64):
    """A layer with parameters, an input, and room for its gradients."""
    make, shape = CASES[case]
    layer, rng = make(), np.random.default_rng(0)
    w, d = (
        SimpleNamespace(**{name: np.full(shape, np.nan, dtype) for name, shape in layer.shapes.items()})
        for _ in range(2)
    )
    layer.init(w, rng)
    for parameters in vars(w).values():
        assert np.isfinite(parameters).all()
        parameters += rng.normal(scale=0.1, size=parameters.shape)  # biases other than zero
    return layer, w, d, rng.normal(size=shape).astype(dtype)


@pytest.mark.parametrize("noisy", [True, False], ids=["noise", "evaluation"])
@pytest.mark.parametrize("case", CASES)
def test_gradients(case, noisy):
    layer, w, d, x = made(case)

    def rng():
        return np.random.default_rng(SEED) if noisy else None

    direction = np.random.default_rng(1).normal(size=layer.forward(x, w, rng()).shape)

    def loss(x, w):
        return float((layer.forward(x, w, rng()) * direction).sum())

    layer.forward(x, w, rng())
    dx = layer.backward(direction.copy(), w, d).copy()
    assert_close(dx, gradient(lambda x: loss(x, w), x))
    for name in layer.shapes:
        of_name = gradient(
            lambda array, name=name: loss(x, SimpleNamespace(**{**vars(w), name: array})), vars(w)[name]
        )
        assert_close(vars(d)[name], of_name)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES)
def test_dtype_is_kept_and_inputs_are_left_alone(case, dtype):
    layer, w, d, x = made(case, dtype)
    before = x.copy(), {name: array.copy() for name, array in vars(w).items()}
    y = layer.forward(x, w, np.random.default_rng(SEED))
    dy = np.ones_like(y)
    dx = layer.backward(dy, w, d)
    assert y.dtype == dx.dtype == dtype
    assert dx.shape == x.shape
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(dy, 1)
    for name, array in before[1].items():
        np.testing.assert_array_equal(vars(w)[name], array)


@pytest.mark.parametrize("case", CASES)
def test_earlier_minibatches_of_any_size_leave_no_trace(case):
    layer, w, d, x = made(case)

    def outcome(layer, x):
        y = layer.forward(x, w, np.random.default_rng(SEED)).copy()
        dx = layer.backward(np.sin(np.arange(y.size)).reshape(y.shape), w, d).copy()
        return [y, dx, *(array.copy() for array in vars(d).values())]

    fresh = outcome(CASES[case][0](), x)
    outcome(layer, np.concatenate([1e3 + x, 1e3 - x, x]))
    outcome(layer, x[:1])
    for now, then in zip(outcome(layer, x), fresh, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize("case", CASES)
def test_parameter_gradients_do_not_need_that_of_the_input(case):
    layer, w, d, x = made(case)
    dy = np.ones_like(layer.forward(x, w))
    layer.backward(dy, w, d)
    both = {name: array.copy() for name, array in vars(d).items()}
    for array in vars(d).values():
        array[...] = np.nan
    layer.backward(dy, w, d, input_gradient=False)
    for name, array in both.items():
        np.testing.assert_array_equal(vars(d)[name], array)


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.25, 0.5, 0.75, 0.999])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dropout_keeps_its_share_and_the_mean(rate, dtype):
    n = 200_000
    y = Dropout(rate).forward(np.ones((1, n), dtype), rng=np.random.default_rng(0))
    zeros = (y == 0).mean()
    assert abs(zeros - rate) < 5 * np.sqrt(rate * (1 - rate) / n) + 1 / 65536
    kept = y[y > 0]
    np.testing.assert_allclose(kept, 1 / (1 - rate), rtol=0.01)
    assert len(np.unique(kept)) == 1
    # The scale is of the rate that was rounded to 16 bits, so that the mean is kept exactly.
    np.testing.assert_allclose(np.unique(kept), 65536 / max(1, round((1 - rate) * 65536)), rtol=1e-6)


def test_dropout_entries_are_independent():
    """Neighbors, whose random bits come from one word, and examples: no more equal than by chance."""
    for rate in (0.5, 0.2):
        zero = Dropout(rate).forward(np.ones((400, 500)), rng=np.random.default_rng(0)) == 0
        expected = rate**2
        for lag in (1, 2, 3, 4, 7, 8):
            assert abs((zero[:, lag:] & zero[:, :-lag]).mean() - expected) < 0.005
        assert abs((zero[1:] & zero[:-1]).mean() - expected) < 0.005


def test_dropout_of_rate_zero_and_evaluation_draw_nothing():
    x, rng = np.ones((2, 3)), np.random.default_rng(0)
    for layer, source in ((Dropout(0.0), rng), (Dropout(0.5), None)):
        assert layer.forward(x, rng=source) is x
        assert layer.backward(x) is x
    assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state


def test_evaluation_after_training_has_no_noise_on_its_way_back():
    layer, x = Dropout(0.5), np.ones((3, 4))
    layer.forward(x, rng=np.random.default_rng(0))
    layer.forward(x)
    np.testing.assert_array_equal(layer.backward(x), 1)


def test_softplus_at_its_ends():
    for dtype in (np.float32, np.float64):
        layer = Softplus()
        y = layer.forward(np.array([[-1e4, -50.0, 50.0, 1e4]], dtype))
        np.testing.assert_allclose(y, [[0, np.exp(-50.0), 50, 1e4]], rtol=1e-6)
        np.testing.assert_allclose(layer.backward(np.ones_like(y)), [[0, np.exp(-50.0), 1, 1]], rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softplus_is_right_to_a_few_units_in_the_last_place(dtype):
    """Against numpy's log1p and exp in a wider type, where the result is not subnormal."""
    x = np.concatenate([np.linspace(-85, 85, 4001), np.linspace(-1, 1, 1001)]).astype(dtype)[np.newaxis]
    layer, wide = Softplus(), x.astype(np.longdouble)
    y = layer.forward(x)
    few = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(y, np.maximum(wide, 0) + np.log1p(np.exp(-abs(wide))), rtol=few)
    np.testing.assert_allclose(layer.backward(np.ones_like(x)), 1 / (1 + np.exp(-wide)), rtol=few)


def test_relu_has_slope_zero_at_zero():
    layer = ReLU()
    assert layer.forward(np.zeros((1, 1))) == 0
    assert layer.backward(np.ones((1, 1))) == 0


def test_initializations():
    rng = np.random.default_rng(0)
    he = he_normal(rng, (300, 400), fan_in=300)
    np.testing.assert_allclose(he.var(), 2 / 300, rtol=0.02)
    assert abs(he.mean()) < 1e-3
    glorot = glorot_uniform(rng, (300, 400))
    limit = np.sqrt(6 / 700)
    np.testing.assert_allclose([glorot.min(), glorot.max()], [-limit, limit], rtol=1e-3)
    np.testing.assert_allclose(glorot.var(), 2 / 700, rtol=0.02)


def test_he_keeps_the_mean_square_through_many_layers():
    rng, x = np.random.default_rng(0), np.random.default_rng(1).normal(size=(50, 400))
    for _ in range(10):
        x = np.maximum(x @ he_normal(rng, (400, 400), fan_in=400), 0)
    assert 0.5 < (x**2).mean() * 2 < 2 * 2


@pytest.mark.parametrize(
    ("layer", "deviation"),
    [
        (Dense(300, 200), np.sqrt(2 / 300)),
        (Dense(300, 200, "glorot"), np.sqrt(2 / 500)),
        (Conv2D(40, 30, size=5), np.sqrt(2 / (25 * 40))),
        (Conv2D(40, 30, size=3, initialization="glorot"), np.sqrt(2 / (9 * 70))),
        (WinogradConv2D(40, 30, "glorot"), np.sqrt(2 / (25 * 70))),
    ],
)
def test_layers_start_with_their_initialization(layer, deviation):
    w = SimpleNamespace(**{name: np.full(shape, np.nan) for name, shape in layer.shapes.items()})
    layer.init(w, np.random.default_rng(0))
    np.testing.assert_allclose(w.W.std(), deviation, rtol=0.03)
    assert not np.any(getattr(w, "b", 0))


def test_the_names_of_parameters():
    network = Sequential(Conv2D(1, 2), Bias(2), ReLU(), Flatten(), Dense(2, 3), prefix="first_")
    assert list(network.shapes) == ["first_W1", "first_b1", "first_W2", "first_b2"]
    assert repr(network) == "Sequential(Conv2D(1, 2, size=5), Bias(2), ReLU(), Flatten(), Dense(2, 3))"
    assert [repr(layer) for layer in (Dropout(0.5), Softplus(), MaxPool2D())] == [
        "Dropout(0.5)",
        "Softplus()",
        "MaxPool2D()",
    ]


def test_a_layer_without_a_function_passes_on():
    x = np.ones((1, 1))
    assert Layer().forward(x) is x
    assert Layer().backward(x) is x


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Dense(0, 1), "n_in = 0 .*integer, 1 or more"),
        (lambda: Dense(1, 2.5), "n_out = 2.5 .*integer, 1 or more"),
        (lambda: Dense(1, True), "n_out = True .*integer"),
        (lambda: Dense(1, 1, "zero"), "initialization = 'zero' .*'he' or 'glorot'"),
        (lambda: Bias(-1), "n_channels = -1 .*1 or more"),
        (lambda: Conv2D(1, 1, size=4), "size = 4 .*odd"),
        (lambda: Conv2D(0, 1), "n_in = 0"),
        (lambda: Conv2D(1, 1, initialization="zero"), "initialization = .zero. .*.he. or .glorot."),
        (lambda: Dropout(1.0), "rate = 1.0 .*below 1"),
        (lambda: Dropout(-0.1), "rate = -0.1 .*at least 0"),
        (lambda: Dropout(float("nan")), "rate = nan"),
        (lambda: Dense(2, 1).forward(np.ones((1, 3))), r"x has shape \(1, 3\); Dense\(2, 1\) needs \(n, 2\)"),
        (lambda: Bias(2).forward(np.ones((1, 3))), r"x has shape \(1, 3\); Bias\(2\) needs"),
        (lambda: Conv2D(2, 1).forward(np.ones((1, 3, 3, 1))), r"x has shape \(1, 3, 3, 1\); Conv2D\(2, 1, size=5\)"),
        (lambda: WinogradConv2D(2, 0), "n_out = 0"),
        (lambda: WinogradConv2D(2, 1).forward(np.ones((1, 3, 3, 1))), r"x has shape .* WinogradConv2D\(2, 1\) needs"),
        (lambda: MaxPool2D().forward(np.ones((1, 1, 3, 1))), r"x has shape \(1, 1, 3, 1\); MaxPool2D needs .*2 by 2"),
    ],
)
def test_errors(make, words):
    with pytest.raises(ValueError, match=words):
        make()
