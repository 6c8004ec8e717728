"""Questions of the second assignment: Adam and AdaMax from their pseudocode, and tests that convict a wrong Adam."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from adamcore.checks.core import Case, Mistake, Question, Value, close

Step = Callable[..., tuple[np.ndarray, np.ndarray, np.ndarray]]


def effective_step(m_hat: np.ndarray, v_hat: np.ndarray, alpha: float, eps: float) -> np.ndarray:
    """Return what Adam subtracts from theta, alpha m_hat / (sqrt(v_hat) + eps) (arXiv:1412.6980, Algorithm 1).

    Parameters
    ----------
    m_hat, v_hat : numpy.ndarray
        The corrected moments, of one shape.
    alpha, eps : float

    Returns
    -------
    numpy.ndarray
        Of the moments' shape.

    Examples
    --------
    >>> effective_step(np.array([2.0, -2.0]), np.array([4.0, 16.0]), 0.1, 0.0)
    array([ 0.1 , -0.05])
    """
    return alpha * m_hat / (np.sqrt(v_hat) + eps)


def adam_step(
    theta: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    t: int,
    g: np.ndarray,
    alpha: float,
    beta1: float,
    beta2: float,
    eps: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return theta_t, m_t and v_t, from those before and the gradient (arXiv:1412.6980, Algorithm 1).

    Parameters
    ----------
    theta, m, v, g : numpy.ndarray
        theta_{t-1}, m_{t-1}, v_{t-1} and g_t, of one shape.
    t : int
        The number of this step, 1 for the first.
    alpha, beta1, beta2, eps : float

    Returns
    -------
    theta, m, v : numpy.ndarray
        New arrays.

    Examples
    --------
    >>> zero = np.zeros(2)
    >>> theta, m, v = adam_step(zero, zero, zero, 1, np.array([3.0, -0.5]), 0.1, 0.9, 0.999, 1e-8)
    >>> theta.round(6)
    array([-0.1,  0.1])
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return theta - alpha * m_hat / (np.sqrt(v_hat) + eps), m, v


def adam(
    gradients: np.ndarray, theta_0: np.ndarray, alpha: float, beta1: float, beta2: float, eps: float
) -> np.ndarray:
    """Return theta_0 to theta_T, the walk of Adam along given gradients (arXiv:1412.6980, Algorithm 1).

    Parameters
    ----------
    gradients : numpy.ndarray
        g_1 to g_T, (T, d).
    theta_0 : numpy.ndarray
        (d,).
    alpha, beta1, beta2, eps : float

    Returns
    -------
    numpy.ndarray
        (T + 1, d).

    Examples
    --------
    >>> adam(np.ones((2, 1)), np.zeros(1), 0.1, 0.9, 0.999, 0.0).round(6)
    array([[ 0. ],
           [-0.1],
           [-0.2]])
    """
    return _walk(adam_step)(gradients, theta_0, alpha, beta1, beta2, eps)


def largest_step(thetas: np.ndarray) -> float:
    """Return the largest distance that any coordinate moved in any step of a walk.

    Examples
    --------
    >>> largest_step(np.array([[0.0, 0.0], [1.0, -3.0], [1.5, -3.0]]))
    3.0
    """
    return float(np.abs(np.diff(thetas, axis=0)).max())


def first_wrong_step(thetas: np.ndarray, g: float, alpha: float, eps: float) -> int:
    """Return the first step that is not Adam's for a constant gradient g, alpha g / (|g| + eps); 0 if all are.

    A step may be off by a thousandth of what it should be.

    Parameters
    ----------
    thetas : numpy.ndarray
        theta_0 to theta_T of one parameter, (T + 1,).
    g, alpha, eps : float

    Returns
    -------
    int
        Its number, 1 for the first.

    Examples
    --------
    >>> first_wrong_step(np.array([0.0, -0.1, -0.2, -0.25]), 7.0, 0.1, 0.0)
    3
    """
    return _first(_is_off(_steps(thetas), _constant_step(g, alpha, eps)))


def scale_gap(
    gradients: np.ndarray, c: float | np.ndarray, alpha: float, beta1: float, beta2: float, eps: float
) -> float:
    """Return how far apart the walks along gradients and along c times them are at most, both from zero.

    Parameters
    ----------
    gradients : numpy.ndarray
        (T, d).
    c : float or numpy.ndarray
        A positive number, or one for each coordinate, (d,).
    alpha, beta1, beta2, eps : float

    Returns
    -------
    float

    Examples
    --------
    >>> scale_gap(np.array([[1.0], [-3.0]]), 4.0, 0.1, 0.9, 0.999, 0.0)
    0.0
    """
    return float(np.abs(_apart(gradients, c, alpha, beta1, beta2, eps)).max())


def longest(beta1: float, beta2: float, T: int) -> float:
    """Return the longest step, over alpha, of Adam with eps = 0 along T gradients that grow by beta2 / beta1 a step.

    Examples
    --------
    >>> round(longest(0.9, 0.999, 1000), 2)
    5.78
    """
    return _longest(beta1, beta2, T, beta2 / beta1)


def efficient_step(
    theta: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    t: int,
    g: np.ndarray,
    alpha: float,
    beta1: float,
    beta2: float,
    eps_hat: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return theta_t, m_t and v_t in the order of computation that section 2 of arXiv:1412.6980 calls more efficient.

    Parameters
    ----------
    theta, m, v, g : numpy.ndarray
        theta_{t-1}, m_{t-1}, v_{t-1} and g_t, of one shape.
    t : int
        The number of this step, 1 for the first.
    alpha, beta1, beta2 : float
    eps_hat : float
        Added to the root of v_t as it is.

    Returns
    -------
    theta, m, v : numpy.ndarray
        New arrays.

    Examples
    --------
    >>> zero = np.zeros(2)
    >>> theta, m, v = efficient_step(zero, zero, zero, 1, np.array([3.0, -0.5]), 0.1, 0.9, 0.999, 0.0)
    >>> theta.round(6)
    array([-0.1,  0.1])
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    alpha_t = alpha * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return theta - alpha_t * m / (np.sqrt(v) + eps_hat), m, v


def eps_hat_for(eps: float, t: int, beta2: float) -> float:
    """Return the eps_hat with which step t in the efficient order is Algorithm 1's with eps.

    Multiply numerator and denominator of Algorithm 1's fraction by sqrt(1 - beta2^t), and see what stands beside
    sqrt(v_t).

    Examples
    --------
    >>> round(eps_hat_for(1e-8, 1, 0.9999), 12)
    1e-10
    """
    return float(eps * np.sqrt(1 - beta2**t))


def adamax_step(
    theta: np.ndarray,
    m: np.ndarray,
    u: np.ndarray,
    t: int,
    g: np.ndarray,
    alpha: float,
    beta1: float,
    beta2: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return theta_t, m_t and u_t of AdaMax (arXiv:1412.6980, Algorithm 2); where u_t is 0, theta stays.

    Parameters
    ----------
    theta, m, u, g : numpy.ndarray
        theta_{t-1}, m_{t-1}, u_{t-1} and g_t, of one shape.
    t : int
        The number of this step, 1 for the first.
    alpha, beta1, beta2 : float

    Returns
    -------
    theta, m, u : numpy.ndarray
        New arrays.

    Examples
    --------
    >>> zero = np.zeros(2)
    >>> theta, m, u = adamax_step(zero, zero, zero, 1, np.array([3.0, 0.0]), 0.1, 0.9, 0.999)
    >>> theta.round(6), u
    (array([-0.1,  0. ]), array([3., 0.]))
    """
    m = beta1 * m + (1 - beta1) * g
    u = np.maximum(beta2 * u, np.abs(g))
    return theta - alpha / (1 - beta1**t) * _or_zero(m, u), m, u


# Parts that may be exchanged for wrong ones.


def _average(old, new, beta):
    return beta * old + (1 - beta) * new


def _swapped(old, new, beta):
    return (1 - beta) * old + beta * new


def _sum(old, new, beta):
    return beta * old + new


def _debias(value, beta, t):
    return value / (1 - beta**t)


def _as_it_is(value, beta, t):
    return value


def _frozen(value, beta, t):
    return value / (1 - beta)


def _multiplied(value, beta, t):
    return value * (1 - beta**t)


def _power_of(exponent):
    return lambda value, beta, t: value / (1 - beta ** exponent(t))


def _times_t(value, beta, t):
    return value / (1 - beta * t)


def _complement(value, beta, t):
    return value / beta**t


