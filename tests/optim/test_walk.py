"""The points that a rule visits."""

import numpy as np
import pytest

import adamcore
from adamcore import SGD, Adam, Averaged, Momentum, NotFiniteError, inverse_sqrt, walk

H = np.array([1.0, 100.0])
START = np.array([-4.0, 1.0])


def gradient(theta):
    return H * theta


@pytest.mark.parametrize(
    "rule", [SGD(alpha=0.019), Momentum(alpha=0.01), Adam(alpha=inverse_sqrt(0.3)), Averaged(Adam())], ids=str
)
def test_the_points_are_those_of_step_after_step(rule):
    s = rule.init(START)
    expected = [START]
    for _ in range(20):
        rule.step(s, gradient(s.theta))
        expected.append(s.theta)
    np.testing.assert_array_equal(walk(rule, gradient, START, 20), expected)


def test_closed_form_on_a_quadratic():
    powers = (1 - 0.019 * H) ** np.arange(61)[:, None]
    np.testing.assert_allclose(walk(SGD(alpha=0.019), gradient, START, 60), powers * START, rtol=1e-12)


def test_gradient_is_asked_once_a_step_where_theta_is():
    asked = []

    def watched(theta):
        asked.append(theta)
        return gradient(theta)

    points = walk(Momentum(alpha=0.01), watched, START, 5)
    np.testing.assert_array_equal(asked, points[:-1])


def test_no_step_is_the_start_alone():
    np.testing.assert_array_equal(walk(Adam(), gradient, START, 0), [START])


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shape_and_dtype_are_thetas(shape, dtype):
    theta = np.ones(shape, dtype)
    points = walk(Adam(), np.copy, theta, np.int64(4))
    assert points.shape == (5, *shape)
    assert points.dtype == dtype


def test_start_and_rule_stay_as_they_are():
    theta, rule = START.copy(), Adam(alpha=0.3)
    first = walk(rule, gradient, theta, 10)
    np.testing.assert_array_equal(theta, START)
    np.testing.assert_array_equal(walk(rule, gradient, theta, 10), first)


@pytest.mark.parametrize("steps", [-1, 2.5, "ten", None, float("nan"), float("inf")])
def test_steps_must_be_a_whole_number(steps):
    with pytest.raises(ValueError, match="walk: steps = .* must be a whole number >= 0"):
        walk(SGD(), gradient, START, steps)


def test_bad_theta_and_gradient_are_named():
    with pytest.raises(TypeError, match="theta has dtype int64"):
        walk(SGD(), gradient, np.array([1, 2]), 3)
    with pytest.raises(ValueError, match="gradient at step 1 has shape"):
        walk(SGD(), lambda theta: theta[:1], START, 3)


def test_divergence_names_the_step():
    with np.errstate(over="ignore"), pytest.raises(NotFiniteError, match=r"gradient at step \d+ is not finite"):
        walk(SGD(alpha=1e9), gradient, START, 100)


def test_exported():
    assert adamcore.walk is adamcore.optim.walk is walk
