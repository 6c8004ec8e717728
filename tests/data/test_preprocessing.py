import numpy as np
import pytest
from scipy.sparse import csr_array, csr_matrix

from adamcore.data import DataError, Whitening, drop_words, load_cifar10, load_imdb, normalize_contrast, scale_pixels


class TestScale:
    def test_range(self):
        x = np.arange(256, dtype=np.uint8).reshape(16, 16)
        for dtype in (np.float32, np.float64):
            scaled = scale_pixels(x, dtype)
            assert (scaled.dtype, scaled.shape, scaled.min(), scaled.max()) == (dtype, (16, 16), 0, 1)
        np.testing.assert_array_equal(np.rint(scale_pixels(x) * 255), x)

    def test_twice(self):
        with pytest.raises(TypeError, match="x is float32, expected uint8. Is it scaled already"):
            scale_pixels(scale_pixels(np.zeros(3, np.uint8)))


class TestDropWords:
    def test_expected_row_is_the_one_given(self):
        x = csr_array(np.array([[1, 0, 4, 0], [0, 0, 0, 0], [2, 3, 0, 9]], np.uint16))
        rng = np.random.default_rng(0)
        noisy = [drop_words(x, rng).toarray() for _ in range(4000)]
        np.testing.assert_allclose(np.mean(noisy, axis=0), x.toarray(), atol=0.4)
        for row in noisy[:50]:
            assert ((row == 0) | (row == 2.0 * x.toarray())).all()

    @pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
    def test_rate_on_imdb(self, rate):
        x = load_imdb().x_train[:2000]
        noisy = drop_words(x, np.random.default_rng(1), rate)
        assert abs(noisy.nnz / x.nnz - (1 - rate)) < 0.01
        assert noisy.has_canonical_format
        assert noisy.shape == x.shape
        kept = noisy.nonzero()
        np.testing.assert_allclose(noisy[kept], x[kept] / (1 - rate), rtol=1e-6)

    def test_depends_on_the_generator_alone(self):
        x = load_imdb().x_train[:50]
        first, same = (drop_words(x, np.random.default_rng(7)) for _ in range(2))
        assert (first != same).nnz == 0
        assert (first != drop_words(x, np.random.default_rng(8))).nnz > 0

    def test_rate_zero_keeps_all_and_the_matrix_given(self):
        x = csr_matrix(np.array([[0, 5], [1, 0]], np.uint16))
        noisy = drop_words(x, np.random.default_rng(0), 0.0, np.float64)
        np.testing.assert_array_equal(noisy.toarray(), [[0, 5], [1, 0]])
        assert (type(noisy), noisy.dtype, x.dtype) == (csr_matrix, np.float64, np.uint16)
        noisy.data[:] = 0
        assert x.nnz == x.data.astype(bool).sum()

    @pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
    def test_rates_not_allowed(self, rate):
        with pytest.raises(ValueError, match=f"rate = {rate!r} is not allowed"):
            drop_words(csr_array((2, 2)), np.random.default_rng(0), rate)

    def test_a_dense_matrix(self):
        with pytest.raises(TypeError, match="x is a ndarray, expected a scipy.sparse.csr_array"):
            drop_words(np.ones((2, 2)), np.random.default_rng(0))

    def test_a_seed_is_no_generator(self):
        with pytest.raises(TypeError, match=r"drop_words: rng = 0 is not allowed; .*Generator"):
            drop_words(csr_array((2, 2)), 0)

    def test_nan(self):
        with pytest.raises(DataError, match="drop_words: x holds a NaN or an infinity, the first as number 1"):
            drop_words(csr_array([[1.0, np.nan]]), np.random.default_rng(0))


class TestContrast:
    def test_definition(self, rng):
        x = rng.integers(0, 256, (20, 8, 8, 3), np.uint8)
        normal = normalize_contrast(x)
        assert (normal.dtype, normal.shape) == (np.float32, x.shape)
        np.testing.assert_allclose(normal.mean(axis=(1, 2, 3)), 0, atol=1e-6)
        np.testing.assert_allclose(normal.std(axis=(1, 2, 3)), 1, rtol=1e-5)

    def test_an_image_of_one_color(self):
        np.testing.assert_array_equal(normalize_contrast(np.full((1, 2, 2), 9, np.uint8)), 0)

    @pytest.mark.parametrize("floor", [0, -1.0, float("nan")])
    def test_floors_not_allowed(self, floor):
        with pytest.raises(ValueError, match=f"floor = {floor!r} is not allowed; it must be above 0"):
            normalize_contrast(np.full((1, 2, 2), 9, np.uint8), floor)

    def test_no_image_at_all(self):
        assert normalize_contrast(np.empty((0, 2, 3), np.uint8)).shape == (0, 2, 3)

    def test_the_input_stays(self, rng):
        x = rng.normal(size=(3, 4)).astype(np.float32)
        before = x.copy()
        normalize_contrast(x)
        np.testing.assert_array_equal(x, before)


