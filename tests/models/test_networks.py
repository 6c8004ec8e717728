import numpy as np
import pytest

from adamcore import CNN, MLP, VAE
from adamcore.models import Classifier, Dense, Dropout, network
from tests.models.numerical import assert_close, gradient
from tests.models.test_convolution import by_definition, windows

MODELS = {
    "MLP": lambda **options: MLP((5, 4, 3, 2), l2=0.3, **options),
    "MLP with dropout": lambda **options: MLP((5, 7, 3), input_dropout=0.2, hidden_dropout=0.5, l2=0.1, **options),
    "MLP without a hidden layer": lambda **options: MLP((5, 3), **options),
    "CNN": lambda **options: CNN((5, 7, 2), channels=(3, 4), hidden=5, n_classes=3, l2=0.2, **options),
    "CNN with dropout": lambda **options: CNN(
        (4, 6, 1), channels=(6,), hidden=4, n_classes=2, input_dropout=0.2, hidden_dropout=0.5, **options
    ),
    "CNN by Winograd": lambda **options: CNN(
        (5, 9, 1), channels=(2, 3), hidden=4, n_classes=3, l2=0.1, convolution="winograd", **options
    ),
    "VAE": lambda **options: VAE(6, hidden=5, n_latent=2, **options),
}


def made(name, n=3, dtype=np.float64):
    """A model, parameters away from every kink, and a minibatch."""
    model, rng = MODELS[name](dtype=dtype), np.random.default_rng(0)
    theta = model.init(rng) + rng.normal(scale=0.2, size=model.layout.size).astype(dtype)
    if isinstance(model, VAE):
        return model, theta, (rng.random((n, 6)).astype(dtype),)
    x = rng.normal(size=(n, *model.example)).astype(dtype)
    return model, theta, (x, rng.integers(model.n_classes, size=n))


