"""Wrappers and the trace."""

from dataclasses import dataclass

import numpy as np
import pytest

from adamcore import SGD, AdaGrad, Adam, AdamL2, AdamW, Averaged, Decayed, Rule, State, Trace, inverse_sqrt
from adamcore.optim.base import SLICE
from adamcore.optim.wrapper import Wrapper


def walk(rule, gradients, theta=None):
    s = rule.init(np.ones(gradients.shape[1]) if theta is None else theta)
    visited = []
    for g in gradients:
        rule.step(s, g)
        visited.append(s.theta)
    return s, np.array(visited)


@pytest.fixture
def gradients(rng):
    return rng.normal(size=(25, 4))


class TestAveraged:
    def test_the_steps_are_the_rules_own(self, gradients):
        np.testing.assert_array_equal(walk(Averaged(Adam()), gradients)[1], walk(Adam(), gradients)[1])

    def test_mean_of_all_iterates(self, gradients):
        s, visited = walk(Averaged(Adam(), beta=None), gradients)
        np.testing.assert_allclose(s.theta_hat, visited.mean(axis=0), rtol=1e-13)

    def test_moving_average_is_a_weighted_mean(self, gradients):
        s, visited = walk(Averaged(Adam(alpha=0.1), beta=0.8), gradients)
        weights = 0.8 ** np.arange(24, -1, -1)
        np.testing.assert_allclose(s.theta_hat, weights @ visited / weights.sum(), rtol=1e-13)

    def test_a_parameter_that_stands_still_is_its_own_average(self):
        for beta in (None, 0.0, 0.999):
            s, _ = walk(Averaged(SGD(), beta), np.zeros((9, 2)), np.array([0.1, -3.0]))
            np.testing.assert_allclose(s.theta_hat, [0.1, -3.0], rtol=1e-14)

    def test_schedules_inside_are_read(self, gradients):
        inner = SGD(alpha=inverse_sqrt(0.1))
        np.testing.assert_array_equal(walk(Averaged(inner), gradients)[1], walk(inner, gradients)[1])

    def test_averaging_calms_a_noisy_quadratic(self, rng):
        """Section 7.2: on a quadratic with noisy gradients the average is nearer the minimum."""
        rule = Averaged(SGD(alpha=0.5), beta=0.99)
        s = rule.init(np.zeros(500))
        for _ in range(1000):
            rule.step(s, s.theta + rng.normal(size=500))
        assert (s.theta_hat**2).mean() < 0.1 * (s.theta**2).mean()

    @pytest.mark.parametrize("beta", [0.9, None])
    def test_in_place(self, gradients, beta):
        rule = Averaged(Adam(), beta)
        wide = np.tile(gradients, (1, SLICE))
        one, other = rule.init(wide[0]), rule.init(wide[0])
        for g in wide[:3]:
            rule.step(one, g)
            rule.step(other, g, inplace=True)
            np.testing.assert_array_equal(one.theta_bar, other.theta_bar)
            np.testing.assert_array_equal(one.theta_hat, other.theta_hat, strict=True)

    @pytest.mark.parametrize("beta", [0.9, None])
    @pytest.mark.parametrize("what", ["theta", "the gradient", "nothing"])
    def test_in_place_after_the_average_was_taken_for_something_else(self, gradients, beta, what):
        """It may be the running average's own array, and its memory is used again."""
        rule = Averaged(SGD(alpha=0.1), beta)
        wide = np.tile(gradients, (1, SLICE))
        one, other = rule.init(wide[0]), rule.init(wide[0])
        for g in wide[:3]:
            for s, inplace in ((one, False), (other, True)):
                rule.step(s, g, inplace=inplace)
                taken = before = s.theta_hat
                if what == "theta":
                    s.theta = taken
                elif what == "the gradient" and beta:
                    before = taken.copy()
                rule.step(s, taken if what == "the gradient" else g, inplace=inplace)
                if what == "the gradient" and beta:
                    np.testing.assert_array_equal(taken, before)
            for name in ("theta", "theta_bar", "theta_hat"):
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)

    def test_in_place_within_another_wrapper(self, gradients):
        @dataclass(frozen=True)
        class Halved(Wrapper):
            def update(self, s, g):
                self.rule.update(s, g / 2)

        rule = Halved(Averaged(Adam(), beta=0.9))
        wide = np.tile(gradients, (1, SLICE))
        one, other = rule.init(wide[0]), rule.init(wide[0])
        for g in wide[:2]:
            rule.step(one, g)
            rule.step(other, g, inplace=True)
        np.testing.assert_array_equal(one.theta_hat, other.theta_hat)

    def test_slots_start_as_the_rules_own(self):
        rule = Averaged(AdaGrad(initial=0.5), beta=np.float64(0.9))
        s = rule.init(np.ones(2))
        np.testing.assert_array_equal((s.G, s.theta_bar), [[0.5, 0.5], [0, 0]])
        assert type(rule.beta) is float

    def test_the_average_starts_at_zero_whatever_the_rule_starts_from(self):
        class Warm(SGD):
            slots = ("warm",)

            def start_value(self, slot):
                return 7.0

        s = Averaged(Warm()).init(np.ones(1))
        assert (s.warm, s.theta_bar) == (7.0, 0.0)

    def test_states_do_not_mix(self):
        s = Averaged(Adam()).init(np.ones(1))
        with pytest.raises(TypeError, match=r"belongs to Averaged\(Adam\), not to Adam"):
            Adam().step(s, np.ones(1))
        with pytest.raises(TypeError, match=r"not to Averaged\(SGD\)"):
            Averaged(SGD()).step(s, np.ones(1))


