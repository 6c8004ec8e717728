"""What can be said about Adam and its family on paper, as exact statements, held against the code.

The labels T1 to T19 number the statements. Parts of some of them stand in ``test_adam.py``: a constant gradient
(T1, Algorithm 1's own epsilon), the moments as unrolled sums (T2), powers of two that cancel bit for bit (T6,
one scale for all coordinates), AdaGrad as a limit (T7), 1 - beta**t at beta = 1 - 1e-12 (T19), and squares that
underflow or overflow in float32 (T19). What float16 would do is refused in ``test_rules.py``.
"""

import copy
import dataclasses
import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from adamcore import (
    SGD,
    AdaGrad,
    Adam,
    AdaMax,
    AdamL2,
    AdamW,
    AMSGrad,
    Averaged,
    Momentum,
    NAdam,
    RAdam,
    RMSProp,
    inverse_sqrt,
)
from adamcore.optim import Decayed, load, save
from adamcore.optim.base import one_minus_power


def steps(rule, gradients, steps_before=0):
    """The steps that a rule makes on given gradients, a row each; in units of alpha if alpha is 1.

    Theta is put back to zero before every step, so that a step is read without a subtraction's rounding. With
    ``steps_before`` the rule counts as if it had seen that many gradients of zero.
    """
    gradients = np.asarray(gradients, dtype=float)
    s = rule.init(np.zeros(gradients.shape[1:]))
    s.t = steps_before
    made = []
    for g in gradients:
        s.theta = np.zeros_like(s.theta)
        rule.step(s, g)
        made.append(s.theta)
    return np.array(made)


class TestConstantGradient:
    @pytest.mark.parametrize("g", [3.7, -1e-4, 1e-9])
    @pytest.mark.parametrize("eps", [1e-8, 1e-3])
    def test_epsilon_hat_is_larger_at_first(self, g, eps):
        """T1: in the order of section 2, each step is -alpha g / (|g| + eps_hat / sqrt(1 - beta2^t))."""
        t = np.arange(1, 60)
        made = steps(Adam(alpha=1, eps=eps, eps_place="hat"), np.full(59, g))
        np.testing.assert_allclose(made, -g / (abs(g) + eps / np.sqrt(1 - 0.999**t)), rtol=1e-11)

    def test_epsilon_inside_the_root(self):
        """T1: sqrt(g^2 + eps) in place of |g| + eps."""
        made = steps(Adam(alpha=1, eps=1e-4, eps_place="inside"), np.full(20, -0.01))
        np.testing.assert_allclose(made, 0.01 / math.sqrt(2e-4), rtol=1e-12)

    def test_epsilon_hat_that_shrinks_as_it_should_is_epsilon(self):
        """T1: eps_hat_t = eps sqrt(1 - beta2^t) makes the two orders of section 2 one algorithm."""
        gradients = np.random.default_rng(0).normal(size=(30, 4)) * 1e-8
        algorithm_1, other = Adam(eps=1e-8), Adam(eps_place="hat")
        one, two = algorithm_1.init(np.zeros(4)), other.init(np.zeros(4))
        for t, g in enumerate(gradients, start=1):
            algorithm_1.step(one, g)
            dataclasses.replace(other, eps=1e-8 * math.sqrt(1 - 0.999**t)).step(two, g)
        np.testing.assert_allclose(one.theta, two.theta, rtol=1e-12)

    @pytest.mark.parametrize(("g", "share"), [(1e-7, 0.736), (1e-8, 0.939)])
    def test_how_far_the_two_places_of_epsilon_are_apart(self, g, share):
        """T1, section 1.2: at the first step with eps = 1e-8, by 73.6 % and 93.9 % of Algorithm 1's step."""
        algorithm_1 = steps(Adam(alpha=1), [g])
        hat = steps(Adam(alpha=1, eps_place="hat"), [g])
        np.testing.assert_allclose(1 - hat / algorithm_1, share, atol=5e-4)


class TestMovingAverages:
    @pytest.mark.parametrize("beta", [0.9, 0.999])
    def test_weights_of_the_corrected_average(self, beta):
        """T2: m_hat = sum of w_i g_i with w_i = beta^(t-i) (1 - beta) / (1 - beta^t), which sum to 1."""
        t = 40
        rule = Adam(beta1=beta)
        s = rule.init(np.zeros(t))
        for spike in np.eye(t):  # coordinate i sees a gradient of 1 at step i alone, so its m_hat is w_i
            rule.step(s, spike)
        age = np.arange(t)[::-1]
        np.testing.assert_allclose(s.m_hat, beta**age * (1 - beta) / (1 - beta**t), rtol=1e-12)
        assert math.isclose(s.m_hat.sum(), 1, rel_tol=1e-12)
        effective = (1 + beta) * (1 - beta**t) / ((1 - beta) * (1 + beta**t))
        assert math.isclose(1 / (s.m_hat**2).sum(), effective, rel_tol=1e-11)

    def test_effective_samples_in_the_long_run_are_the_rho_of_radam(self):
        """T2: (1 + beta) / (1 - beta), 19 and 1999; RAdam's rho_inf = 2 / (1 - beta2) - 1 is the same number.

        RAdam's first adaptive step is at rho_t > 4, t = 5 for beta2 = 0.999, and r_t follows from rho.
        """
        assert math.isclose((1 + 0.9) / (1 - 0.9), 19)
        rho_inf = (1 + 0.999) / (1 - 0.999)
        assert math.isclose(rho_inf, 1999)
        rho = {t: rho_inf - 2 * t * 0.999**t / (1 - 0.999**t) for t in (4, 5, 100, 1000)}
        assert rho[4] < 4 < rho[5]
        assert RAdam().rectification(4) == 0
        for t in (5, 100, 1000):
            r = math.sqrt((rho[t] - 4) * (rho[t] - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho[t]))
            assert math.isclose(RAdam().rectification(t), r, rel_tol=1e-9)

    @pytest.mark.parametrize(("slot", "half_life"), [("m", 6.58), ("v", 692.8)])
    def test_half_life(self, slot, half_life):
        """T2: a gradient's weight halves in log(1/2) / log(beta) steps: 6.6 and 693 at the defaults."""
        assert math.isclose(math.log(0.5) / math.log({"m": 0.9, "v": 0.999}[slot]), half_life, rel_tol=1e-3)
        rule = Adam()
        s = rule.init(np.zeros(1))
        rule.step(s, np.ones(1))
        first = getattr(s, slot)[0]
        for _ in range(math.floor(half_life)):
            rule.step(s, np.zeros(1))
        assert getattr(s, slot)[0] > first / 2
        rule.step(s, np.zeros(1))
        assert getattr(s, slot)[0] < first / 2


