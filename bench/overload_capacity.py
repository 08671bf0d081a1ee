"""Finds C, the best goodput of a regime at any load, and c, the server's CPU for a diary there."""
from overload_rig import CONNECTIONS_MAX, DIARY, say  # noqa: F401


class Capacity:
    def __init__(self, per_s, c_us):
        self.per_s, self.c_us = per_s, c_us


def shape(capacity_per_s):
    """Connections and time-out such that fresh tries flow at several times C even while others hang."""
    connections = int(min(CONNECTIONS_MAX, max(1000, 4 * capacity_per_s)))
    return ["--connections", str(connections), "--try-timeout-ms", "1000", "--patients", "20000", "--addresses", "16", "--open-ahead"]


def find(rig, table):
    """The pace, or a closed loop, says about where C is; open loops around it say exactly."""
    name = rig.regime.name
    if name in table.capacities:
        return table.capacities[name]
    say(f"finding C: {rig.regime.words}")
    about = rig.regime.pace
    if not about:
        closed = rig.surge("--closed", "--connections", "64", "--curve", "1:1,1:3", "--try-timeout-ms", "2000")
        about = closed.phase(1)["accepted_per_s"]
    steps = [0.5, 0.8, 0.9, 1.0, 1.1]
    run = rig.surge("--curve", ",".join(f"{about * step:.0f}:2" for step in steps), *shape(about))
    best = max(run["phases"], key=lambda phase: phase["good_per_s"])
    # Groups are as large as they get there, so c is what overload leaves of it.
    found = Capacity(best["good_per_s"], best["cpu"]["server_us_per_accepted"] or 0)
    say(f"C = {found.per_s:.0f}/s (looked around {about:.0f}/s), c = {found.c_us:.1f} us {run.invalid}")
    table.capacities[name] = found
    return found
