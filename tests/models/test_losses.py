import numpy as np
import pytest

from adamcore.models import BernoulliCrossEntropy, GaussianKL, SoftmaxCrossEntropy
from tests.models.numerical import assert_close, gradient


@pytest.mark.parametrize(("n", "k"), [(1, 1), (1, 3), (5, 4)])
def test_softmax_cross_entropy(n, k):
    rng, loss = np.random.default_rng(0), SoftmaxCrossEntropy()
    z, y = rng.normal(size=(n, k)), rng.integers(k, size=n)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    assert loss.forward(z, y) == pytest.approx(-np.log(p[np.arange(n), y]).mean(), rel=1e-12, abs=1e-15)
    assert_close(loss.backward(), gradient(lambda z: SoftmaxCrossEntropy().forward(z, y), z))


@pytest.mark.parametrize(("n", "k"), [(1, 1), (4, 3)])
def test_bernoulli_cross_entropy(n, k):
    rng, loss = np.random.default_rng(0), BernoulliCrossEntropy()
    z, x = rng.normal(size=(n, k)), rng.random((n, k))
    p = 1 / (1 + np.exp(-z))
    by_hand = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum() / n
    assert loss.forward(z, x) == pytest.approx(by_hand, rel=1e-12)
    assert_close(loss.backward(), gradient(lambda z: BernoulliCrossEntropy().forward(z, x), z))


@pytest.mark.parametrize(("n", "k"), [(1, 1), (4, 3)])
def test_gaussian_divergence(n, k):
    rng, loss = np.random.default_rng(0), GaussianKL()
    mean, log_variance = rng.normal(size=(2, n, k))
    loss.forward(mean, log_variance)
    for ours, numerical in zip(
        loss.backward(),
        (
            gradient(lambda mean: GaussianKL().forward(mean, log_variance), mean),
            gradient(lambda log_variance: GaussianKL().forward(mean, log_variance), log_variance),
        ),
        strict=True,
    ):
        assert_close(ours, numerical)


def test_gaussian_divergence_is_the_expected_log_ratio():
    """Against its definition, the mean over q of log q - log p, by numerical integration."""
    mean, deviation = 0.7, 1.6
    z = np.linspace(mean - 12 * deviation, mean + 12 * deviation, 20001)
    log_q = -0.5 * ((z - mean) / deviation) ** 2 - np.log(deviation)
    log_p = -0.5 * z**2
    q = np.exp(log_q) / np.sqrt(2 * np.pi)
    integral = (q * (log_q - log_p)).sum() * (z[1] - z[0])
    ours = GaussianKL().forward(np.array([[mean]]), np.array([[2 * np.log(deviation)]]))
    assert ours == pytest.approx(integral, rel=1e-9)
    assert GaussianKL().forward(np.zeros((3, 2)), np.zeros((3, 2))) == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_logits_give_finite_losses_and_gradients(dtype):
    z = np.array([[1e30, -1e30, 0.0], [-1e30, 88.0, 1e4]], dtype)
    softmax, bernoulli = SoftmaxCrossEntropy(), BernoulliCrossEntropy()
    assert softmax.forward(z, np.array([1, 2])) == pytest.approx(1e30, rel=1e-6)
    assert bernoulli.forward(z, np.array([[0, 1, 0.5], [0, 1, 1]], dtype)) == pytest.approx(1e30, rel=1e-6)
    for gradient_ in (softmax.backward(), bernoulli.backward()):
        assert gradient_.dtype == dtype
        assert np.isfinite(gradient_).all()
        assert np.abs(gradient_).max() <= 0.5


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 1e-6), (np.float64, 1e-14)])
@pytest.mark.parametrize("scale", [0, 1, 30])
def test_bernoulli_cross_entropy_of_many_pixels(dtype, rtol, scale):
    """Products of many factors, all of them 2 at scale 0, are no less exact than sums of logarithms."""
    rng, loss = np.random.default_rng(0), BernoulliCrossEntropy()
    z, x = (scale * rng.standard_normal((300, 7))).astype(dtype), rng.random((300, 7)).astype(dtype)
    wide = z.astype(np.longdouble)
    assert loss.forward(z, x) == pytest.approx(float((np.logaddexp(0, wide) - x * wide).sum() / 300), rel=rtol)
    p = 1 / (1 + np.exp(-wide))
    np.testing.assert_allclose(loss.backward(), (p - x) / 300, rtol=0, atol=2 * np.finfo(dtype).eps / 300)


def test_right_and_certain_costs_nothing():
    assert SoftmaxCrossEntropy().forward(np.array([[1e4, 0.0]]), np.array([0])) == 0
    assert BernoulliCrossEntropy().forward(np.array([[1e4, -1e4]]), np.array([[1.0, 0.0]])) == 0