class TestWithoutCorrection:
    @pytest.mark.parametrize(
        ("beta1", "beta2", "first", "largest", "at"),
        [
            (0.9, 0.99, 1, 2.131, 13),
            (0.9, 0.999, math.sqrt(10), 6.569, 12),
            (0.9, 0.9999, 10, 20.720, 12),
            (0.0, 0.99, 10, 10, 1),
            (0.0, 0.999, math.sqrt(1000), math.sqrt(1000), 1),
            (0.0, 0.9999, 100, 100, 1),
        ],
    )
    def test_first_steps_are_too_large(self, beta1, beta2, first, largest, at):
        """T3: on a constant gradient, f(t) = (1 - beta1^t) / sqrt(1 - beta2^t) times alpha, up to 20.7 alpha."""
        t = np.arange(1, 301)
        made = steps(Adam(alpha=1, beta1=beta1, beta2=beta2, eps=0, bias_correction=False), np.full(300, -2.5))
        np.testing.assert_allclose(made, (1 - beta1**t) / np.sqrt(1 - beta2**t), rtol=1e-10)
        np.testing.assert_allclose(made[0], first, rtol=1e-10)
        np.testing.assert_allclose(made.max(), largest, rtol=1e-4)
        assert t[made.argmax()] == at

    @pytest.mark.parametrize(("beta2", "excess", "quiet"), [(0.99, 83.0964, 390), (0.999, 1212.574, 3924)])
    def test_how_long_it_lasts(self, beta2, excess, quiet):
        """T3: the excess over alpha sums to 83 and 1213 alpha; steps 390 and 3924 are the last 1 % longer."""
        made = steps(Adam(alpha=1, beta2=beta2, eps=0, bias_correction=False), np.full(4 * quiet, -1.0))
        assert math.isclose((made - 1).sum(), excess, rel_tol=1e-5)
        assert np.flatnonzero(made > 1.01)[-1] + 1 == quiet

    def test_the_sum_at_the_slowest_decay(self):
        """T3: 13314.47 alpha and 39267 steps at beta2 = 0.9999, from the corrections that the code divides by."""
        rule = Adam(beta2=0.9999)
        t = np.arange(1, 400_001)
        f = (1 - 0.9**t) / np.sqrt(1 - 0.9999**t)
        assert math.isclose((f - 1).sum(), 13314.47, rel_tol=1e-6)
        assert t[f > 1.01][-1] == 39267
        for step in (1, 12, 1000, 39267):
            assert math.isclose(rule.m_correction(step) / rule.v_correction(step) ** 0.5, f[step - 1], rel_tol=1e-10)

    def test_only_v_corrected_warms_up(self):
        """T3: 1 - beta1^t."""
        t = np.arange(1, 101)
        made = steps(Adam(alpha=1, eps=0, bias_correction="second"), np.full(100, -3.0))
        np.testing.assert_allclose(made, 1 - 0.9**t, rtol=1e-11)

    def test_only_m_corrected_starts_with_the_longest_step(self):
        """T3: 1 / sqrt(1 - beta2^t)."""
        t = np.arange(1, 101)
        made = steps(Adam(alpha=1, eps=0, bias_correction="first"), np.full(100, -3.0))
        np.testing.assert_allclose(made, 1 / np.sqrt(1 - 0.999**t), rtol=1e-11)


def sharp_bound(t, beta1, beta2):
    """The longest step that Adam (eps = 0) can make at step t, in units of alpha (Cauchy-Schwarz)."""
    ratio = beta1**2 / beta2
    geometric = (1 - ratio**t) / (1 - ratio)
    return (1 - beta1) / np.sqrt(1 - beta2) * np.sqrt(geometric * (1 - beta2**t)) / (1 - beta1**t)


class TestLongestStep:
    @pytest.mark.parametrize(
        ("beta1", "beta2", "limit"), [(0.9, 0.999, 7.270), (0.9, 0.99, 2.345), (0.9, 0.95, 1.165), (0.5, 0.9, 1.8605)]
    )
    def test_bound_is_attained_by_gradients_that_grow(self, beta1, beta2, limit):
        """T4: gradients that grow by beta2 / beta1 attain it at every step; its limit is above the paper's bounds.

        Section 2.1 bounds the step by alpha max(1, (1 - beta1) / sqrt(1 - beta2)): 3.162, 1, 1 and 1.58 alpha.
        """
        t = np.arange(1, 1001)
        # A growth of 1.11 a step reaches 1e46, well inside the range whose squares are finite.
        made = steps(Adam(alpha=1, beta1=beta1, beta2=beta2, eps=0), -((beta2 / beta1) ** np.minimum(t, 500.0)))
        np.testing.assert_allclose(made[:500], sharp_bound(t[:500], beta1, beta2), rtol=1e-10)
        infinite = (1 - beta1) / math.sqrt((1 - beta2) * (1 - beta1**2 / beta2))
        assert math.isclose(infinite, limit, rel_tol=1e-4)
        assert infinite > max(1, (1 - beta1) / math.sqrt(1 - beta2))
        # From the 501st step on the gradient stands still, so the bound is not attained any more.
        assert made[510] < sharp_bound(511, beta1, beta2) - 1e-3

    def test_first_bound_of_section_2_1_cannot_be_exceeded_before_step_210(self):
        """T4: from a cold start at the defaults, 3.162 alpha is first exceeded at t = 210."""
        made = steps(Adam(alpha=1, eps=0), -(1.11 ** np.arange(300.0)))
        assert np.flatnonzero(made > math.sqrt(10))[0] + 1 == 210
        assert np.flatnonzero(sharp_bound(np.arange(1, 300), 0.9, 0.999) > math.sqrt(10))[0] + 1 == 210

    @pytest.mark.parametrize(
        ("silence", "longest"), [(1000, 5.2412), (3000, 6.4052), (20_000, 6.56852), (10**7, 6.56852)]
    )
    def test_equal_gradients_after_silence(self, silence, longest):
        """T4: k equal gradients after a long silence: (1 - beta1^k) / sqrt(1 - beta2^k), 6.57 alpha at k = 12."""
        made = steps(Adam(alpha=1, eps=0), np.full(30, -4.0), steps_before=silence)
        assert math.isclose(made.max(), longest, rel_tol=2e-5)
        assert made.argmax() + 1 == 12
        if silence == 10**7:
            k = np.arange(1, 31)
            np.testing.assert_allclose(made, (1 - 0.9**k) / np.sqrt(1 - 0.999**k), rtol=1e-10)
            np.testing.assert_allclose(made[[0, 1, 4, 11]], [3.16228, 4.24959, 5.79714, 6.56852], rtol=1e-5)

    def test_silence_may_be_counted_or_lived_through(self):
        """T4: gradients of zero change nothing but t."""
        lived = steps(Adam(alpha=1, eps=0), [*[0.0] * 1000, *[-4.0] * 5])[1000:]
        np.testing.assert_array_equal(lived, steps(Adam(alpha=1, eps=0), [-4.0] * 5, steps_before=1000))

    @pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.9, 0.99), (0.8, 0.7), (0.9, 0.9), (0.0, 0.999)])
    def test_no_search_finds_a_longer_one(self, beta1, beta2):
        """T4: random, sparse and growing sequences, and steps uphill from each, stay below the bound."""
        rng = np.random.default_rng(5)
        rule = Adam(alpha=1, beta1=beta1, beta2=beta2, eps=0)
        t, candidates = 6, 1000
        growth = rng.uniform(0.5, 2.0, size=candidates) ** np.arange(t)[:, None]
        gradients = rng.normal(size=(t, candidates)) * growth * (rng.random((t, candidates)) < 0.7)
        best = np.zeros(t)
        for reach in 0.8 ** np.arange(20):
            lengths = np.abs(steps(rule, gradients))
            best = np.maximum(best, lengths.max(axis=1))
            winner = gradients[:, lengths[-1].argmax()]
            gradients = winner[:, None] + reach * np.abs(winner).max() * rng.normal(size=(t, candidates))
            gradients[:, 0] = winner
        bound = sharp_bound(np.arange(1, t + 1), beta1, beta2)
        assert (best <= bound * (1 + 1e-12)).all()
        assert best[-1] > 0.999 * bound[-1]  # the search comes close, so it would have found more

    def test_only_equal_betas_keep_alpha_as_the_limit(self):
        """T4: R_inf >= 1, with equality where beta1 = beta2 and nowhere else."""
        beta1, beta2 = np.meshgrid(np.arange(0, 0.99, 0.03), np.arange(0.03, 0.99, 0.03), indexing="ij")
        finite = beta1**2 < beta2
        limit = (1 - beta1[finite]) / np.sqrt((1 - beta2[finite]) * (1 - beta1[finite] ** 2 / beta2[finite]))
        equal = np.isclose(beta1[finite], beta2[finite])
        np.testing.assert_allclose(limit[equal], 1, rtol=1e-12)
        assert (limit[~equal] > 1).all()
        ahead = Adam(alpha=1, beta1=0.9, beta2=0.9, eps=0)
        assert np.abs(steps(ahead, 1.11 ** np.arange(300.0))).max() <= 1 + 1e-12


