"""The 44 claims: their verdicts follow from numbers, and turn with them."""

import copy
import json
import re
from html import escape
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from adamcore import Adam
from adamcore.__main__ import main
from adamcore.experiments import EXPERIMENTS, Record
from adamcore.experiments.catalog import SFO_OVER_ADAM
from adamcore.experiments.claims import (
    CLAIMS,
    GROUPS,
    VERDICTS,
    Finding,
    Row,
    counts,
    html_table,
    load_records,
    mnist_logistic,
    plain,
    scorecard,
    table,
    theory,
    write_scorecard,
)
from adamcore.experiments.claims import rule as rule_claims
from adamcore.experiments.claims.autoencoder import Panel, count, grid_of, grid_of_the_figure
from adamcore.experiments.claims.evidence import (
    AS_FITTED,
    NOT_TUNED,
    ONE_SEED,
    WHEN_TUNED,
    Versus,
    _of_one_seed,
    settle,
)
from adamcore.experiments.claims.training import _fewest, default_over_best
from adamcore.experiments.statistics import PairedRatio
from adamcore.models import CNN, MLP
from adamcore.optim import AdaMax, inverse_sqrt

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "book" / "results"


@pytest.fixture(scope="module")
def rows():
    """Judged once: the simulations take seconds."""
    return scorecard(load_records(RESULTS))


def finding(rows, name):
    return next(row.finding for row in rows if row.claim.name == name)


# The table.


def test_every_claim_is_there_once_and_complete():
    assert list(CLAIMS) == [f"C{k}" for k in range(1, 45)]
    for name, claim in CLAIMS.items():
        assert claim.name == name
        assert claim.group in GROUPS
        assert re.search("section|abstract", claim.place)
        assert all((claim.text, claim.test, claim.statistic, claim.scale, claim.seeds))
        assert not claim.chapter or (ROOT / "book" / f"{claim.chapter}.ipynb").exists(), claim.chapter


def test_every_finding_has_a_reason_and_numbers(rows):
    for claim, found, _ in rows:
        assert found.verdict in VERDICTS
        assert found.reason
        if found.verdict != "not run":
            assert found.numbers, claim.name
            assert re.search(r"\d", found.reason), claim.name
        elif "there is no full-scale record" in found.reason:
            assert re.fullmatch(r"python -m adamcore run (\w+) --scale full", found.command)
            assert found.command.split()[4] in EXPERIMENTS


def test_the_committed_scorecard_is_what_the_records_give(rows):
    stored = json.loads((RESULTS / "scorecard.json").read_text(encoding="utf-8"))
    made = json.loads(json.dumps(plain(rows)))
    assert len(stored) == len(made) == 44
    for old, new in zip(stored, made, strict=True):
        name = old["name"]
        assert list(old["numbers"]) == list(new["numbers"]), name
        np.testing.assert_allclose(list(new["numbers"].values()), list(old["numbers"].values()), rtol=0.03, atol=2e-4)
        said, now = (
            [float(text.replace(",", "")) for text in re.findall(r"\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?", one["reason"])]
            for one in (old, new)
        )
        np.testing.assert_allclose(now, said, rtol=0.03, atol=0.011, err_msg=name)  # a last digit may be rounded
        old, new = ({**one, "numbers": None, "reason": re.sub(r"[\d.,]+", "#", one["reason"])} for one in (old, new))
        assert new == old, name


def test_the_command_prints_and_writes_it(rows, tmp_path, monkeypatch):
    (tmp_path / "book" / "results").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("adamcore.__main__.scorecard", lambda records: rows)
    done = CliRunner().invoke(main, ["report", "--scorecard"])
    assert done.exit_code == 0, done.output
    assert table(rows) in done.output
    first = (tmp_path / "book" / "results" / "scorecard.json").read_bytes()
    write_scorecard(rows, tmp_path)
    assert (tmp_path / "scorecard.json").read_bytes() == first
    assert json.loads(first) == json.loads(json.dumps(plain(rows)))


def test_tables_hold_every_claim_once(rows):
    assert sum(sum(group.values()) for group in counts(rows).values()) == 44
    everything = "\n".join(html_table(rows, group) for group in GROUPS)
    for claim in CLAIMS.values():
        assert everything.count(f"{escape(claim.text)} <em>({claim.place})</em>") == 1
        assert table(rows).count(f"{claim.name:4s} {claim.place}") == 1
    assert everything.count("<tr><td>") == everything.count("</td></tr>") == 44


def test_the_table_says_how_each_was_tested_and_how_often():
    rows = scorecard({"fig3": fake("fig3", THREE, seeds=2)}, names=["C31", "C28", "C1"])
    page = "".join(html_table(rows, group) for group in GROUPS)
    for claim, *_ in rows:
        assert f"Test: {escape(claim.test)}. Line: {escape(claim.statistic)}. Scale: {escape(claim.scale)}." in page
    assert "Seeds: 1 planned; made: 2 in fig3. Code: adamcore.experiments.claims.training._dominated_by_eps" in page
    assert "made: 0 in fig2b, 2 in fig3" in page
    assert "Seeds: none. Code: " in page
    assert plain(rows)[1]["seeds_made"] == {"fig2b": 0, "fig3": 2}