def _quotient(m_hat, v_hat, eps):
    return m_hat / (np.sqrt(v_hat) + eps)


def _inside(m_hat, v_hat, eps):
    return m_hat / np.sqrt(v_hat + eps)


def _precedence(m_hat, v_hat, eps):
    return m_hat / np.sqrt(v_hat) + eps


def _or_zero(m, u):
    """The quotient m / u, and 0 where u is 0."""
    return np.divide(m, u, out=np.zeros_like(m + u), where=u != 0)


def _adam_with(
    *,
    m: Callable = lambda m, v, g, beta: _average(m, g, beta),
    v: Callable = lambda v, m, g, beta: _average(v, g**2, beta),
    m_hat: Callable = _debias,
    v_hat: Callable = _debias,
    fraction: Callable = _quotient,
    move: Callable = lambda theta, step: theta - step,
    keep: Callable = lambda m, v, m_hat, v_hat: (m, v),
) -> Step:
    """Adam's step with some of its parts exchanged; v sees the new m, as it would in a program."""
    new_m, new_v, correct_m, correct_v = m, v, m_hat, v_hat

    def step(theta, m, v, t, g, alpha, beta1, beta2, eps):
        m = new_m(m, v, g, beta1)
        v = new_v(v, m, g, beta2)
        m_hat, v_hat = correct_m(m, beta1, t), correct_v(v, beta2, t)
        return move(theta, alpha * fraction(m_hat, v_hat, eps)), *keep(m, v, m_hat, v_hat)

    return step


def _betas_swapped(step):
    """A step that takes beta1 for beta2."""
    return lambda theta, m, v, t, g, alpha, beta1, beta2, *eps: step(theta, m, v, t, g, alpha, beta2, beta1, *eps)


def _no_alpha(step):
    """A step that leaves alpha out."""
    return lambda theta, m, v, t, g, alpha, *rest: step(theta, m, v, t, g, 1.0, *rest)


def _old_m(theta, m, v, t, g, alpha, beta1, beta2, eps):
    """Adam's step along m_{t-1}."""
    _, new_m, new_v = adam_step(theta, m, v, t, g, alpha, beta1, beta2, eps)
    return theta - alpha * _quotient(m / (1 - beta1**t), new_v / (1 - beta2**t), eps), new_m, new_v


def _no_m(theta, m, v, t, g, alpha, beta1, beta2, eps):
    """RMSProp's step, with Adam's correction."""
    _, m, v = adam_step(theta, m, v, t, g, alpha, beta1, beta2, eps)
    return theta - alpha * _quotient(g, v / (1 - beta2**t), eps), m, v


def _eps_first(theta, m, v, t, g, alpha, beta1, beta2, eps):
    """Adam's step with eps added to the root before it is corrected."""
    _, m, v = adam_step(theta, m, v, t, g, alpha, beta1, beta2, eps)
    return theta - alpha * (m / (1 - beta1**t)) * np.sqrt(1 - beta2**t) / (np.sqrt(v) + eps), m, v


def _walk(step: Step, first: int = 1, count: Callable[[int], int] = lambda t: t) -> Callable[..., np.ndarray]:
    """The loop around a step, with another count if wanted."""

    def walk(gradients, theta_0, alpha, beta1, beta2, eps):
        theta = np.asarray(theta_0)
        m, v, thetas = np.zeros(theta.shape), np.zeros(theta.shape), [theta]
        for t, g in enumerate(gradients, start=first):
            theta, m, v = step(theta, m, v, count(t), g, alpha, beta1, beta2, eps)
            thetas.append(theta)
        return np.array(thetas)

    return walk


def _forgetful(gradients, theta_0, *rest):
    """The walk of an Adam whose moments are zero again at every step."""

    def step(theta, m, v, *others):
        return adam_step(theta, np.zeros_like(m), np.zeros_like(v), *others)

    return _walk(step)(gradients, theta_0, *rest)


def _from_the_start(gradients, theta_0, *rest):
    """A walk each of whose points is one step away from theta_0."""

    def step(theta, m, v, *others):
        return adam_step(theta_0, m, v, *others)

    return _walk(step)(gradients, theta_0, *rest)


def _whole(gradients, theta_0, *rest):
    """A walk kept in an array of theta_0's type."""
    return adam(gradients, theta_0, *rest).astype(np.asarray(theta_0).dtype)


def _whole_and_used(gradients, theta_0, *rest):
    """A walk kept in an array of theta_0's type, from which the next step starts."""

    def step(theta, *others):
        theta, m, v = adam_step(theta, *others)
        return theta.astype(np.asarray(theta_0).dtype), m, v

    return _walk(step)(gradients, theta_0, *rest)


def _last_everywhere(gradients, theta_0, *rest):
    """The last point of a walk, in the place of all."""
    thetas = adam(gradients, theta_0, *rest)
    return np.broadcast_to(thetas[-1], thetas.shape).copy()


def _one_late(gradients, theta_0, *rest):
    """A walk in which the first gradient is used twice and the last not at all."""
    return adam(np.concatenate([gradients[:1], gradients[:-1]]), theta_0, *rest)


def _steps(thetas):
    """What was subtracted in each step."""
    return -np.diff(thetas)


def _constant_step(g, alpha, eps):
    """The step of Adam along a constant gradient."""
    return alpha * g / (abs(g) + eps)


def _is_off(steps, right):
    """Which steps differ from the right one by more than a thousandth."""
    return np.abs(steps - right) > 1e-3 * np.abs(right)


def _first(off):
    """The number of the first step that is off, or 0."""
    return int(np.argmax(off)) + 1 if np.any(off) else 0


def _first_where(off):
    """The number of the first step that a comparison with the right one accuses."""
    return lambda thetas, g, alpha, eps: _first(off(_steps(thetas), _constant_step(g, alpha, eps)))


def _is_round(number):
    """Whether a number has two digits at most, as step sizes that people choose have."""
    return number > 0 and close(number, float(f"{number:.1e}"), rtol=1e-6, atol=0)


def _apart(gradients, c, alpha, beta1, beta2, eps):
    """The difference between the walks along c times the gradients and along the gradients."""
    start = np.zeros(np.shape(gradients)[1])
    one, other = (adam(g, start, alpha, beta1, beta2, eps) for g in (gradients, c * gradients))
    return other - one


def _longest(beta1, beta2, T, growth, step=adam_step):
    """The longest of T steps, over alpha, along gradients that grow."""
    gradients = growth ** np.arange(1.0, T + 1)[:, None]
    return largest_step(_walk(step)(gradients, np.zeros(1), 1.0, beta1, beta2, 0.0))


def _efficient_with(
    *,
    factor: Callable = lambda beta1, beta2, t: np.sqrt(1 - beta2**t) / (1 - beta1**t),
    eps: Callable = lambda eps_hat, beta2, t: eps_hat,
    m_hat: Callable = _as_it_is,
    v_hat: Callable = _as_it_is,
    fraction: Callable = _quotient,
    move: Callable = lambda theta, step: theta - step,
) -> Step:
    """The step in the efficient order with some of its parts exchanged."""

    def step(theta, m, v, t, g, alpha, beta1, beta2, eps_hat):
        m, v = _average(m, g, beta1), _average(v, g**2, beta2)
        quotient = fraction(m_hat(m, beta1, t), v_hat(v, beta2, t), eps(eps_hat, beta2, t))
        return move(theta, alpha * factor(beta1, beta2, t) * quotient), m, v

    return step


def _adamax_with(
    *,
    m: Callable = _average,
    u: Callable = lambda u, g, beta: np.maximum(beta * u, np.abs(g)),
    m_hat: Callable = _debias,
    u_hat: Callable = _as_it_is,
    fraction: Callable = _or_zero,
    move: Callable = lambda theta, step: theta - step,
    keep: Callable = lambda m, m_hat: m,
) -> Step:
    """AdaMax's step with some of its parts exchanged."""
    new_m, new_u, correct = m, u, m_hat

    def step(theta, m, u, t, g, alpha, beta1, beta2):
        m, u = new_m(m, g, beta1), new_u(u, g, beta2)
        m_hat = correct(m, beta1, t)
        return move(theta, alpha * fraction(m_hat, u_hat(u, beta2, t))), keep(m, m_hat), u

    return step


# Cases.