def noise(noisy=True):
    return np.random.default_rng(7) if noisy else None


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("noisy", [True, False], ids=["noise", "evaluation"])
@pytest.mark.parametrize("name", MODELS)
def test_gradient(name, noisy, n):
    model, theta, batch = made(name, n)
    loss, ours = model.loss_and_grad(theta, batch, noise(noisy))
    assert loss == pytest.approx(model.loss(theta, batch, noise(noisy)), rel=1e-14)
    assert_close(ours, gradient(lambda theta: model.loss(theta, batch, noise(noisy)), theta))


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_fresh_whatever_the_sizes_of_minibatches(name):
    model, theta, batch = made(name, n=4)
    first, short = model.loss_and_grad(theta, batch, noise()), tuple(part[:1] for part in batch)
    kept = first[1].copy()
    model.loss_and_grad(theta, short, noise())
    model.loss(theta, short)
    np.testing.assert_array_equal(first[1], kept)
    again = model.loss_and_grad(theta, batch, noise())
    assert again[0] == first[0]
    np.testing.assert_array_equal(again[1], kept)
    assert not np.shares_memory(again[1], first[1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", MODELS)
def test_dtype_is_kept_and_inputs_are_left_alone(name, dtype):
    model, theta, batch = made(name, dtype=dtype)
    copies = [array.copy() for array in (theta, *batch)]
    loss, ours = model.loss_and_grad(theta, batch, noise())
    assert type(loss) is type(model.loss(theta, batch)) is type(model.penalty(theta)) is float
    assert ours.dtype == model.init(np.random.default_rng(0)).dtype == dtype
    assert ours.shape == theta.shape
    for array, copy in zip((theta, *batch), copies, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("name", MODELS)
def test_both_dtypes_start_alike_and_agree(name):
    (single, theta, batch), (double, _, _) = made(name, dtype=np.float32), made(name)
    starts = [model.init(np.random.default_rng(0)) for model in (single, double)]
    np.testing.assert_array_equal(starts[0], starts[1].astype(np.float32))
    loss, ours = single.loss_and_grad(theta, batch)
    wide = tuple(part.astype(float) if part.dtype == np.float32 else part for part in batch)
    double_loss, double_ours = double.loss_and_grad(theta.astype(float), wide)
    assert loss == pytest.approx(double_loss, rel=1e-5)
    np.testing.assert_allclose(ours, double_ours, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in MODELS if "dropout" in name or name == "VAE"])
def test_noise_is_only_where_a_generator_is_given(name):
    model, theta, batch = made(name)
    assert model.loss(theta, batch, noise()) != model.loss(theta, batch)
    assert model.loss(theta, batch) == model.loss(theta, batch)
    rng = noise()
    assert model.loss(theta, batch, rng) != model.loss(theta, batch, rng)


@pytest.mark.parametrize("name", MODELS)
def test_a_long_batch_is_evaluated_in_parts(name, monkeypatch):
    model, theta, batch = made(name, n=7)
    whole, predicted = model.loss(theta, batch), model.predict(theta, batch[0])
    monkeypatch.setattr(network, "EVALUATED_AT_ONCE", 3)
    assert model.loss(theta, batch) == pytest.approx(whole, rel=1e-14)
    np.testing.assert_allclose(model.predict(theta, batch[0]), predicted, rtol=1e-13)
    assert len(predicted) == 7


@pytest.mark.parametrize("name", [name for name in MODELS if name != "VAE"])
def test_the_likeliest_class_is_predicted(name):
    model, theta, (x, _) = made(name, n=20)
    costs = [[model.loss(theta, (x[i : i + 1], np.array([k]))) for k in range(model.n_classes)] for i in range(20)]
    np.testing.assert_array_equal(model.predict(theta, x), np.argmin(costs, axis=1))


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-11), (np.float32, 1e-3)])
def test_both_ways_of_convolution_are_one_function(dtype, rtol):
    options = {"channels": (6, 8, 5), "hidden": 10, "input_dropout": 0.2, "hidden_dropout": 0.5, "dtype": dtype}
    direct, winograd = (CNN((20, 11, 3), convolution=way, **options) for way in ("direct", "winograd"))
    assert [type(layer).__name__ for layer in winograd.layers.layers].count("WinogradConv2D") == 2
    rng = np.random.default_rng(0)
    theta = direct.init(np.random.default_rng(1))
    np.testing.assert_array_equal(winograd.init(np.random.default_rng(1)), theta)
    batch = rng.normal(size=(30, 20, 11, 3)).astype(dtype), rng.integers(10, size=30)
    results = [model.loss_and_grad(theta, batch, noise()) for model in (direct, winograd)]
    assert results[0][0] == pytest.approx(results[1][0], rel=rtol)
    np.testing.assert_allclose(results[1][1], results[0][1], rtol=rtol, atol=rtol * np.abs(results[0][1]).max())


