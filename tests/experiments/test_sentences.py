"""Claims C14, C15, C32 and C37: their verdicts follow from records, and turn with them."""

import copy
import math

import numpy as np
import pytest

from adamcore.experiments import EXPERIMENTS, get_experiment, run
from adamcore.experiments.claims import CLAIMS, NotRun
from adamcore.experiments.claims.evidence import ONE_SEED
from adamcore.experiments.claims.sentences import exponents, last_values, sparsity, tuned_regrets
from adamcore.models import VAE
from tests.experiments.test_claims import fake, judge


def without_records():
    return {name: CLAIMS[name].find({}) for name in ("C14", "C15", "C32", "C37")}


def test_without_records_each_names_its_command():
    commands = {name: found.command for name, found in without_records().items()}
    assert commands == {
        "C14": "python -m adamcore run sparse_regret --scale full",
        "C15": "python -m adamcore run fading_logistic --scale full",
        "C32": "python -m adamcore run ablation_cnn --scale full",
        "C37": "python -m adamcore run vae_sparsity --scale full",
    }
    assert all(found.verdict == "not run" for found in without_records().values())


# C14


def regrets(grows, *, best=0.1, seeds=3, spread=0.01):
    """A record of sparse_regret in which the regret at the best step size grows as d**p, for each contender's p."""
    size = EXPERIMENTS["sparse_regret"].scale("full")
    ones = dict.fromkeys(size.paper, 1.0)
    record = fake("sparse_regret", ones, ones, seeds=seeds, epochs=1)
    record.problem["numbers"] = [4, 8, 16, 32]
    rng = np.random.default_rng(0)
    noise = {(name, seed): np.exp(spread * rng.normal(size=4)) for name in record.contenders for seed in range(seeds)}
    for one in record.runs:
        kind = 1 if one["rule"]["of"]["alpha"] == 1 else 2  # a constant step size is the better one, here
        least = kind * np.array([4, 8, 16, 32]) ** grows[one["contender"]] * noise[one["contender"], one["seed"]]
        one["measures"] = {
            f"d={d}, alpha={alpha:g}": [regret * (1 + abs(math.log(alpha / best)))]
            for d, regret in zip((4, 8, 16, 32), least, strict=True)
            for alpha in one["rule"]["alphas"]
        }
    return record


@pytest.mark.parametrize(
    ("adagrad", "adam", "verdict", "condition"),
    [
        (0.2, 0.3, "reproduced", ""),
        (0.2, 0.47, "reproduced only if", "it is said of AdaGrad: for Adam these seeds do not show it"),
        (0.6, 0.3, "reproduced only if", "it is said of Adam: for AdaGrad these seeds do not show it"),
        (0.5, 0.7, "not reproduced", ""),
    ],
)
def test_sparse_features(adagrad, adam, verdict, condition):
    found = judge("C14", regrets({"SGD": 0.5, "AdaGrad": adagrad, "Adam": adam}))
    assert (found.verdict, found.condition) == (verdict, condition), found
    assert found.numbers["exponent of Adam"] == pytest.approx(adam, abs=0.03)


def test_sparse_features_need_an_interval_and_a_best_step_size_within_the_grid():
    grows = {"SGD": 0.5, "AdaGrad": 0.2, "Adam": 0.3}
    assert judge("C14", regrets(grows, spread=2.0)).verdict == "not reproduced"
    assert "gives no interval" in judge("C14", regrets(grows, seeds=1)).reason
    for best in (1e-4, 100.0):
        found = judge("C14", regrets(grows, best=best))
        assert found.verdict == "not run"
        assert f"best step size of SGD, {best:g}, is the last that was tried" in found.reason


def test_the_best_step_size_is_chosen_for_each_number_of_features():
    record = regrets({"SGD": 0.5, "AdaGrad": 0.2, "Adam": 0.3})
    for one in record.runs:
        if one["contender"] == "Adam" and one["rule"]["of"]["alpha"] == 1:
            one["measures"]["d=8, alpha=1"] = [0.5]
    np.testing.assert_allclose(tuned_regrets(record, "Adam")[:, 1], 0.5)
    assert (tuned_regrets(record, "Adam")[:, 0] > 1).all()


def test_exponents_are_slopes(rng):
    numbers = [4, 8, 16, 32]
    regret = 7 * np.array(numbers) ** np.array([[0.3], [0.5]])
    np.testing.assert_allclose(exponents(regret, numbers), [0.3, 0.5])


# C15


