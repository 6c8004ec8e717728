import json
import math

import numpy as np
import pytest

from adamcore.optim import cosine, inverse_sqrt, schedules, step_decay, warmup


def test_inverse_sqrt_per_step_and_per_epoch():
    assert [inverse_sqrt(2.0)(t) for t in (1, 4, 16)] == [2.0, 1.0, 0.5]
    per_epoch = inverse_sqrt(2.0, steps_per_epoch=10)
    assert [per_epoch(t) for t in (1, 10, 11, 40)] == [2.0, 2.0, 2.0 / 2**0.5, 1.0]


def test_step_decay():
    assert [step_decay(8.0, every=3, factor=0.5)(t) for t in (1, 3, 4, 6, 7)] == [8, 8, 4, 4, 2]


def test_a_staircase_beyond_all_floats():
    assert step_decay(0.1, every=1, factor=2.0)(1101) == math.inf
    assert step_decay(0.0, every=1, factor=2.0)(1101) == 0
    assert step_decay(1.0, every=1, factor=0.5)(2000) == 0


def test_cosine():
    schedule = cosine(3.0, steps=10, end=1.0)
    assert [schedule(t) for t in (1, 6, 11, 12, 1000)] == pytest.approx([3, 2, 1, 1, 1])
    assert schedule(3) == pytest.approx(2 + math.cos(0.2 * math.pi))


def test_warmup_of_a_number_and_of_a_schedule():
    assert [warmup(2.0, steps=4)(t) for t in (1, 2, 4, 5, 99)] == [0.5, 1, 2, 2, 2]
    inner = inverse_sqrt(2.0)
    assert [warmup(inner, steps=4)(t) for t in (1, 4, 16)] == [0.25 * inner(1), inner(4), inner(16)]


EXAMPLES = [inverse_sqrt(0.1, 7), step_decay(0.1, 3), cosine(1, 9, 0.1), warmup(1, 5), warmup(inverse_sqrt(0.1), 5)]


@pytest.mark.parametrize("schedule", EXAMPLES, ids=repr)
def test_plain_data_and_back(schedule):
    assert schedules.from_dict(json.loads(json.dumps(schedule.to_dict()))) == schedule
    assert eval(repr(schedule)) == schedule
    assert all(type(schedule(t)) is float and schedule(t) >= 0 for t in (1, 2, 10, 1000))


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: inverse_sqrt(-1), "alpha"),
        (lambda: inverse_sqrt(np.nan), "alpha"),
        (lambda: inverse_sqrt("a"), "alpha"),
        (lambda: inverse_sqrt("0.1"), "alpha"),
        (lambda: inverse_sqrt(True), "alpha"),
        (lambda: inverse_sqrt([0.1]), "alpha"),
        (lambda: inverse_sqrt(1, True), "steps_per_epoch"),
        (lambda: inverse_sqrt(1, "2"), "steps_per_epoch"),
        (lambda: inverse_sqrt(1, np.array([2, 3])), "steps_per_epoch"),
        (lambda: inverse_sqrt(1, None), "steps_per_epoch"),
        (lambda: inverse_sqrt(1, np.nan), "steps_per_epoch"),
        (lambda: inverse_sqrt(1, 0), "steps_per_epoch"),
        (lambda: inverse_sqrt(1, 1.5), "steps_per_epoch"),
        (lambda: inverse_sqrt(1, math.inf), "steps_per_epoch"),
        (lambda: step_decay(-1, 1), "alpha"),
        (lambda: step_decay(1, 0), "every"),
        (lambda: cosine(-1, 1), "alpha"),
        (lambda: step_decay(1, 1, -0.1), "factor"),
        (lambda: cosine(1, 0), "steps"),
        (lambda: cosine(1, 1, -1), "end"),
        (lambda: cosine(1, 1, math.inf), "end"),
        (lambda: warmup(-1, 5), "alpha"),
        (lambda: warmup(None, 5), "alpha"),
        (lambda: warmup(inverse_sqrt, 5), "alpha"),
        (lambda: warmup(1, 0), "steps"),
    ],
)
def test_errors(make, name):
    schedules = "(inverse_sqrt|step_decay|cosine|warmup)"
    message = rf"^{schedules}: {name} = .* is not allowed; it must be a (finite number >= 0|whole number >= 1)\.$"
    with pytest.raises(ValueError, match=message):
        make()


def test_unknown_schedule():
    with pytest.raises(ValueError, match="unknown schedule 'linear'; there are inverse_sqrt, step_decay, cosine"):
        schedules.from_dict({"schedule": "linear"})


def test_plain_data_that_does_not_fit():
    with pytest.raises(ValueError, match=r"unknown schedule \['cosine'\]"):
        schedules.from_dict({"schedule": ["cosine"]})
    with pytest.raises(ValueError, match="cosine has no length, restarts; it has alpha, steps, end"):
        schedules.from_dict({"schedule": "cosine", "alpha": 1, "steps": 2, "restarts": 3, "length": 4})
    with pytest.raises(ValueError, match=r"cosine needs alpha, steps; steps is missing\.$"):
        schedules.from_dict({"schedule": "cosine", "alpha": 1, "end": 0})
    with pytest.raises(ValueError, match=r"cosine needs alpha, steps; alpha, steps is missing\.$"):
        schedules.from_dict({"schedule": "cosine"})
    with pytest.raises(ValueError, match=r"warmup: steps = 0 is not allowed"):
        schedules.from_dict({"schedule": "warmup", "alpha": {"schedule": "inverse_sqrt", "alpha": 1}, "steps": 0})


def test_printed_for_a_reader():
    assert str(inverse_sqrt(0.001, steps_per_epoch=469)) == "0.001 / sqrt(epoch)"
    assert str(inverse_sqrt(0.1)) == "0.1 / sqrt(step)"
