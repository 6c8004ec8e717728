"""Two rules made for one question each: Adam whose beta1 fades, and Adam with one v a layer."""

import json
import math

import numpy as np
import pytest

from adamcore.models import CNN
from adamcore.optim import Adam, Averaged, Decayed, FadingAdam, LayerAdam, Trace, from_dict


def history(rule, gradients):
    """theta and m_hat after every step, from theta = 0."""
    s = rule.init(np.zeros_like(gradients[0]))
    rows = []
    for g in gradients:
        rule.step(s, g)
        rows.append((s.theta, s.m_hat))
    return tuple(map(np.array, zip(*rows, strict=True)))


class TestFadingAdam:
    def test_beta1_by_hand(self):
        rule = FadingAdam(beta1=0.8, hold=3, fade=4)
        expected = [0.8, 0.8, 0.8, 0.6, 0.4, 0.2, 0.0, 0.0, 0.0]
        np.testing.assert_allclose([rule.beta1_at(t) for t in range(1, 10)], expected, atol=1e-15)
        assert FadingAdam(beta1=0.8, hold=0, fade=1).beta1_at(1) == 0

    def test_the_weights_of_m_hat_are_those_of_the_docstring_and_sum_to_one(self):
        """Unit vectors in the place of gradients show each gradient's weight."""
        rule = FadingAdam(beta1=0.9, hold=4, fade=5)
        _, m_hat = history(rule, np.eye(12))
        beta = [rule.beta1_at(t) for t in range(1, 13)]
        for t in range(1, 13):
            weights = np.array([(1 - beta[i]) * math.prod(beta[i + 1 : t]) for i in range(t)])
            assert weights.sum() == pytest.approx(1 - math.prod(beta[:t]))
            np.testing.assert_allclose(m_hat[t - 1, :t], weights / weights.sum(), rtol=1e-12, atol=1e-15)
            assert (m_hat[t - 1, t:] == 0).all()

    def test_a_constant_gradient_is_its_own_average_at_every_step(self):
        """So every step is alpha long; dividing by 1 - beta1_t**t, m_hat would be too short while beta1 falls."""
        g = np.array([3.0, -0.01])
        theta, m_hat = history(FadingAdam(alpha=0.1, eps=0, hold=5, fade=20), np.tile(g, (40, 1)))
        np.testing.assert_allclose(m_hat, np.tile(g, (40, 1)), rtol=1e-12)
        np.testing.assert_allclose(theta, -0.1 * np.arange(1, 41)[:, np.newaxis] * np.sign(g), rtol=1e-12)

    def test_it_is_adam_while_it_holds_and_without_momentum_once_it_has_faded(self, rng):
        g = rng.normal(size=(60, 5))
        rule = FadingAdam(alpha=0.01, beta1=0.95, beta2=0.99, hold=30, fade=10)
        fading, m_hat = history(rule, g)
        adam, _ = history(Adam(alpha=0.01, beta1=0.95, beta2=0.99), g)
        np.testing.assert_allclose(fading[:30], adam[:30], rtol=1e-12)
        assert np.abs(fading[30] - adam[30]).max() > 1e-6
        np.testing.assert_array_equal(m_hat[39:], g[39:])
        without, _ = history(Adam(alpha=0.01, beta1=0.0, beta2=0.99), g)
        np.testing.assert_allclose(np.diff(fading[39:], axis=0), np.diff(without[39:], axis=0), rtol=1e-9)

    def test_without_momentum_there_is_nothing_to_fade(self, rng):
        g = rng.normal(size=(20, 3))
        both = (FadingAdam(beta1=0.0, hold=3, fade=4), Adam(beta1=0.0))
        np.testing.assert_array_equal(*(history(rule, g)[0] for rule in both))

    @pytest.mark.parametrize(
        ("name", "value", "least"),
        [("hold", -1, 0), ("hold", 1.5, 0), ("hold", True, 0), ("fade", 0, 1), ("fade", "9", 1), ("fade", None, 1)],
    )
    def test_errors(self, name, value, least):
        message = f"FadingAdam: {name} = {value!r} is not allowed; it must be a whole number of {least} or more, "
        with pytest.raises(ValueError, match=message + r"counted in steps\.$"):
            FadingAdam(**{name: value})