def adamax_bound(t, beta1, beta2):
    """The longest step that AdaMax can make at step t, in units of alpha."""
    ratio = beta1 / beta2
    return (1 - beta1) * (1 - ratio**t) / ((1 - beta1**t) * (1 - ratio))


class TestAdaMax:
    @pytest.mark.parametrize(("beta2", "supremum"), [(0.999, 1.00909), (0.99, 1.1), (0.95, 1.9)])
    def test_bound_is_attained_by_gradients_that_fade(self, beta2, supremum):
        """T5: gradients that shrink by beta2 attain it; it exceeds alpha, by under 1 % at the defaults."""
        t = np.arange(1, 401)
        made = steps(AdaMax(alpha=1, beta2=beta2), -(beta2**t))
        np.testing.assert_allclose(made, adamax_bound(t, 0.9, beta2), rtol=1e-11)
        assert math.isclose(beta2 * 0.1 / (beta2 - 0.9), supremum, rel_tol=1e-5)
        # A supremum: it grows towards it at every step, and does not pass it.
        assert (made <= supremum + 1e-5).all()
        assert math.isclose(made[-1, ...], supremum, rel_tol=1e-5)

    @pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.9, 0.95), (0.9, 0.8)])
    def test_bound_is_never_exceeded(self, beta1, beta2):
        """T5: also for beta2 < beta1, where it grows without limit."""
        rng = np.random.default_rng(6)
        t, candidates = 40, 2000
        growth = rng.uniform(0.6, 1.3, size=candidates) ** np.arange(t)[:, None]
        gradients = np.abs(rng.normal(1, 0.3, size=(t, candidates))) * growth
        made = np.abs(steps(AdaMax(alpha=1, beta1=beta1, beta2=beta2), gradients))
        assert (made <= adamax_bound(np.arange(1, t + 1), beta1, beta2)[:, None] * (1 + 1e-12)).all()
        assert made.max() > 1

    def test_alpha_is_the_limit_while_gradients_do_not_shrink(self):
        """T5: the case in which the paper's bound holds."""
        sizes = np.cumsum(np.random.default_rng(7).exponential(size=(50, 200)), axis=0)
        signs = np.random.default_rng(8).choice([-1, 1], size=(50, 200))
        assert np.abs(steps(AdaMax(alpha=1), sizes * signs)).max() <= 1 + 1e-14

    def test_first_step_needs_no_correction_of_u(self):
        """T5: u_1 = |g_1|, so the first step is alpha sign(g)."""
        g = np.array([3.0, -1e-20, 1e200, 0.0])
        np.testing.assert_allclose(steps(AdaMax(alpha=0.5), [g])[0], -0.5 * np.sign(g), rtol=1e-15)

    def test_u_is_the_largest_faded_gradient(self):
        """T5: u_t = max of beta2^(t-i) |g_i|, equation 11."""
        gradients = np.random.default_rng(9).normal(size=(60, 5))
        rule = AdaMax(beta2=0.95)
        s = rule.init(np.zeros(5))
        for g in gradients:
            rule.step(s, g)
        faded = np.abs(gradients) * 0.95 ** np.arange(60)[::-1, None]
        np.testing.assert_allclose(s.u, faded.max(axis=0), rtol=1e-13)

    def test_limit_of_the_power_mean(self):
        """T5: equations 6 to 11: sums of p-th powers give u as p grows; p = 2000 is within log(t) / p."""
        gradients = np.random.default_rng(10).normal(size=(30, 4))
        rule = AdaMax(beta2=0.9)
        s = rule.init(np.zeros(4))
        for g in gradients:
            rule.step(s, g)
        logs = np.log(np.abs(gradients)) + np.arange(30)[::-1, None] * math.log(0.9)
        p = 2000
        power_mean = np.exp(np.logaddexp.reduce(p * logs, axis=0) / p)
        np.testing.assert_allclose(s.u, power_mean, rtol=math.log(30) / p)


class TestInvariance:
    gradients = np.random.default_rng(11).normal(size=(40, 6))

    def test_each_coordinate_may_have_its_own_scale(self):
        """T6: a positive diagonal cancels, bit for bit if its entries are powers of two (eps = 0)."""
        scales = 2.0 ** np.array([-60, -7, 0, 1, 30, 90])
        rule = Adam(eps=0)
        np.testing.assert_array_equal(steps(rule, self.gradients * scales), steps(rule, self.gradients))

    def test_any_positive_scale_cancels_to_rounding(self):
        """T6: also where it is no power of two."""
        scales = np.array([1e-30, 3e-5, 0.1, 7.0, 1e9, 1e100])
        rule = Adam(alpha=1, eps=0)
        np.testing.assert_allclose(
            steps(rule, self.gradients * scales), steps(rule, self.gradients), rtol=1e-9, atol=1e-12
        )

    def test_a_scale_that_changes_midway_does_not_cancel(self):
        """T6: the scale must be the same from the first step on."""
        rule = Adam(alpha=1, eps=0)
        later = self.gradients * np.where(np.arange(40) < 20, 1, 100)[:, None]
        difference = np.abs(steps(rule, later) - steps(rule, self.gradients))
        np.testing.assert_array_equal(difference[:20], 0)
        assert difference[20:].max() > 0.5

    def test_signs_and_order_of_coordinates(self):
        """T6: flipping or permuting coordinates of the gradient flips or permutes those of the step."""
        rule = Adam()
        made = steps(rule, self.gradients)
        signs, order = np.array([1, -1, -1, 1, -1, 1]), np.array([3, 1, 5, 0, 2, 4])
        np.testing.assert_array_equal(steps(rule, self.gradients * signs), made * signs)
        np.testing.assert_array_equal(steps(rule, self.gradients[:, order]), made[:, order])

    def test_no_invariance_under_rotation(self):
        """T6: along an axis theta moves by alpha, along a diagonal by sqrt(2) alpha; SGD does not care."""
        axis, diagonal = [[5.0, 0.0]], [[5 / math.sqrt(2), 5 / math.sqrt(2)]]
        for rule, ratio in ((Adam(eps=0), math.sqrt(2)), (SGD(), 1.0)):
            one, other = (np.linalg.norm(steps(rule, g)) for g in (axis, diagonal))
            assert math.isclose(other / one, ratio, rel_tol=1e-12)

    def test_the_first_step_knows_only_the_sign(self):
        """T6: alpha sign(g), whatever the scale and the betas."""
        g = np.array([1e-150, -3.0, 1e150, 0.0])
        for beta1, beta2 in ((0.9, 0.999), (0.0, 0.0), (0.5, 0.9999)):
            made = steps(Adam(alpha=0.25, beta1=beta1, beta2=beta2, eps=0), [g])[0]
            np.testing.assert_allclose(made, -0.25 * np.sign(g), rtol=1e-12)

    @pytest.mark.parametrize("scale", [1e-6, 1e-8, 1e-9])
    def test_epsilon_breaks_it(self, scale):
        """T6: gradients of size c have sqrt(v_hat) = c, so steps shrink to 1 / (1 + eps / c): to half at c = eps."""
        signs = np.random.default_rng(12).choice([-1.0, 1.0], size=(50, 8))
        exact, broken = Adam(alpha=1, eps=0), Adam(alpha=1, eps=1e-8)
        np.testing.assert_allclose(
            steps(broken, scale * signs), steps(exact, signs) / (1 + 1e-8 / scale), rtol=1e-10, atol=1e-14
        )

    def test_epsilon_with_gradients_of_many_sizes(self):
        """T6: root mean square over 1000 steps of normal gradients: 0.99, 0.50 and 0.09 of the full length."""
        gradients = np.random.default_rng(13).normal(size=(1000, 20))

        def size(scale):
            return math.sqrt((steps(Adam(alpha=1), scale * gradients) ** 2).mean())

        ratios = [size(scale) / size(1.0) for scale in (1e-6, 1e-8, 1e-9)]
        np.testing.assert_allclose(ratios, [0.989, 0.497, 0.0905], atol=0.004)