def test_a_finding_says_what_was_not_run_when_nothing_holds():
    assert settle(False, None, 1, "1.00", {}).reason == "1.00 (one seed; nobody was tuned)"
    assert settle(False, False, 2, "1.00", {}).reason == "1.00"


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((0.951, 0.9497, 0.9521, 2), "0.951 ([0.950, 0.952], lower)"),
        ((0.951, 0.90, 1.01, 2), "0.95 ([0.90, 1.01], lower)"),
        ((0.0062, 0.0062, 0.0062, 1), "0.0062 (one seed, lower)"),
        ((0.735, 0.735, 0.735, 1), "0.73 (one seed, lower)"),
    ],
)
def test_a_ratio_is_printed_with_the_digits_that_matter(numbers, text):
    ratio, low, high, seeds = numbers
    assert str(Versus(ratio, "lower", seeds, low, high)) == text


def test_findings_must_be_consistent():
    with pytest.raises(ValueError, match="verdict = 'true' is not allowed"):
        Finding("true", "")
    with pytest.raises(ValueError, match="condition = ''"):
        Finding("reproduced only if", "")
    with pytest.raises(ValueError, match="condition = 'x'"):
        Finding("reproduced", "", condition="x")
    with pytest.raises(ValueError, match="there is no such claim"):
        scorecard({}, names=["C45"])


# Formulas and simulations.

CHECKED = {
    "C1": "reproduced",
    "C2": "reproduced",
    "C3": "reproduced only if",
    "C4": "refuted",
    "C5": "refuted",
    "C6": "refuted",
    "C7": "reproduced",
    "C8": "reproduced only if",
    "C9": "reproduced",
    "C10": "reproduced",
    "C11": "reproduced only if",
    "C12": "refuted",
    "C13": "refuted",
    "C16": "reproduced",
    "C17": "reproduced",
    "C18": "reproduced",
    "C19": "reproduced",
    "C20": "reproduced only if",
    "C21": "reproduced only if",
    "C35": "not reproduced",
    "C36": "reproduced only if",
    "C38": "reproduced",
    "C39": "refuted",
    "C40": "reproduced",
    "C41": "reproduced only if",
    "C43": "reproduced",
    "C44": "not checkable",
}


@pytest.mark.parametrize(("name", "verdict"), CHECKED.items())
def test_verdicts_of_what_can_be_judged_without_further_runs(rows, name, verdict):
    if name in ("C35", "C36") and "our grid" in finding(rows, name).reason:
        pytest.skip("judged by a record, which has a test of its own")
    assert finding(rows, name).verdict == verdict


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("C1", "Adam", 2),
        ("C3", "size at 1e-8", 0.48),
        ("C4", "longest at 0.9, 0.999", 7.27),
        ("C4", "longest at 0.95, 0.99", 1.68),
        ("C4", "longest at 0.9, 0.9", 1),
        ("C5", "longest later", 6.57),
        ("C6", "longest step", 2.345),
        ("C8", "length without signal", 0.2294),
        ("C10", "lag at 0.9", 9),
        ("C11", "first step at 0.9999", 10),
        ("C12", "mean regret", 0.669),
        ("C16", "RMSProp with momentum", 5.846),
        ("C17", "longest step at 0.9999", 20.72),
        ("C19", "first step at 1e-8", 1e4),
        ("C39", "longest step at 0.95", 1.9),
    ],
)
def test_numbers_are_those_of_the_closed_forms(rows, name, key, value):
    assert finding(rows, name).numbers[key] == pytest.approx(value, rel=0.02)


def test_the_sharp_bound_is_attained_and_never_exceeded(rng):
    beta1, beta2 = 0.8, 0.99
    t = np.arange(1, 41)
    worst = (beta2 / beta1) ** t[:, np.newaxis]
    bound = rule_claims.sharp_bound(beta1, beta2, t)
    steps = rule_claims.steps_in_alphas(Adam(0.1, beta1, beta2, eps=0), worst)[:, 0]
    np.testing.assert_allclose(steps, bound, rtol=1e-9)
    others = rng.normal(size=(40, 200)) * np.exp(3 * rng.normal(size=(40, 200)))
    steps = rule_claims.steps_in_alphas(Adam(0.1, beta1, beta2, eps=0), others)
    assert (np.abs(steps) <= bound[:, np.newaxis] * (1 + 1e-9)).all()


def test_the_counterexample_is_convex_and_its_best_point_is_minus_one():
    x = np.linspace(-3, 3, 601)
    period = 3 * np.maximum(x, -1) + 2 * np.abs(x - 1)
    assert x[period.argmin()] == pytest.approx(-1)
    found = theory.counterexample(beta2=0.1, steps=999)
    assert found.regret[-1] > found.bound  # the theorem says less or equal
    fine = theory.counterexample(beta2=0.99, steps=9_999)
    assert fine.regret[-1] < fine.bound
    assert fine.end == pytest.approx(-1, abs=0.05)


