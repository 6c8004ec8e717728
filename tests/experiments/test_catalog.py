"""The experiments as they are declared: sizes, grids, names; and each runs, small."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from adamcore.experiments import (
    EXPERIMENTS,
    catalog,
    digitized_curves,
    digitized_points,
    get_experiment,
    run,
    streams,
)
from adamcore.experiments.catalog import DROPOUT, VAE_CONTENDERS, half_decades, hours, steps_per_epoch
from adamcore.experiments.problems import make_problem
from adamcore.optim import Schedule

FULL = {
    "fig1a": (60_000, 46),
    "fig1b": (25_000, 176),
    "fig1b_clean": (25_000, 60),
    "fig2a": (60_000, 201),
    "fig2a_tuning": (60_000, 20),
    "fig2b": (60_000, 26),
    "fig3": (50_000, 46),
    "fig3_dropout": (50_000, 46),
    "fig3_fall": (50_000, 17),
    "fig3_he": (50_000, 17),
    "fig3_start": (50_000, 4),
    "fig3_tuning": (10_000, 10),
    "fig4": (60_000, 10),
    "fig4_long": (6_000, 100),
    "sparse_regret": (524_288, 1),
    "fading_logistic": (10_000, 20),
    "fading_mlp": (10_000, 20),
    "ablation_cnn": (5_000, 20),
    "ablation_mlp": (5_000, 20),
    "vae_sparsity": (60_000, 100),
}
"""Training examples and epochs; a curve of the paper that ends at x = 45 has 46 points."""

FIGURES = {
    "fig1a": "fig1a",
    "fig1b": "fig1b",
    "fig2a": "fig2a",
    "fig3": "fig3b",
    "fig3_dropout": "fig3b",
    "fig3_fall": "fig3b",
    "fig3_he": "fig3b",
    "fig3_start": "fig3a",
}
"""Where the paper's curves of an experiment's contenders are."""


def test_full_scales_are_the_papers_or_say_so():
    assert {name: (e.scale("full").n_train, e.scale("full").epochs) for name, e in EXPERIMENTS.items()} == FULL
    for name in ("fig2a_tuning", "fig3_fall", "fig3_he", "fig3_tuning", "fig4_long", "fig1b_clean"):
        shorter = ("tuning at", "first 17", "tuning on", "a tenth", "60 epochs")
        assert any(words in EXPERIMENTS[name].title for words in shorter)
    for name in ("fading_logistic", "fading_mlp", "ablation_cnn", "ablation_mlp"):
        assert f"{FULL[name][0]:,} images" in EXPERIMENTS[name].title
        assert "20 epochs" in EXPERIMENTS[name].title
    for experiment in EXPERIMENTS.values():
        # The paper's own network, whichever way its convolutions are computed.
        assert experiment.scale("full").problem in ({}, {"convolution": "winograd"})
        assert set(experiment.scales) == {"smoke", "book", "full"}


def test_the_convolutional_network_starts_at_even_odds():
    """Before the first step all classes are about equally likely, with dropout and without."""
    for dropout in ({}, DROPOUT):
        problem = make_problem(
            "cifar_cnn", {"n_train": 64, "whiten": False, **get_experiment("fig3").parameters, **dropout}
        )
        theta = problem.model.init(streams(0).initialization)
        loss, _ = problem.model.loss_and_grad(theta, problem.data, streams(0).noise)
        assert loss == pytest.approx(np.log(10), abs=0.4)


@pytest.mark.parametrize("name", FIGURES)
def test_contenders_are_called_as_in_the_papers_legend(name):
    contenders = set(get_experiment(name).scale("full").paper)
    assert contenders <= set(digitized_curves(FIGURES[name]))
    if not name.startswith("fig3") or name == "fig3_start":
        assert contenders == set(digitized_curves(FIGURES[name]))


@pytest.mark.parametrize("scale", ["smoke", "book", "full"])
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_no_contender_has_more_settings_than_another(name, scale):
    size = get_experiment(name).scale(scale)
    numbers = {contender: len(set(rules)) for contender, rules in size.grid.items()}
    assert len(set(numbers.values())) <= 1, numbers
    assert set(size.grid) <= set(size.paper)
    keys = [single.key("digest") for single in get_experiment(name).runs(size)]
    assert len(keys) == len(set(keys)) == size.seeds * len(size.settings())


@pytest.mark.parametrize("name", ["fig1a", "fig1b", "fig1b_clean", "fig2a_tuning", "fig2b"])
def test_grids_have_both_constant_and_decaying_step_sizes(name):
    size = get_experiment(name).scale("full")
    per_epoch = steps_per_epoch(size.n_train, size.batch_size)
    for rules in size.grid.values():
        constant = {rule.alpha for rule in rules if not isinstance(rule.alpha, Schedule)}
        decaying = {
            rule.alpha.alpha
            for rule in rules
            if isinstance(rule.alpha, Schedule) and rule.alpha.steps_per_epoch == per_epoch
        }
        assert constant == decaying
        assert len(constant) >= 7


def test_the_headline_has_every_contender_with_and_without_the_decay():
    grid = get_experiment("fig3").scale("full").grid
    decays = {name: [isinstance(rule.alpha, Schedule) for rule in rules] for name, rules in grid.items()}
    assert decays == {name: [False, True] for name in ("AdaGrad", "SGDNesterov", "Adam")}
    assert all(rules[1].alpha.steps_per_epoch == 391 for rules in grid.values())


@pytest.mark.parametrize(("name", "changed"), [("fig3_fall", set()), ("fig3_he", {"initialization"})])
def test_a_shorter_run_is_the_long_run_of_adam_but_for_its_start(name, changed):
    one, other = get_experiment("fig3"), get_experiment(name)
    assert other.scale("full").paper == {"Adam": one.scale("full").paper["Adam"]}
    first, second = (e.problem_parameters(e.scale("full"), "Adam") for e in (one, other))
    assert {key for key in first if first[key] != second[key]} == changed


def test_figure_2_has_its_decaying_contenders_also_at_constant_step_sizes():
    size = get_experiment("fig2a").scale("full")
    decaying = {name for name, rule in size.paper.items() if isinstance(getattr(rule, "alpha", None), Schedule)}
    assert set(size.grid) == decaying == {"RMSProp", "SGDNesterov", "Adam"}
    for name, (constant, decay) in size.grid.items():
        assert decay == size.paper[name]
        assert constant == dataclasses.replace(decay, alpha=decay.alpha.alpha)


def test_contenders_with_dropout_differ_in_the_problem_only():
    experiment = get_experiment("fig3_start")
    size = experiment.scale("full")
    for name in ("AdaGrad", "SGDNesterov", "Adam"):
        assert size.paper[name] == size.paper[f"{name}+dropout"]
        plain, noisy = (experiment.problem_parameters(size, n) for n in (name, f"{name}+dropout"))
        assert noisy == {**plain, "input_dropout": 0.2, "hidden_dropout": 0.5}


def test_figure_4_has_every_panel_color_and_step_size():
    scale = get_experiment("fig4").scale("full")
    ours = {
        (rule.beta1, rule.beta2, rule.bias_correction, rule.alpha) for rules in scale.grid.values() for rule in rules
    }
    assert len(ours) == 12 * 9
    assert {(point.beta1, point.beta2, point.bias_correction, point.alpha) for point in digitized_points()} <= ours
    assert VAE_CONTENDERS["beta1=0.9, beta2=0.9999, uncorrected"]["bias_correction"] is False


def test_hours_and_runs_in_the_text_are_those_of_the_full_scale():
    text = Path(catalog.__file__).read_text(encoding="utf-8")
    said = dict(
        re.findall(r'\n([A-Z]\w+) = Experiment\(.*?\n\)\n"""Full scale: ([0-9.]+ hours: \d+) runs?', text, re.DOTALL)
    )
    assert len(said) == len(EXPERIMENTS)
    for name, experiment in EXPERIMENTS.items():
        runs = list(experiment.runs(experiment.scale("full")))
        assert said[name.upper()] == f"{hours(experiment):.1f} hours: {len(runs)}", name


