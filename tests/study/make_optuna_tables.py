#!/usr/bin/env python3
"""Asks Optuna what it computes, for tests/cris/tpe.cpp and tests/cris/journal.cpp.

  make_optuna_tables.py tables      with Optuna 3.6.2: optuna.json, beside this script: Parzen estimators (weights, means,
                                    deviations, log-densities, quantiles), splits and choices among given candidates,
                                    decisions of the median pruner
  make_optuna_tables.py journal     with the newest: optuna.journal, and in optuna.journal.json what it says
"""
import inspect
import json
import math
import os
import sys

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers._tpe import _truncnorm, sampler as tpe
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator
from optuna.trial import TrialState, create_trial

optuna.logging.set_verbosity(optuna.logging.ERROR)
here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.RandomState(7)
sampler = optuna.samplers.TPESampler(seed=0, multivariate=False, constant_liar=False)
parameters = sampler._parzen_estimator_parameters

DIMENSIONS = {
    "train.learning_rate=1e-06..0.01:log": FloatDistribution(1e-6, 1e-2, log=True),
    "crf.theta_beta=1..20": FloatDistribution(1, 20),
    "refiner.channels=2..64": IntDistribution(2, 64),
    "train.batch=1..128:log": IntDistribution(1, 128, log=True),
    "model.backbone=unet,unet++,segnet": CategoricalDistribution(["unet", "unet++", "segnet"]),
}


def draw(distribution, n):
    if isinstance(distribution, CategoricalDistribution):
        return [float(i) for i in rng.randint(0, len(distribution.choices), n)]
    low, high = distribution.low, distribution.high
    values = np.exp(rng.uniform(math.log(low), math.log(high), n)) if distribution.log else rng.uniform(low, high, n)
    values = np.round(values) if isinstance(distribution, IntDistribution) else np.array([float(f"{v:.5g}") for v in values])
    return [float(v) for v in values]


def mixture(distribution, observed):
    return _ParzenEstimator({"x": np.array(observed)}, {"x": distribution}, parameters)


def log_density(estimator, points):
    return [float(v) for v in estimator.log_pdf({"x": np.array(points)})]