def test_operations_are_counted_not_typed(monkeypatch):
    before = rule_claims.operations(Adam())
    update = Adam.update

    def longer(self, s, g):
        update(self, s, g)
        s.theta = s.theta + 0 * s.m

    monkeypatch.setattr(Adam, "update", longer)
    assert rule_claims.operations(Adam()) == before + 2


def _with_wrong_sign(self, s, g):
    s.m = self.beta1 * s.m + (1 - self.beta1) * g
    s.u = np.maximum(self.beta2 * s.u, np.abs(g))
    s.theta = s.theta - self.alpha / (1 + self.beta1**s.t) * s.m / s.u


def test_a_wrong_rule_changes_verdicts(monkeypatch):
    monkeypatch.setattr(AdaMax, "update", _with_wrong_sign)
    assert scorecard({}, names=["C38"])[0].finding.verdict == "not reproduced"
    monkeypatch.setattr(Adam, "m_correction", lambda self, t: 1.0)
    assert scorecard({}, names=["C18"])[0].finding.verdict == "reproduced"  # it has beta1 = 0
    monkeypatch.setattr(Adam, "v_correction", lambda self, t: 1.0)
    assert scorecard({}, names=["C18"])[0].finding.verdict == "not reproduced"


# Records.


def fake(name, levels, tuned=None, seeds=3, epochs=6, spread=0.002, drop=()):
    """A full-scale record whose curves stand at given levels, at the paper-like settings and at the tuned best."""
    size = EXPERIMENTS[name].scale("full")
    rng = np.random.default_rng(0)
    runs = []
    for contender, first in size.paper.items():
        if contender in drop:
            continue
        settings = [one for one in size.grid.get(contender, ()) if one != first]
        level = {first: levels[contender]}
        if tuned is not None and settings:
            level |= dict.fromkeys(settings, 9.0) | {settings[-1]: tuned[contender]}
        for rule, height in level.items():
            for seed in range(seeds):
                shape = height(epochs) if callable(height) else np.full(epochs, height)
                curve = (shape * np.exp(spread * rng.normal())).tolist()
                one = {"contender": contender, "rule": rule.to_dict(), "seed": seed, "epoch_cost": curve}
                runs.append(one | {"epoch_objective": curve, "seconds": 1.0, "diverged_at": None})
    return Record(
        experiment=name,
        title="made up",
        scale="full",
        command=f"python -m adamcore run {name} --scale full",
        numerics_version=1,
        problem={"name": EXPERIMENTS[name].problem, "n_train": size.n_train},
        data="",
        epochs=epochs,
        batch_size=128,
        seeds=list(range(seeds)),
        paper=json.loads(json.dumps({key: rule.to_dict() for key, rule in size.paper.items()})),
        grid={} if tuned is None else {key: [one.to_dict() for one in rules] for key, rules in size.grid.items()},
        versions={},
        seconds=0.0,
        runs=json.loads(json.dumps(runs)),
    )


def judge(name, *records):
    return CLAIMS[name].find({record.experiment: record for record in records})


IMDB = ("AdaGrad", "RMSProp", "SGDNesterov", "Adam")
ADAGRAD_LOWEST = dict(zip(IMDB, (0.3, 0.3, 0.6, 0.3), strict=True))
A_LITTLE = dict(zip(IMDB, (0.3, 0.3, 0.35, 0.3), strict=True))
SGD_LOWEST = dict(zip(IMDB, (0.6, 0.6, 0.3, 0.6), strict=True))


def imdb(name, levels, tuned, **more):
    suffix = "+dropout" if name == "fig1b" else ""
    return fake(name, *({key + suffix: value for key, value in one.items()} for one in (levels, tuned)), **more)


@pytest.mark.parametrize(
    ("levels", "tuned", "spread", "verdict", "condition"),
    [
        (ADAGRAD_LOWEST, ADAGRAD_LOWEST, 0.002, "reproduced", ""),
        (ADAGRAD_LOWEST, A_LITTLE, 0.002, "reproduced only if", AS_FITTED),
        (A_LITTLE, A_LITTLE, 0.002, "reproduced only if", "the margin need not be large"),
        (A_LITTLE, {**A_LITTLE, "AdaGrad": 0.15}, 0.002, "reproduced only if", WHEN_TUNED),
        (SGD_LOWEST, {**SGD_LOWEST, "SGDNesterov": 0.2}, 0.002, "not reproduced", ""),
        (ADAGRAD_LOWEST, ADAGRAD_LOWEST, 3.0, "not reproduced", ""),
    ],
)
def test_imdb_margin(levels, tuned, spread, verdict, condition):
    both = [imdb(name, levels, tuned, spread=spread) for name in ("fig1b", "fig1b_clean")]
    found = judge("C22", *both)
    assert (found.verdict, found.condition) == (verdict, condition), found
    assert judge("C22", both[0]).verdict == "not run"