def test_beta1_fades_over_the_last_fifth():
    for name in ("fading_logistic", "fading_mlp"):
        size = get_experiment(name).scale("full")
        steps = size.epochs * steps_per_epoch(size.n_train, size.batch_size)
        for contender, rule in size.paper.items():
            if contender.endswith("fading"):
                assert rule.hold == pytest.approx(0.8 * steps)
                assert rule.beta1_at(steps) == 0 < rule.beta1_at(steps - 1) < rule.beta1_at(rule.hold) == rule.beta1
                plain = size.paper[contender.removesuffix(", fading")]
                assert (plain.alpha, plain.beta1, plain.beta2) == (rule.alpha, rule.beta1, rule.beta2)


@pytest.mark.parametrize("scale", ["smoke", "book", "full"])
@pytest.mark.parametrize("name", ["ablation_cnn", "ablation_mlp"])
def test_layers_of_the_ablation_are_those_of_its_network(name, scale):
    experiment = get_experiment(name)
    size = experiment.scale(scale)
    parameters = {**experiment.problem_parameters(size), "n_train": 10}
    if name == "ablation_cnn":
        parameters["whiten"] = False
    theta = make_problem(experiment.problem, parameters).model.init(np.random.default_rng(0))
    rule = size.paper["one v a layer"]
    assert rule.init(theta).theta.size == sum(rule.sizes)
    assert len(rule.sizes) == {"ablation_cnn": 10, "ablation_mlp": 6}[name]  # weights and biases apart


