"""The compiled kernel: the same bits as the readable step, and the same errors."""

import contextlib
import dataclasses
import functools
import os
import platform
import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pytest

from adamcore import Adam, AdamW, AMSGrad, Averaged, NotFiniteError, RMSProp, inverse_sqrt, optim, show_versions
from adamcore.optim import base, fast, one_thread, pure_numpy
from adamcore.optim.base import COMPILED_SIZE, FINITE_SLICE, SLICE

needs_numba = pytest.mark.skipif(fast.kernels() is None, reason="numba is not installed (extra fast)")

SETTINGS = [
    Adam(),
    Adam(alpha=inverse_sqrt(0.1), beta1=0.0, beta2=0.9999, eps=0.0),
    Adam(beta1=0.95, beta2=0.5, eps=1e-3, eps_place="hat"),
    Adam(bias_correction=False),
    Adam(bias_correction="first"),
    Adam(bias_correction="second", eps=1e-50),
    Adam(beta2=1 - 1e-9),
]


@functools.cache
def gradients(size, dtype, steps=4):
    """Magnitudes from underflow to large, and coordinates that never have one."""
    rng = np.random.default_rng(0)
    g = rng.normal(size=(steps, size)) * 10.0 ** rng.integers(-30, 12, size=(steps, size))
    g[:, : size // 5] = 0
    return g.astype(dtype)


@needs_numba
@pytest.mark.parametrize("rule", SETTINGS, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [COMPILED_SIZE, SLICE + 1, fast.PARALLEL_SIZE + 3])
def test_every_path_gives_the_same_bits(rule, dtype, size):
    theta = np.random.default_rng(1).normal(size=size).astype(dtype)
    readable = rule.init(theta)
    for g in gradients(size, dtype):
        rule.step(readable, g)
    for path in (contextlib.nullcontext, one_thread, pure_numpy):
        s = rule.init(theta)
        with path():
            for g in gradients(size, dtype):
                rule.step(s, g, inplace=True)
        for name in ("theta", "m", "v"):
            expected, message = getattr(readable, name), f"{name}, {path.__name__}"
            np.testing.assert_array_equal(getattr(s, name), expected, err_msg=message, strict=True)


@needs_numba
def test_the_kernel_is_used_where_it_should_be(monkeypatch):
    calls = []
    update = fast.update
    monkeypatch.setattr(fast, "update", lambda *arguments: calls.append(1) or update(*arguments))

    def used(rule, size=COMPILED_SIZE, **options):
        calls.clear()
        s = rule.init(np.ones(size))
        rule.step(s, np.ones(size), **options)
        return bool(calls)

    @dataclasses.dataclass(frozen=True)
    class Mine(Adam):
        pass

    assert used(Adam(), inplace=True)
    assert used(Adam(alpha=inverse_sqrt(1)), inplace=True)
    assert not used(Adam())
    assert not used(Adam(), size=COMPILED_SIZE - 1, inplace=True)
    assert not used(Adam(eps_place="inside"), inplace=True)
    assert not used(Mine(), inplace=True)
    assert not used(AMSGrad(), inplace=True)
    with pure_numpy():
        assert not used(Adam(), inplace=True)


@needs_numba
@pytest.mark.parametrize(
    ("size", "context", "expected"),
    [
        (fast.PARALLEL_SIZE - 1, contextlib.nullcontext, {"adam", "finite"}),
        (fast.PARALLEL_SIZE, contextlib.nullcontext, {"adam_parallel", "finite_parallel"}),
        (fast.PARALLEL_SIZE, one_thread, {"adam", "finite"}),
    ],
)
def test_more_threads_are_used_for_large_arrays_only_and_where_wanted(monkeypatch, size, context, expected):
    used = set()
    kernels = fast.kernels()._asdict()
    noting = {
        name: lambda *arguments, name=name, kernel=kernel: used.add(name) or kernel(*arguments)
        for name, kernel in kernels.items()
    }
    monkeypatch.setattr(fast, "kernels", lambda: fast.Kernels(**noting))
    monkeypatch.setattr(fast, "_settings", threading.local())  # as in a thread that has switched nothing yet
    rule, theta = Adam(), np.ones(size, np.float32)
    s = rule.init(theta)
    with context():
        rule.step(s, theta, inplace=True)
    assert used == expected


@needs_numba
@pytest.mark.parametrize("size", [SLICE + 1, fast.PARALLEL_SIZE + 3])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", [0, -1])
def test_a_gradient_that_is_not_finite_changes_nothing(size, bad, where):
    rule = Adam()
    s = rule.init(np.ones(size))
    rule.step(s, np.ones(size), inplace=True)
    before = s.theta.copy(), s.m.copy(), s.v.copy()
    g = np.ones(size)
    g[where] = bad
    with pytest.raises(NotFiniteError, match=f"step 2 is not finite: 1 of {size}"):
        rule.step(s, g, inplace=True)
    assert s.t == 1
    for old, new in zip(before, (s.theta, s.m, s.v), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 2 * FINITE_SLICE + 1])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("finite", [base.all_finite, pytest.param(fast.all_finite, marks=needs_numba)])