@pytest.mark.parametrize("convolution", ["direct", "winograd"])
def test_a_convolutional_network_is_its_formula(convolution):
    """By hand, from the definitions of convolution and pooling."""
    model = CNN((5, 7, 2), channels=(3, 4), hidden=5, n_classes=3, convolution=convolution, dtype=np.float64)
    rng = np.random.default_rng(0)
    w, x = model.layout.views(model.init(rng)), rng.normal(size=(4, 5, 7, 2))
    for name, b in vars(w).items():
        if name[0] == "b":
            b[...] = rng.normal(-1, 1, size=b.shape)  # so low that some units are off
    h = x
    for W, b in ((w.W1, w.b1), (w.W2, w.b2)):
        largest = {place: window.max(axis=(1, 2)) for place, window in windows(by_definition(h, W)).items()}
        h = np.empty((4, h.shape[1] // 2, h.shape[2] // 2, len(b)))
        for (i, j), pooled in largest.items():
            h[:, i, j] = np.maximum(pooled + b, 0)
        assert 0 < (h == 0).mean() < 1
    dense = np.maximum(h.reshape(4, -1) @ w.W3 + w.b3, 0)
    assert 0 < (dense == 0).mean() < 1
    expected = dense @ w.W4 + w.b4
    np.testing.assert_allclose(model.layers.forward(x, w), expected, rtol=1e-10, atol=1e-10)


def test_dropout_is_on_the_input_and_on_the_layers_that_the_paper_names():
    """Of the convolutional network on the input and the fully connected layer; of the other on each hidden layer."""
    rates = {"input_dropout": 0.2, "hidden_dropout": 0.5}

    def noisy(model):
        layers = model.layers.layers
        return len(layers), [(i, layer.rate) for i, layer in enumerate(layers) if isinstance(layer, Dropout)]

    n, found = noisy(CNN((8, 8, 1), channels=(2, 3), hidden=4, **rates))
    assert found == [(0, 0.2), (n - 2, 0.5)]
    n, found = noisy(MLP((5, 4, 3, 2), **rates))
    assert found == [(0, 0.2), (n - 5, 0.5), (n - 2, 0.5)]  # then come Dense and ReLU, and the last Dense alone


def test_the_penalty_is_half_lambda_times_the_squared_weights():
    model, theta, batch = made("CNN")
    w = model.layout.views(theta)
    squares = sum((getattr(w, name) ** 2).sum() for name in ("W1", "W2", "W3", "W4"))
    assert model.penalty(theta) == pytest.approx(0.1 * squares)
    free = CNN((5, 7, 2), channels=(3, 4), hidden=5, n_classes=3, dtype=np.float64)
    assert model.loss(theta, batch) - free.loss(theta, batch) == pytest.approx(0.1 * squares)
    assert free.penalty(theta) == 0


def test_the_penalty_of_many_weights_is_added_to_all_of_them(monkeypatch):
    model, theta, batch = made("MLP")
    whole = model.loss_and_grad(theta, batch)[1]
    monkeypatch.setattr(network, "SLICE", 3)
    np.testing.assert_array_equal(model.loss_and_grad(theta, batch)[1], whole)


def test_the_papers_networks():
    mlp, cnn, vae = MLP(), CNN(), VAE()
    assert mlp.layout.shapes == {
        **{"W1": (784, 1000), "b1": (1000,), "W2": (1000, 1000), "b2": (1000,)},
        **{"W3": (1000, 10), "b3": (10,)},
    }
    assert {name: shape for name, shape in cnn.layout.shapes.items() if name[0] == "W"} == {
        **{"W1": (5, 5, 3, 64), "W2": (5, 5, 64, 64), "W3": (5, 5, 64, 128)},
        **{"W4": (4 * 4 * 128, 1000), "W5": (1000, 10)},
    }
    assert {name: shape for name, shape in vae.layout.shapes.items() if "W" in name} == {
        **{"encoder_W1": (784, 500), "encoder_W2": (500, 100)},
        **{"decoder_W1": (50, 500), "decoder_W2": (500, 784)},
    }


def test_the_mean_square_of_the_largest_of_nine():
    rng = np.random.default_rng(0)
    assert (rng.normal(size=(100_000, 9)).max(axis=1) ** 2).mean() == pytest.approx(2.6, abs=0.05)


@pytest.mark.parametrize("convolution", ["direct", "winograd"])
def test_a_deep_network_starts_near_chance_as_glorot_has_it_and_not_as_he(convolution):
    rng = np.random.default_rng(0)
    batch = rng.standard_normal((64, 16, 16, 3), np.float32), rng.integers(10, size=64)
    losses = []
    for start in ("he", "glorot"):
        model = CNN((16, 16, 3), channels=(16, 16, 16), hidden=64, convolution=convolution, initialization=start)
        losses.append(model.loss(model.init(rng), batch))
    assert losses[0] > 1.5 * np.log(10)
    assert np.log(10) - 0.2 < losses[1] < 1.5 * np.log(10)


def test_networks_start_near_chance():
    rng = np.random.default_rng(0)
    for model, shape in (
        (MLP((20, 50, 50, 4)), (64, 20)),
        (CNN((8, 8, 2), channels=(8, 8), n_classes=4), (64, 8, 8, 2)),
    ):
        batch = rng.standard_normal(shape, np.float32), rng.integers(4, size=64)
        assert np.log(4) - 0.2 < model.loss(model.init(rng), batch) < np.log(4) + 2.5
    vae = VAE(20, hidden=10, n_latent=3)
    assert vae.loss(vae.init(rng), (rng.random((64, 20)).astype(np.float32),)) == pytest.approx(
        20 * np.log(2), rel=0.4
    )


def test_the_bound_is_reconstruction_plus_divergence():
    """By hand from the encoder's and decoder's outputs, with the noise that the model drew."""
    model, theta, (x,) = made("VAE", n=4)
    mean, log_variance = model.encode(theta, x)
    z = mean + np.exp(log_variance / 2) * noise().standard_normal(mean.shape)
    p = model.decode(theta, z)
    reconstruction = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1)
    divergence = 0.5 * (mean**2 + np.exp(log_variance) - log_variance - 1).sum(axis=1)
    assert model.loss(theta, (x,), noise()) == pytest.approx((reconstruction + divergence).mean(), rel=1e-12)
    np.testing.assert_allclose(model.predict(theta, x), model.decode(theta, mean), rtol=1e-12)
    np.testing.assert_allclose(
        model.predict(theta, x), 1 / (1 + np.exp(-model.decoder.forward(mean, model.layout.views(theta)))), rtol=1e-12
    )
    assert model.penalty(theta) == 0


@pytest.mark.parametrize("name", ["MLP", "CNN"])
def test_huge_parameters_give_a_finite_loss(name):
    model, theta, batch = made(name, dtype=np.float32)
    loss, ours = model.loss_and_grad(theta * np.float32(1e6), batch)
    assert np.isfinite(loss)
    assert np.isfinite(ours).all()


def test_columns_of_a_larger_array_are_welcome():
    model, theta, (x, y) = made("MLP")
    wide = np.repeat(x, 2, axis=1)[:, ::2]
    assert not wide.flags.c_contiguous
    np.testing.assert_array_equal(model.loss_and_grad(theta, (wide, y))[1], model.loss_and_grad(theta, (x, y))[1])


def test_they_print_what_they_are():
    assert repr(MLP((2, 1))) == "MLP((2, 1), input_dropout=0.0, hidden_dropout=0.0, l2=0.0, dtype=float32)"
    assert repr(CNN((8, 8, 1), channels=(2,), hidden=3, n_classes=4, dtype=np.float64)) == (
        "CNN((8, 8, 1), channels=(2,), hidden=3, n_classes=4, input_dropout=0.0, hidden_dropout=0.0, l2=0.0, "
        "convolution='direct', initialization='he', dtype=float64)"
    )
    assert repr(VAE()) == "VAE(784, hidden=500, n_latent=50, dtype=float32)"
    assert repr(Classifier(Dense(2, 3), example=(2,), n_classes=3)) == "Classifier(Dense(2, 3); l2=0.0)"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: MLP((3,)), r"sizes = \(3,\) has 1 entries; it must have 2 or more"),
        (lambda: MLP((3, 0)), r"sizes\[1\] = 0 .*1 or more"),
        (lambda: MLP((3, 2), input_dropout=1), "input_dropout = 1 .*below 1"),
        (lambda: MLP((3, 2), hidden_dropout=-1), "hidden_dropout = -1"),
        (lambda: MLP((3, 2), l2=-1), "l2 = -1 .*0 or more"),
        (lambda: MLP((3, 2), l2=np.inf), "l2 = inf .*finite"),
        (lambda: MLP((3, 2), dtype=np.float16), "dtype = .*float16.* numpy.float32 or numpy.float64"),
        (lambda: CNN((7, 8, 3)), r"image = \(7, 8, 3\) .*8 or more"),
        (lambda: CNN((8, 8, 3, 1)), r"image = \(8, 8, 3, 1\) .*height, width, channels"),
        (lambda: CNN((8, 8)), r"image = \(8, 8\) has 2 entries"),
        (lambda: CNN(channels=()), r"channels = \(\) has 0 entries"),
        (lambda: CNN(channels=(1, -1)), r"channels\[1\] = -1"),
        (lambda: CNN(hidden=0), "hidden = 0"),
        (lambda: CNN(initialization="xavier"), "initialization = 'xavier' .*'he' or 'glorot'"),
        (lambda: CNN(convolution="fft"), "convolution = 'fft' .*'direct' or 'winograd'"),
        (lambda: CNN(n_classes=0), "n_classes = 0"),
        (lambda: VAE(0), "n_pixels = 0"),
        (lambda: VAE(hidden=0), "hidden = 0"),
        (lambda: VAE(n_latent=0), "n_latent = 0"),
        (lambda: VAE(dtype=int), "dtype = .*int.* numpy.float32"),
    ],
)
def test_errors_of_construction(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def changed(name, **changes):
    """What a method was given, with one thing wrong."""
    model, theta, batch = made(name)
    given = {"theta": theta, "x": batch[0], "y": batch[1] if len(batch) > 1 else None}
    for key, change in changes.items():
        given[key] = change(given[key])
    return model, given["theta"], (given["x"],) if name == "VAE" else (given["x"], given["y"])


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("MLP", {"theta": lambda theta: theta[1:]}, r"theta has shape \(\d+,\).* needs \(\d+,\)"),
        ("MLP", {"theta": lambda theta: theta.astype(np.float32)}, "theta has dtype float32.* dtype=float64"),
        ("MLP", {"x": lambda x: x[:, 1:]}, r"x has shape \(3, 4\); it must be an array of shape \(n, 5\)"),
        ("MLP", {"x": lambda x: x[0]}, r"x has shape \(5,\)"),
        ("MLP", {"x": lambda x: x[:0], "y": lambda y: y[:0]}, r"x has shape \(0, 5\).* n >= 1"),
        ("MLP", {"x": lambda x: x.astype(np.float32)}, "x has dtype float32; it must be the model's, float64"),
        ("MLP", {"x": lambda x: x.tolist()}, "x has type list"),
        ("MLP", {"y": lambda y: y[:2]}, r"y has shape \(2,\), .*shape \(3,\)"),
        ("MLP", {"y": lambda y: y.astype(float)}, "y has .*float64.* integers"),
        ("MLP", {"y": lambda y: y.tolist()}, "y has type list"),
        ("MLP", {"y": lambda y: y * 0 + 2}, "y has labels from 2 to 2; they must be from 0 to 1"),
        ("MLP", {"y": lambda y: y * 0 - 1}, "y has labels from -1 to -1"),
        ("CNN", {"x": lambda x: x.transpose(0, 3, 1, 2)}, r"x has shape \(3, 2, 5, 7\).* \(n, 5, 7, 2\)"),
        ("VAE", {"theta": lambda theta: theta.astype(np.float32)}, "theta has dtype float32"),
        ("VAE", {"x": lambda x: x[:, 1:]}, r"x has shape \(3, 5\).* \(n, 6\)"),
        ("VAE", {"x": lambda x: x + 1}, "x has pixels from 1.* they must be from 0 to 1"),
        ("VAE", {"x": lambda x: x * np.nan}, "x has pixels from nan"),
    ],
)
@pytest.mark.parametrize("method", ["loss_and_grad", "loss"])
def test_errors_of_minibatches(method, name, changes, words):
    model, theta, batch = changed(name, **changes)
    with pytest.raises(ValueError, match=words):
        getattr(model, method)(theta, batch)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("MLP", lambda batch: batch[:1], r"batch has 1 parts; it must be a tuple \(x, y\)"),
        ("CNN", lambda batch: batch[0][:2], r"batch has type ndarray; it must be a tuple \(x, y\)"),
        ("VAE", lambda batch: (*batch, batch[0]), r"batch has 2 parts; it must be a tuple \(x,\)"),
        ("VAE", lambda batch: batch[0][:1], r"batch has type ndarray; it must be a tuple \(x,\)"),
    ],
)
def test_errors_of_the_form_of_a_minibatch(name, change, words):
    model, theta, batch = made(name)
    for method in (model.loss, model.loss_and_grad):
        with pytest.raises(ValueError, match=words):
            method(theta, change(batch))


def test_errors_of_prediction():
    for name in ("MLP", "CNN", "VAE"):
        model, theta, (x, *_) = made(name)
        with pytest.raises(ValueError, match="x has shape"):
            model.predict(theta, x[0])
        with pytest.raises(ValueError, match="theta has dtype"):
            model.predict(theta.astype(np.float32), x)
    with pytest.raises(ValueError, match=r"z has shape \(1, 3\); it must be an array of shape \(n, 2\)"):
        model.decode(theta, np.zeros((1, 3)))