def fading(name, helped, tuned=None, seeds=5, best=None):
    """A record in which the last value with a fading beta1 is ``helped`` times that with a constant one."""
    size = EXPERIMENTS[name].scale("full")
    measure = {"fading_logistic": "excess", "fading_mlp": "full_cost"}[name]
    center = best or {"fading_logistic": 1e-2, "fading_mlp": 1e-3}[name]
    levels = dict.fromkeys(size.paper, 1.0)
    record = fake(name, levels, levels, seeds=seeds, epochs=20)
    rng = np.random.default_rng(0)
    for one in record.runs:
        contender, rule = one["contender"], one["rule"]
        alpha = rule["alpha"]["alpha"] if isinstance(rule["alpha"], dict) else rule["alpha"]
        factor = (helped if rule == record.paper[contender] else tuned or helped) if "fading" in contender else 1.0
        factor = factor["beta1=0.99" if "0.99" in contender else "beta1=0.9"] if isinstance(factor, dict) else factor
        worse = 1 + abs(math.log(alpha / center)) + (not isinstance(rule["alpha"], dict))
        one["measures"] = {measure: [9.0] * 19 + [factor * worse * math.exp(0.002 * rng.normal())]}
    return record


def both(one, other=None, **more):
    return judge("C15", fading("fading_logistic", one, **more), fading("fading_mlp", other or one, **more))


@pytest.mark.parametrize(
    ("logistic", "network", "verdict", "condition"),
    [
        (0.8, 0.8, "reproduced", ""),
        (0.8, 1.0, "reproduced only if", "logistic regression is trained"),
        (1.0, 0.8, "reproduced only if", "a network is trained"),
        (1.0, 1.0, "not reproduced", ""),
        (0.97, 0.97, "not reproduced", ""),
        (1.2, 1.2, "not reproduced", ""),
        ({"beta1=0.9": 1.0, "beta1=0.99": 0.8}, None, "reproduced only if", "beta1 is 0.99"),
        (
            {"beta1=0.9": 1.0, "beta1=0.99": 0.8}, 1.0,
            "reproduced only if", "beta1 is 0.99, and logistic regression is trained",
        ),
    ],
)  # fmt: skip
def test_a_fading_beta1(logistic, network, verdict, condition):
    found = both(logistic, network)
    assert (found.verdict, found.condition) == (verdict, condition), found


def test_a_fading_beta1_is_judged_where_both_are_tuned():
    assert both(0.5, tuned=1.0).verdict == "not reproduced"
    assert both(1.0, tuned=0.8).verdict == "reproduced"
    assert "gives no interval" in both(0.8, seeds=1).reason
    assert judge("C15", fading("fading_logistic", 0.8)).command == "python -m adamcore run fading_mlp --scale full"
    found = judge("C15", fading("fading_logistic", 0.8, best=0.1), fading("fading_mlp", 0.8))
    assert found.verdict == "not run"
    assert "fading_logistic: the best step size of" in found.reason


def test_a_run_that_diverged_has_no_last_value_that_is_low():
    record = fading("fading_mlp", 0.8)
    for one in record.runs:
        one["measures"]["full_cost"] = one["measures"]["full_cost"][:3]
    assert np.isinf(last_values(record, "beta1=0.9", record.paper["beta1=0.9"], "full_cost")).all()


# C32


def ablation(name, without_m, without_v, **more):
    levels = {"Adam": 1.0, "beta1=0": without_m, "one v a layer": without_v}
    return fake(name, levels, levels, **more)


@pytest.mark.parametrize(
    ("cnn", "mlp", "verdict", "condition"),
    [
        ((2.0, 1.1), (1.2, 1.5), "reproduced", ""),
        (
            (2.0, 1.1), (1.2, 1.1),
            "reproduced only if", "convolutional networks are not compared with fully connected ones",
        ),
        ((1.1, 2.0), (1.2, 3.0), "not reproduced", ""),
        ((1.5, 1.5), (1.2, 3.0), "not reproduced", ""),
    ],
)  # fmt: skip
def test_moments_of_a_cnn(cnn, mlp, verdict, condition):
    found = judge("C32", ablation("ablation_cnn", *cnn), ablation("ablation_mlp", *mlp))
    assert (found.verdict, found.condition) == (verdict, condition), found
    assert found.numbers["CNN, beta1=0 / Adam"] == pytest.approx(cnn[0], rel=0.02)
    assert found.numbers["last cost: MLP, one v a layer / Adam"] == pytest.approx(mlp[1], rel=0.1)


def test_moments_of_a_cnn_need_more_than_one_seed_and_both_networks():
    found = judge("C32", ablation("ablation_cnn", 2.0, 1.1, seeds=1), ablation("ablation_mlp", 1.2, 1.5))
    assert found.condition == ONE_SEED
    noisy = ablation("ablation_cnn", 2.0, 1.1, spread=3.0)
    assert judge("C32", noisy, ablation("ablation_mlp", 1.2, 1.5)).verdict == "not reproduced"
    assert judge("C32", ablation("ablation_cnn", 2.0, 1.1)).command.split()[4] == "ablation_mlp"