def test_imdb_adam():
    assert judge("C23", imdb("fig1b", ADAGRAD_LOWEST, ADAGRAD_LOWEST)).verdict == "reproduced"
    slower = {**ADAGRAD_LOWEST, "Adam": 0.4}
    assert judge("C23", imdb("fig1b", slower, slower)).verdict == "not reproduced"
    assert judge("C23", imdb("fig1b", slower, {**slower, "Adam": 0.29})).condition == WHEN_TUNED
    assert judge("C23", imdb("fig1b", ADAGRAD_LOWEST, ADAGRAD_LOWEST, spread=3.0)).verdict == "not reproduced"


def test_a_partial_record_is_not_run():
    record = imdb("fig1b", ADAGRAD_LOWEST, ADAGRAD_LOWEST)
    fewer = copy.deepcopy(record)
    fewer.runs[:] = [run for run in fewer.runs if run["contender"] != "Adam+dropout"]
    assert "has no runs of Adam+dropout" in judge("C23", fewer).reason
    fewer = copy.deepcopy(record)
    del fewer.runs[-1]
    found = judge("C23", fewer)
    assert "the grid of fig1b is not finished for Adam+dropout" in found.reason
    assert found.command == "python -m adamcore run fig1b --scale full"
    small = copy.copy(record)
    object.__setattr__(small, "scale", "book")
    assert judge("C23", small).verdict == "not run"


FIVE = {"AdaGrad": 3.0, "RMSProp": 2.5, "SGDNesterov": 2.0, "AdaDelta": 2.2, "Adam": 1.0}


def test_best_of_five():
    assert judge("C27", fake("fig2a", FIVE)).condition == NOT_TUNED
    assert judge("C27", fake("fig2a", FIVE), fake("fig2a_tuning", FIVE, FIVE, seeds=1)).verdict == "reproduced"
    level = {**FIVE, "SGDNesterov": 1.0}
    assert judge("C27", fake("fig2a", FIVE), fake("fig2a_tuning", FIVE, level, seeds=1)).condition == AS_FITTED
    assert judge("C27", fake("fig2a", {**FIVE, "AdaDelta": 0.9})).verdict == "not reproduced"
    assert judge("C27", fake("fig2a", {**FIVE, "AdaDelta": 1.02})).verdict == "not reproduced"
    assert judge("C27", fake("fig2a", FIVE, spread=5.0)).verdict == "not reproduced"


THREE = {"AdaGrad": 0.6, "SGDNesterov": 5e-4, "Adam": 4e-4}


def test_cnn_at_the_end():
    found = judge("C30", fake("fig3", THREE, seeds=1))
    assert found.condition == f"{NOT_TUNED}, and {ONE_SEED}"
    assert judge("C30", fake("fig3", THREE)).condition == NOT_TUNED
    tuned = fake("fig3_tuning", THREE, {**THREE, "AdaGrad": 1e-4}, seeds=1)
    assert judge("C30", fake("fig3", THREE), tuned).condition == AS_FITTED
    one = fake("fig3_tuning", THREE, {"AdaGrad": 1.0, "SGDNesterov": 0.99, "Adam": 0.5}, seeds=1)
    assert judge("C30", fake("fig3", THREE), one).condition == AS_FITTED  # both must be ahead
    assert judge("C30", fake("fig3", {**THREE, "AdaGrad": 4e-4})).verdict == "not reproduced"

    for adam, condition in ((0.9, ""), (0.6, ""), (0.4, AS_FITTED), (0.97, AS_FITTED)):  # marginal: 0.5 to 0.95
        marginal = fake("fig3_tuning", THREE, {"AdaGrad": 9.0, "SGDNesterov": 1.0, "Adam": adam}, seeds=1)
        assert judge("C33", fake("fig3", THREE), marginal).condition == condition
    assert judge("C33", fake("fig3", THREE)).condition == NOT_TUNED
    for adam in (2e-4, 4.9e-4, 6e-4):  # far better, alike, worse
        assert judge("C33", fake("fig3", {**THREE, "Adam": adam})).verdict == "not reproduced"
    assert judge("C33", fake("fig3", THREE, spread=1.0)).verdict == "not reproduced"


def test_contenders_are_compared_over_the_seeds_that_both_have():
    record = fake("fig3", THREE)
    record.runs[:] = [run for run in record.runs if run["contender"] == "Adam" or run["seed"] == 0]
    assert ONE_SEED in judge("C33", record).condition


def start(after_1, after_3):
    """A curve from 2.3 through two values."""
    return lambda epochs: np.interp(np.arange(epochs), [0, 1, 3], [2.3, after_1, after_3])


@pytest.mark.parametrize(
    ("adagrad", "verdict", "condition"),
    [
        (start(1.5, 0.5), "reproduced only if", NOT_TUNED),
        (start(1.5, 1.3), "reproduced only if", f"{NOT_TUNED}, and only the first point counts as initial"),
        (start(2.2, 1.3), "not reproduced", ""),  # the figure's AdaGrad comes down to 1.22
        (start(2.2, 1.2), "reproduced only if", f"{NOT_TUNED}, and rapid does not mean more rapid than SGD-Nesterov"),
    ],
)
def test_cnn_at_the_start(adagrad, verdict, condition):
    levels = {"AdaGrad": adagrad, "SGDNesterov": start(2.0, 0.8), "Adam": start(1.2, 0.6)}
    levels |= {f"{name}+dropout": curve for name, curve in levels.items()}
    found = judge("C29", fake("fig3_start", levels, epochs=4))
    assert (found.verdict, found.condition) == (verdict, condition)