def test_the_rarest_feature_is_met_hundreds_of_times():
    experiment = get_experiment("sparse_regret")
    parameters = experiment.problem_parameters(experiment.scale("full"))
    rarest = max(parameters["numbers"])
    share = rarest ** -parameters["power"] / sum(i ** -parameters["power"] for i in range(1, rarest + 1))
    assert 300 < share * parameters["n_train"] < 400
    assert rarest**3 < parameters["n_train"]


def test_half_decades():
    assert half_decades(1e-3, 9) == (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
    assert half_decades(1.0, 1) == (1.0,)


def test_identities_of_the_recorded_runs_of_figure_1_stay():
    """They were computed by the code that made the committed record."""
    keys = [single.key("digest") for single in get_experiment("fig1a").runs(get_experiment("fig1a").scale("full"))]
    assert (len(keys), keys[0], keys[-1]) == (495, "2022a701da3e8379", "cf427f07c6303e45")


def test_sfo_joined_figure_2_b_without_changing_other_runs():
    """Keys of runs that were made before it took part; one key for a setting, whichever the data."""
    experiment = get_experiment("fig2b")
    keys = {
        scale: [
            single.key("digest")
            for single in experiment.runs(experiment.scale(scale))
            if not single.contender.startswith("SFO") and single.contender != "Adam+dropout"
        ]
        for scale in ("smoke", "book", "full")
    }
    assert {scale: len(found) for scale, found in keys.items()} == {"smoke": 4, "book": 2, "full": 45}
    assert keys["smoke"][:2] == ["72607620bee04771", "367427398bf6d6c5"]
    assert keys["book"] == ["fae05ccbe8b736cd", "5bc31dd342ac9eeb"]
    assert (keys["full"][0], keys["full"][1], keys["full"][-1]) == (
        "b7237c86eef37e1c", "4ec465d632e91eca", "4b75d8add126a419",
    )  # fmt: skip
    size = experiment.scale("full")
    for parts in ("", ", 100 parts"):
        plain, noisy = (experiment.problem_parameters(size, f"SFO{name}{parts}") for name in ("", "+dropout"))
        assert noisy == {**plain, **DROPOUT}
        assert size.paper[f"SFO+dropout{parts}"] == size.paper[f"SFO{parts}"]


@pytest.mark.parametrize("name", [name for name in EXPERIMENTS if name != "fig1a"])
def test_smoke(name):
    record = run(get_experiment(name), "smoke", seeds=1)
    assert not record.missing
    for single in record.runs:
        if single["rule"] in record.paper.values():
            assert single["diverged_at"] is None, single["contender"]
            assert np.isfinite(single["epoch_cost"]).all()
            assert len(single["epoch_cost"]) == record.epochs
            # What becomes of SFO with dropout is what its record is for.
            if record.epochs > 1 and single["contender"] != "SFO+dropout":
                assert single["epoch_cost"][-1] < single["epoch_cost"][0]