def _single_steps(*eps: float, largest: bool = False) -> Callable[[np.random.Generator, bool], list[Case]]:
    """Cases for a step with these last arguments: moments such as a walk has, before step t."""

    def cases(rng: np.random.Generator, hidden: bool) -> list[Case]:
        alpha = float(rng.choice([0.01, 0.02, 0.05]))

        def case(label, t, shape=3, beta1=0.9, beta2=0.999, spread=1.0, last=eps):
            theta, g = rng.normal(size=shape), spread * rng.normal(size=shape)
            m = spread * (1 - beta1**t) * rng.normal(size=shape)
            second = spread if largest else spread**2 * (1 - beta2**t)
            v = second * rng.uniform(0.3, 2, size=shape)
            return Case((theta, m, v, t, g, alpha, beta1, beta2, *last), label)

        def first(label, g):
            return Case((np.zeros(3), np.zeros(3), np.zeros(3), 1, g, alpha, 0.9, 0.999, *eps), label)

        found = [
            first("t = 1", np.array([1.0, -1.0, 1.0]) * rng.uniform(0.5, 4, size=3)),
            case("t = 2", 2),
            case("t = 10", 10),
            case("t = 60", 60, shape=2),
            case("beta1 = 0.8, beta2 = 0.95", 3, beta1=0.8, beta2=0.95),
            case("gradients of about 1e-8", 4, spread=1e-8),
            first("a gradient of zero", np.array([2.0, 0.0, -2.0])),
        ]
        found += [case("eps = 0.5", 3, last=(0.5,))] if eps else []
        if hidden:
            theta, m, v, g = (rng.uniform(0.5, 2, size=4).astype(np.float32) for _ in range(4))  # nothing cancels
            found += [
                case("a matrix of parameters", 5, shape=(2, 3)),
                case("beta1 = 0", 3, beta1=0.0),
                case("beta1 = beta2", 3, beta2=0.9),
                case("t = 5000", 5000),
                Case((theta, m, v, 7, g, alpha, 0.9, 0.999, *eps), "numbers in float32", 1e-5),
            ]
            found += [case("eps = 0", 3, last=(0.0,))] if eps else []
        return found

    return cases