def with_measures(below, rms, seeds=2, record=None, model=None):
    record, model = record or fake("fig3", THREE, seeds=seeds), model or CNN()
    for run in record.runs:
        if run["contender"] == "Adam":
            parts = model.layout.shapes
            run["measures"] = {f"{part}/below_eps": [below(part)] * record.epochs for part in parts}
            run["measures"] |= {f"{part}/rms": [rms(part)] * record.epochs for part in parts}
    return record


def without_sharing(factor, seeds=2):
    """A record of fig2b in which the layers of the fully connected network differ by a factor."""
    record = with_sfo(SLOW)
    record.runs[:] = [run for run in record.runs if run["seed"] < seeds]
    return with_measures(lambda part: 0.0, lambda part: factor if part == "W3" else 1.0, record=record, model=MLP())


def test_second_moments():
    largest = max(CNN().layout.shapes, key=lambda part: np.prod(CNN().layout.shapes[part]))
    first = next(iter(CNN().layout.shapes))
    most = with_measures(lambda part: 0.9 if part == largest else 0.0, lambda part: 1.0)
    assert judge("C31", most).verdict == "reproduced"
    for run in most.runs:  # "after a few epochs": what is below before the fourth does not count
        if run["contender"] == "Adam":
            run["measures"][f"{largest}/below_eps"][3:] = [0.1] * (most.epochs - 3)
    assert judge("C31", most).verdict == "not reproduced"
    most = with_measures(lambda part: 0.9 if part == largest else 0.0, lambda part: 1.0)
    assert judge("C28", most, without_sharing(1.0)).verdict == "not reproduced"
    few = with_measures(lambda part: 0.0 if part == largest else 0.9, lambda part: 30.0 if part == first else 1.0)
    assert judge("C31", few).verdict == "not reproduced"
    assert judge("C28", few, without_sharing(9.0)).verdict == "reproduced"
    degree = "it is a matter of degree: fully connected networks may have such factors too"
    assert judge("C28", few, without_sharing(11.0)).condition == degree
    assert judge("C28", few, without_sharing(31.0)).verdict == "not reproduced"
    assert "of which none was run" in judge("C28", few).condition
    assert judge("C28", few, without_sharing(9.0, seeds=1)).condition == ONE_SEED
    for seeds, condition in ((1, ONE_SEED), (2, "")):  # both claims hold; one seed is not enough to say so plainly
        both = with_measures(lambda part: 0.9, lambda part: 30.0 if part == first else 1.0, seeds=seeds)
        assert judge("C28", both, without_sharing(9.0)).condition == judge("C31", both).condition == condition
    assert judge("C31", fake("fig3", THREE)).verdict == "not run"


def vae(name, loss, seeds=3, epochs=10):
    """A record of Figure 4: loss(settings, alpha) for each."""
    size = EXPERIMENTS[name].scale("full")
    record = fake(name, dict.fromkeys(size.paper, 1.0), dict.fromkeys(size.paper, 1.0), seeds=seeds, epochs=epochs)
    rng = np.random.default_rng(1)
    for run in record.runs:
        value = loss(run["rule"], run["rule"]["alpha"]) * np.exp(1e-4 * rng.normal())
        run["epoch_cost"] = run["epoch_objective"] = [float(value)] * epochs if np.isfinite(value) else []
    return record


def as_the_text_says(rule, alpha):
    """Best at 0.001 with correction and a large beta2; unstable without."""
    distance = abs(np.log10(alpha / 1e-3))
    if not rule["bias_correction"] and rule["beta2"] > 0.99:
        return 120 + 20 * distance if alpha <= 1e-3 else np.inf
    return 100 + 20 * distance - 2 * (rule["bias_correction"] and rule["beta2"] > 0.99)


def test_of_many_equal_settings_none_is_better_by_chance():
    """With an interval of 95 % for each of 54, about one would be."""
    rng = np.random.default_rng(0)
    free = 0
    for _ in range(60):
        draws = iter(np.exp(0.01 * rng.normal(size=(108, 3))))
        grid = {
            Panel(beta1, beta2, 10): {
                corrected: {alpha: next(draws) for alpha in range(9)} for corrected in (True, False)
            }
            for beta1 in (0.0, 0.9)
            for beta2 in (0.99, 0.999, 0.9999)
        }
        free += count(grid).uncorrected == 0
    assert free >= 54  # 97.5 % are expected


