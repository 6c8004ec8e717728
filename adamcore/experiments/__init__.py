"""The paper's figures as code: train, run, record, judge.

An experiment is data (:class:`Experiment`): a problem, contenders with their settings, and three scales.
``python -m adamcore run fig1a --scale book`` runs one from the command line; :func:`run` does the same here.
"""

from adamcore.experiments.catalog import EXPERIMENTS, get_experiment
from adamcore.experiments.claims import Verdict, judge_mnist_logistic, typical
from adamcore.experiments.digitized import digitized_curves, digitized_points, log_rms
from adamcore.experiments.experiment import Experiment, Scale
from adamcore.experiments.full_batch import LBFGS
from adamcore.experiments.record import Record, load_record
from adamcore.experiments.runner import RunError, Unfinished, fold, run, unfold
from adamcore.experiments.sfo import SFO
from adamcore.experiments.statistics import Comparison, PairedRatio, Sensitivity, compare, paired_ratio, sensitivity
from adamcore.experiments.train import History, Streams, streams, train

__all__ = [
    "EXPERIMENTS",
    "LBFGS",
    "SFO",
    "Comparison",
    "Experiment",
    "History",
    "PairedRatio",
    "Record",
    "RunError",
    "Scale",
    "Sensitivity",
    "Streams",
    "Unfinished",
    "Verdict",
    "compare",
    "digitized_curves",
    "digitized_points",
    "fold",
    "get_experiment",
    "judge_mnist_logistic",
    "load_record",
    "log_rms",
    "paired_ratio",
    "run",
    "sensitivity",
    "streams",
    "train",
    "typical",
    "unfold",
]
