"""A small sweep as a program of its own, to be killed: python -m tests.experiments.sweep FOLDER JOBS [CLUSTER].

It is long enough to be hit while it works: every run has 40 epochs, with a checkpoint after each. With the first
argument ``run`` it is the command line of adamcore, which then knows this sweep too.
"""

import sys
from pathlib import Path

from adamcore.experiments import EXPERIMENTS, Experiment, Scale, run
from adamcore.optim import SGD, AdaGrad, Adam

SWEEP = Experiment(
    name="sweep",
    title="A small sweep",
    problem="mnist_logistic",
    parameters={"l2": 1e-3},
    scales={
        "smoke": lambda: Scale(
            epochs=40,
            n_train=400,
            batch_size=16,
            seeds=2,
            paper={"AdaGrad": AdaGrad(alpha=0.01), "SGD": SGD(alpha=0.1), "Adam": Adam(alpha=0.01)},
            grid={"Adam": (Adam(alpha=0.1), Adam(alpha=1e3))},
            parameters={"SGD": {"l2": 1e-2}},
        )
    },
    measures=("full_cost", "second_moment"),
)

if __name__ == "__main__":
    EXPERIMENTS["sweep"] = SWEEP
    if sys.argv[1] == "run":
        from adamcore.__main__ import main  # now that the sweep is known

        main(prog_name="python -m adamcore")
    folder, jobs, *cluster = sys.argv[1:]
    run(SWEEP, "smoke", folder=Path(folder), jobs=int(jobs), checkpoint_seconds=0, cluster=next(iter(cluster), None))