def test_a_contender_that_diverged_does_not_keep_the_scorecard_from_being_written(tmp_path):
    row = Row(CLAIMS["C30"], Finding("not reproduced", "diverged", {"ours": np.inf, "other": 0.5, "none": np.nan}))
    written = json.loads(write_scorecard([row], tmp_path).read_text())
    assert written[0]["numbers"] == {"ours": "inf", "other": 0.5, "none": "nan"}


def test_auto_encoder():
    record = vae("fig4", as_the_text_says)
    for name in ("C34", "C35", "C36"):
        assert judge(name, record).verdict == "reproduced", judge(name, record)

    def as_the_figure_shows(rule, alpha):
        """Without correction the same alpha acts as a larger one."""
        acts = alpha * (1 if rule["bias_correction"] or rule["beta2"] < 0.999 else 3)
        return 100 + 20 * abs(np.log10(acts / 1e-3)) if acts < 3e-2 else np.inf

    found = judge("C36", vae("fig4", as_the_figure_shows))
    assert found.verdict == "reproduced only if"
    assert found.numbers["uncorrected"] > 0
    assert judge("C35", vae("fig4", as_the_figure_shows)).verdict == "not reproduced"

    def turned_around(rule, alpha):
        return as_the_text_says({**rule, "bias_correction": not rule["bias_correction"]}, alpha)

    record = vae("fig4", turned_around)
    for name in ("C34", "C35", "C36"):
        assert judge(name, record).verdict == "not reproduced"
    one = judge("C34", vae("fig4", as_the_text_says, seeds=1))
    assert (one.verdict, one.condition) == ("reproduced only if", ONE_SEED)
    long = vae("fig4_long", as_the_text_says, seeds=1, epochs=100)
    assert "after 100 epochs" in judge("C35", record, long).reason
    assert judge("C35", record, long).verdict == "reproduced"


@pytest.mark.parametrize(
    ("unstable", "turned", "verdict"),
    [(3, 0, "reproduced"), (2, 0, "not reproduced"), (3, 1, "not reproduced"), (0, 0, "not reproduced")],
)
def test_most_panels_must_be_narrower_and_none_wider(unstable, turned, verdict):
    near_one = [(beta1, beta2) for beta1 in (0.0, 0.9) for beta2 in (0.999, 0.9999)]

    def loss(rule, alpha):
        panel = (rule["beta1"], rule["beta2"])
        fails = panel in near_one[:unstable] and not rule["bias_correction"]
        fails |= panel in near_one[len(near_one) - turned :] and rule["bias_correction"]
        return 1000.0 if fails and alpha > 1e-3 else 100 + abs(np.log10(alpha / 1e-3))

    assert judge("C34", vae("fig4", loss)).verdict == verdict


def test_grids_of_the_figure_and_of_a_record_are_alike():
    theirs = grid_of_the_figure()
    ours = grid_of(vae("fig4", as_the_text_says))
    assert set(ours) <= set(theirs)
    assert ours[Panel(0.9, 0.999, 10)][True][1e-3].shape == (3,)
    assert np.isinf(ours[Panel(0.9, 0.999, 10)][False][3e-3]).all()
    partial = vae("fig4", as_the_text_says)
    partial.runs[:] = [run for run in partial.runs if run["rule"]["beta1"] == 0 or run["rule"]["alpha"] == 1e-3]
    made = grid_of(partial)
    assert set(made[Panel(0.9, 0.999, 10)][True]) == {1e-3}
    assert made[Panel(0.0, 0.999, 10)][True].keys() == ours[Panel(0.0, 0.999, 10)][True].keys()
    turned = {panel: {True: both[False], False: both[True]} for panel, both in theirs.items()}
    assert (count(turned).corrected, count(turned).uncorrected) == (8, 7)


def test_defaults():
    good = [imdb(name, ADAGRAD_LOWEST, ADAGRAD_LOWEST) for name in ("fig1b", "fig1b_clean")]
    good += [fake("fig2a_tuning", FIVE, FIVE, seeds=1), fake("fig3_tuning", THREE, THREE, seeds=1)]
    for record in good:
        for run in record.runs:
            if run["rule"]["rule"] == "Adam" and run["rule"]["alpha"] == 0.001:
                run["epoch_objective"] = [1e-5] * record.epochs
    assert str(judge("C42", *good)) == "reproduced only if the one seed that was run is typical"
    assert judge("C42", *good[:3]).verdict == "not run"
    decayed = fake("fig2a_tuning", FIVE, FIVE, seeds=1)
    for run in decayed.runs:
        if run["rule"]["rule"] == "Adam" and run["rule"]["alpha"] == inverse_sqrt(0.001, 469).to_dict():
            run["epoch_objective"] = [3.0] * decayed.epochs
    decayed.grid["Adam"].reverse()  # the decaying settings come first, but the default is the constant one
    assert default_over_best(decayed) == pytest.approx(9.0, rel=0.02)
    for record in good[:2]:
        for run in record.runs:
            if run["rule"]["rule"] == "Adam" and run["rule"]["alpha"] == 0.001:
                run["epoch_objective"] = [9.0] * record.epochs
    assert judge("C42", *good).verdict == "not reproduced"