def test_no_place_is_overlooked(finite, bad, size):
    x = np.full(size, np.finfo(np.float32).max)
    assert finite(x)
    seams = [0, FINITE_SLICE, *(size // 4 * quarter for quarter in (1, 2, 3, 4)), size]
    for where in {seam + side for seam in seams for side in (-1, 0) if 0 <= seam + side < size}:
        x[where] = bad
        assert not finite(x)
        x[where] = -1


IN_SLICES = [rule() for name in optim.RULES if (rule := getattr(optim, name)).elementwise]


@pytest.mark.parametrize(
    ("rule", "context"),
    [
        (Adam(), contextlib.nullcontext),
        (Adam(), one_thread),
        *((rule, pure_numpy) for rule in (*IN_SLICES, Averaged(AdamW()), RMSProp(centered=True, mu=0.9))),
    ],
    ids=lambda value: getattr(value, "__name__", repr(value)),  # the repr of a function has an address
)
def test_no_array_of_thetas_size_is_allocated(rule, context):
    size = 40 * SLICE
    s = rule.init(np.ones(size, np.float32))
    g = np.ones(size, np.float32)
    with context():
        rule.step(s, g, inplace=True)
        tracemalloc.start()
        rule.step(s, g, inplace=True)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 0.5 * g.nbytes


@needs_numba
@pytest.mark.parametrize("name", ["theta", "m", "v"])
@pytest.mark.parametrize("view", [lambda a: a, lambda a: a[:], lambda a: a[::-1]], ids=["itself", "view", "reversed"])
@pytest.mark.parametrize("size", [COMPILED_SIZE, fast.PARALLEL_SIZE + 3])
def test_a_gradient_in_the_states_own_memory(name, view, size):
    rule, theta = Adam(alpha=0.1), np.random.default_rng(1).normal(size=size)
    readable, compiled = rule.init(theta), rule.init(theta)
    for s, inplace in ((readable, False), (compiled, True)):
        rule.step(s, theta**2, inplace=inplace)
        for _ in range(3):
            rule.step(s, view(getattr(s, name)), inplace=inplace)
    for kept in ("theta", "m", "v"):
        np.testing.assert_array_equal(getattr(compiled, kept), getattr(readable, kept), err_msg=kept)


@pytest.mark.parametrize("context", [contextlib.nullcontext, pure_numpy])
@pytest.mark.parametrize("view", [lambda a: a, lambda a: a[:]], ids=["itself", "view"])
def test_theta_itself_is_a_gradient_that_is_not_copied(view, context):
    rule = Adam()
    s = rule.init(np.ones(40 * SLICE, np.float32))
    with context():
        rule.step(s, s.theta, inplace=True)
        tracemalloc.start()
        rule.step(s, view(s.theta), inplace=True)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 0.5 * s.theta.nbytes


@pytest.mark.parametrize("rule", [*IN_SLICES, Averaged(AdamW()), RMSProp(centered=True, mu=0.9)], ids=repr)
def test_the_state_is_the_slots_and_nothing_else(rule):
    """Two arrays for Adam beside theta, also after readable steps, which leave m_hat and v_hat; an average stays."""
    s = rule.init(np.ones(2 * SLICE))
    rule.step(s, np.ones(2 * SLICE))
    rule.step(s, np.ones(2 * SLICE), inplace=True)
    assert set(vars(s)) == {"owner", "t", "theta", *rule.slots, *rule.scalars, *rule.lasting}
    for name in (*rule.slots, *rule.lasting):
        assert getattr(s, name).nbytes == s.theta.nbytes
        assert getattr(s, name).base is None


@needs_numba
def test_python_threads_may_step_at_once():
    """In a process of its own, with the simplest of numba's threading layers: it aborts if two enter it at once."""
    code = """if True:
        import threading, numpy as np
        from adamcore import Adam
        from adamcore.optim import fast
        rule, g = Adam(), np.ones(fast.PARALLEL_SIZE + 3)
        states = [rule.init(np.zeros(g.size)) for _ in range(4)]
        steps = lambda s: [rule.step(s, g, inplace=True) for _ in range(5)]
        threads = [threading.Thread(target=steps, args=(s,)) for s in states]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(all((s.t, s.theta.tolist()) == (5, states[0].theta.tolist()) for s in states))
    """
    environment = {**os.environ, "NUMBA_THREADING_LAYER": "workqueue"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr


def test_switches_nest_and_are_undone():
    outside = Adam().kernel() is None
    with pure_numpy():
        with pure_numpy():
            assert Adam().kernel() is None
        assert Adam().kernel() is None
    assert (Adam().kernel() is None) == outside


@needs_numba
def test_a_switch_is_of_one_python_thread():
    compiled = []
    with pure_numpy():
        thread = threading.Thread(target=lambda: compiled.append(Adam().kernel() is not None))
        thread.start()
        thread.join()
    assert compiled == [True]


def test_without_numba(tmp_path):
    """A numba that cannot be imported, as for a numpy too new for it: the same numbers, and it is said."""
    (tmp_path / "numba.py").write_text("raise ImportError('Numba needs another NumPy')")
    code = (
        "import numpy as np; from adamcore import Adam, show_versions; rule = Adam(); s = rule.init(np.zeros(99999));"
        "rule.step(s, np.ones(99999), inplace=True); show_versions(); print(s.theta[0] == s.theta[-1])"
    )
    paths = [str(tmp_path), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "the readable update in slices" in done.stdout
    assert done.stdout.endswith("True\n")


def test_importing_the_package_imports_neither_numba_nor_matplotlib():
    code = "import sys, adamcore; print({'numba', 'matplotlib', 'scipy', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_show_versions(capsys):
    show_versions()
    printed = capsys.readouterr().out
    for name in ("adamcore", "Python", "numpy", "numba", "BLAS", "Adam in place"):
        assert name in printed


@pytest.mark.parametrize("context", [one_thread, pure_numpy])
@pytest.mark.parametrize("size", [3, SLICE + 1])
def test_unchecked_steps_are_the_same_and_let_everything_through(context, size):
    rule = Adam()
    one, other = rule.init(np.ones(size)), rule.init(np.ones(size))
    g = np.linspace(-1, 1, size)
    with context():
        rule.step(one, g, inplace=True)
        rule.step(other, g, inplace=True, check_finite=False)
        np.testing.assert_array_equal(one.theta, other.theta)
        g[1] = np.nan
        rule.step(other, g, inplace=True, check_finite=False)
    assert other.t == 2
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(other.theta)), [1])


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="about glibc's allocator")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_slices_do_not_fetch_their_memory_again_and_again(dtype):
    """In a fresh process, since what was freed before decides what glibc keeps."""
    code = f"""if True:
        import resource, numpy as np
        from adamcore import Adam
        from adamcore.optim import pure_numpy
        rule, g = Adam(), np.ones(100_000, {dtype!r})
        s = rule.init(g)
        with pure_numpy():
            for step in range(30):
                if step == 10:
                    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
                rule.step(s, g, inplace=True)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 200  # page faults of 20 steps of 4 slices; thousands where memory comes and goes
