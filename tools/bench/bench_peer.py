#!/usr/bin/env python3
"""Runs `cris bench` and a PyTorch program of the same networks in turn, and prints a table of both with their ratios.

  tools/bench/bench_peer.py --peer-python PYTHON --peer SCRIPT [--rows unet64-train,unet16-infer] [--runs 3] [--threads 2]

PYTHON has PyTorch; SCRIPT takes `bench --model unet|unet++|segnet --base N --size N --batch N --mode train|infer
--threads N --steps N --warmup N` and prints one JSON line with median_s and peak_bytes, as `cris bench --json` does.
A cell is the median over the runs of a run's median step, with the least and the largest run; memory is the peak
resident size of the process. Ours runs before the peer in odd runs and after it in even ones.
"""
import argparse, json, os, statistics, subprocess, sys

# row: backbone, base, size, mode, timed steps, largest ratios allowed of time and memory
ROWS = {
    "unet16-train": ("unet", 16, 128, "train", 20, 0.40, 0.50),
    "unet16-infer": ("unet", 16, 128, "infer", 30, 0.35, 0.50),
    "unet64-infer": ("unet", 64, 256, "infer", 5, 0.35, 0.50),
    "unet64-train": ("unet", 64, 256, "train", 4, 0.36, 0.60),
    "unet++32-train": ("unet++", 32, 256, "train", 4, 0.40, 0.60),
    "segnet64-train": ("segnet", 64, 256, "train", 4, 0.40, 0.60),
}
BATCH = 4


def run_json(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        sys.exit(f"{' '.join(command)}\nended with status {done.returncode} and no JSON line:\n{done.stderr[-2000:]}")
    return json.loads(lines[-1])


def spread(values, unit):
    return f"{unit(statistics.median(values))} ({unit(min(values))}..{unit(max(values))})"


def milliseconds(seconds):
    return f"{1e3 * seconds:.0f} ms" if seconds >= 0.1 else f"{1e3 * seconds:.1f} ms"


def measure(name, a, say):
    backbone, base, size, mode, steps, time_limit, memory_limit = ROWS[name]
    shared = ["--base", str(base), "--size", str(size), "--batch", str(BATCH), "--threads", str(a.threads)]
    count = ["--steps", str(steps), "--warmup", "2"]
    commands = {
        "ours": [a.cris, "bench", mode, "--backbone", backbone, *shared, *count, "--json"]
        + (["--precision", a.precision] if a.precision else []),
        "peer": [a.peer_python, a.peer, "bench", "--mode", mode, "--model", backbone, *shared, *count],
    }
    results = {"ours": [], "peer": []}
    for run in range(a.runs):
        for who in ("ours", "peer") if run % 2 == 0 else ("peer", "ours"):
            results[who].append(run_json(commands[who]))
            say(f"{name} {who} {run + 1}/{a.runs}: {milliseconds(results[who][-1]['median_s'])}")
    seconds = {who: [r["median_s"] for r in rs] for who, rs in results.items()}
    peak = {who: statistics.median(r["peak_bytes"] for r in rs) for who, rs in results.items()}
    return {
        "row": f"{backbone} {base}, {size}x{size}, {mode}",
        "seconds": seconds,
        "ratio": statistics.median(seconds["ours"]) / statistics.median(seconds["peer"]),
        "least_ratio": min(seconds["ours"]) / min(seconds["peer"]),
        "peak": peak,
        "memory_ratio": peak["ours"] / peak["peer"],
        "limits": (time_limit, memory_limit),
    }


def main():
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--peer-python", required=True, help="the Python that has PyTorch")
    p.add_argument("--peer", required=True, help="the PyTorch program")
    p.add_argument("--cris", default=os.path.join(here, "build/release/cris"), help="our program")
    p.add_argument("--rows", default=",".join(ROWS), help="of " + ", ".join(ROWS))
    p.add_argument("--runs", type=int, default=3, help="runs of each program and row")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--precision", default="", help="of ours: exact or f32")
    p.add_argument("--json", action="store_true", help="one JSON line a row instead of the table")
    a = p.parse_args()
    rows = a.rows.split(",")
    unknown = [row for row in rows if row not in ROWS]
    if unknown or a.runs < 1:
        p.error(f"no row {unknown[0]}; there are {', '.join(ROWS)}" if unknown else "--runs must be at least 1")
    say = lambda text: print(text, file=sys.stderr, flush=True)
    measured = []
    for row in rows:
        measured.append(measure(row, a, say))
        if a.json:
            print(json.dumps(measured[-1]), flush=True)
    if a.json:
        return
    print("| step | ours | peer | time ratio | of least | target | ours | peer | memory ratio | target |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for m in measured:
        time_limit, memory_limit = m["limits"]
        megabytes = {who: f"{b / 1e6:.0f} MB" for who, b in m["peak"].items()}
        print(f"| {m['row']} | {spread(m['seconds']['ours'], milliseconds)} | {spread(m['seconds']['peer'], milliseconds)} "
              f"| {m['ratio']:.2f} | {m['least_ratio']:.2f} | {time_limit:.2f} | {megabytes['ours']} | {megabytes['peer']} "
              f"| {m['memory_ratio']:.2f} | {memory_limit:.2f} |")


if __name__ == "__main__":
    main()