def test_words_of_one_seed_and_of_the_fewest():
    words = {0.94: "lower", 0.96: "similar", 1.0: "similar", 1.03: "similar", 1.06: "higher"}
    assert {ratio: _of_one_seed(ratio).word for ratio in words} == words
    assert _fewest(_of_one_seed(1.0), Versus(1.0, "similar", 3, 1.0, 1.0)) == 1


def test_what_is_inconclusive_does_not_hold():
    """Adam as fast as another: not if the seeds leave it open."""
    lower = PairedRatio(0.5, 0.4, 0.6, 3)
    pairs = {"SGDNesterov / AdaGrad": lower, "Adam / AdaGrad": lower}
    for ratio, holds in ((PairedRatio(1.0, 0.98, 1.02, 3), True), (PairedRatio(1.0, 0.5, 2.0, 3), False)):
        assert mnist_logistic._claim_holds(pairs | {"Adam / SGDNesterov": ratio}) == holds
    noisy = imdb("fig1b", {**ADAGRAD_LOWEST, "SGDNesterov": 9.0}, {**ADAGRAD_LOWEST, "SGDNesterov": 9.0})
    assert judge("C23", noisy).verdict == "reproduced"
    for run in noisy.runs:  # Adam jumps about AdaGrad's cost, far below SGD's
        if run["contender"].startswith("Adam+"):
            factor = (0.5, 1.0, 2.0)[run["seed"]]
            run["epoch_cost"] = [factor * cost for cost in run["epoch_cost"]]
    assert judge("C23", noisy).verdict == "not reproduced"


SLOW = start(0.7, 0.6)


def test_the_clock_of_sfo_is_what_was_measured():
    measured = json.loads((ROOT / "benchmarks" / "results" / "sfo.json").read_text(encoding="utf-8"))
    assert measured["scale"] == "full"
    assert {int(parts): round(ratio, 1) for parts, ratio in measured["ratios"].items()} == SFO_OVER_ADAM


@pytest.fixture
def passes_take(monkeypatch):
    """Say how many times as long as an epoch of Adam a pass of SFO takes, with 25 parts and with 100."""

    def take(few, many):
        monkeypatch.setitem(SFO_OVER_ADAM, 25, few)
        monkeypatch.setitem(SFO_OVER_ADAM, 100, many)

    take(6.0, 8.0)
    return take


MANY_NOISY = "SFO+dropout, 100 parts"


def with_sfo(sfo, noisy=SLOW, hundred=SLOW, with_noise=0.05, drop=(MANY_NOISY,), many=SLOW):
    """A record of fig2b."""
    levels = {"LBFGS": 1.0, "Adam": start(0.2, 0.02), "SFO": sfo, "SFO+dropout": noisy, "SFO, 100 parts": hundred}
    return fake("fig2b", levels | {"Adam+dropout": with_noise, MANY_NOISY: many}, epochs=12, drop=drop)


def test_sfo_faster_or_slower(passes_take):
    assert judge("C24").verdict == judge("C24", with_sfo(SLOW, drop=("SFO",))).verdict == "not run"
    found = judge("C24", with_sfo(SLOW))
    assert (found.verdict, found.condition) == ("reproduced only if", NOT_TUNED)
    assert judge("C24", with_sfo(start(0.01, 0.001))).verdict == "not reproduced"
    assert judge("C24", with_sfo(SLOW, hundred=start(0.01, 0.001))).verdict == "not reproduced"
    diverged = with_sfo(start(0.01, 0.001))
    for run in diverged.runs:
        if run["contender"] == "SFO":
            run["epoch_cost"] = run["epoch_cost"][:3]
    assert judge("C24", diverged).verdict == "reproduced only if"
    passes_take(0.1, 8.0)  # ahead by the epoch, behind by the clock
    assert judge("C24", with_sfo(start(0.3, 0.03))).verdict == "not reproduced"
    passes_take(6.0, 0.1)
    assert judge("C24", with_sfo(SLOW, hundred=start(0.3, 0.03))).verdict == "not reproduced"
    passes_take(100.0, 1.0)  # no time at which both curves are known
    assert judge("C24", with_sfo(SLOW)).verdict == "not reproduced"


def test_the_line_of_the_clock_is_at_5_percent(passes_take):
    verdicts = {}
    for slower in np.linspace(0.1, 1.0, 400):
        passes_take(slower, 8.0)
        found = judge("C24", with_sfo(start(0.3, 0.03)))
        clock = found.numbers["paper-like, SFO, by clock"]
        if 0.9 < clock < 1:
            verdicts.setdefault(bool(clock <= 0.95), set()).add(found.verdict)
    assert verdicts == {True: {"reproduced only if"}, False: {"not reproduced"}}