class TestLayerAdam:
    def test_the_steps_by_hand(self, rng):
        """Each layer apart, its v a plain number."""
        g = rng.normal(size=(15, 7)) * np.array([1, 1, 1, 100, 100, 100, 1e-4])
        rule = LayerAdam(alpha=0.1, beta1=0.8, beta2=0.9, eps=1e-3, sizes=(3, 3, 1))
        theta, _ = history(rule, g)
        for here in (slice(0, 3), slice(3, 6), slice(6, 7)):
            m, v, x = np.zeros(g[0, here].size), 0.0, np.zeros(g[0, here].size)
            for t in range(1, 16):
                part = g[t - 1, here]
                m = 0.8 * m + 0.2 * part
                v = 0.9 * v + 0.1 * sum(part**2) / len(part)
                x = x - 0.1 * (m / (1 - 0.8**t)) / (math.sqrt(v / (1 - 0.9**t)) + 1e-3)
                np.testing.assert_allclose(theta[t - 1, here], x, rtol=1e-11)

    def test_layers_of_one_coordinate_are_adam(self, rng):
        g = rng.normal(size=(20, 4))
        both = (LayerAdam(sizes=(1, 1, 1, 1)), Adam())
        np.testing.assert_allclose(*(history(rule, g)[0] for rule in both), rtol=1e-12)

    def test_without_sizes_theta_is_one_layer_whatever_its_shape(self, rng):
        g = rng.normal(size=(10, 6))
        one, whole = history(LayerAdam(), g)[0], history(LayerAdam(sizes=(6,)), g)[0]
        np.testing.assert_array_equal(one, whole)
        table = history(LayerAdam(), g.reshape(10, 2, 3))[0]
        np.testing.assert_array_equal(table.reshape(10, 6), one)

    def test_a_coordinate_sees_its_layer_and_no_other(self, rng):
        rule = LayerAdam(alpha=0.1, sizes=(2, 2))
        g = rng.normal(size=(5, 4))
        changed = g.copy()
        changed[:, 1] *= 10
        one, other = history(rule, g)[0], history(rule, changed)[0]
        assert (one[:, 0] != other[:, 0]).all()
        np.testing.assert_array_equal(one[:, 2:], other[:, 2:])

    def test_scale_of_a_layer_does_not_matter(self, rng):
        rule = LayerAdam(eps=0, sizes=(3, 2))
        g = rng.normal(size=(8, 5))
        scaled = g * np.array([4.0, 4.0, 4.0, 0.125, 0.125])
        np.testing.assert_array_equal(*(history(rule, each)[0] for each in (g, scaled)))

    def test_v_has_thetas_shape_and_dtype(self):
        s = LayerAdam(sizes=(2, 3)).init(np.zeros(5, np.float32))
        LayerAdam(sizes=(2, 3)).step(s, np.array([3, 4, 0, 0, 0], np.float32))
        np.testing.assert_allclose(s.v_hat, [12.5, 12.5, 0, 0, 0], rtol=1e-6)
        assert s.v.dtype == s.theta.dtype == np.float32
        assert (s.theta[2:] == 0).all()  # a layer that never had a gradient does not move

    def test_a_theta_without_coordinates(self):
        s = LayerAdam().init(np.zeros((2, 0), np.float32))
        LayerAdam().step(s, np.zeros((2, 0), np.float32))
        assert (s.v.shape, s.v.dtype, s.theta.shape) == ((2, 0), np.float32, (2, 0))

    def test_sums_of_a_large_layer_keep_their_digits(self, rng):
        g = rng.normal(size=2_000_003).astype(np.float32)
        found = LayerAdam(sizes=(2_000_000, 3)).layer_means(g)
        assert found[0] == pytest.approx(np.square(g[:2_000_000].astype(np.float64)).mean(), rel=1e-7)

    def test_it_comes_back_from_a_file_and_knows_a_models_layers(self):
        sizes = [math.prod(shape) for shape in CNN().layout.shapes.values()]
        rule = LayerAdam(sizes=sizes)
        assert sum(rule.sizes) == CNN().layout.size
        plain = rule.to_dict()
        assert from_dict(json.loads(json.dumps(plain))) == rule
        assert json.loads(json.dumps(plain)) == plain  # a record compares what it read with what is asked for
        assert hash(rule) == hash(LayerAdam(sizes=tuple(sizes)))

    def test_errors(self):
        message = r"\(2, 2\) are 4 coordinates, but theta has 5\. Give every layer's, in the order of theta\.$"
        with pytest.raises(ValueError, match=message):
            LayerAdam(sizes=(2, 2)).init(np.zeros(5))
        for wrapped in (Averaged(LayerAdam(sizes=(2, 2))), Averaged(Decayed(LayerAdam(sizes=(2, 2))))):
            with pytest.raises(ValueError, match=message):
                wrapped.init(np.zeros(5))
        for sizes in [(0, 1), (1.0,), (-1, 2), ("3",)]:
            with pytest.raises(
                ValueError,
                match=r"LayerAdam: sizes = .* whole numbers of 1 or more, the number of coordinates in each layer\.$",
            ):
                LayerAdam(sizes=sizes)
        with pytest.raises(ValueError, match="Trace: LayerAdam is not elementwise"):
            Trace(LayerAdam(), LayerAdam().init(np.zeros(3)), [0])
        s = Averaged(LayerAdam()).init(np.zeros(3))
        Averaged(LayerAdam()).step(s, np.ones(3))
        np.testing.assert_allclose(s.theta_hat, s.theta)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_has_a_mean_of_its_own_type(dtype):
    means = LayerAdam().layer_means(np.zeros((0, 2), dtype))
    assert means.shape == (0, 2)
    assert means.dtype == dtype
