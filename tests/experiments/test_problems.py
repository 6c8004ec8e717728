"""The problems: which data they take, what they do to them, and which model they hand over."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from adamcore.data import Whitening, load_cifar10, load_imdb, load_mnist, normalize_contrast
from adamcore.experiments import problems
from adamcore.experiments.problems import PROBLEMS, make_problem

SMALL = {
    "mnist_logistic": {"n_train": 50, "l2": 1e-4},
    "imdb_logistic": {"n_train": 50},
    "mnist_mlp": {"n_train": 50, "hidden": (5,), "hidden_dropout": 0.5, "l2": 0.1},
    "cifar_cnn": {"n_train": 50, "channels": (2, 3), "hidden": 4, "whiten": False},
    "mnist_vae": {"n_train": 50, "hidden": 5, "n_latent": 2},
    "sparse_stream": {"n_train": 50, "numbers": (2, 5)},
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_is_a_model_with_its_data(name):
    problem = make_problem(name, SMALL[name])
    rng = np.random.default_rng(0)
    theta = problem.model.init(rng)
    rows = np.array([3, 1, 49])
    loss, gradient = problem.model.loss_and_grad(theta, tuple(part[rows] for part in problem.data), rng)
    assert np.isfinite(loss)
    assert gradient.shape == theta.shape
    assert gradient.dtype == np.float32
    assert {part.shape[0] for part in problem.data} == {50}
    if problem.test is not None:
        assert len(problem.test) == len(problem.data)
        expected = (5,) if len(problem.test) == 2 else (5, 784)  # classes, or reconstructions
        assert problem.model.predict(theta, problem.test[0][:5]).shape == expected


@pytest.mark.parametrize("name", ["mnist_logistic", "mnist_mlp", "mnist_vae"])
def test_mnist_is_the_first_images_from_0_to_1(name):
    problem, mnist = make_problem(name, SMALL[name]), load_mnist()
    np.testing.assert_allclose(problem.data[0], mnist.x_train[:50].reshape(50, 784) / 255, rtol=1e-6)
    assert problem.data[0].dtype == np.float32
    assert problem.digest == mnist.digest
    if name != "mnist_vae":
        np.testing.assert_array_equal(problem.data[1], mnist.y_train[:50])
        np.testing.assert_array_equal(problem.test[1], mnist.y_test)


@pytest.mark.parametrize("counts", [False, True])
def test_imdb_has_both_classes_however_small(counts):
    problem, imdb = make_problem("imdb_logistic", {"n_train": 1000, "counts": counts}), load_imdb()
    x, y = problem.data
    assert y.mean() == 0.5
    assert problem.digest == imdb.digest
    expected = imdb.x_train[25:26].toarray()
    np.testing.assert_array_equal(x[np.array([1])].toarray(), expected if counts else expected > 0)
    assert (problem.model.dropout, problem.model.rescale) == (0.5, False)


def test_imdb_whole_and_never_dense():
    problems._imdb.cache_clear()
    load_imdb()
    tracemalloc.start()
    x, y = make_problem("imdb_logistic", {"n_train": 25_000}).data
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert x.shape == (25_000, 10_000)
    np.testing.assert_array_equal(y, load_imdb().y_train)
    assert peak < 3e8  # dense and float32 it would be 1e9


def test_contenders_that_differ_in_dropout_share_their_data():
    plain, noisy = (make_problem("mnist_mlp", {**SMALL["mnist_mlp"], "hidden_dropout": p}) for p in (0.0, 0.5))
    assert plain.data[0] is noisy.data[0]
    assert (plain.model.hidden_dropout, noisy.model.hidden_dropout) == (0.0, 0.5)


@pytest.mark.parametrize("name", ["mnist_mlp", "cifar_cnn"])
def test_each_rate_of_dropout_goes_where_it_belongs(name):
    problem = make_problem(name, {**SMALL[name], "input_dropout": 0.2, "hidden_dropout": 0.5})
    assert (problem.model.input_dropout, problem.model.hidden_dropout) == (0.2, 0.5)


def test_cifar_contrast_is_normalized():
    problem, cifar = make_problem("cifar_cnn", SMALL["cifar_cnn"]), load_cifar10()
    x, y = problem.data
    assert x.shape == (50, 32, 32, 3)
    np.testing.assert_allclose(x.mean(axis=(1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(x.std(axis=(1, 2, 3)), 1, atol=1e-4)
    np.testing.assert_array_equal(y, cifar.y_train[:50])
    assert problem.digest == cifar.digest
    x, y = problem.test
    np.testing.assert_allclose(x.std(axis=(1, 2, 3)), 1, atol=1e-4)
    np.testing.assert_array_equal(y, cifar.y_test)


def test_more_than_the_embedded_images_ask_for_the_full_set(monkeypatch):
    asked = []

    def load(full):
        asked.append(full)
        return load_cifar10()

    monkeypatch.setattr(problems, "load_cifar10", load)
    problems._cifar.cache_clear()
    make_problem("cifar_cnn", {**SMALL["cifar_cnn"], "n_train": 5000})
    with pytest.raises(ValueError, match="n_train = 5001 is not allowed; CIFAR-10 has 1 to 5000"):
        make_problem("cifar_cnn", {**SMALL["cifar_cnn"], "n_train": 5001})
    assert asked == [False, True]
    problems._cifar.cache_clear()


def test_cifar_test_images_are_whitened_by_the_fit_on_training_images(monkeypatch):
    """Of corners of the images: the eigenvalues for whole ones take half a minute."""
    cifar = load_cifar10()
    corners = replace(cifar, x_train=cifar.x_train[:, :8, :8], x_test=cifar.x_test[:, :8, :8])
    monkeypatch.setattr(problems, "load_cifar10", lambda full: corners)
    problems._cifar.cache_clear()
    try:
        problem = make_problem("cifar_cnn", {**SMALL["cifar_cnn"], "n_train": 100, "whiten": True})
    finally:
        problems._cifar.cache_clear()
        problems._cached.cache_clear()
    x_train, x_test = corners.x_train[:100], corners.x_test[:20]
    whitening = Whitening.fit(x_train)
    np.testing.assert_allclose(problem.data[0], whitening.transform(x_train), atol=1e-5)
    np.testing.assert_allclose(problem.test[0][:20], whitening.transform(x_test), atol=1e-5)
    assert np.abs(problem.test[0][:20] - normalize_contrast(x_test)).max() > 0.1  # more than the contrast changed


@pytest.mark.slow
def test_cifar_is_whitened():
    problem = make_problem("cifar_cnn", {"n_train": 5000, "channels": (2, 3), "hidden": 4})
    x = problem.data[0].reshape(5000, -1)
    # Test images are transformed by what was fitted to 5,000 others, and come out nearly as white.
    assert problem.test[0].reshape(1000, -1).var(axis=0).mean() == pytest.approx(x.var(axis=0).mean(), rel=0.3)
    variance = x.var(axis=0)
    assert 0.1 < variance.mean() < 1  # 1, but for the directions that epsilon holds down
    correlations = np.corrcoef(x[:, ::61].T)
    assert np.abs(correlations - np.eye(len(correlations))).max() < 0.5
    problems._cifar.cache_clear()


def test_binarizations():
    problem = make_problem("mnist_vae", SMALL["mnist_vae"])
    gray = problem.data[0]
    np.testing.assert_allclose(problem.test[0], load_mnist().x_test.reshape(-1, 784) / 255, rtol=1e-6)
    threshold, sampled = (
        make_problem("mnist_vae", {**SMALL["mnist_vae"], "binarization": how}).data[0]
        for how in ("threshold", "sampled")
    )
    assert ((gray > 0) & (gray < 1)).any()
    for binary in (threshold, sampled):
        assert set(np.unique(binary)) == {0, 1}
        assert binary.dtype == np.float32
    np.testing.assert_array_equal(threshold, gray > 0.5)
    assert not (threshold == sampled).all()
    assert sampled.mean() == pytest.approx(gray.mean(), rel=0.02)
    with pytest.raises(
        ValueError, match="binarization = 'dither' is not allowed; there are none, threshold, sampled"
    ):
        make_problem("mnist_vae", {**SMALL["mnist_vae"], "binarization": "dither"})


@pytest.mark.parametrize("n_train", [0, 60_001])
def test_only_as_many_examples_as_there_are(n_train):
    with pytest.raises(ValueError, match=f"n_train = {n_train} is not allowed; MNIST has 1 to 60000"):
        make_problem("mnist_mlp", {"n_train": n_train})


def test_the_synthetic_stream_is_the_same_every_time_and_known_by_its_digest():
    first, again = (make_problem("sparse_stream", {"n_train": 50, "numbers": (2, 5), "power": p}) for p in (2.0, 2))
    for one, other in zip(first.data, again.data, strict=True):
        np.testing.assert_array_equal(one, other)
    assert first.digest == again.digest
    assert make_problem("sparse_stream", {"n_train": 50, "numbers": (2, 6)}).digest != first.digest


def test_problems_are_compared_as_what_they_are():
    """Not by their arrays, which have no single answer; so a problem can be a key."""
    problem = make_problem("mnist_logistic", SMALL["mnist_logistic"])
    assert problem == problem
    assert len({problem, replace(problem)}) == 2


def test_a_problem_read_from_a_record_has_lists():
    assert make_problem("mnist_mlp", {**SMALL["mnist_mlp"], "hidden": [5]}) is make_problem(
        "mnist_mlp", SMALL["mnist_mlp"]
    )


def test_unknown_problem():
    with pytest.raises(ValueError, match="no problem 'xor'; there are mnist_logistic, imdb_logistic, mnist_mlp"):
        make_problem("xor", {})