class TestDecayed:
    def test_l2_of_adam_is_adam_l2(self, gradients):
        one = walk(Decayed(Adam(), 0.3, "l2"), gradients)[1]
        np.testing.assert_array_equal(one, walk(AdamL2(weight_decay=0.3), gradients)[1])

    def test_decoupled_adam_is_adam_w(self, gradients):
        one = walk(Decayed(Adam(), 0.3), gradients)[1]
        np.testing.assert_array_equal(one, walk(AdamW(weight_decay=0.3), gradients)[1])

    def test_for_sgd_both_forms_are_the_same(self, gradients):
        one, other = (walk(Decayed(SGD(alpha=0.1), 0.3, form), gradients)[1] for form in ("l2", "decoupled"))
        np.testing.assert_allclose(one, other, rtol=1e-12)

    def test_both_schedules_are_read(self, gradients):
        rule = Decayed(SGD(alpha=inverse_sqrt(0.1)), inverse_sqrt(0.5))
        theta = np.ones(4)
        for t, g in enumerate(gradients, start=1):
            theta = theta - 0.1 / t**0.5 * g - 0.1 / t**0.5 * 0.5 / t**0.5 * theta
        np.testing.assert_allclose(walk(rule, gradients)[0].theta, theta, rtol=1e-12)

    def test_errors(self):
        with pytest.raises(TypeError, match="is not a rule with an alpha"):
            Decayed(0.1)
        with pytest.raises(TypeError, match="is not a rule with an alpha"):
            Decayed(Averaged(SGD()))
        with pytest.raises(TypeError, match="Decayed: rule = <class .* is not a rule, such as"):
            Decayed(SGD)
        with pytest.raises(ValueError, match="Decayed: form = 'L2' is not allowed"):
            Decayed(SGD(), 0.1, "L2")
        with pytest.raises(ValueError, match="Decayed: weight_decay = -1.0"):
            Decayed(SGD(), -1)


class TestTrace:
    def test_it_shows_what_the_rule_computes(self, gradients):
        rule = Adam(alpha=inverse_sqrt(0.1))
        s = rule.init(np.ones(4))
        rule.step(s, gradients[0])
        trace = Trace(rule, s, [1, 3])
        for t, g in enumerate(gradients[1:]):
            trace.record(g)
            before = s.theta
            rule.step(s, g)
            for name in ("theta", "m", "v", "m_hat", "v_hat"):
                np.testing.assert_array_equal(trace.history[name][t], getattr(s, name)[[1, 3]])
            np.testing.assert_array_equal(trace.history["step"][t], (s.theta - before)[[1, 3]])
            np.testing.assert_array_equal(trace.history["g"][t], g[[1, 3]])
        np.testing.assert_array_equal(trace.history["t"], np.arange(2, 26))
        assert set(trace.history) == {"t", "g", "step", "theta", "m", "v", "m_hat", "v_hat"}

    def test_coordinates_of_a_matrix(self):
        rule = SGD(alpha=1.0)
        s = rule.init(np.zeros((2, 3)))
        trace = Trace(rule, s, 4)
        trace.record(np.arange(6.0).reshape(2, 3))
        np.testing.assert_array_equal(trace.history["theta"], [[-4.0]])

    def test_of_no_coordinates(self):
        rule = Adam()
        trace = Trace(rule, rule.init(np.ones(3)), [])
        trace.record(np.ones(3))
        assert trace.history["theta"].shape == (1, 0)

    def test_it_does_not_touch_the_state(self):
        rule = Adam()
        s = rule.init(np.ones((2, 3)))
        Trace(rule, s, [5]).record(np.ones((2, 3)))
        assert s.t == 0
        np.testing.assert_array_equal(s.theta, 1)

    def test_scalars_are_copied(self, gradients):
        from adamcore import NAdam

        rule = NAdam()
        s = rule.init(np.ones(4))
        trace = Trace(rule, s, [0])
        for g in gradients:
            trace.record(g)
            rule.step(s, g)
        assert trace.history["mu_product"][-1] == s.mu_product
        assert trace.history["theta"][-1] == s.theta[0]

    def test_errors(self):
        class Whole(Rule):
            elementwise = False

            def update(self, s: State, g):
                pass

        with pytest.raises(ValueError, match="Whole is not elementwise"):
            Trace(Whole(), State("Whole", np.ones(2)), [0])
        for bad in ([2], [-1]):
            with pytest.raises(ValueError, match="coordinates must be from 0 to 1"):
                Trace(SGD(), SGD().init(np.ones(2)), bad)
