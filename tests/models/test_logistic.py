import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from adamcore import LogisticRegression
from adamcore.data import load_imdb
from adamcore.models import BinaryLogisticRegression, Layout, SparseRows


def problem(n=7, n_features=5, n_classes=4, l2=0.3, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    model = LogisticRegression(n_features, n_classes, l2=l2, dtype=dtype)
    x = rng.normal(size=(n, n_features)).astype(dtype)
    y = rng.integers(n_classes, size=n)
    theta = rng.normal(size=model.layout.size).astype(dtype)
    return model, theta, (x, y)


def objective(model, theta, batch):
    """The formula of the docstring, example by example."""
    x, y = batch
    w = model.layout.views(theta)
    total = 0.0
    for features, label in zip(x, y, strict=True):
        logits = features @ w.W + w.b
        total -= np.log(np.exp(logits[label]) / np.exp(logits).sum())
    return total / len(y) + model.l2 / 2 * (w.W**2).sum()


@pytest.mark.parametrize("n", [1, 7])
@pytest.mark.parametrize("n_classes", [1, 2, 4])
def test_loss_and_gradient(n, n_classes):
    model, theta, batch = problem(n=n, n_classes=n_classes)
    loss, gradient = model.loss_and_grad(theta, batch)
    np.testing.assert_allclose(loss, objective(model, theta, batch), rtol=1e-12)
    h = 1e-6
    for i, direction in enumerate(np.eye(theta.size)):
        ahead, behind = (objective(model, theta + sign * h * direction, batch) for sign in (1, -1))
        np.testing.assert_allclose(gradient[i], (ahead - behind) / (2 * h), rtol=1e-6, atol=1e-8)


def test_inputs_are_left_alone_and_dtype_is_kept():
    model, theta, (x, y) = problem(dtype=np.float32)
    copies = theta.copy(), x.copy(), y.copy()
    loss, gradient = model.loss_and_grad(theta, (x, y))
    for array, copy in zip((theta, x, y), copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert isinstance(loss, float)
    assert gradient.dtype == np.float32
    assert gradient.shape == theta.shape
    assert not np.shares_memory(gradient, theta)


@pytest.mark.parametrize("dtype", ["i1", "u1", ">i2", "<u2", ">i4", ">u4", ">i8", "<i8", ">u8"])
def test_labels_are_integers_of_any_size_and_byte_order(dtype):
    model, theta, (x, y) = problem()
    loss, gradient = model.loss_and_grad(theta, (x, y))
    found, same = model.loss_and_grad(theta, (x, y.astype(dtype)))
    assert found == loss
    np.testing.assert_array_equal(same, gradient)
    with pytest.raises(ValueError, match=r"y has labels from 1 to 4; they must be from 0 to 3\.$"):
        model.loss_and_grad(theta, (x, (y * 0 + np.arange(7) % 4 + 1).astype(dtype)))
    if "i" in dtype:
        with pytest.raises(ValueError, match="y has labels from -1 to -1"):
            model.loss_and_grad(theta, (x, (y * 0 - 1).astype(dtype)))


def test_large_logits_do_not_overflow():
    model, theta, batch = problem(l2=0.0)
    loss, gradient = model.loss_and_grad(theta * 1e4, batch)
    assert np.isfinite(loss)
    assert np.isfinite(gradient).all()


def test_starts_undecided_and_predicts_the_likeliest():
    model, theta, (x, _) = problem(l2=0.3)
    start = model.init(np.random.default_rng(0))
    assert model.loss_and_grad(start, (x, np.zeros(7, int)))[0] == pytest.approx(np.log(4))
    w = model.layout.views(theta)
    np.testing.assert_array_equal(model.predict(theta, x), (x @ w.W + w.b).argmax(axis=1))


def test_penalty_is_what_the_objective_adds():
    model, theta, batch = problem(l2=0.3)
    without = LogisticRegression(5, 4, dtype=np.float64)
    assert model.loss_and_grad(theta, batch)[0] == pytest.approx(
        without.loss_and_grad(theta, batch)[0] + model.penalty(theta)
    )
    assert without.penalty(theta) == 0


def test_smallest_sizes_and_dtypes():
    for dtype in (np.float32, np.float64):
        model = LogisticRegression(1, 1, dtype=dtype)
        assert model.dtype is dtype
        assert model.init(np.random.default_rng(0)).dtype == dtype
    assert model.layout.zeros(np.float64).dtype == np.float64
    assert model.layout.zeros().dtype == np.float32


@pytest.mark.parametrize(
    "arguments",
    [
        *({"n_features": 0}, {"n_features": 2.5}, {"n_classes": 0}, {"l2": -1.0}, {"l2": np.nan}, {"l2": np.inf}),
        *({"dropout": 1.0}, {"dropout": -0.1}, {"dtype": np.float16}),
    ],
)
def test_errors(arguments):
    ((name, value),) = arguments.items()
    with pytest.raises(ValueError, match=f"{name} = {value!r} is not allowed; it must be"):
        LogisticRegression(**{"n_features": 2, "n_classes": 2, **arguments})


def test_layout_views_share_memory_and_cover_theta_once():
    layout = Layout(W=(2, 3), b=(3,), scale=())
    theta = layout.zeros(np.float64)
    for value, view in enumerate(vars(layout.views(theta)).values(), start=1):
        view += value
    np.testing.assert_array_equal(theta, [1] * 6 + [2] * 3 + [3])
    with pytest.raises(ValueError, match=r"theta has shape \(9,\); Layout\(W=\(2, 3\), .*needs \(10,\)"):
        layout.views(theta[:-1])


def sparse_problem(model, n=9, seed=3):
    """Examples of which most features are zero, some have none at all, and the model's theta: dense and float64."""
    rng = np.random.default_rng(seed)
    n_features, _ = model.layout.shapes["W"]
    x = rng.normal(size=(n, n_features)) * (rng.random((n, n_features)) < 0.3)
    if n > 1:
        x[[0, n // 2, -1]] = 0
    n_classes = 2 if isinstance(model, BinaryLogisticRegression) else model.layout.shapes["b"][0]
    return x, rng.integers(n_classes, size=n), rng.normal(size=model.layout.size)


MODELS = {
    "multinomial": lambda **more: LogisticRegression(6, 3, l2=0.2, dtype=np.float64, **more),
    "binary": lambda **more: BinaryLogisticRegression(6, l2=0.2, dtype=np.float64, **more),
}


@pytest.mark.parametrize("n", [1, 9])
@pytest.mark.parametrize("dropout", [0.0, 0.5, 0.3])
@pytest.mark.parametrize("rescale", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_gradient_is_the_slope_of_the_loss(name, rescale, dropout, n):
    """By central differences, under one and the same noise."""
    model = MODELS[name](dropout=dropout, rescale=rescale)
    x, y, theta = sparse_problem(model, n=n)
    for rows in (x, SparseRows.from_scipy(sparse.csr_array(x), np.float64)):
        for seed in (None, 5):

            def loss(at, rows=rows, seed=seed):
                rng = None if seed is None else np.random.default_rng(seed)
                value, gradient = model.loss_and_grad(at, (rows, y), rng)
                rng = None if seed is None else np.random.default_rng(seed)
                assert model.loss(at, (rows, y), rng) == value
                return value, gradient

            steps = 1e-5 * np.eye(theta.size)
            slopes = [(loss(theta + step)[0] - loss(theta - step)[0]) / 2e-5 for step in steps]
            np.testing.assert_allclose(loss(theta)[1], slopes, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_sparse_examples_are_the_dense_ones(name):
    model = MODELS[name]()
    x, y, theta = sparse_problem(model)
    expected_loss, expected = model.loss_and_grad(theta, (x, y))
    for matrix in (sparse.csr_array(x), sparse.csr_matrix(x), SparseRows.from_scipy(sparse.csr_array(x), float)):
        loss, gradient = model.loss_and_grad(theta, (matrix, y))
        assert loss == pytest.approx(expected_loss, rel=1e-13)
        np.testing.assert_allclose(gradient, expected, rtol=1e-12, atol=1e-14)
        np.testing.assert_array_equal(model.predict(theta, matrix), model.predict(theta, x))


def test_binary_is_the_multinomial_model_of_two_classes():
    """Only the difference of the two columns counts."""
    binary, two = BinaryLogisticRegression(6, dtype=np.float64), LogisticRegression(6, 2, dtype=np.float64)
    x, y, theta = sparse_problem(two)
    w = two.layout.views(theta)
    difference = np.append(w.W[:, 1] - w.W[:, 0], w.b[1] - w.b[0])
    loss, gradient = binary.loss_and_grad(difference, (x, y))
    loss_of_two, gradient_of_two = two.loss_and_grad(theta, (x, y))
    assert loss == pytest.approx(loss_of_two)
    np.testing.assert_allclose(gradient[:-1], two.layout.views(gradient_of_two).W[:, 1])
    np.testing.assert_array_equal(binary.predict(difference, x), two.predict(theta, x))


@pytest.mark.parametrize("name", MODELS)
def test_a_minibatch_is_a_pair(name):
    model = MODELS[name]()
    x, _, theta = sparse_problem(model, n=2)
    for method in (model.loss, model.loss_and_grad):
        with pytest.raises(ValueError, match=r"batch has type ndarray; it must be a tuple \(x, y\)"):
            method(theta, x)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"y": lambda y: 2 * y - 1}, "y has labels from -1 to 1; they must be from 0 to"),
        ({"y": lambda y: y - 1}, "y has labels from -1 to 0"),
        ({"y": lambda y: (3 * y).astype(np.uint8)}, "y has labels from 0 to 3"),
        ({"y": lambda y: y[:, np.newaxis]}, r"y has shape \(9, 1\).* integers of shape \(9,\)"),
        ({"y": lambda y: y[1:]}, r"y has shape \(8,\)"),
        ({"y": lambda y: y.astype(float)}, "y has .*float64.* integers"),
        ({"x": lambda x: x[:, 1:]}, r"x has shape \(9, 5\); it must .*\(n, 6\)"),
        ({"x": lambda x: x[:0], "y": lambda y: y[:0]}, r"x has shape \(0, 6\).* n >= 1"),
        ({"x": lambda x: x.astype(np.float32)}, "x has dtype float32; it must be the model's, float64"),
        ({"theta": lambda theta: theta.astype(np.float32)}, "theta has dtype float32.* dtype=float64"),
        ({"theta": lambda theta: theta[1:]}, "theta has shape"),
    ],
)
@pytest.mark.parametrize("make", [np.asarray, lambda x: SparseRows.from_scipy(sparse.csr_array(x), x.dtype)])
@pytest.mark.parametrize("method", ["loss_and_grad", "loss", "predict"])
@pytest.mark.parametrize("name", MODELS)
def test_errors_of_minibatches(name, method, make, changes, words):
    """Labels of -1 and 1 above all, which would index the last class, or change the sign of a loss."""
    model = MODELS[name]()
    x, y, theta = sparse_problem(model)
    y = y % 2
    given = {"x": x, "y": y, "theta": theta}
    given |= {what: change(given[what]) for what, change in changes.items()}
    if method == "predict" and "x" not in changes and "theta" not in changes:
        return  # has no labels
    x = make(given["x"])
    with pytest.raises(ValueError, match=words):
        getattr(model, method)(given["theta"], x if method == "predict" else (x, given["y"]))


def test_binary_formula_far_from_zero():
    model = BinaryLogisticRegression(1, dtype=np.float64)
    x, theta = np.array([[1.0], [-1.0]]), np.array([800.0, 0.0])
    loss, gradient = model.loss_and_grad(theta, (x, np.array([1, 0])))
    assert (loss, abs(gradient).max()) == (0, 0)
    loss, gradient = model.loss_and_grad(theta, (x, np.array([0, 1])))
    assert loss == 800
    np.testing.assert_array_equal(gradient, [1, 0])
    assert list(model.predict(theta, x)) == [1, 0]


@pytest.mark.parametrize("dropout", [0.5, 0.2])
@pytest.mark.parametrize("rescale", [True, False])
@pytest.mark.parametrize("make", [np.asarray, lambda x: SparseRows.from_scipy(sparse.csr_array(x), np.float64)])
def test_dropout_keeps_the_expected_features(make, rescale, dropout):
    """The mean of many noisy gradients is seen through a linear score: that of one example with weights zero."""
    model = BinaryLogisticRegression(3, dropout=dropout, rescale=rescale, dtype=np.float64)
    theta, y = np.zeros(4), np.zeros(1, int)
    x = make(np.array([[2.0, 0.0, -4.0]]))
    rng = np.random.default_rng(0)
    noisy = np.array([model.loss_and_grad(theta, (x, y), rng)[1] for _ in range(4000)])
    kept = 2 / (1 - dropout) if rescale else 2
    assert set(np.unique(noisy[:, 0]).round(9)) == {0.0, round(kept / 2, 9)}
    np.testing.assert_allclose(noisy.mean(axis=0), model.loss_and_grad(theta, (x, y))[1], rtol=0.06)
    assert (noisy[:, 1] == 0).all()  # a word that is not there is not dropped either


def test_noise_is_drawn_anew_and_only_where_asked_for():
    model = LogisticRegression(6, 3, dropout=0.5, dtype=np.float64)
    x, y, theta = sparse_problem(model)
    before = x.copy()
    rng = np.random.default_rng(0)
    first, second = (model.loss_and_grad(theta, (x, y), rng)[0] for _ in range(2))
    assert first != second
    assert model.loss_and_grad(theta, (x, y))[0] == model.loss_and_grad(theta, (x, y))[0]
    np.testing.assert_array_equal(x, before)
    rng = np.random.default_rng(0)
    LogisticRegression(6, 3, dtype=np.float64).loss_and_grad(theta, (x, y), rng)
    assert rng.random() == np.random.default_rng(0).random()  # no dropout draws nothing


def test_sparse_steps_never_make_the_matrix_dense():
    """25,000 reviews by 10,000 words would be a gigabyte in float32; a step may take a few megabytes."""
    imdb = load_imdb()
    x, y = SparseRows.from_scipy(imdb.x_train), imdb.y_train
    model = BinaryLogisticRegression(10_000, dropout=0.5)
    theta, rng = model.init(np.random.default_rng(0)), np.random.default_rng(0)
    tracemalloc.start()
    rows = np.arange(0, 25_000, 200)
    loss, gradient = model.loss_and_grad(theta, (x[rows], y[rows]), rng)
    step_peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    model.loss(theta, (x, y))
    full_peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (round(loss, 4), gradient.dtype, gradient.shape) == (0.6931, np.float32, (10_001,))
    assert step_peak < 5e6
    assert full_peak < 1e8


class TestSparseRows:
    def matrix(self, dtype=np.float64):
        rng = np.random.default_rng(0)
        dense = (rng.normal(size=(8, 5)) * (rng.random((8, 5)) < 0.4)).astype(dtype)
        dense[[0, 3, 7]] = 0
        return dense, SparseRows.from_scipy(sparse.csr_array(dense), dtype)

    @pytest.mark.parametrize("rows", [[2, 0, 2, 7], [], [3], list(range(8))])
    def test_rows(self, rows):
        dense, x = self.matrix()
        part = x[np.array(rows, dtype=np.intp)]
        assert part.shape == (len(rows), 5)
        np.testing.assert_array_equal(part.toarray(), dense[rows])

    @pytest.mark.parametrize(
        "rows",
        [
            *([2, 0, 7], [-1, -8, 3], -2, 5, slice(-3, None), slice(None, None, -2)),
            *(np.arange(8) % 3 == 0, np.zeros(8, bool), np.array([4, 4], np.uint8)),
        ],
        ids=str,
    )
    def test_rows_are_selected_as_those_of_an_array(self, rows):
        dense, x = self.matrix()
        np.testing.assert_array_equal(x[rows].toarray(), np.atleast_2d(dense[rows]))

    @pytest.mark.parametrize("rows", [[8], [-9], 8, np.ones(7, bool)], ids=str)
    def test_rows_that_are_not_there(self, rows):
        with pytest.raises(IndexError, match="out of bounds|did not match"):
            self.matrix()[1][rows]

    def test_products_with_another_dtype_have_the_digits_of_the_wider(self):
        dense, x = self.matrix()
        w, delta = np.full((5, 2), 1 / 3, np.float32), np.full((2, 8), 1 / 3, np.float32)
        np.testing.assert_allclose(x @ w, dense @ w.astype(float), rtol=1e-14, atol=1e-14)
        np.testing.assert_allclose(delta @ x, delta.astype(float) @ dense, rtol=1e-14, atol=1e-14)
        np.testing.assert_allclose(x @ np.ones((5, 1), int), dense.sum(axis=1, keepdims=True), rtol=1e-14, atol=1e-14)

    def test_slices_and_length(self):
        dense, x = self.matrix()
        np.testing.assert_array_equal(x[1:6:2].toarray(), dense[1:6:2])
        assert (len(x), x.dtype, repr(x)) == (8, float, f"SparseRows(8 x 5, {(dense != 0).sum()} stored entries)")

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("rows", [slice(None), slice(0, 1), slice(0, 0)])
    def test_products(self, rows, dtype):
        dense, x = self.matrix(dtype)
        rng = np.random.default_rng(1)
        w, delta = rng.normal(size=(5, 3)).astype(dtype), rng.normal(size=(3, len(dense[rows]))).astype(dtype)
        for ours, theirs in ((x[rows] @ w, dense[rows] @ w), (delta @ x[rows], delta @ dense[rows])):
            assert ours.dtype == dtype
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)

    def test_a_column_that_stands_twice_counts_twice(self):
        x = SparseRows(np.array([1.0, 2.0]), np.array([1, 1]), np.array([0, 2]), n_columns=2)
        np.testing.assert_array_equal(x @ np.ones((2, 1)), [[3]])
        np.testing.assert_array_equal(np.ones((1, 1)) @ x, [[0, 3]])
        np.testing.assert_array_equal(x.toarray(), [[0, 3]])

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"values": np.ones(3)}, "3 values, but 2 columns"),
            ({"starts": np.array([0, 1])}, "starts must rise from 0 to the number of entries, 2"),
            ({"starts": np.array([0, 2, 1, 2])}, "starts must rise"),
            ({"starts": np.array([0, 2, 1, 2], np.uint64)}, "starts must rise"),
            ({"starts": np.array([0, 127, -2, 2], np.int8)}, "starts must rise"),
            ({"columns": np.array([0, 4])}, "columns from 0 to 4; allowed are 0 to 3"),
            ({"columns": np.array([-1, 2])}, "columns from -1 to 2; allowed"),
            ({"columns": np.array([0.5, 2.0])}, "columns have dtype float64; they must be integers"),
            ({"starts": np.array([0.0, 2.0])}, "starts have dtype float64; they must be integers"),
            ({"values": np.ones(2, int)}, "values have dtype int64; allowed are float32 and float64"),
        ],
    )
    def test_errors(self, change, message):
        good = {"values": np.ones(2), "columns": np.array([0, 1]), "starts": np.array([0, 2]), "n_columns": 4}
        assert SparseRows(**good).shape == (1, 4)
        with pytest.raises(ValueError, match=message):
            SparseRows(**{**good, **change})

    def test_errors_of_factors_and_formats(self):
        _, x = self.matrix()
        with pytest.raises(ValueError, match=r"the other factor has shape \(4, 3\), expected \(5, 'c'\)"):
            x @ np.ones((4, 3))
        with pytest.raises(ValueError, match=r"the other factor has shape \(3, 5\), expected \('c', 8\)"):
            np.ones((3, 5)) @ x
        with pytest.raises(ValueError, match=r"shape \(5,\), expected"):
            x @ np.ones(5)
        with pytest.raises(ValueError, match="with_values: values has shape"):
            x.with_values(np.ones(1))
        with pytest.raises(TypeError, match="in CSR format, got csc_array; try .tocsr"):
            SparseRows.from_scipy(sparse.csc_array(np.eye(2)))


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 5, 33])
@pytest.mark.parametrize("name", MODELS)
def test_gradient_is_that_of_torch(name, n):
    torch = pytest.importorskip("torch")
    model = MODELS[name]()
    x, y, theta = sparse_problem(model, n=n)
    parameters = torch.tensor(theta, requires_grad=True)
    w, b = parameters.split([int(np.prod(shape)) for shape in model.layout.shapes.values()])
    scores = torch.tensor(x) @ w.reshape(model.layout.shapes["W"]) + b
    if name == "binary":
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            scores[:, 0], torch.tensor(y, dtype=torch.float64)
        )
    else:
        loss = torch.nn.functional.cross_entropy(scores, torch.tensor(y))
    loss = loss + model.l2 / 2 * (w**2).sum()
    loss.backward()
    for rows in (x, SparseRows.from_scipy(sparse.csr_array(x), np.float64)):
        ours, gradient = model.loss_and_grad(theta, (rows, y))
        assert ours == pytest.approx(loss.item(), rel=1e-12)
        np.testing.assert_allclose(gradient, parameters.grad.numpy(), rtol=1e-10, atol=1e-12)