@dataclass(frozen=True)
class GrowingWindow(Adam):
    """Adam with beta2 = 1 - 1/t, so that v is the mean of all squares so far."""

    def at(self, t):
        return dataclasses.replace(super().at(t), beta2=1 - 1 / t)


def test_adagrad_is_adam_with_a_window_that_grows():
    """T7: beta2 = 1 - 1/t makes v_t the mean of g^2, uncorrected, and with alpha / sqrt(t) this is AdaGrad."""
    gradients = np.random.default_rng(14).normal(size=(100, 3)) * np.array([1e-5, 1.0, 1e3])
    window = GrowingWindow(alpha=inverse_sqrt(0.1), beta1=0, eps=0, bias_correction=False)
    adagrad = AdaGrad(alpha=0.1, eps=0)
    s, other = window.init(np.zeros(3)), adagrad.init(np.zeros(3))
    for t, g in enumerate(gradients, start=1):
        window.step(s, g)
        adagrad.step(other, g)
        np.testing.assert_allclose(s.v, (gradients[:t] ** 2).mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(s.theta, other.theta, rtol=1e-11, atol=1e-14)


def test_adagrad_is_no_limit_without_correction():
    """T7, section 5: without bias correction the first step is alpha / sqrt(1 - beta2), which has no limit."""
    for distance in (1e-4, 1e-6, 1e-8):
        rule = Adam(alpha=1, beta1=0, beta2=1 - distance, eps=0, bias_correction=False)
        np.testing.assert_allclose(steps(rule, [-3.0]), distance**-0.5, rtol=1e-7)


class TestDrift:
    """What the derivation of section 3 calls zeta: how much v_t misses E[g_t^2] (1 - beta2^t) by."""

    @pytest.mark.parametrize("beta2", [0.9, 0.999])
    def test_linear(self, beta2):
        """T8: E[g_i^2] = a + b i; v lags, in the long run by beta2 / (1 - beta2) steps: 9, or 999."""
        a, b = 5.0, 0.25
        rule = Adam(beta2=beta2)
        s = rule.init(np.zeros(1))
        for t in range(1, 301):
            square = a + b * t
            rule.step(s, np.sqrt([square]))
            zeta = -b * beta2 * (1 - t * beta2 ** (t - 1) + (t - 1) * beta2**t) / (1 - beta2)
            np.testing.assert_allclose(s.v, square * (1 - beta2**t) + zeta, rtol=1e-11)
        if beta2 == 0.9:
            np.testing.assert_allclose((square - s.v) / b, 9, rtol=1e-9)
        assert math.isclose(beta2 / (1 - beta2), {0.9: 9, 0.999: 999}[beta2])

    @pytest.mark.parametrize("rho", [0.5, 0.97, 1.05])
    def test_geometric(self, rho):
        """T8: E[g_i^2] = c rho^i; where rho < beta2, v shrinks only by beta2 a step."""
        beta2, c = 0.9, 3.0
        rule = Adam(beta2=beta2)
        s = rule.init(np.zeros(1))
        for t in range(1, 201):
            before = s.v
            rule.step(s, np.sqrt([c * rho**t]))
            np.testing.assert_allclose(s.v, c * (1 - beta2) * rho * (beta2**t - rho**t) / (beta2 - rho), rtol=1e-10)
        assert math.isclose((s.v / before)[0], max(rho, beta2), rel_tol=1e-6)

    def test_stationary(self):
        """T8: zeta = 0, and v_hat is then unbiased; here g^2 is constant, so it is exact."""
        rule = Adam()
        s = rule.init(np.zeros(1))
        for sign in (1, -1, -1, 1, 1):
            rule.step(s, np.array([0.3 * sign]))
            np.testing.assert_allclose(s.v_hat, 0.09, rtol=1e-12)


class TestNoise:
    """Statistics over many coordinates; tolerances are 4 standard errors, and what the formula leaves out."""

    coordinates = 2000

    def settled(self, gradient, t_end=3000, every=100, t_first=2000):
        """Steps in units of alpha, taken so far apart (0.9^100) that they are independent, after v has settled."""
        rule = Adam(alpha=1, eps=0)
        s = rule.init(np.zeros(self.coordinates))
        seen = []
        for t in range(1, t_end + 1):
            s.theta = np.zeros(self.coordinates)
            rule.step(s, gradient())
            if t >= t_first and t % every == 0:
                seen.append(s.theta)
        return np.concatenate(seen)

    @pytest.mark.parametrize("ratio", [0.3, 1.0])
    def test_step_measures_signal_to_noise(self, ratio):
        """T9: for g ~ N(mu, sigma^2), mean mu / rms, standard deviation sqrt((1 - beta1) / (1 + beta1)) sigma / rms.

        v_hat still fluctuates a little, by itself and together with m. To first order in 1 - beta2 that takes less
        than 0.1 % off the mean, and 0.8 % off the standard deviation at mu = sigma.
        """
        rng = np.random.default_rng(15)
        made = -self.settled(lambda: ratio + rng.normal(size=self.coordinates))
        rms = math.sqrt(1 + ratio**2)
        spread = math.sqrt(0.1 / 1.9) / rms
        error = spread / math.sqrt(made.size)
        assert abs(made.mean() - ratio / rms) < 4 * error + 0.001 * ratio / rms
        assert abs(made.std() - spread) < 4 * error / math.sqrt(2) + 0.01 * spread

    def test_rare_gradients_of_one_sign(self):
        """T9: a gradient of 1 with probability q moves theta by about sqrt(q) alpha a step, where SGD's share is q.

        To second order in the fluctuations, with V the relative variance of v and C its relative covariance with
        m, the mean is sqrt(q) (1 + 3/8 V - C/2).
        """
        q, rng = 0.1, np.random.default_rng(16)
        made = -self.settled(lambda: (rng.random(self.coordinates) < q).astype(float))
        odds = (1 - q) / q
        variance = 0.001 / 1.999 * odds
        covariance = 0.1 * 0.001 / (1 - 0.9 * 0.999) * odds
        expected = math.sqrt(q) * (1 + 3 / 8 * variance - covariance / 2)
        assert math.isclose(expected, 0.3153, rel_tol=1e-3)
        assert abs(made.mean() - expected) < 4 * made.std() / math.sqrt(made.size)

    def test_pure_noise_walks_at_random(self):
        """T9: between two times T apart, variance alpha^2 (T - 2 beta1 (1 - beta1^T) / (1 - beta1^2))."""
        rng = np.random.default_rng(17)
        rule = Adam(alpha=1, eps=0)
        s = rule.init(np.zeros(self.coordinates))
        length = 500
        for t in range(2000 + length):
            if t == 2000:
                start = s.theta
            rule.step(s, rng.normal(size=self.coordinates))
        expected = length - 2 * 0.9 * (1 - 0.9**length) / (1 - 0.9**2)
        # The sample variance of n normal values has relative standard error sqrt(2 / n).
        assert abs((s.theta - start).var() / expected - 1) < 4 * math.sqrt(2 / self.coordinates) + 0.002

    @pytest.mark.parametrize(("alpha", "sigma"), [(0.01, 1.0), (0.01, 0.1)])
    def test_noise_floor(self, alpha, sigma):
        """T10: on f = x^2 / 2 with gradient noise sigma, a constant alpha settles at E[x^2] = alpha sigma / 2.

        Valid for alpha much below sigma; with x's own share in v it is alpha sigma^2 / (2 sqrt(sigma^2 + E[x^2])).
        """
        rng = np.random.default_rng(18)
        n = self.coordinates
        floor = alpha * sigma / 2
        rule = Adam(alpha=alpha, eps=0)
        s = rule.init(rng.normal(size=n) * math.sqrt(floor))  # at the floor, so that nothing has to decay first
        seen = []
        relaxation = sigma / alpha
        for t in range(1, 2001):
            rule.step(s, s.theta + sigma * rng.normal(size=n))
            if t >= 800 and t % (5 * relaxation) == 0:
                seen.append((s.theta**2).mean())
        expected = floor / math.sqrt(1 + floor / sigma**2)
        assert abs(np.mean(seen) / expected - 1) < 4 * math.sqrt(2 / (n * len(seen))) + 0.01

    def test_decay_of_alpha_removes_the_floor(self):
        """T10: with alpha / sqrt(t) the floor sinks with alpha_t; it lags behind by 1 / (4 t alpha_t), here 2 %."""
        rng = np.random.default_rng(19)
        n, last = self.coordinates, 1500
        rule = Adam(alpha=inverse_sqrt(0.3), eps=0)
        s = rule.init(rng.normal(size=n))
        for _ in range(last):
            rule.step(s, s.theta + rng.normal(size=n))
        expected = 0.3 / math.sqrt(last) / 2
        assert abs((s.theta**2).mean() / expected - 1) < 4 * math.sqrt(2 / n) + 0.04


class TestAlternatingAndRareGradients:
    @pytest.mark.parametrize("beta1", [0.9, 0.5, 0.0])
    def test_alternating_gradients_nearly_cancel(self, beta1):
        """T11: |step| = (1 - beta1) (1 - (-beta1)^t) / ((1 + beta1) (1 - beta1^t)) alpha, down to alpha / 19."""
        t = np.arange(1, 201)
        made = steps(Adam(alpha=1, beta1=beta1, eps=0), 7.0 * (-1.0) ** t)
        expected = (1 - beta1) * (1 - (-beta1) ** t) / ((1 + beta1) * (1 - beta1**t))
        np.testing.assert_allclose(np.abs(made), expected, rtol=1e-10)
        np.testing.assert_allclose(np.abs(made[-1]), (1 - beta1) / (1 + beta1), rtol=1e-8)

    @pytest.mark.parametrize(("h", "beta1", "beta2"), [(1.0, 0.9, 0.999), (30.0, 0.9, 0.9), (0.01, 0.0, 0.99)])
    def test_two_cycle_on_a_bowl(self, h, beta1, beta2):
        """T11: on f = h x^2 / 2, x = +-alpha (1 - beta1) / (2 (1 + beta1)) for ever, whatever h and beta2.

        The curvature divided by sqrt(v) is then (2 + 2 beta1) / ((1 - beta1) alpha), 38 / alpha at 0.9. The cycle
        does not attract, so only its first steps are compared.
        """
        alpha = 0.01
        amplitude = alpha * (1 - beta1) / (2 * (1 + beta1))
        rule = Adam(alpha=alpha, beta1=beta1, beta2=beta2, eps=0, bias_correction=False)
        s = rule.init(np.array([amplitude]))
        s.m = np.array([-(1 - beta1) / (1 + beta1) * h * amplitude])
        s.v = np.array([(h * amplitude) ** 2])
        for t in range(1, 13):
            rule.step(s, h * s.theta)
            np.testing.assert_allclose(s.theta, amplitude * (-1) ** t, rtol=1e-8)
            np.testing.assert_allclose(h / np.sqrt(s.v), 2 * (1 + beta1) / ((1 - beta1) * alpha), rtol=1e-8)

    @pytest.mark.parametrize("size", [1e-3, 1e5])
    def test_lone_spike_after_long_silence(self, size):
        """T12: peak (1 - beta1) / sqrt(1 - beta2) = 3.162 alpha, 31.77 alpha in all; beta1 / sqrt(beta2) a step."""
        made = -steps(Adam(alpha=1, eps=0), [size, *[0.0] * 399], steps_before=10**7)
        np.testing.assert_allclose(made[0], math.sqrt(10), rtol=1e-10)
        np.testing.assert_allclose(made[1:100] / made[:99], 0.9 / math.sqrt(0.999), rtol=1e-10)
        travel = 0.1 / (math.sqrt(0.001) * (1 - 0.9 / math.sqrt(0.999)))
        assert math.isclose(travel, 31.766, rel_tol=1e-5)
        assert math.isclose(made.sum(), travel, rel_tol=1e-10)

    def test_lone_spike_at_the_first_step(self):
        """T12: the same spike at t = 1 travels 6.01 alpha: the sum of its corrected weights over their root."""
        made = -steps(Adam(alpha=1, eps=0), [4.0, *[0.0] * 599])
        t = np.arange(1, 601)
        first = 0.9 ** (t - 1) * 0.1 / (1 - 0.9**t)
        second = 0.999 ** (t - 1) * 0.001 / (1 - 0.999**t)
        np.testing.assert_allclose(made, first / np.sqrt(second), rtol=1e-9)
        assert math.isclose(made.sum(), 6.0055, rel_tol=1e-4)


def mean_drift(large, small, period, beta2):
    """Mean of g / sqrt(v) over a period of one gradient ``large`` and the others ``-small``, for beta1 = 0."""
    v = (1 - beta2) * (large**2 + small**2 * sum(beta2**k for k in range(1, period))) / (1 - beta2**period)
    rest = sum(1 / math.sqrt(beta2**j * v + (1 - beta2**j) * small**2) for j in range(1, period))
    return (large / math.sqrt(v) - small * rest) / period


def critical_beta2(large, small, period):
    """The beta2 at which the mean drift changes its sign, by bisection."""
    low, high = 1e-6, 1 - 1e-9
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if mean_drift(large, small, period, middle) < 0 else (low, middle)
    return low


class TestReddi:
    """f_t(x) = 3 x at every third step and -x at the others: of the points in [-1, 1] the best is -1."""

    @staticmethod
    def run(rule, steps_taken=3000):
        """Three starting points; theta at the end, and the mean regret."""
        s = rule.init(np.array([-1.0, 0.0, 1.0]))
        regret = np.zeros(3)
        for t in range(steps_taken):
            slope = 3.0 if t % 3 == 0 else -1.0
            regret += slope * (s.theta + 1)
            rule.step(s, np.full(3, slope))
            s.theta = np.clip(s.theta, -1, 1)
        return s.theta, regret / steps_taken

    @pytest.mark.parametrize("bias_correction", [True, False])
    def test_adam_goes_to_the_worst_point(self, bias_correction):
        """T13: beta1 = 0, beta2 = 0.1 = 1 / (1 + 3^2), alpha_t = 0.5 / sqrt(t); regret 2/3 a step, for ever."""
        rule = Adam(alpha=inverse_sqrt(0.5), beta1=0, beta2=0.1, eps=0, bias_correction=bias_correction)
        theta, regret = self.run(rule)
        assert (theta > 0.99).all()
        np.testing.assert_allclose(regret, 2 / 3, atol=0.01)

    @pytest.mark.parametrize(
        "rule",
        [
            AMSGrad(alpha=inverse_sqrt(0.5), beta1=0, beta2=0.1),
            AdaGrad(alpha=0.5),
            SGD(alpha=inverse_sqrt(0.5)),
            Adam(alpha=inverse_sqrt(0.5), beta1=0, beta2=0.9),
        ],
        ids=["AMSGrad", "AdaGrad", "SGD", "Adam with a slower beta2"],
    )
    def test_others_go_to_the_best(self, rule):
        """T13: so does Adam, once beta2 is chosen for the problem."""
        theta, regret = self.run(rule)
        assert (theta < -0.97).all()
        assert (regret < 0.05).all()

    @pytest.mark.parametrize(
        ("large", "small", "period", "critical"),
        [(2.1, 1, 3, 0.886), (2.5, 1, 3, 0.629), (3, 1, 3, 0.4723), (5, 1, 3, 0.237), (10, 1, 3, 0.098)],
    )
    def test_critical_beta2(self, large, small, period, critical):
        """T13: the drift formula is what Adam does in its steady state, and its sign changes at beta2*."""
        found = critical_beta2(large, small, period)
        assert math.isclose(found, critical, abs_tol=5e-4)
        for beta2, direction in ((0.95 * found, 1), (1.05 * found, -1)):
            gradients = np.tile([large, *[-small] * (period - 1)], 400)
            made = steps(Adam(alpha=1, beta1=0, beta2=beta2, eps=0), gradients)
            drift = made[-period:].mean()
            assert math.isclose(drift, -mean_drift(large, small, period, beta2), rel_tol=1e-9)
            assert np.sign(drift) == direction

    def test_default_beta2_fails_where_every_101st_gradient_is_large(self):
        """T13: slopes 1010, then 100 times -10: beta2* = 0.999603 at beta1 = 0; at 0.9 too 0.999 fails."""
        assert math.isclose(critical_beta2(1010, 10, 101), 0.999603, abs_tol=1e-6)
        gradients = np.tile([1010.0, *[-10.0] * 100], 20)
        for beta2, direction in ((0.999, 1), (0.9999, -1)):
            for beta1 in (0.0, 0.9):
                # The steady state of v, so that the slow average need not be waited for.
                square = np.array([1010.0, *[-10.0] * 100]) ** 2
                weights = beta2 ** np.arange(101)[::-1]
                rule = Adam(alpha=1, beta1=beta1, beta2=beta2, eps=0, bias_correction=False)
                s = rule.init(np.zeros(1))
                s.v = np.array([(1 - beta2) * (weights * square).sum() / (1 - beta2**101)])
                for g in gradients:
                    rule.step(s, np.array([g]))
                    if s.t == 19 * 101:
                        before = s.theta
                drift = (s.theta - before)[0] / 101
                assert np.sign(drift) == direction
                if beta1 == 0:
                    assert math.isclose(drift, -mean_drift(1010, 10, 101, beta2), rel_tol=1e-8)

    def test_a_variant_within_the_letter_of_the_theorem(self):
        """T13: Algorithm 1 as it stands, without projection: x -> 1 all the same; regret above theorem 4.1's bound.

        f_t = 3 max(x, -1) at every third step, else |x - 1|: convex, with slopes of at most 3; their sum is least
        at -1. With beta1 = 0 the theorem's lambda is free, and gamma is 0.
        """
        rule = Adam(alpha=inverse_sqrt(0.5), beta1=0, beta2=0.1, eps=0)
        s = rule.init(np.zeros(1))
        regret, squares, farthest = 0.0, 0.0, 0.0
        for t in range(6000):
            x = s.theta[0]
            farthest = max(farthest, x + 1)
            assert x >= -1
            if t % 3 == 0:
                regret += 3 * max(x, -1.0) + 3
                slope = 3.0 if x > -1 else 0.0
            else:
                regret += abs(x - 1) - 2
                slope = np.sign(x - 1)
            squares += slope**2
            rule.step(s, np.array([slope]))
        assert abs(s.theta[0] - 1) < 0.02
        assert math.isclose(regret / 6000, 2 / 3, rel_tol=0.015)
        # No iterate is left of -1, so none is farther from another one than the farthest from -1; sqrt(v_hat) <= 3.
        alpha, decay = 0.5, 0.5
        bound = farthest**2 / (2 * alpha) * 3 * math.sqrt(6000)
        bound += alpha * 3 / math.sqrt(1 - 0.1) * math.sqrt(squares)
        bound += farthest**2 * 3 * math.sqrt(1 - 0.1) / (2 * alpha * (1 - decay) ** 2)
        assert regret > bound


class TestWeightDecay:
    def test_decoupled_decay_is_a_power(self):
        """T14: without a gradient, AdamW's theta is (1 - alpha lambda)^t theta_0."""
        for decay, expected in ((0.01, 0.9950125), (1e-4, 0.9999500)):
            rule = AdamW(alpha=1e-3, weight_decay=decay)
            s = rule.init(np.array([1.0, -40.0]))
            for _ in range(500):
                rule.step(s, np.zeros(2))
            np.testing.assert_allclose(s.theta, (1 - 1e-3 * decay) ** 500 * np.array([1, -40]), rtol=1e-13)
            assert math.isclose(s.theta[0], expected, rel_tol=1e-7)

    def test_penalty_moves_theta_at_a_speed_that_does_not_depend_on_its_strength(self):
        """T14: with eps = 0, Adam divides lambda away; for powers of two to the last bit."""
        ends = []
        for decay in (2.0**-7, 2.0**-20, 4.0):
            rule = AdamL2(alpha=1e-3, eps=0, weight_decay=decay)
            s = rule.init(np.ones(1))
            for _ in range(500):
                rule.step(s, np.zeros(1))
            ends.append(s.theta[0])
        assert len(set(ends)) == 1
        assert math.isclose(ends[0], 0.560508, abs_tol=1e-6)

    def test_penalty_by_hand(self):
        """T14: 500 steps of Algorithm 1 on the gradient lambda theta, with Algorithm 1's epsilon."""
        for decay, expected in ((0.01, 0.560508), (1e-4, 0.560550)):
            theta, m, v = 1.0, 0.0, 0.0
            rule = AdamL2(alpha=1e-3, weight_decay=decay)
            s = rule.init(np.ones(1))
            for t in range(1, 501):
                g = decay * theta
                m = 0.9 * m + 0.1 * g
                v = 0.999 * v + 0.001 * g * g
                theta -= 1e-3 * m / (1 - 0.9**t) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
                rule.step(s, np.zeros(1))
            assert math.isclose(s.theta[0], theta, rel_tol=1e-11)
            assert math.isclose(theta, expected, abs_tol=1e-6)

    def test_penalty_and_decay_are_one_for_sgd(self):
        """T14: theta - alpha (g + lambda theta) either way."""
        gradients = np.random.default_rng(20).normal(size=(50, 3))
        ends = []
        for form in ("l2", "decoupled"):
            rule = Decayed(SGD(alpha=0.1), weight_decay=0.3, form=form)
            s = rule.init(np.ones(3))
            for g in gradients:
                rule.step(s, g)
            ends.append(s.theta)
        np.testing.assert_allclose(*ends, rtol=1e-12, atol=1e-14)


class TestRelatives:
    def test_rmsprop_with_momentum_is_not_adam(self):
        """T15: on gradients 1, 3, second steps of 3.900 and 5.846 alpha; the first are equal."""
        adam = Adam(alpha=1, eps=0, bias_correction=False)
        # Graves's momentum adds up without Adam's factor 1 - beta1, which alpha supplies here.
        rmsprop = RMSProp(alpha=1 - 0.9, rho=0.999, mu=0.9, eps=0)
        one, other = -steps(adam, [1.0, 3.0]), -steps(rmsprop, [1.0, 3.0])
        assert math.isclose(one[0], other[0], rel_tol=1e-12)
        assert math.isclose(one[1], 0.39 / math.sqrt(0.009999), rel_tol=1e-10)
        first, second = 0.1 / math.sqrt(0.001), 0.3 / math.sqrt(0.009999)
        assert math.isclose(other[1], 0.9 * first + second, rel_tol=1e-10)
        np.testing.assert_allclose([one[1], other[1]], [3.900, 5.846], atol=5e-4)

    def test_rmsprop_with_momentum_is_adam_while_v_stands_still(self):
        """T15: |g| = 1 and v = 1 from the start."""
        gradients = np.random.default_rng(21).choice([-1.0, 1.0], size=50)
        rmsprop = RMSProp(alpha=0.1, rho=0.999, mu=0.9, eps=0, initial=1)
        adam = Adam(alpha=1, eps=0, bias_correction=False)
        s = adam.init(np.zeros(1))
        s.v = np.ones(1)
        for expected, g in zip(steps(rmsprop, gradients), gradients, strict=True):
            s.theta = np.zeros(1)
            adam.step(s, np.array([g]))
            np.testing.assert_allclose(s.theta, expected, rtol=1e-10, atol=1e-14)

    def test_adam_without_momentum_or_correction_is_rmsprop(self):
        """T15: with beta1 = 0 nothing is left that differs."""
        gradients = np.random.default_rng(22).normal(size=(50, 3))
        adam = Adam(alpha=0.01, beta1=0, beta2=0.9, bias_correction=False)
        rmsprop = RMSProp(alpha=0.01, rho=0.9, eps=adam.eps)
        np.testing.assert_array_equal(steps(adam, gradients), steps(rmsprop, gradients))

    @pytest.mark.parametrize("eps", [1e4, 1e8])
    def test_large_epsilon_gives_momentum(self, eps):
        """T16: alpha = alpha' eps, eps -> infinity: steps -alpha' m_hat, with an error of sqrt(v_hat) / eps."""
        gradients = np.random.default_rng(23).normal(size=(100, 4))
        adam = steps(Adam(alpha=0.1 * eps, eps=eps, bias_correction="second"), gradients)
        momentum = steps(Momentum(alpha=0.1, mu=0.9, form="average"), gradients)
        # |g| stays below 4, and so does sqrt(v_hat).
        np.testing.assert_allclose(adam, momentum, rtol=4 / eps + 1e-12)
        assert not np.allclose(adam, momentum, rtol=0.01 / eps, atol=0)
        corrected = steps(Adam(alpha=0.1 * eps, eps=eps), gradients)
        t = np.arange(1, 101)[:, None]
        np.testing.assert_allclose(corrected, momentum / (1 - 0.9**t), rtol=4 / eps + 1e-12)

    def test_large_epsilon_without_momentum_gives_sgd(self):
        """T16: beta1 = 0."""
        gradients = np.random.default_rng(24).normal(size=(100, 4))
        adam = steps(Adam(alpha=0.1 * 1e8, beta1=0, eps=1e8), gradients)
        np.testing.assert_allclose(adam, steps(SGD(alpha=0.1), gradients), rtol=4e-8)

    @pytest.mark.parametrize("beta", [0.5, 0.9, 0.999])
    def test_equal_betas_measure_mean_and_variance_with_the_same_weights(self, beta):
        """T17: m_hat / sqrt(v_hat) = sign(m_hat) / sqrt(1 + variance / m_hat^2), so no step is longer than alpha."""
        gradients = np.random.default_rng(25).normal(0.5, 1, size=(60, 50))
        made = -steps(Adam(alpha=1, beta1=beta, beta2=beta, eps=0), gradients)
        for t in (1, 2, 10, 60):
            weights = beta ** np.arange(t)[::-1, None]
            weights = weights / weights.sum()
            mean = (weights * gradients[:t]).sum(axis=0)
            variance = (weights * (gradients[:t] - mean) ** 2).sum(axis=0)
            np.testing.assert_allclose(made[t - 1], np.sign(mean) / np.sqrt(1 + variance / mean**2), rtol=1e-9)
        assert np.abs(made).max() <= 1 + 1e-12

    @pytest.mark.parametrize("momentum_decay", [None, 0.0, 0.004])
    def test_nadam_looks_one_step_ahead_on_a_constant_gradient(self, momentum_decay):
        """mu_(t+1) (1 - beta1^t) / (1 - mu_1 ... mu_(t+1)) + (1 - mu_t) / (1 - mu_1 ... mu_t), in units of alpha."""
        t = np.arange(1, 102)
        mu = np.full(101, 0.9) if momentum_decay is None else 0.9 * (1 - 0.5 * 0.96 ** (momentum_decay * t))
        product = np.cumprod(mu)
        expected = mu[1:] * (1 - 0.9 ** t[:-1]) / (1 - product[1:]) + (1 - mu[:-1]) / (1 - product[:-1])
        made = steps(NAdam(alpha=1, eps=0, momentum_decay=momentum_decay), np.full(100, -2.0))
        np.testing.assert_allclose(made, expected, rtol=1e-10)

    @pytest.mark.parametrize("beta", [0.9, 0.999, 0.0, None])
    def test_average_of_a_point_that_stands_still(self, beta):
        """T18: corrected for its start, theta_bar / (1 - beta^t) is theta at every step."""
        rule = Averaged(Adam(), beta=beta)
        s = rule.init(np.array([3.0, -1e-7]))
        for t in range(1, 40):
            rule.step(s, np.zeros(2))
            np.testing.assert_allclose(s.theta_hat, [3.0, -1e-7], rtol=1e-12)
            if beta is not None:
                np.testing.assert_allclose(s.theta_bar, (1 - beta**t) * np.array([3.0, -1e-7]), rtol=1e-12)

    def test_average_of_a_point_that_moves(self):
        """T18: the weighted sums of section 7.2, and steps that are those of the rule alone."""
        gradients = np.random.default_rng(26).normal(size=(30, 3))
        alone, visited = Adam(alpha=0.1), []
        plain = alone.init(np.ones(3))
        polyak, fading = Averaged(alone, beta=None), Averaged(alone, beta=0.9)
        s, other = polyak.init(np.ones(3)), fading.init(np.ones(3))
        for t, g in enumerate(gradients, start=1):
            alone.step(plain, g)
            polyak.step(s, g)
            fading.step(other, g)
            visited.append(plain.theta)
            np.testing.assert_array_equal(s.theta, plain.theta)
            np.testing.assert_array_equal(other.theta, plain.theta)
            np.testing.assert_allclose(s.theta_hat, np.mean(visited, axis=0), rtol=1e-12)
            weights = 0.9 ** np.arange(t)[::-1]
            np.testing.assert_allclose(other.theta_hat, weights @ visited / weights.sum(), rtol=1e-12)

    @pytest.mark.parametrize("maximum", ["raw", "corrected"])
    def test_amsgrad_never_lets_the_denominator_shrink(self, maximum):
        """T18: v_max grows, is never below v, and is the largest v there was."""
        rng = np.random.default_rng(27)
        rule = AMSGrad(beta2=0.9, bias_correction=True, maximum=maximum)
        s = rule.init(np.zeros(20))
        largest = np.zeros(20)
        for t in range(1, 101):
            before = s.v_max
            rule.step(s, rng.normal(size=20) * 10.0 ** rng.integers(-3, 3))
            assert (s.v_max >= before).all()
            largest = np.maximum(largest, s.v if maximum == "raw" else s.v / (1 - 0.9**t))
            np.testing.assert_allclose(s.v_max, largest, rtol=1e-12)
        assert (s.v_max > 2 * s.v).any()

    def test_no_memory_gives_sign_descent(self):
        """T18: beta1 = beta2 = 0."""
        gradients = np.random.default_rng(28).normal(size=(20, 5)) * 10.0 ** np.arange(-4, 6, 2)
        gradients[3, 2] = 0
        made = steps(Adam(alpha=0.5, beta1=0, beta2=0, eps=0), gradients)
        np.testing.assert_allclose(made, -0.5 * np.sign(gradients), rtol=1e-15)

    def test_state_is_all_there_is(self, tmp_path):
        """T18: m, v, theta and t, copied or saved and read, go on with the same bits."""
        gradients = np.random.default_rng(29).normal(size=(40, 6))
        rule = Adam(alpha=inverse_sqrt(0.01))
        s = rule.init(np.ones(6))
        for g in gradients[:20]:
            rule.step(s, g)
        save(tmp_path / "half.npz", rule, s)
        loaded, copied = load(tmp_path / "half.npz").state, copy.deepcopy(s)
        for state in (s, loaded, copied):
            for g in gradients[20:]:
                rule.step(state, g)
        for name in ("theta", "m", "v", "t"):
            np.testing.assert_array_equal(getattr(loaded, name), getattr(s, name))
            np.testing.assert_array_equal(getattr(copied, name), getattr(s, name))


class TestNumerics:
    @pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.999, 0.9999, 1 - 2e-6, 1 - 1e-7, 1 - 1e-12, 1 - 2.0**-53])
    @pytest.mark.parametrize("t", [1, 2, 37, 3000])
    def test_one_minus_power_against_fractions(self, beta, t):
        """T19: exact to 1e-10 everywhere, and to rounding where 1 - beta**t would lose its digits."""
        exact = 1 - Fraction(beta) ** t  # of the float beta, without rounding
        error = abs(Fraction(one_minus_power(beta, t)) - exact) / exact
        assert error < (1e-15 if 1 - beta < 1e-6 or beta == 0 else 1e-10)

    def test_the_naive_form_would_lose_digits(self):
        """T19: which is why there is another one."""
        beta = 1 - 1e-12
        assert abs(1 - beta**5 - 5e-12) > 1e-5 * 5e-12
        assert abs(one_minus_power(beta, 5) / 5e-12 - 1) < 1e-4  # beta itself is 1 - 1e-12 to 2e-5 only

    def test_float16_has_no_room_for_the_defaults(self):
        """T19: eps = 1e-8 is zero, g^2 is below |g| = 1.7e-4, (1 - beta2) g^2 below 5.5e-3: so init refuses it."""
        half = np.float16
        assert half(1e-8) == 0
        assert np.finfo(half).smallest_subnormal == half(2.0**-24)
        for g, vanishes in ((1.7e-4, True), (1.8e-4, False)):
            assert (half(g) ** 2 == 0) == vanishes
        for g, vanishes in ((5e-3, True), (6e-3, False)):
            assert (half(0.001) * half(half(g) ** 2) == 0) == vanishes
        with pytest.raises(TypeError, match="float16"):
            Adam().init(np.zeros(2, half))

    def test_storing_v_in_bfloat16_would_stop_its_decay(self):
        """T19: 0.999 rounds to 1 with 8 bits, so v stays at 1 through 3000 zero gradients; it should be 0.0497."""

        def stored(x):
            bits = x.view(np.uint32)
            # To nearest, ties to even, on the upper 16 bits: what bfloat16 keeps of float32.
            return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)

        rule = Adam()
        full, short = rule.init(np.zeros(1, np.float32)), rule.init(np.zeros(1, np.float32))
        full.v, short.v = np.ones(1, np.float32), np.ones(1, np.float32)
        for _ in range(3000):
            rule.step(full, np.zeros(1, np.float32))
            rule.step(short, np.zeros(1, np.float32))
            short.v = stored(short.v)
        assert short.v[0] == 1
        assert math.isclose(full.v[0], 0.999**3000, rel_tol=1e-3)

    def test_float32_late_in_training(self):
        """T19: the corrections are computed in double, so t = 100 000 is no different."""
        rule = Adam(alpha=1, eps=0, beta2=0.9999)
        for dtype, tolerance in ((np.float32, 1e-6), (np.float64, 1e-12)):
            s = rule.init(np.zeros(1, dtype))
            s.t = 99_999
            g = np.array([0.3], dtype)
            s.m, s.v = g * rule.m_correction(s.t), g**2 * rule.v_correction(s.t)
            rule.step(s, g)
            np.testing.assert_allclose(s.theta, -1, rtol=tolerance)

    @pytest.mark.parametrize(
        ("dtype", "g", "tolerance"),
        [
            (np.float64, 1e-150, 1e-12),
            (np.float64, 1e-157, 1e-4),
            (np.float32, 1e-17, 1e-6),
            (np.float32, 1e-19, 2e-4),
        ],
    )
    def test_v_in_the_subnormal_range(self, dtype, g, tolerance):
        """T19: (1 - beta2) g^2 loses digits near the smallest number; the first step is alpha to those left."""
        made = Adam(alpha=1, eps=0)
        s = made.init(np.zeros(1, dtype))
        made.step(s, np.array([g], dtype))
        np.testing.assert_allclose(s.theta, -1, rtol=tolerance)
        assert s.theta.dtype == dtype

    @pytest.mark.parametrize(("dtype", "g"), [(np.float64, 1e-162), (np.float32, 5e-22)])
    def test_v_below_the_smallest_number(self, dtype, g):
        """T19: (1 - beta2) g^2 is zero though g is not; with eps = 0 theta stays, else it moves by alpha g / eps."""
        for eps, expected in ((0.0, 0.0), (1e-8, -g / 1e-8)):
            rule = Adam(alpha=1, eps=eps)
            s = rule.init(np.zeros(1, dtype))
            rule.step(s, np.array([g], dtype))
            assert s.v[0] == 0
            np.testing.assert_allclose(s.theta, expected, rtol=1e-6)