def _adamax_cases(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for AdaMax's step, with large gradients long ago, and none at all."""
    cases = _single_steps(largest=True)(rng, hidden)
    u = np.array([20.0, 0.5, 5.0])
    cases.append(Case((np.ones(3), 0.1 * u, u, 6, rng.normal(size=3), 0.002, 0.9, 0.99), "a large gradient before"))
    if hidden:
        none = (np.zeros(2) for _ in range(2))
        cases.append(Case((np.ones(2), *none, 9, np.zeros(2), 0.002, 0.9, 0.999), "nine steps without a gradient"))
    return cases


def _moments(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for the effective step."""
    cases = [
        Case((np.array([2.0]), np.array([4.0]), 0.5, 1e-8), "m_hat = 2, v_hat = 4, alpha = 0.5"),
        Case((rng.normal(size=4), rng.uniform(0.5, 4, size=4), 0.1, 1e-8), "4 parameters"),
        Case((np.array([-1e-8, 3e-8]), np.array([1e-16, 9e-16]), 0.01, 1e-8), "moments as small as eps"),
        Case((np.array([0.0, 1.0]), np.array([0.0, 1.0]), 0.01, 1e-8), "a parameter without a gradient"),
        Case((rng.normal(size=3), rng.uniform(0.5, 4, size=3), 0.001, 0.1), "eps = 0.1"),
    ]
    if hidden:
        cases += [
            Case((rng.normal(size=3), rng.uniform(0.5, 4, size=3), 0.1, 0.0), "eps = 0"),
            Case((rng.normal(size=(3, 2)), rng.uniform(0.5, 4, size=(3, 2)), 0.1, 1e-7), "a matrix of parameters"),
            Case((1e6 * rng.normal(size=3), 1e12 * rng.uniform(0.5, 4, size=3), 0.1, 1e-8), "large moments"),
        ]
    return cases


def _walks(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for the loop."""
    betas, eps = (0.9, 0.999), 1e-8
    cases = [
        Case((np.array([[3.0], [3.0]]), np.array([1.0]), 0.1, *betas, eps), "two equal gradients"),
        Case((rng.normal(size=(6, 2)), rng.normal(size=2), 0.1, *betas, eps), "6 gradients of 2 parameters"),
        Case((rng.normal(size=(8, 3)), rng.normal(size=3), 0.01, *betas, eps), "8 gradients of 3 parameters"),
        Case((1e-8 * rng.normal(size=(5, 2)), np.zeros(2), 0.01, *betas, eps), "gradients of about 1e-8"),
        Case((rng.normal(size=(4, 2)), np.array([3, -2]), 0.1, 0.8, 0.99, eps), "a start at whole numbers"),
    ]
    if hidden:
        cases += [
            Case((rng.normal(size=(1, 4)), rng.normal(size=4), 0.1, *betas, eps), "a single gradient"),
            Case((rng.normal(size=(8, 2)), rng.normal(size=2), 0.1, 0.0, 0.9, 0.0), "beta1 = 0, eps = 0"),
            Case((rng.normal(size=(80, 2)), rng.normal(size=2), 0.001, *betas, eps), "80 gradients"),
            Case(
                (rng.integers(1, 9, size=(5, 2)), np.zeros(2), 0.1, *betas, eps), "gradients that are whole numbers"
            ),
        ]
    return cases


def _points(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for the largest step of a walk."""
    back = np.array([[0.0, 5.0], [1.0, 5.5], [-2.0, 5.2]])
    cases = [
        Case((np.array([[0.0], [1.0], [1.5]]),), "the points 0, 1 and 1.5"),
        Case((back,), "a walk that turns back"),
        Case((5 + rng.normal(size=(6, 3)).cumsum(axis=0),), "6 points with 3 coordinates"),
        Case((rng.normal(size=(30, 2)).cumsum(axis=0),), "30 points with 2 coordinates"),
    ]
    if hidden:
        cases += [
            Case((rng.normal(size=(2, 5)),), "a single step"),
            Case((np.full((4, 2), 3.0),), "a walk that stands still"),
            Case((-(np.arange(10.0)[:, None] ** 2),), "steps that grow, downward"),
        ]
    return cases


def _made(steps, start=0.0):
    """A walk of given steps."""
    return start - np.concatenate([[0.0], np.cumsum(steps)])


def _accused(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for the first wrong step: walks along a constant gradient."""
    eps = 1e-8

    def case(label, g=3.7, alpha=0.01, wrong=(), factor=1.5, length=12, start=0.0):
        steps = np.full(length, _constant_step(g, alpha, eps))
        steps[[t - 1 for t in wrong]] *= factor
        return Case((_made(steps, start), g, alpha, eps), label)

    middle = int(rng.integers(4, 9))
    cases = [
        case("a right walk"),
        case("a right walk that starts at 2", start=2.0, length=30),
        case("a gradient as small as eps, and right steps", g=-1e-8),
        case("a walk that is wrong from the first step on", wrong=range(1, 13), factor=3.16),
        case("a walk whose first step alone is right", g=-250.0, wrong=range(2, 13)),
        case("one wrong step in the middle", wrong=[middle], factor=0.9),
        case("two wrong steps", wrong=[3, 10], start=-10.0),
        case("a walk uphill", wrong=range(1, 13), factor=-1.0),
        case("a step size of 1e-9 and one wrong step", alpha=1e-9, wrong=[4], factor=2.0),
    ]
    if hidden:
        cases += [
            case("a single right step", length=1),
            case("a single wrong step", length=1, wrong=[1]),
            case("a walk that stands still in the end", wrong=[11, 12], factor=0.0),
            case("steps that are off by half a thousandth", wrong=range(1, 13), factor=1.0005),
            case("only the last step wrong", g=2e-8, wrong=[12], factor=1.01),
            case(
                "a wrong step, with a gradient as small as eps", g=1e-8, wrong=[int(rng.integers(2, 12))], factor=2.0
            ),
        ]
    return cases


def _scales(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for the distance between a walk and that along other gradients."""
    betas = (0.9, 0.999)
    cases = [
        Case((rng.normal(size=(8, 2)), 1000.0, 0.01, *betas, 0.0), "c = 1000 and eps = 0"),
        Case((rng.normal(size=(8, 2)), 1e-8, 0.01, *betas, 1e-8), "c = 1e-8 and eps = 1e-8"),
        Case((rng.normal(size=(8, 2)), 0.1, 0.01, *betas, 0.1), "c = 0.1 and eps = 0.1"),
        Case((rng.normal(size=(8, 2)), np.array([1.0, 1e-3]), 0.01, *betas, 0.01), "a c for each coordinate"),
        Case((np.array([[-1.0], [-1.0], [2.0], [2.0], [2.0]]), 0.1, 0.1, *betas, 0.1), "a walk that turns back"),
    ]
    if hidden:
        cases += [
            Case((rng.normal(size=(8, 3)), np.array([1e6, 1e-6, 1.0]), 0.01, *betas, 0.0), "three c, and eps = 0"),
            Case((rng.normal(size=(5, 2)), 1.0, 0.01, *betas, 1e-8), "c = 1"),
            Case((rng.normal(size=(9, 1)), 0.5, 0.2, 0.5, 0.9, 1.0), "beta1 = 0.5, beta2 = 0.9, eps = 1"),
        ]
    return cases


def _epsilons(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for eps_hat."""
    triples = [(1e-8, 1, 0.999), (1e-8, 10, 0.999), (1e-7, int(rng.integers(50, 900)), 0.999), (1e-3, 3, 0.9)]
    triples += [(1e-8, 20_000, 0.999), (1e-8, 1, 0.0), (0.0, 5, 0.99)] if hidden else []
    return [Case((eps, t, beta2), f"eps = {eps:g}, t = {t}, beta2 = {beta2:g}") for eps, t, beta2 in triples]


# Numbers of a student's own.


def _first_of_three(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """A start, a first gradient of very different sizes and both signs, and a step size."""
    sizes = rng.permutation([250.0, 4.0, 0.03]) * np.round(rng.uniform(0.5, 2, size=3), 2)
    signs = rng.permutation([1.0, -1.0, rng.choice([1.0, -1.0])])
    return rng.permutation([1.0, 2.0, 3.0]) + 1, signs * sizes, float(rng.choice([0.1, 0.2, 0.3]))


def _four_walks(rng: np.random.Generator) -> tuple[np.ndarray, float, float, float]:
    """Four walks along the gradient eps: Adam's, and three of programs that are not Adam in different ways."""
    g, alpha, eps, length = float(rng.choice([1e-8, -1e-8])), 0.01, 1e-8, 40
    stop = int(rng.integers(12, 30))
    gradients, zero = np.full((length, 1), g), np.zeros(1)

    def stopped(theta, m, v, t, *rest):
        kept = 0.0 if t == stop else 1.0  # the moments were not saved
        return adam_step(theta, kept * m, kept * v, t, *rest)

    programs = [adam_step, _adam_with(m_hat=_as_it_is, v_hat=_as_it_is)]
    programs += [_adam_with(m_hat=_frozen, v_hat=_frozen), stopped]
    made = [_walk(program)(gradients, zero, alpha, 0.9, 0.999, eps)[:, 0] for program in programs]
    return np.array([made[index] for index in rng.permutation(4)]), g, alpha, eps


def _all_four(function: Callable[..., int]) -> Callable[..., np.ndarray]:
    """A function of one walk, for four."""
    return lambda walks, g, alpha, eps: np.array([function(walk, g, alpha, eps) for walk in walks])


def _betas_and_length(rng: np.random.Generator) -> tuple[float, float, int]:
    """A beta1, a beta2 and a number of steps for gradients that grow."""
    return float(rng.choice([0.85, 0.9])), float(rng.choice([0.998, 0.999])), int(rng.integers(400, 800))


# What is often got wrong, with what is said of it.

IN_M_AND_V = (
    Mistake(
        "v of g",
        _adam_with(v=lambda v, m, g, beta: _average(v, g, beta)),
        "v averages something else than m does. What happens to the gradient before it goes into v?",
    ),
    Mistake(
        "v of m",
        _adam_with(v=lambda v, m, g, beta: _average(v, m**2, beta)),
        "Your v averages the squares of m. Whose squares should it average?",
    ),
    Mistake(
        "the weight squared",
        _adam_with(v=lambda v, m, g, beta: beta * v + ((1 - beta) * g) ** 2),
        "In your v the factor 1 - beta2 is squared together with g. Which of the two does the square belong to?",
    ),
    Mistake(
        "betas swapped",
        _betas_swapped(adam_step),
        "Which beta belongs to m, and which to v? The gradients are to be forgotten faster than their squares.",
    ),
    Mistake(
        "weights swapped in both",
        _adam_with(m=lambda m, v, g, beta: _swapped(m, g, beta), v=lambda v, m, g, beta: _swapped(v, g**2, beta)),
        "In both averages: which part gets beta, the old average or the new gradient?",
    ),
    Mistake(
        "weights swapped in m",
        _adam_with(m=lambda m, v, g, beta: _swapped(m, g, beta)),
        "In m: which part gets beta1, the old average or the new gradient?",
    ),
    Mistake(
        "weights swapped in v",
        _adam_with(v=lambda v, m, g, beta: _swapped(v, g**2, beta)),
        "In v: which part gets beta2, the old average or the new square?",
    ),
    Mistake(
        "m a sum",
        _adam_with(m=lambda m, v, g, beta: _sum(m, g, beta)),
        "Your m is a sum, as momentum has it. By what is the new gradient multiplied in an average?",
    ),
    Mistake(
        "v a sum",
        _adam_with(v=lambda v, m, g, beta: _sum(v, g**2, beta)),
        "Your v is a sum. By what is the new square multiplied in an average?",
    ),
    Mistake(
        "no memory in m",
        _adam_with(m=lambda m, v, g, beta: (1 - beta) * g),
        "Your m knows the newest gradient only. Where does the m that came in enter?",
    ),
    Mistake(
        "no memory in v",
        _adam_with(v=lambda v, m, g, beta: (1 - beta) * g**2),
        "Your v knows the newest square only. Where does the v that came in enter?",
    ),
    Mistake(
        "both corrected values stored",
        _adam_with(keep=lambda m, v, m_hat, v_hat: (m_hat, v_hat)),
        "You return the corrected m and v, so the next step would correct them once more. Which m and v do the "
        "recursions go on with?",
    ),
    Mistake(
        "m_hat stored",
        _adam_with(keep=lambda m, v, m_hat, v_hat: (m_hat, v)),
        "You return m_hat in the place of m, so the next step would correct it once more. Which of the two does the "
        "recursion go on with?",
    ),
    Mistake(
        "v_hat stored",
        _adam_with(keep=lambda m, v, m_hat, v_hat: (m, v_hat)),
        "You return v_hat in the place of v, so the next step would correct it once more. Which of the two does the "
        "recursion go on with?",
    ),
)
"""Mistakes in the two averages, and in what is returned of them."""

IN_THE_CORRECTION = (
    Mistake(
        "no correction",
        _adam_with(m_hat=_as_it_is, v_hat=_as_it_is),
        "m and v begin at zero and are too small at first. Which two lines make up for it, and does your step use "
        "what they compute?",
    ),
    Mistake(
        "m not corrected",
        _adam_with(m_hat=_as_it_is),
        "Your v is corrected and your m is not. Which of m and m_hat stands in the numerator?",
    ),
    Mistake(
        "v not corrected",
        _adam_with(v_hat=_as_it_is),
        "Your m is corrected and your v is not. Which of v and v_hat stands under the root?",
    ),
    Mistake(
        "t from 0",
        _adam_with(m_hat=_power_of(lambda t: t - 1), v_hat=_power_of(lambda t: t - 1)),
        "Your first correction divides by zero, since beta**0 is 1. Which number has the first step?",
    ),
    Mistake(
        "t counted twice",
        _adam_with(m_hat=_power_of(lambda t: t + 1), v_hat=_power_of(lambda t: t + 1)),
        "Your correction is that of the next step. Is 1 added to t somewhere, although this step is counted already?",
    ),
    Mistake(
        "no power of t",
        _adam_with(m_hat=_frozen, v_hat=_frozen),
        "You divide by 1 - beta at every step. That is right at the first. What should be left of the correction "
        "after a thousand?",
    ),
    Mistake(
        "t for an exponent of 2",
        _adam_with(m_hat=_power_of(lambda t: 2), v_hat=_power_of(lambda t: 2)),
        "Your correction is the same at every step, and right at the second only. Which exponent does it have?",
    ),
    Mistake(
        "times t",
        _adam_with(m_hat=_times_t, v_hat=_times_t),
        "The correction has a power of beta, and yours has a product. How does Python write a power?",
    ),
    Mistake(
        "beta**t alone",
        _adam_with(m_hat=_complement, v_hat=_complement),
        "You divide by beta**t, the weight that the zero at the start still has. Which weight do the gradients have?",
    ),
    Mistake(
        "multiplied",
        _adam_with(m_hat=_multiplied, v_hat=_multiplied),
        "m and v are too small at first. Does your correction make them larger or smaller?",
    ),
    Mistake(
        "corrections swapped",
        lambda theta, m, v, t, g, alpha, beta1, beta2, eps: _adam_with(
            m_hat=lambda m, beta, t: m / (1 - beta2**t), v_hat=lambda v, beta, t: v / (1 - beta1**t)
        )(theta, m, v, t, g, alpha, beta1, beta2, eps),
        "The two averages are right. Which beta corrects m, and which corrects v?",
    ),
)
"""Mistakes in the correction."""

IN_THE_STEP = (
    Mistake(
        "eps inside the root",
        _adam_with(fraction=_inside),
        "Try v_hat = 0 on paper: Algorithm 1 then has eps in the denominator. What has yours?",
    ),
    Mistake(
        "eps before the correction",
        _eps_first,
        "You add eps to the root of v before it is corrected: that is the other order of section 2 and its eps_hat. "
        "Where does Algorithm 1 add eps?",
    ),
    Mistake(
        "no eps",
        _adam_with(fraction=lambda m_hat, v_hat, eps: m_hat / np.sqrt(v_hat)),
        "This is right where gradients are large. What becomes of it where they are as small as eps?",
    ),
    Mistake(
        "eps subtracted",
        _adam_with(fraction=lambda m_hat, v_hat, eps: m_hat / (np.sqrt(v_hat) - eps)),
        "The small eps is there to keep the denominator away from zero. Does your sign before it do that?",
    ),
    Mistake(
        "parentheses around the denominator",
        _adam_with(fraction=_precedence),
        "Python divides before it adds. What does your + eps belong to, the denominator or the whole fraction?",
    ),
    Mistake(
        "root forgotten",
        _adam_with(fraction=lambda m_hat, v_hat, eps: m_hat / (v_hat + eps)),
        "v_hat is the size of a gradient squared. What has to happen to it before m_hat is divided by it?",
    ),
    Mistake(
        "squared for rooted",
        _adam_with(fraction=lambda m_hat, v_hat, eps: m_hat / (v_hat**2 + eps)),
        "You square v_hat, which is a mean of squares already. Which function takes that back?",
    ),
    Mistake(
        "uphill",
        _adam_with(move=lambda theta, step: theta + step),
        "You walk uphill. Is the step added to theta or subtracted?",
    ),
    Mistake(
        "the step alone",
        _adam_with(move=lambda theta, step: step),
        "You return the step in the place of the new theta. From where is it subtracted?",
    ),
    Mistake(
        "alpha forgotten",
        _no_alpha(adam_step),
        "Every step is as long as if alpha were 1. Where does your step use alpha?",
    ),
    Mistake(
        "the m before",
        _old_m,
        "You take the step with the m that came in. Which comes first in the algorithm, the new m or the step?",
    ),
    Mistake(
        "g for m_hat",
        _no_m,
        "Your numerator is the gradient itself, as in RMSProp. What does Adam put there?",
    ),
)
"""Mistakes in the last line."""


def _in_loop(*names: str) -> tuple[Mistake, ...]:
    """Mistakes of one step, as a whole walk shows them."""
    every = {mistake.name: mistake for mistake in IN_M_AND_V + IN_THE_CORRECTION + IN_THE_STEP}
    return tuple(Mistake(name, _walk(every[name].wrong), every[name].message) for name in names)


IN_THE_WALK = (
    Mistake(
        "t from 0",
        _walk(adam_step, first=0),
        "Your loop gives the first step the number 0, and 1 - beta**0 is zero. Which number has the first step?",
    ),
    Mistake(
        "t counted twice",
        _walk(adam_step, first=2),
        "Your first step has the number 2. Do both the loop and a line in it add 1 to t?",
    ),
    Mistake(
        "t stays at 1",
        _walk(adam_step, count=lambda t: 1),
        "The first step is right, and the later ones are taken as if they were the first. Does t grow in your loop?",
    ),
    Mistake(
        "moments forgotten",
        _forgetful,
        "Every step begins with m = v = 0. What does your loop do with the m and v that adam_step returns?",
    ),
    Mistake(
        "theta not carried on",
        _from_the_start,
        "Every point is one step away from theta_0. From which point does your next step start?",
    ),
    Mistake(
        "only the last point",
        _last_everywhere,
        "All rows show the last point. Is it one and the same array that your list holds T + 1 times, changed in "
        "place?",
    ),
    Mistake(
        "theta_0 left out",
        lambda *args: adam(*args)[1:],
        "The first row has to be theta_0 itself. When does your loop store its first point?",
    ),
    Mistake(
        "the last point left out",
        lambda *args: adam(*args)[:-1],
        "T steps make T + 1 points. Is a point stored before each step only, so that the last is lost?",
    ),
    Mistake(
        "starts at zero",
        lambda gradients, theta_0, *rest: adam(gradients, np.zeros_like(theta_0, dtype=float), *rest),
        "Your walk starts at zero. What is theta_0 for?",
    ),
    Mistake(
        "whole numbers",
        _whole,
        "Here theta_0 holds whole numbers. An array made like it can hold no others, and cuts off what is behind the "
        "point. Which type should your array of points have?",
    ),
    Mistake(
        "whole numbers carried on",
        _whole_and_used,
        "Here theta_0 holds whole numbers. An array made like it can hold no others. Where does your loop make one, "
        "and which type should it have?",
    ),
    Mistake(
        "one gradient late",
        _one_late,
        "Your first gradient is used twice, and the last one not at all. Which row of gradients belongs to step t?",
    ),
    Mistake(
        "only the first gradient",
        lambda gradients, *rest: adam(np.broadcast_to(gradients[:1], gradients.shape), *rest),
        "Every step uses the first gradient. Which row belongs to step t?",
    ),
    *_in_loop(
        "no correction",
        "m not corrected",
        "v not corrected",
        "v of g",
        "betas swapped",
        "both corrected values stored",
        "eps inside the root",
        "eps before the correction",
        "uphill",
        "root forgotten",
    ),
)
"""Mistakes in the loop, and those of a step that a walk shows."""

IN_THE_EFFECTIVE_STEP = (
    Mistake(
        "root forgotten",
        lambda m_hat, v_hat, alpha, eps: alpha * m_hat / (v_hat + eps),
        "v_hat is the size of a gradient squared. What has to happen to it before you divide by it?",
    ),
    Mistake(
        "eps inside the root",
        lambda m_hat, v_hat, alpha, eps: alpha * m_hat / np.sqrt(v_hat + eps),
        "Put v_hat = 0 into the formula and into your code. What is left of each denominator?",
    ),
    Mistake(
        "parentheses around the denominator",
        lambda m_hat, v_hat, alpha, eps: alpha * m_hat / np.sqrt(v_hat) + eps,
        "Python divides before it adds. What does your + eps belong to, the denominator or the whole fraction?",
    ),
    Mistake(
        "no eps",
        lambda m_hat, v_hat, alpha, eps: alpha * m_hat / np.sqrt(v_hat),
        "This is right where gradients are large. What becomes of it where they are zero, or as small as eps?",
    ),
    Mistake(
        "eps subtracted",
        lambda m_hat, v_hat, alpha, eps: alpha * m_hat / (np.sqrt(v_hat) - eps),
        "The small eps is there to keep the denominator away from zero. Does your sign before it do that?",
    ),
    Mistake(
        "minus",
        lambda m_hat, v_hat, alpha, eps: -alpha * m_hat / (np.sqrt(v_hat) + eps),
        "The function returns what is subtracted from theta. Which sign has that, for a positive m_hat?",
    ),
    Mistake(
        "no alpha",
        lambda m_hat, v_hat, alpha, eps: m_hat / (np.sqrt(v_hat) + eps),
        "This is the step in units of alpha. The function returns the step itself.",
    ),
    Mistake(
        "squared for rooted",
        lambda m_hat, v_hat, alpha, eps: alpha * m_hat / (v_hat**2 + eps),
        "You square v_hat, which is a mean of squares already. Which function takes that back?",
    ),
    Mistake(
        "upside down",
        lambda m_hat, v_hat, alpha, eps: alpha * np.sqrt(v_hat) / (m_hat + eps),
        "Numerator and denominator have changed places. Which of the two moments says in which direction to go?",
    ),
)
"""Mistakes in the fraction of Adam's last line."""

IN_THE_FIRST_STEP = (
    Mistake(
        "gradient descent",
        lambda theta, g, alpha: theta - alpha * g,
        "This is gradient descent, whose step is proportional to the gradient. What are m_hat and v_hat at t = 1?",
    ),
    Mistake(
        "uphill",
        lambda theta, g, alpha: theta + alpha * np.sign(g),
        "The lengths are right, and the direction is not. Is the step added or subtracted?",
    ),
    Mistake(
        "all in one direction",
        lambda theta, g, alpha: theta - alpha,
        "The lengths are right. In which direction does a coordinate go whose gradient is negative?",
    ),
    Mistake(
        "no correction",
        lambda theta, g, alpha: theta - alpha * 0.1 / np.sqrt(0.001) * np.sign(g),
        "You divide m_1 by the root of v_1. What about their corrections?",
    ),
    Mistake(
        "m not corrected",
        lambda theta, g, alpha: theta - alpha * 0.1 * np.sign(g),
        "Your numerator is m_1. By what is it divided to make m_hat_1?",
    ),
    Mistake(
        "v not corrected",
        lambda theta, g, alpha: theta - alpha / np.sqrt(0.001) * np.sign(g),
        "Your denominator is the root of v_1. By what is v_1 divided to make v_hat_1?",
    ),
    Mistake(
        "root forgotten",
        lambda theta, g, alpha: theta - alpha / g,
        "You divide by v_hat_1. What does Adam do with it first?",
    ),
    Mistake(
        "the step alone",
        lambda theta, g, alpha: -alpha * np.sign(g),
        "These are the steps. From where do they start?",
        fits=lambda answer, theta, g, alpha: close(answer, alpha * np.sign(g), rtol=1e-4, atol=0),
    ),
    Mistake(
        "the default alpha",
        lambda theta, g, alpha: theta - 0.001 * np.sign(g),
        "Your steps are 0.001 long, as with the paper's default. Which step size has the question given you?",
        fits=lambda answer, theta, g, alpha: close(answer, -0.001 * np.sign(g), rtol=1e-4, atol=0),
    ),
)
"""Mistakes in the first step by hand, with the default betas."""

IN_LARGEST = (
    Mistake(
        "no absolute value",
        lambda thetas: np.diff(thetas, axis=0).max(),
        "A step of -3 is longer than one of 2. Does your maximum know that?",
    ),
    Mistake(
        "across coordinates",
        lambda thetas: np.hypot.reduce(np.diff(thetas, axis=0), axis=1).max(),
        "You measure all coordinates together. Adam's step size is a length for each of them by itself.",
    ),
    Mistake(
        "the wrong axis",
        lambda thetas: np.abs(np.diff(thetas, axis=1)).max() if thetas.shape[1] > 1 else 0.0,
        "You compare coordinates with each other. Along which axis does time run?",
    ),
    Mistake(
        "from the start",
        lambda thetas: np.abs(thetas - thetas[0]).max(),
        "This is the largest distance from theta_0. A step leads from one point to the next.",
    ),
    Mistake(
        "the last step",
        lambda thetas: np.abs(thetas[-1] - thetas[-2]).max(),
        "This is the last step. What about those before it?",
    ),
    Mistake(
        "a mean",
        lambda thetas: np.abs(np.diff(thetas, axis=0)).mean(),
        "This is the mean length of a step. The question asks for the longest.",
    ),
    Mistake(
        "the largest point",
        lambda thetas: np.abs(thetas).max(),
        "This is the largest coordinate of a point. How do you get from points to steps?",
    ),
)
"""Mistakes in the largest step of a walk."""

IN_FIRST_WRONG = (
    Mistake(
        "counted from 0",
        lambda thetas, g, alpha, eps: int(np.argmax(_is_off(_steps(thetas), _constant_step(g, alpha, eps)))),
        "You return an index, which starts at 0. The first step has the number 1, and 0 means that all is right.",
    ),
    Mistake(
        "sign ignored",
        lambda thetas, g, alpha, eps: _first(_is_off(np.abs(_steps(thetas)), np.abs(_constant_step(g, alpha, eps)))),
        "A walk uphill has steps of the right length, too. Does your comparison look at the sign?",
    ),
    Mistake(
        "always alpha",
        lambda thetas, g, alpha, eps: _first(_is_off(_steps(thetas), alpha * np.sign(g))),
        "You expect steps of length alpha. How long are they if the gradient is as small as eps?",
    ),
    Mistake(
        "the sign of g left out",
        lambda thetas, g, alpha, eps: _first(_is_off(_steps(thetas), abs(_constant_step(g, alpha, eps)))),
        "Some of the gradients are negative. In which direction is the right step then?",
    ),
    Mistake(
        "uphill expected",
        lambda thetas, g, alpha, eps: _first(_is_off(-_steps(thetas), _constant_step(g, alpha, eps))),
        "You call right walks wrong. Is the step theta_t - theta_{t-1} or theta_{t-1} - theta_t?",
    ),
    Mistake(
        "no absolute value",
        _first_where(lambda step, right: step - right > 1e-3 * abs(right)),
        "A step that is too short, or uphill, passes for you. By how much does it differ from the right one, and "
        "with which sign?",
    ),
    Mistake(
        "no absolute value, the other way round",
        _first_where(lambda step, right: right - step > 1e-3 * abs(right)),
        "A step that is too long passes for you. By how much does it differ from the right one, and with which sign?",
    ),
    Mistake(
        "no absolute value on either side",
        _first_where(lambda step, right: step - right > 1e-3 * right),
        "Some of the gradients are negative, and some wrong steps are too short. Which sign has each side of your "
        "inequality then?",
    ),
    Mistake(
        "no absolute value of a quotient",
        _first_where(lambda step, right: step / right - 1 > 1e-3),
        "A step that is too short, or uphill, passes for you. What is your quotient then, and with which sign do you "
        "compare it?",
    ),
    Mistake(
        "no absolute value of a quotient, the other way round",
        _first_where(lambda step, right: 1 - step / right > 1e-3),
        "A step that is too long passes for you. What is your quotient then, and with which sign do you compare it?",
    ),
    Mistake(
        "an absolute tolerance",
        lambda thetas, g, alpha, eps: _first(
            ~np.isclose(_steps(thetas), _constant_step(g, alpha, eps), rtol=1e-3, atol=1e-8)
        ),
        "Your tolerance does not shrink with alpha. numpy's isclose and allclose have an absolute one beside the "
        "relative one: what is their default?",
    ),
    Mistake(
        "no tolerance",
        lambda thetas, g, alpha, eps: _first(_steps(thetas) != _constant_step(g, alpha, eps)),
        "You ask for equality to the last digit, and computers round. How much may a step be off?",
    ),
    Mistake(
        "the last wrong one",
        lambda thetas, g, alpha, eps: max(
            [t for t, off in enumerate(_is_off(_steps(thetas), _constant_step(g, alpha, eps)), 1) if off], default=0
        ),
        "This is the last wrong step. The first is asked for.",
    ),
    Mistake(
        "how many",
        lambda thetas, g, alpha, eps: int(_is_off(_steps(thetas), _constant_step(g, alpha, eps)).sum()),
        "This is how many steps are wrong. Which of them is the first?",
    ),
    Mistake(
        "only the first step",
        lambda thetas, g, alpha, eps: int(_is_off(_steps(thetas), _constant_step(g, alpha, eps))[0]),
        "You look at the first step only. A wrong Adam may begin well.",
    ),
    Mistake(
        "a thousandth of the point",
        lambda thetas, g, alpha, eps: _first(
            ~np.isclose(thetas[1:], thetas[:-1] - _constant_step(g, alpha, eps), rtol=1e-3, atol=0)
        ),
        "You allow a thousandth of the point, which may be far from zero. A thousandth of what is asked for?",
    ),
    Mistake(
        "1 where all are right",
        lambda thetas, g, alpha, eps: int(np.argmax(_is_off(_steps(thetas), _constant_step(g, alpha, eps)))) + 1,
        "You return 1 for a right walk, too. What does np.argmax give if nothing is True?",
    ),
)
"""Mistakes in finding the first wrong step."""

ADAM_STEP = Question(
    title="one step of Adam",
    signature="adam_step(theta, m, v, t, g, alpha, beta1, beta2, eps)",
    reference=adam_step,
    cases=_single_steps(1e-8),
    outputs=("theta", "m", "v"),
    order=("m", "v", "theta"),
    mistakes=IN_THE_CORRECTION + IN_THE_STEP + IN_M_AND_V,
    rtol=1e-6,
    atol=0.0,
)
"""The central question; the exercises of chapters may use it, too."""

ALGORITHMS: dict[str, Question | Value] = {
    "2.1": Value(
        title="the first step in your head",
        data=_first_of_three,
        reference=lambda theta, g, alpha: theta - alpha * np.sign(g),
        outputs=("theta_1",),
        mistakes=IN_THE_FIRST_STEP,
        rtol=1e-4,
    ),
    "2.2": Question(
        title="the step",
        signature="effective_step(m_hat, v_hat, alpha, eps)",
        reference=effective_step,
        cases=_moments,
        outputs=("the step",),
        mistakes=IN_THE_EFFECTIVE_STEP,
        rtol=1e-6,
        atol=0.0,
    ),
    "2.3": ADAM_STEP,
    "2.4": Question(
        title="the walk",
        signature="adam(gradients, theta_0, alpha, beta1, beta2, eps)",
        reference=adam,
        cases=_walks,
        outputs=("thetas",),
        mistakes=IN_THE_WALK,
        rtol=1e-6,
    ),
    "2.5": Question(
        title="the longest step",
        signature="largest_step(thetas)",
        reference=largest_step,
        cases=_points,
        outputs=("the longest step",),
        mistakes=IN_LARGEST,
    ),
    "2.6": Question(
        title="the first wrong step",
        signature="first_wrong_step(thetas, g, alpha, eps)",
        reference=first_wrong_step,
        cases=_accused,
        outputs=("the number of the step",),
        mistakes=IN_FIRST_WRONG,
    ),
    "2.7": Value(
        title="four walks",
        data=_four_walks,
        reference=_all_four(first_wrong_step),
        outputs=("the list",),
        mistakes=tuple(
            Mistake(mistake.name, _all_four(mistake.wrong), mistake.message)
            for mistake in IN_FIRST_WRONG
            if mistake.name in ("counted from 0", "always alpha", "only the first step", "how many")
        ),
    ),
    "2.9": Question(
        title="gradients times c",
        signature="scale_gap(gradients, c, alpha, beta1, beta2, eps)",
        reference=scale_gap,
        cases=_scales,
        outputs=("the largest distance",),
        mistakes=(
            Mistake(
                "only the end",
                lambda *args: np.abs(_apart(*args)[-1]).max(),
                "You compare the last points. Where two walks end, they may meet again.",
            ),
            Mistake(
                "no absolute value",
                lambda *args: _apart(*args).max(),
                "One walk may be ahead of the other, or behind it. Does your maximum see both?",
            ),
            Mistake(
                "no absolute value, the other way round",
                lambda *args: (-_apart(*args)).max(),
                "One walk may be ahead of the other, or behind it. Does your maximum see both?",
            ),
            Mistake(
                "a mean",
                lambda *args: np.abs(_apart(*args)).mean(),
                "This is how far apart they are on average. The largest distance is asked for.",
            ),
            Mistake(
                "across coordinates",
                lambda *args: np.hypot.reduce(_apart(*args), axis=1).max(),
                "You measure all coordinates together. Take each by itself.",
            ),
            Mistake(
                "never apart",
                lambda gradients, *rest: 0.0,
                "Your two walks never differ. Does one of them get c times the gradients, and do both get eps?",
            ),
            Mistake(
                "alpha scaled",
                lambda gradients, c, alpha, beta1, beta2, eps: np.abs(
                    c * adam(gradients, np.zeros(gradients.shape[1]), alpha, beta1, beta2, eps)
                    - adam(gradients, np.zeros(gradients.shape[1]), alpha, beta1, beta2, eps)
                ).max(),
                "You multiply the walk, or alpha, by c. Only the gradients are to be multiplied.",
            ),
            Mistake(
                "steps compared",
                lambda *args: np.abs(np.diff(_apart(*args), axis=0)).max(),
                "You compare steps. The distance between the points is asked for.",
            ),
        ),
    ),
    "2.10": Value(
        title="how long a step can be",
        data=_betas_and_length,
        reference=longest,
        outputs=("the longest step",),
        mistakes=(
            Mistake(
                "the paper's bound",
                lambda beta1, beta2, T: (1 - beta1) / np.sqrt(1 - beta2),
                "This is the paper's first bound. The question asks how long a step your Adam takes.",
            ),
            Mistake(
                "no growth",
                lambda beta1, beta2, T: _longest(beta1, beta2, T, beta1 / beta2),
                "No step of yours is longer than alpha. By which factor does each gradient exceed the one before it?",
            ),
            Mistake(
                "no correction",
                lambda beta1, beta2, T: _longest(
                    beta1, beta2, T, beta2 / beta1, _adam_with(m_hat=_as_it_is, v_hat=_as_it_is)
                ),
                "This is a limit that no step reaches, or a step without the corrections. Did you use your own adam, "
                "with 2.3 right?",
            ),
            Mistake(
                "not divided by alpha",
                lambda beta1, beta2, T: 0.001 * longest(beta1, beta2, T),
                "This is a length, and not one in units of alpha. Which alpha did you give to adam, and how many of "
                "it make your step?",
                fits=lambda answer, *data: _is_round(answer / longest(*data)),
            ),
            Mistake(
                "one gradient too few",
                lambda beta1, beta2, T: _longest(beta1, beta2, T - 1, beta2 / beta1),
                "This is the longest step along T - 1 gradients. Where does np.arange end?",
            ),
            Mistake(
                "one gradient too many",
                lambda beta1, beta2, T: _longest(beta1, beta2, T + 1, beta2 / beta1),
                "This is the longest step along T + 1 gradients. How many are asked for?",
            ),
        ),
    ),
    "2.11": Question(
        title="the efficient order",
        signature="efficient_step(theta, m, v, t, g, alpha, beta1, beta2, eps_hat)",
        reference=efficient_step,
        cases=_single_steps(1e-8),
        outputs=("theta", "m", "v"),
        order=("m", "v", "theta"),
        mistakes=(
            Mistake(
                "corrected twice",
                _efficient_with(m_hat=_debias, v_hat=_debias),
                "Both corrections are in alpha_t. Do you still divide m and v by theirs?",
            ),
            Mistake(
                "Algorithm 1",
                adam_step,
                "This is Algorithm 1 again. Here eps_hat is added as it is to the root of v itself. What do you add, "
                "and to what?",
            ),
            Mistake(
                "eps_hat inside the root",
                _efficient_with(fraction=_inside),
                "Put v = 0 into the formula and into your code. What is left of each denominator?",
            ),
            Mistake(
                "no root in alpha_t",
                _efficient_with(factor=lambda beta1, beta2, t: (1 - beta2**t) / (1 - beta1**t)),
                "v stands under a root in the step. What does that do to its correction, once it is outside?",
            ),
            Mistake(
                "upside down",
                _efficient_with(factor=lambda beta1, beta2, t: (1 - beta1**t) / np.sqrt(1 - beta2**t)),
                "At the first step m is much too small. Should its correction make alpha_t larger or smaller?",
            ),
            Mistake(
                "only the correction of v",
                _efficient_with(factor=lambda beta1, beta2, t: np.sqrt(1 - beta2**t)),
                "Your alpha_t corrects v. Which part of it corrects m?",
            ),
            Mistake(
                "only the correction of m",
                _efficient_with(factor=lambda beta1, beta2, t: 1 / (1 - beta1**t)),
                "Your alpha_t corrects m. Which part of it corrects v?",
            ),
            Mistake(
                "alpha_t not used",
                _efficient_with(factor=lambda beta1, beta2, t: 1.0),
                "There is no correction in your step. Do you compute alpha_t and then multiply by alpha?",
            ),
            Mistake(
                "no power of t",
                _efficient_with(factor=lambda beta1, beta2, t: np.sqrt(1 - beta2) / (1 - beta1)),
                "Your alpha_t is the same at every step. What should it tend to after a thousand?",
            ),
            Mistake(
                "one minus too many",
                _efficient_with(factor=lambda beta1, beta2, t: np.sqrt(beta2**t) / (1 - beta1**t)),
                "Under the root of your alpha_t is beta2**t. Was 1 subtracted from it twice?",
            ),
            Mistake(
                "betas swapped",
                _efficient_with(factor=lambda beta1, beta2, t: np.sqrt(1 - beta1**t) / (1 - beta2**t)),
                "m and v are right. Which beta stands in which part of alpha_t?",
            ),
            Mistake(
                "t from 0",
                _efficient_with(
                    factor=lambda beta1, beta2, t: np.sqrt(1 - beta2 ** (t - 1)) / np.float64(1 - beta1 ** (t - 1))
                ),
                "Your first alpha_t divides by zero. Which number has the first step?",
            ),
            Mistake(
                "t counted twice",
                _efficient_with(
                    factor=lambda beta1, beta2, t: np.sqrt(1 - beta2 ** (t + 1)) / (1 - beta1 ** (t + 1))
                ),
                "Your alpha_t is that of the next step. Is 1 added to t, although this step is counted already?",
            ),
            Mistake(
                "root over both",
                _efficient_with(factor=lambda beta1, beta2, t: np.sqrt((1 - beta2**t) / (1 - beta1**t))),
                "Your alpha_t takes the root of both corrections. Which of m and v stands under a root in the step?",
            ),
            Mistake(
                "no eps_hat",
                _efficient_with(fraction=lambda m, v, eps: m / np.sqrt(v)),
                "This is right where gradients are large. What becomes of it where they are as small as eps_hat?",
            ),
            Mistake(
                "parentheses around the denominator",
                _efficient_with(fraction=_precedence),
                "Python divides before it adds. What does your + eps_hat belong to, the denominator or the whole "
                "fraction?",
            ),
            Mistake(
                "root of v forgotten",
                _efficient_with(fraction=lambda m, v, eps: m / (v + eps)),
                "v averages squares. What has to happen to it before m is divided by it?",
            ),
            Mistake(
                "uphill",
                _efficient_with(move=lambda theta, step: theta + step),
                "You walk uphill. Is the step added to theta or subtracted?",
            ),
        ),
        rtol=1e-6,
        atol=0.0,
    ),
    "2.12": Question(
        title="the other epsilon",
        signature="eps_hat_for(eps, t, beta2)",
        reference=eps_hat_for,
        cases=_epsilons,
        outputs=("eps_hat",),
        mistakes=(
            Mistake(
                "the same",
                lambda eps, t, beta2: eps,
                "Many libraries keep eps_hat = eps. Compare the two denominators at t = 1: what was the first "
                "multiplied by to become the second?",
            ),
            Mistake(
                "inverted",
                lambda eps, t, beta2: eps / np.sqrt(1 - beta2**t),
                "v_1 is smaller than v_hat_1. Must what is added to its root be larger or smaller, too?",
            ),
            Mistake(
                "no root",
                lambda eps, t, beta2: eps * (1 - beta2**t),
                "Beside eps stands the root of v_hat. What does the correction of v become under that root?",
            ),
            Mistake(
                "beta2**t alone",
                lambda eps, t, beta2: eps * np.sqrt(beta2**t),
                "By what is v divided to make v_hat? The root of that is what you multiply by.",
            ),
            Mistake(
                "no power of t",
                lambda eps, t, beta2: eps * np.sqrt(1 - beta2),
                "This is right at the first step. What becomes of it when the correction is gone?",
            ),
        ),
        atol=0.0,
    ),
    "2.13": Question(
        title="one step of AdaMax",
        signature="adamax_step(theta, m, u, t, g, alpha, beta1, beta2)",
        reference=adamax_step,
        cases=_adamax_cases,
        outputs=("theta", "m", "u"),
        order=("m", "u", "theta"),
        mistakes=(
            Mistake(
                "0 / 0",
                _adamax_with(fraction=lambda m, u: m / u),
                "Where no gradient has come yet, u is 0 and so is m, and 0/0 is not a number. What does the question "
                "say should happen to such a coordinate?",
            ),
            Mistake(
                "an eps",
                _adamax_with(fraction=lambda m, u: m / (u + 1e-8)),
                "You add a small number to u, which makes every step a little shorter. AdaMax has none. How else can "
                "u = 0 be treated?",
            ),
            Mistake(
                "an eps in the maximum",
                _adamax_with(u=lambda u, g, beta: np.maximum(beta * u, np.abs(g) + 1e-8)),
                "You add a small number to the size of the gradient. Algorithm 2 has none. How else can u = 0 be "
                "treated?",
            ),
            Mistake(
                "u forgets nothing",
                _adamax_with(u=lambda u, g, beta: np.maximum(u, np.abs(g))),
                "Your u never shrinks. What happens to the old u before the new gradient is compared with it?",
            ),
            Mistake(
                "beta2 at the gradient",
                _adamax_with(u=lambda u, g, beta: np.maximum(u, beta * np.abs(g))),
                "Which of the two ages by beta2, the old u or the new gradient?",
            ),
            Mistake(
                "weighed as in an average",
                _adamax_with(u=lambda u, g, beta: np.maximum(beta * u, (1 - beta) * np.abs(g))),
                "You multiply the new gradient by 1 - beta2, as in an average. What does a maximum do?",
            ),
            Mistake(
                "no absolute value",
                _adamax_with(u=lambda u, g, beta: np.maximum(beta * u, g)),
                "Negative gradients leave no trace in your u. Does the maximum compare gradients, or their sizes?",
            ),
            Mistake(
                "one maximum for all",
                _adamax_with(u=lambda u, g, beta: np.maximum(beta * u, np.abs(g).max(initial=0.0))),
                "You take the largest of all coordinates. In AdaMax each coordinate has a maximum of its own.",
            ),
            Mistake(
                "squares",
                _adamax_with(u=lambda u, g, beta: np.sqrt(beta * u**2 + (1 - beta) * g**2)),
                "Your u is the root of an average of squares, as in Adam. What took its place in AdaMax?",
            ),
            Mistake(
                "an average of sizes",
                _adamax_with(u=lambda u, g, beta: _average(u, np.abs(g), beta)),
                "Your u averages the sizes of the gradients. What took the place of the average in AdaMax?",
            ),
            Mistake(
                "a larger sum",
                _adamax_with(u=lambda u, g, beta: beta * u + np.abs(g)),
                "You add the aged u and the new size. AdaMax keeps one of the two. Which?",
            ),
            Mistake(
                "u corrected",
                _adamax_with(u_hat=_debias),
                "You correct u. A zero at the start pulls an average down. Does it pull a maximum down?",
            ),
            Mistake(
                "root of u",
                _adamax_with(fraction=lambda m, u: _or_zero(m, np.sqrt(u))),
                "You take a root. v is a square, so it needs one; what is u?",
            ),
            Mistake(
                "m not corrected",
                _adamax_with(m_hat=_as_it_is),
                "No correction is needed for u. But m is the same average as in Adam: what about it?",
            ),
            Mistake(
                "no power of t",
                _adamax_with(m_hat=_frozen),
                "You divide by 1 - beta1 at every step. That is right at the first. What should be left of the "
                "correction after a hundred?",
            ),
            Mistake(
                "multiplied",
                _adamax_with(m_hat=_multiplied),
                "m is too small at first. Does your correction make the step longer or shorter?",
            ),
            Mistake(
                "t from 0",
                _adamax_with(m_hat=_power_of(lambda t: t - 1)),
                "Your first correction divides by zero, since beta1**0 is 1. Which number has the first step?",
            ),
            Mistake(
                "t counted twice",
                _adamax_with(m_hat=_power_of(lambda t: t + 1)),
                "Your correction is that of the next step. Is 1 added to t, although this step is counted already?",
            ),
            Mistake(
                "betas swapped",
                _betas_swapped(adamax_step),
                "Which beta belongs to m, and which to u?",
            ),
            Mistake(
                "weights swapped in m",
                _adamax_with(m=_swapped),
                "In m: which part gets beta1, the old average or the new gradient?",
            ),
            Mistake(
                "m a sum",
                _adamax_with(m=_sum),
                "Your m is a sum. By what is the new gradient multiplied in an average?",
            ),
            Mistake(
                "m_hat stored",
                _adamax_with(keep=lambda m, m_hat: m_hat),
                "You return m_hat in the place of m. Which of the two does the recursion go on with?",
            ),
            Mistake(
                "uphill",
                _adamax_with(move=lambda theta, step: theta + step),
                "You walk uphill. Is the step added to theta or subtracted?",
            ),
            Mistake(
                "alpha forgotten",
                _no_alpha(adamax_step),
                "Every step is as long as if alpha were 1. Where does your step use alpha?",
            ),
        ),
        rtol=1e-6,
        atol=0.0,
    ),
}
"""Adam and AdaMax from their pseudocode, and tests for them."""
