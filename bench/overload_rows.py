"""The rows of `./dev bench overload`, each a function; NAMES is their order."""
import json, pathlib

import overload_others as others
from overload_capacity import find, shape
from overload_rig import Rig, say, server_cost

SURGES = {f"{regime}-{times}x": (regime, times) for regime, multiples in
          {"journal": (5, 20), "quota": (2, 5, 20), "core": (2, 5, 20)}.items() for times in multiples}
CROWDS = {"crowd-journal": "journal", "crowd-quota": "quota"}
NAMES = [*SURGES, *CROWDS, *others.ROWS]


class Table:
    """Prints each figure as a row as soon as it is known, and keeps them all."""

    def __init__(self, given):
        self.given, self.figures = given, []
        self.met = self.missed = self.invalid = 0
        self.capacities = {}  # of a regime, once found

    def add(self, regime, figure, measured, target, met, run=None, **values):
        invalid = run.invalid if run else ""
        verdict = invalid or ("met" if met else "MISSED")
        self.met += not invalid and bool(met)
        self.missed += not invalid and not met
        self.invalid += bool(invalid)
        self.figures.append({"regime": regime, "figure": figure, "measured": measured, "target": target, "verdict": verdict, **values})
        print(f"| {regime} | {figure} | {measured} | {target} | {verdict} |", flush=True)

    def keep(self, name, run):
        if self.given.keep:
            folder = pathlib.Path(self.given.keep)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}.json").write_text(json.dumps(run.report))


def bound(times, c_us, r_us):
    """The share of C that is left when every try is answered: (1 - x r/c) / (1 - r/c)."""
    ratio = r_us / c_us
    return max(0.0, (1 - times * ratio) / (1 - ratio)) if ratio < 1 else 0.0


def surge(name, regimes, table, given):
    regime_name, times = SURGES[name]
    if regime_name not in regimes:
        return say(f"{name}: left out")
    regime = regimes[regime_name]
    with Rig(regime) as rig:
        capacity = find(rig, table)
        say(f"{name}: {times} x {capacity.per_s:.0f}/s for {given.seconds:.0f} s; {regime.words}")
        calm = 0.4 * capacity.per_s
        run = rig.surge("--curve", f"{calm:.0f}:2,{times * capacity.per_s:.0f}:{given.seconds},{calm:.0f}:3", *shape(capacity.per_s))
    table.keep(name, run)
    before, step = run.phase(0), run.phase(1)
    r_us = server_cost(run, 1, capacity.c_us)
    costs = f"c {capacity.c_us:.1f} us, r {r_us:.1f} us" if r_us is not None else f"c {capacity.c_us:.1f} us, r unknown"
    share = step["good_per_s"] / capacity.per_s
    words = f"{regime.words}, C = {capacity.per_s:.0f}/s, {times}x"
    if regime_name == "journal":
        goal, target = 0.95, ">= 95 % of C"
    elif times == 2:
        goal = 0.9 * bound(2, capacity.c_us, r_us or 0) if capacity.c_us else 0.9
        target = f">= {100 * goal:.0f} % of C (90 % of the bound)"
    else:
        goal, target = {5: (0.3, ">= 30 % of C"), 20: (0.2, ">= 20 % of C")}[times]
    detail = (f"{100 * share:.1f} % ({step['good_per_s']:.0f}/s; {costs}; tries {step['tries']}, 503 {step['refused']}, "
              f"timed out {step['timed_out']}, cut {step['cut']}, no connection {step['no_connection']})")
    table.add(words, "goodput", detail, target, share >= goal, run, share=share, c_us=capacity.c_us, r_us=r_us, capacity=capacity.per_s)
    latencies(regime_name, words, before, step, table, run)
    calm_p99 = before["accepted_latency"]["p99_ms"]
    normal = min(100, max(2 * calm_p99, calm_p99 + 10))
    end = run.phase(2)["from_s"]
    recovery = run.recovery_ms(end, normal)
    table.add(words, "normal again after the surge", f"{recovery:.0f} ms (normal: p99 <= {normal:.0f} ms)", "<= 500 ms",
              recovery <= 500, run, recovery_ms=recovery)


def latencies(regime_name, words, before, step, table, run):
    p99 = step["accepted_latency"]["p99_ms"]
    if regime_name == "journal":
        commit = 10  # a paced group lasts at most so many ms
        table.add(words, "p99 of accepted", f"{p99:.1f} ms", f"<= {20 + commit} ms (20 and one commit)", p99 <= 20 + commit, run)
        refused = step["refused_latency"]["p99_ms"]
        table.add(words, "p99 of refused", f"{refused:.1f} ms", "<= 20 ms", refused <= 20, run, refused_p99_ms=refused)
    else:
        table.add(words, "p99 of accepted", f"{p99:.1f} ms", "<= 100 ms", p99 <= 100, run, p99_ms=p99)
    first = step["first_second"]["accepted_latency"]["p99_ms"]
    table.add(words, "p99 of accepted, first second of the step", f"{first:.1f} ms", "<= 100 ms", first <= 100, run, first_p99_ms=first)


def crowd(name, regimes, table, given):
    """So many seconds of C, arriving at 5 C; the refused return as they were told."""
    regime_name = CROWDS[name]
    if regime_name not in regimes:
        return say(f"{name}: left out")
    regime = regimes[regime_name]
    ideal = 30 if given.full else 10
    with Rig(regime) as rig:
        capacity = find(rig, table)
        size = int(ideal * capacity.per_s)
        say(f"{name}: {size} diaries at 5 C; {regime.words}")
        options = shape(capacity.per_s)
        options[options.index("--patients") + 1] = str(size)
        run = rig.surge("--curve", f"{5 * capacity.per_s:.0f}:{ideal}", "--diaries", str(size), "--retry", "told", "--patience-s",
                        str(2 * ideal), *options)
    table.keep(name, run)
    found = run["crowd"]
    ratio = found["last_in_s"] / (size / capacity.per_s) if found["in"] == size else float("inf")
    limit = 1.25 if regime_name == "journal" else 1.5
    words = f"{regime.words}, C = {capacity.per_s:.0f}/s, crowd of {ideal} s of C at 5 C"
    share = f"last of {size} in after {found['last_in_s']:.1f} s: {ratio:.2f}" if found["in"] == size else \
        f"{100 * found['in'] / size:.1f} % of {size} in, the last after {found['last_in_s']:.1f} s"
    table.add(words, "last one in, over crowd / C", share, f"<= {limit}", ratio <= limit, run, ratio=ratio, found=found)
    table.add(words, "tries each", f"{found['tries_mean']:.2f} mean, {found['tries_max']} at most", "<= 2.5 mean, <= 6 at most",
              found["tries_mean"] <= 2.5 and found["tries_max"] <= 6, run)


def run(name, regimes, table, given):
    if name in SURGES:
        surge(name, regimes, table, given)
    elif name in CROWDS:
        crowd(name, regimes, table, given)
    else:
        others.ROWS[name](regimes, table, given)
