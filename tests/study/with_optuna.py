#!/usr/bin/env python3
"""Checks of cris tune that need Optuna or minutes; not part of the default tests.

  with_optuna.py PROGRAM shared     cris begins a study, Optuna reads and continues it, both work on it at once, cris ends it
  with_optuna.py PROGRAM kills      30 SIGKILLs at random moments, with two and with four workers: no trial twice, none lost
  with_optuna.py PROGRAM grid       20 trials against a grid of 17 learning rates on a procedural set
"""
import collections
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

program = os.path.realpath(sys.argv[1])
RATE = "train.learning_rate"
TINY = ["--base", "4", "--size", "32", "--batch", "4", "--epochs", "4", "--strategy", "cris", "--threads", "1"]


def tune(name, options=(), trials=12):
    return [program, "tune", "--data", "data", *TINY, "--study", f"{name}.journal", "-o", name, "--name", "study", "--trials", str(trials),
            "--prune-after-trials", "3", *options]


def run(command, code=0):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != code:
        sys.exit(f"FAILED {' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def lines(name):
    with open(f"{name}.journal") as f:
        return [json.loads(line) for line in f]


def check(name, ok, what=""):
    print("ok" if ok else "FAILED", name, what, flush=True)
    if not ok:
        sys.exit(1)


def sound(name, trials):
    """Every trial begun once, ended once, with each epoch reported once, in order."""
    begun = ended = 0
    steps = collections.defaultdict(list)
    for line in lines(name):
        begun += line["op_code"] == 4
        ended += line["op_code"] == 6
        if line["op_code"] == 7:
            steps[line["trial_id"]].append(line["step"])
    run([program, "tune", "replay", f"{name}.journal"])
    return begun == trials and ended == trials and all(s == list(range(len(s))) for s in steps.values())


def shared():
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    backend = optuna.storages.journal.JournalFileBackend if hasattr(optuna.storages, "journal") else optuna.storages.JournalFileStorage

    def study():
        return optuna.load_study(study_name="study", storage=optuna.storages.JournalStorage(backend("shared.journal")),
                                 pruner=optuna.pruners.MedianPruner(n_startup_trials=3))

    def objective(trial):
        rate = trial.suggest_float(RATE, 1e-6, 1e-2, log=True)
        for step in range(4):
            trial.report(0.3 - abs(math.log10(rate) + 3) / 20 + step / 100, step)
            if trial.should_prune():
                raise optuna.TrialPruned()
            time.sleep(0.02)
        return 0.33 - abs(math.log10(rate) + 3) / 20

    run(tune("shared", trials=6))
    s = study()
    by_state = collections.Counter(t.state.name for t in s.trials)
    check(f"Optuna {optuna.__version__} reads it", len(s.trials) == 6 and s.best_value > 0, dict(by_state))
    s.optimize(objective, n_trials=6)
    check("Optuna continues it", len(study().trials) == 12 and all(t.state.is_finished() for t in study().trials))
    worker = subprocess.Popen(tune("shared", trials=24), stdout=subprocess.DEVNULL)
    s.optimize(objective, n_trials=6)
    worker.wait()
    check("both at once", worker.returncode == 0)
    run(tune("shared", trials=30))
    trials = study().trials
    ours = [t for t in trials if "cris:seen" in t.system_attrs]
    check("cris continues after it", len(trials) == 30 and all(t.state.is_finished() for t in trials), f"{len(ours)} of cris, {30 - len(ours)} of Optuna")
    seen = ours[-1].system_attrs["cris:seen"]
    check("  and learns from its trials", any("cris:seen" not in trials[n].system_attrs for n in seen))
    print(run([program, "tune", "replay", "shared.journal"]), end="")


def kills():
    for workers in (2, 4):
        name, rng, alive = f"killed{workers}", random.Random(workers), []
        killed = 0
        while killed < 30:
            alive = [worker for worker in alive if worker.poll() is None]
            while len(alive) < workers:
                # More trials with every death, so that there is always work.
                alive.append(subprocess.Popen(tune(name, trials=20 + 2 * killed), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            time.sleep(rng.uniform(0.2, 1.2))
            victim = rng.choice(alive)
            victim.kill()
            killed += victim.wait() == -signal.SIGKILL
        for worker in alive:
            worker.wait()
        run(tune(name, trials=80))
        check(f"{workers} workers, {killed} killed at work", sound(name, 80), f"{len({line['worker_id'] for line in lines(name)})} processes wrote")


def grid():
    rates = [10 ** (-6 + 4 * i / 16) for i in range(17)]
    longer = ["--epochs", "12", "--data", "more"]
    run([program, "data", "synthesize", "more", "--count", "100", "--size", "40", "--seed", "3"])
    dice = []
    for i, rate in enumerate(rates):
        run([program, "train", *TINY, *longer, "--lr", f"{rate:.6g}", "-o", f"grid{i}"])
        with open(f"grid{i}/epochs.csv") as f:
            dice.append(max(float(line.split(",")[10]) for line in list(f)[1:]))
        print(f"rate {rate:.3g}: Dice {dice[-1]:.4f}", flush=True)
    top = rates[dice.index(max(dice))]
    for seed in range(3):
        name = f"found{seed}"
        run(tune(name, [*longer, "--prune-after-trials", "5", "--seed", str(seed)], trials=20))
        ends = [line for line in lines(name) if line["op_code"] == 6]
        best = max((line for line in ends if line["state"] == 1), key=lambda line: line["values"][0])
        found = [line for line in lines(name) if line["op_code"] == 4][best["trial_id"]]["params"][RATE]
        check(f"seed {seed}: within half a decade of the grid's best", abs(math.log10(found / top)) <= 0.5,
              f"found {found:.3g}, Dice {best['values'][0]:.4f}; the grid's best {top:.3g}, {max(dice):.4f}; "
              f"{sum(line['state'] == 2 for line in ends)} of 20 pruned")


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    run([program, "data", "synthesize", "data", "--count", "48", "--size", "40", "--seed", "3"])
    modes = {"shared": shared, "kills": kills, "grid": grid}
    if len(sys.argv) != 3 or sys.argv[2] not in modes:
        sys.exit(__doc__)
    modes[sys.argv[2]]()
