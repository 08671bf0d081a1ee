#!/usr/bin/env python3
"""The overload table: `./dev bench overload`.

Each row runs a server whose capacity C is lowered (a paced journal, a CPU quota, one core) and `vesper surge` against it.
C is the best goodput (201 within 100 ms of being due) found at any load. c and r, the server's CPU for an accepted and a
refused diary, stand beside each figure. A row in which the generator was late by more than 50 ms is marked INVALID.
The server runs on core 0, the generator on core 1 (both with more priority than others where run as root).
"""
import argparse, json, pathlib, sys

import overload_rows as rows
from overload_rig import Regime, end_cleanly, favour_session, quotas_work, raise_descriptors, say

options = argparse.ArgumentParser(prog="./dev bench overload", description=__doc__,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("--only", default="", metavar="NAME[,NAME]", help=f"rows to run, of: {', '.join(rows.NAMES)}; default all")
options.add_argument("--seconds", type=float, default=5, metavar="S", help="length of each overload; default 5")
options.add_argument("--quota", type=int, default=15, metavar="PERCENT", help="of one core, in the quota regime; default 15")
options.add_argument("--pace", type=int, default=2000, metavar="N", help="commits a second in the journal-bound regime; default 2000")
options.add_argument("--full", action="store_true", help="the long forms: a crowd of 30 s of C, a surge of 60 s")
options.add_argument("--json", metavar="FILE", help="write all figures as JSON")
options.add_argument("--keep", metavar="FOLDER", help="keep each surge report there")


def main():
    given = options.parse_args()
    wanted = [name for name in given.only.split(",") if name]
    for name in wanted:
        if name not in rows.NAMES:
            options.error(f"--only {name}: no such row; there are {', '.join(rows.NAMES)}")
    raise_descriptors()
    favour_session()
    regimes = {"journal": Regime("journal", pace=given.pace), "core": Regime("core")}
    if quotas_work():
        regimes["quota"] = Regime("quota", quota=given.quota)
    else:
        say("no CPU quota: /sys/fs/cgroup/cpu is not writable here, so those rows are left out")
    print("| regime | figure | measured | target | |\n|---|---|---|---|---|", flush=True)
    table = rows.Table(given)
    for name in rows.NAMES:
        if not wanted or name in wanted:
            rows.run(name, regimes, table, given)
    if given.json:
        pathlib.Path(given.json).write_text(json.dumps(table.figures, indent=1))
    print(f"\n{table.met} met, {table.missed} missed, {table.invalid} invalid", flush=True)
    return 0


if __name__ == "__main__":
    end_cleanly()
    sys.exit(main())