def test_sfo_against_the_best_of_adams_grid(passes_take):
    def record(adam, tuned):
        levels = {"LBFGS": 1.0, "Adam": adam, "SFO": 0.5, "SFO+dropout": 2.0, "SFO, 100 parts": 0.5}
        return fake("fig2b", levels | {"Adam+dropout": 0.1, MANY_NOISY: 2.0}, {"Adam": tuned}, epochs=12)

    passes_take(1.0, 1.0)
    assert judge("C24", record(0.2, 0.1)).verdict == "reproduced"
    found = judge("C24", record(0.6, 0.1))
    assert (found.condition, found.numbers["tuned, SFO, by clock"]) == (WHEN_TUNED, pytest.approx(0.2, rel=0.01))
    assert judge("C24", record(0.6, 0.55)).verdict == "not reproduced"


def test_adam_is_compared_with_sfo_at_the_ends_of_epochs():
    record = with_sfo(SLOW)
    for run in record.runs:
        if run["contender"] == "Adam":
            run["measures"] = {"full_cost": [5.0] * 11 + [None]}  # whatever the means over epochs are
    assert judge("C24", record).verdict == "not reproduced"


def test_sfo_time_and_memory(monkeypatch, passes_take):
    for few, many, verdict in (
        (4.9, 10.1, "not reproduced"),
        (5.1, 9.9, "reproduced"),
        (2.0, 9.9, "reproduced only if"),
        (5.1, 30.0, "reproduced only if"),
    ):
        passes_take(few, many)
        found = judge("C25")
        assert found.verdict == verdict, (few, many)
        assert "79, 154, 305 numbers a parameter for 25, 50, 100 minibatches, on a straight line" in found.reason
    assert found.condition == "the data are divided as for 'SFO'"
    assert found.numbers["numbers kept a parameter, 50 parts"] == 154
    quadratic = {number: number**2.0 for number in (25, 50, 100)}
    monkeypatch.setattr("adamcore.experiments.claims.training.memory_of_sfo", lambda: quadratic)
    passes_take(6.0, 8.0)
    found = judge("C25")
    assert found.verdict == "not reproduced"
    assert "not on a straight line" in found.reason


def test_sfo_with_dropout():
    for one in ("SFO", "Adam", "SFO+dropout", "Adam+dropout"):
        assert judge("C26", with_sfo(SLOW, drop=(one,))).verdict == "not run"
    assert judge("C26", with_sfo(SLOW, start(2.3, 2.2))).verdict == "reproduced"
    assert judge("C26", with_sfo(SLOW, start(2.3, 1.4))).verdict == "reproduced"  # 0.6 of the first pass's cost
    assert judge("C26", with_sfo(SLOW, start(2.3, 1.0), with_noise=0.9)).verdict == "not reproduced"  # 0.4
    converges = start(0.2, 0.03)  # Adam ends at 0.02
    assert judge("C26", with_sfo(converges, start(0.7, 0.2), with_noise=0.11)).verdict == "not reproduced"
    stalls = judge("C26", with_sfo(converges, start(0.7, 0.2), with_noise=0.09))
    assert stalls.verdict == "reproduced only if"
    assert stalls.condition == "stalling far above Adam counts as failing"
    anyway = with_sfo(start(0.7, 0.2), start(0.7, 0.2), with_noise=0.09)
    assert judge("C26", anyway).verdict == "not reproduced"  # it stalls without dropout, too
    hundred = with_sfo(SLOW, start(0.7, 0.2), converges, with_noise=0.09, many=start(0.7, 0.2), drop=())
    assert judge("C26", hundred).condition == stalls.condition  # with 100 parts only with dropout
    hundred = with_sfo(SLOW, start(0.7, 0.2), converges, with_noise=0.09, many=start(0.7, 0.1), drop=())
    assert judge("C26", hundred).verdict == "not reproduced"
    fewer = with_sfo(converges, start(0.7, 0.2), with_noise=0.09)
    fewer.runs[:] = [run for run in fewer.runs if run["contender"] != "Adam+dropout" or run["seed"] == 1]
    assert judge("C26", fewer).condition == f"stalling far above Adam counts as failing, and {ONE_SEED}"
    mixed = with_sfo(SLOW, start(0.7, 0.2), with_noise=0.11)
    stopped = next(run for run in mixed.runs if run["contender"] == "SFO+dropout")
    stopped["epoch_cost"] = stopped["epoch_cost"][:4]  # diverged
    found = judge("C26", mixed)
    assert (found.verdict, found.numbers["stayed"]) == ("not reproduced", 1)


def test_mnist_without_its_record():
    found = judge("C21")
    assert (found.verdict, found.command) == ("not run", "python -m adamcore run fig1a --scale full")
    levels = {"AdaGrad": 0.5, "SGDNesterov": 0.25, "Adam": 0.25}
    alike = dict.fromkeys(levels, 0.2)
    assert "0.001" in judge("C21", fake("fig1a", levels, alike)).condition
    assert judge("C21", fake("fig1a", levels, levels)).verdict == "reproduced"
    assert judge("C21", fake("fig1a", dict.fromkeys(levels, 0.25), alike)).verdict == "not reproduced"
    swapped = {"AdaGrad": 0.25, "SGDNesterov": 0.25, "Adam": 0.5}
    assert judge("C21", fake("fig1a", swapped, swapped)).verdict == "not reproduced"