def estimators():
    cases = []
    for specification, distribution in DIMENSIONS.items():
        for n in (0, 1, 2, 5, 15, 25, 26, 40):
            if n > 5 and n != 26 and "rate" not in specification:
                continue
            observed = draw(distribution, n)
            if n == 5:
                observed[3] = observed[1]  # a tie
            estimator = mixture(distribution, observed)
            inner = estimator._mixture_distribution
            d = inner.distributions[0]
            points = draw(distribution, 3)
            case = {"search": specification, "observed": observed, "weights": inner.weights.tolist()}
            if not isinstance(distribution, CategoricalDistribution):
                points += [float(distribution.low), float(distribution.high)]
                case["means"], case["deviations"] = d.mu.tolist(), d.sigma.tolist()
                # [kernel, quantile, value on the estimator's scale]; whole numbers are rounded afterwards
                low, high = distribution.low, distribution.high
                if distribution.log:
                    low, high = math.log(low), math.log(high)
                if isinstance(distribution, FloatDistribution):
                    case["quantiles"] = []
                    for k in sorted({0, n // 2, n}):
                        for q in (0.01, 0.5, 0.93):
                            m, s = d.mu[k], d.sigma[k]
                            x = float(_truncnorm.ppf(np.array([q]), (low - m) / s, (high - m) / s)[0] * s + m)
                            case["quantiles"].append([k, q, math.exp(x) if distribution.log else x])
            else:
                points = [0.0, 1.0, 2.0]
            case["points"], case["log_density"] = points, log_density(estimator, points)
            cases.append(case)
    return cases


def history(n, distribution, direction):
    """Trials as a study would have them: complete, pruned with and without reports, NaN at the end, ties."""
    trials = []
    for number, x in enumerate(draw(distribution, n)):
        values = [round(float(v), 2) for v in rng.uniform(0, 1, rng.randint(0, 5))]
        kind = rng.randint(0, 4)
        t = {"x": x, "intermediate": values}
        if kind == 0:
            if values and rng.randint(0, 3) == 0:
                values[-1] = math.nan
            t["state"] = "pruned"
        else:
            t["state"], t["value"] = "complete", round(float(rng.uniform(0, 1)), 1)
        trials.append(t)
    return trials


def frozen(t, number, distribution):
    f = create_trial(state=TrialState[t["state"].upper()], value=t.get("value"), params={"x": distribution.to_external_repr(t["x"])},
                     distributions={"x": distribution}, intermediate_values=dict(enumerate(t["intermediate"])))
    f.number = number
    return f


def suggestions():
    cases = []
    for specification, distribution in DIMENSIONS.items():
        for n, direction in ((10, "maximize"), (13, "minimize"), (31, "maximize")):
            trials = history(n, distribution, direction)
            study = optuna.create_study(direction=direction)
            all_frozen = [frozen(t, i, distribution) for i, t in enumerate(trials)]
            arguments = (study, all_frozen, tpe.default_gamma(n))
            if "constraints_enabled" in inspect.signature(tpe._split_trials).parameters:
                arguments += (False,)
            below, above = tpe._split_trials(*arguments)
            l, g = (mixture(distribution, [trials[t.number]["x"] for t in part]) for part in (below, above))
            candidates = [float(v) for v in l.sample(np.random.RandomState(n), 24)["x"]]
            gain = np.array(log_density(l, candidates)) - np.array(log_density(g, candidates))
            cases.append({"search": specification, "direction": direction, "trials": trials,
                          "better": [t.number for t in below], "candidates": candidates, "best": int(np.argmax(gain))})
    return cases


def prunings():
    cases = []
    for _ in range(60):
        direction = ["minimize", "maximize"][rng.randint(0, 2)]
        options = {"startup_trials": int(rng.randint(0, 4)), "warmup_steps": int(rng.randint(0, 3)),
                   "interval_steps": int(rng.randint(1, 4)), "least_trials": int(rng.randint(1, 3))}
        number = lambda: math.nan if rng.randint(0, 8) == 0 else round(float(rng.uniform(0, 1)), 1)
        others = [{"state": ["complete", "pruned"][rng.randint(0, 4) == 0], "intermediate": [number() for _ in range(rng.randint(0, 6))]}
                  for _ in range(rng.randint(2, 9))]
        steps = sorted(int(s) for s in rng.choice(6, rng.randint(1, 5), replace=False))
        reported = [[s, number()] for s in steps]
        if rng.randint(0, 8) == 0:
            reported = [[s, math.nan] for s in steps]
        study = optuna.create_study(direction=direction)
        for t in others:
            study.add_trial(create_trial(state=TrialState[t["state"].upper()], value=0.5, intermediate_values=dict(enumerate(t["intermediate"]))))
        pruner = optuna.pruners.MedianPruner(n_startup_trials=options["startup_trials"], n_warmup_steps=options["warmup_steps"],
                                             interval_steps=options["interval_steps"], n_min_trials=options["least_trials"])
        trial = create_trial(state=TrialState.RUNNING, intermediate_values=dict(reported))
        cases.append({"direction": direction, **options, "others": others, "reported": reported, "prunes": bool(pruner.prune(study, trial))})
    return cases


def journal():
    path = os.path.join(here, "optuna.journal")
    if os.path.exists(path):
        os.remove(path)
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(path))
    optuna.create_study(storage=storage, study_name="gone")
    optuna.delete_study(storage=storage, study_name="gone")
    study = optuna.create_study(storage=storage, study_name="kept", direction="maximize", sampler=optuna.samplers.RandomSampler(seed=1))
    other = optuna.create_study(storage=storage, study_name="other")
    study.set_user_attr("text", 'NaN, "Infinity" and \\ are words here, π a letter')
    study.enqueue_trial({"rate": 0.25})

    def objective(trial):
        rate = trial.suggest_float("rate", 1e-3, 1, log=True)
        trial.suggest_int("channels", 2, 8)
        trial.suggest_categorical("kind", ["a", "b"])
        for step in range(3):
            trial.report(math.nan if trial.number == 1 else rate * (step + 1), step)
        if trial.number == 1:
            raise optuna.TrialPruned()
        return math.inf if trial.number == 2 else math.nan if trial.number == 3 else rate

    study.optimize(objective, n_trials=4)
    study.add_trial(create_trial(value=0.5, params={"rate": 0.5}, distributions={"rate": FloatDistribution(1e-3, 1, log=True)}, intermediate_values={4: 0.5}))
    other.ask()
    study.enqueue_trial({"rate": 0.125})
    expected = []
    for t in study.trials:
        expected.append({"id": t._trial_id, "state": t.state.value, "value": t.value if t.value is None else repr(t.value),
                         "params": {k: t.distributions[k].to_internal_repr(v) for k, v in t.params.items()},
                         "intermediate": {str(k): repr(v) for k, v in t.intermediate_values.items()}})
    return expected


def plain(value):
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value


def write(name, tables):
    """A line a case."""
    parts = [f'"{key}": [\n' + ",\n".join("  " + json.dumps(plain(c)) for c in cases) + "\n]" for key, cases in tables.items()]
    with open(os.path.join(here, name), "w") as f:
        f.write("{\n" + ",\n".join(parts) + "\n}\n")


if sys.argv[1:] == ["tables"]:
    write("optuna.json", {"estimators": estimators(), "suggestions": suggestions(), "prunings": prunings()})
elif sys.argv[1:] == ["journal"]:
    write("optuna.journal.json", {"trials": journal()})
else:
    sys.exit(__doc__)