@pytest.fixture
def correlated(rng):
    """Images 3 x 4 whose pixels hang together."""
    return (rng.normal(size=(5000, 12)) @ rng.normal(size=(12, 12)) + 3).reshape(5000, 3, 4)


class TestWhitening:
    def test_covariance_becomes_the_identity(self, correlated):
        whitening = Whitening.fit(correlated, epsilon=0, contrast=False)
        white = whitening.transform(correlated)
        assert (white.dtype, white.shape) == (np.float32, correlated.shape)
        flat = white.reshape(5000, 12).astype(np.float64)
        np.testing.assert_allclose(flat.mean(axis=0), 0, atol=1e-3)
        np.testing.assert_allclose(np.cov(flat.T, bias=True), np.eye(12), atol=2e-3)

    @pytest.mark.parametrize("epsilon", [0.01, 0.1, 10])
    def test_covariance_with_epsilon(self, correlated, epsilon):
        flat = correlated.reshape(5000, 12)
        s, u = np.linalg.eigh(np.cov(flat.T, bias=True))
        white = Whitening.fit(correlated, epsilon, contrast=False).transform(flat)
        np.testing.assert_allclose(np.cov(white.T, bias=True), (u * s / (s + epsilon)) @ u.T, atol=2e-3)

    def test_matrix_by_its_definition(self, correlated):
        flat = correlated.reshape(5000, 12)
        whitening = Whitening.fit(correlated, 0.1, contrast=False)
        raised = np.cov(flat.T, bias=True) + 0.1 * np.eye(12)
        np.testing.assert_allclose(whitening.matrix @ raised @ whitening.matrix, np.eye(12), atol=1e-4)
        np.testing.assert_array_equal(whitening.matrix, whitening.matrix.T)  # zero phase
        np.testing.assert_allclose(whitening.mean, flat.mean(axis=0), rtol=1e-5)

    def test_with_contrast(self, correlated):
        normal = normalize_contrast(correlated)
        both = Whitening.fit(correlated, 0.1).transform(correlated)
        apart = Whitening.fit(normal, 0.1, contrast=False).transform(normal)
        np.testing.assert_allclose(both, apart, atol=1e-5)

    def test_pixels_of_cifar10_become_independent(self):
        data = load_cifar10()
        x = data.x_train[:, 8:16, 8:16]
        white = Whitening.fit(x, epsilon=1e-6).transform(x).reshape(len(x), -1)
        covariance = np.cov(white.T, bias=True)
        # One direction is gone: after normalizing the contrast, each image's numbers add up to zero.
        assert np.abs(covariance - np.eye(192) + 1 / 192).max() < 0.01

    def test_the_test_set_changes_nothing(self, correlated):
        whitening = Whitening.fit(correlated[:4000])
        one_by_one = np.concatenate([whitening.transform(correlated[[row]]) for row in range(4000, 4010)])
        np.testing.assert_allclose(one_by_one, whitening.transform(correlated[4000:])[:10], atol=1e-5)
        assert whitening.transform(correlated[:0]).shape == (0, 3, 4)

    def test_frozen(self, correlated):
        whitening = Whitening.fit(correlated)
        assert repr(whitening) == "Whitening(12 pixels and colors, contrast=True, epsilon=0.1)"
        with pytest.raises(AttributeError):
            whitening.epsilon = 1
        with pytest.raises(ValueError, match="read-only"):
            whitening.matrix[0, 0] = 1

    def test_errors(self, correlated):
        with pytest.raises(ValueError, match="x has 1 images; two or more"):
            Whitening.fit(correlated[:1])
        with pytest.raises(ValueError, match=r"epsilon = -0.1 is not allowed"):
            Whitening.fit(correlated, -0.1)
        with pytest.raises(ValueError, match="epsilon = nan is not allowed"):
            Whitening.fit(correlated, float("nan"))
        with pytest.raises(DataError, match="hardly varies in some direction"):
            Whitening.fit(correlated, 0)  # the contrast's normalization takes one direction away
        with pytest.raises(ValueError, match=r"images are \(2, 4\), expected 12 numbers each"):
            Whitening.fit(correlated).transform(correlated[:, :2])

    @pytest.mark.parametrize("contrast", [True, False])
    @pytest.mark.parametrize("number", [np.nan, np.inf])
    def test_nan(self, correlated, contrast, number):
        good = Whitening.fit(correlated, contrast=contrast)
        correlated[3, 0, 0] = number
        for call in (lambda: Whitening.fit(correlated, contrast=contrast), lambda: good.transform(correlated)):
            with pytest.raises(DataError, match="x holds a NaN or an infinity"):
                call()