def test_moments_of_a_cnn_are_compared_where_each_is_tuned():
    """At the default step size the order is the other way round, and does not count."""
    size = EXPERIMENTS["ablation_cnn"].scale("full")
    first = {"Adam": 1.0, "beta1=0": 1.0, "one v a layer": 9.0}
    best = {"Adam": 0.5, "beta1=0": 0.9, "one v a layer": 0.6}
    cnn = fake("ablation_cnn", first, best)
    assert set(cnn.paper) == set(size.paper)
    assert judge("C32", cnn, ablation("ablation_mlp", 1.2, 1.5)).verdict == "reproduced"


# C37


def sparse(hoyer, rare, seeds=3, epochs=100, part=None):
    """A record whose sparsities go from the first number, after epoch 10, to the second, in one part or in all."""
    size = EXPERIMENTS["vae_sparsity"].scale("full")
    record = fake("vae_sparsity", dict.fromkeys(size.paper, 1.0), seeds=seeds, epochs=epochs)
    rng = np.random.default_rng(0)
    shapes = VAE().layout.shapes
    for one in record.runs:
        one["measures"] = {}
        for name, (early, late) in {"hoyer": hoyer, "rare": rare}.items():
            for each in shapes:
                end = late if part in (None, each) else early
                curve = np.interp(np.arange(1, epochs + 1), [10, 100], [early, end]) * np.exp(0.001 * rng.normal())
                one["measures"][f"{each}/{name}"] = curve.tolist()
    return record


@pytest.mark.parametrize(
    ("hoyer", "rare", "verdict", "condition"),
    [
        ((0.4, 0.5), (0.3, 0.4), "reproduced", ""),
        (
            (0.4, 0.5),
            (0.3, 0.3),
            "reproduced only if",
            "sparsity is counted within a minibatch, not over minibatches",
        ),
        (
            (0.4, 0.4),
            (0.3, 0.4),
            "reproduced only if",
            "sparsity is counted over minibatches, not within a minibatch",
        ),
        ((0.4, 0.41), (0.3, 0.31), "not reproduced", ""),
        ((0.5, 0.4), (0.4, 0.3), "not reproduced", ""),
    ],
)
def test_sparser_late(hoyer, rare, verdict, condition):
    found = judge("C37", sparse(hoyer, rare))
    assert (found.verdict, found.condition) == (verdict, condition), found


def test_sparser_late_in_all_contenders_and_weighed_by_size():
    record = sparse((0.4, 0.5), (0.3, 0.4))
    other = sparse((0.4, 0.4), (0.3, 0.3))
    contender = record.contenders[1]
    mixed = copy.deepcopy(record)
    mixed.runs[:] = [one for one in record.runs if one["contender"] != contender] + [
        one for one in other.runs if one["contender"] == contender
    ]
    assert judge("C37", mixed).verdict == "not reproduced"
    assert (
        judge("C37", sparse((0.4, 0.9), (0.3, 0.9), part="encoder_b1")).verdict == "not reproduced"
    )  # 500 of 827,384
    assert judge("C37", sparse((0.4, 0.9), (0.3, 0.9), part="decoder_W2")).verdict == "reproduced"
    found = sparsity(sparse((0.4, 0.5), (0.3, 0.4)), contender, "hoyer")
    np.testing.assert_allclose([found.early.mean(), found.late.mean()], [0.4, 0.5], rtol=0.01)
    assert "gives no interval" in judge("C37", sparse((0.4, 0.5), (0.3, 0.4), seeds=1)).reason


# Small records of the real experiments are read by the same functions.


def test_a_small_record_of_each():
    regret = run(get_experiment("sparse_regret"), "smoke", seeds=1)
    with pytest.raises(NotRun, match="is the last that was tried"):
        tuned_regrets(regret, "SGD")
    small = run(get_experiment("fading_logistic"), "smoke", seeds=1)
    excess = last_values(small, "beta1=0.9", small.paper["beta1=0.9"], "excess")
    assert (excess > 0).all()
    vae = run(get_experiment("vae_sparsity"), "smoke")
    with pytest.raises(IndexError):  # two epochs are not a hundred
        sparsity(vae, vae.contenders[0], "hoyer")
    assert 0 < vae.measured(vae.contenders[0], vae.paper[vae.contenders[0]], "decoder_W2/hoyer").min() < 1


# C24 to C26


def test_claims_on_sfo_are_not_run_without_sfo():
    """A record of Adam and L-BFGS with all that is measured of them does not stand in for one of SFO."""
    record = fake("fig2b", dict.fromkeys(EXPERIMENTS["fig2b"].scale("full").paper, 1.0), seeds=3, epochs=26)
    for name in [name for name in record.contenders if "SFO" in name]:
        del record.paper[name]
    record.runs[:] = [one for one in record.runs if "SFO" not in one["contender"]]
    for one in record.runs:
        one["epoch_seconds"] = [1.0] * 26
        one["measures"] = {"full_cost": one["epoch_cost"], "test_error": [0.02] * 26}
    assert record.contenders == ["LBFGS", "Adam", "Adam+dropout"]
    for name in ("C24", "C26"):
        assert judge(name, record).verdict == judge(name).verdict == "not run", name
