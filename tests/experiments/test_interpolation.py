"""Between the step sizes of the record of Figure 1 (left), the chapter interpolates: training there agrees."""

import numpy as np
import pytest

from adamcore import AdaGrad, Adam, inverse_sqrt
from adamcore.experiments import digitized_curves, load_record, log_rms, streams
from adamcore.experiments.problems import make_problem
from adamcore.experiments.train import train_together

# What the chapter says of trainings with seed 0.
TRAINED = {"AdaGrad": (AdaGrad, 1.1, 0.038), "Adam": (Adam, 0.42, 0.045)}


def interpolated(record, name, decay, alpha):
    """The curve on straight lines between those of the grid, on logarithmic scales, as the chapter draws it."""
    points = sorted((p for p in record.grid_points(name) if p.decay == decay), key=lambda p: p.alpha)
    log_costs = np.log([record.curves(name, p.rule).mean(axis=0) for p in points])
    log_alphas = np.log([p.alpha for p in points])
    return np.exp([np.interp(np.log(alpha), log_alphas, at_one_epoch) for at_one_epoch in log_costs.T])


@pytest.mark.slow
def test_training_between_the_grids_step_sizes_agrees_with_interpolation(request):
    record, theirs = load_record(request.config.rootpath / "book/results/fig1a.json"), digitized_curves("fig1a")
    problem = make_problem("mnist_logistic", {"n_train": 60_000, "l2": 1e-4})
    rules = [rule(alpha=inverse_sqrt(alpha)) for rule, alpha, _ in TRAINED.values()]
    histories = train_together(problem.model, rules, problem.data, epochs=46, batch_size=128, streams=streams(0))
    for (name, (_, alpha, said)), history in zip(TRAINED.items(), histories, strict=True):
        curve = interpolated(record, name, "1/sqrt(step)", alpha)
        distance = log_rms(np.array(history.epoch_cost), *theirs[name])
        assert abs(distance - said) < 0.001
        assert abs(distance - log_rms(curve, *theirs[name])) < 0.01
