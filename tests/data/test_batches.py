import numpy as np
import pytest

from adamcore import minibatches


@pytest.mark.parametrize(("n", "batch_size"), [(10, 3), (10, 5), (10, 10), (10, 99), (1, 1)])
def test_every_example_once_the_last_batch_shorter(n, batch_size):
    batches = list(minibatches(n, batch_size, np.random.default_rng(0)))
    np.testing.assert_array_equal(np.sort(np.concatenate(batches)), np.arange(n))
    assert {len(batch) for batch in batches[:-1]} <= {batch_size}
    assert len(batches) == -(-n // batch_size)


def test_order_depends_on_the_generator_alone():
    def order(seed):
        return np.concatenate(list(minibatches(100, 7, np.random.default_rng(seed))))

    np.testing.assert_array_equal(order(1), order(1))
    assert (order(1) != order(2)).any()
    rng = np.random.default_rng(1)
    first, second = (np.concatenate(list(minibatches(100, 7, rng))) for _ in range(2))
    assert (first != second).any()


@pytest.mark.parametrize("name", ["n", "batch_size"])
@pytest.mark.parametrize("value", [0, -1, 2.5, "3", None])
def test_errors_at_the_call(name, value):
    arguments = {"n": 3, "batch_size": 2, "rng": np.random.default_rng(0), name: value}
    with pytest.raises(ValueError, match=f"minibatches: {name} = {value!r} is not allowed"):
        minibatches(**arguments)


@pytest.mark.parametrize("rng", [0, None, np.random.RandomState(0)])
def test_a_seed_is_no_generator(rng):
    with pytest.raises(TypeError, match=r"minibatches: rng = .* is not allowed; .* numpy.random.default_rng\(0\)"):
        minibatches(3, 2, rng)


def test_sizes_may_be_numpys():
    assert len(list(minibatches(np.int64(5), np.uint8(2), np.random.default_rng(0)))) == 3
