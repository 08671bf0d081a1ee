"""Rows of `./dev bench overload` that are no plain surge: bursts, memory, bad clients, closed loops, shares."""
import json, os, pathlib, re, select, socket, tempfile, threading, time

import overload_capacity as capacity_of
from overload_rig import LOAD_CORE, Rig, request, say


def false_refusals(regimes, table, given):
    for name in ("journal", "quota"):
        if name not in regimes:
            continue
        regime = regimes[name]
        with Rig(regime) as rig:
            found = capacity_of.find(rig, table)
            length = max(4, int(given.seconds))
            pushes = ",".join(f"{at + 0.5}:60" for at in range(length))
            # Below 60 % of the load with its bursts.
            rate = max(1.0, 0.58 * found.per_s - 60)
            run = rig.surge("--curve", f"{rate:.0f}:{length}", "--push", pushes, *capacity_of.shape(found.per_s))
        total = run["total"]
        lost = total["tries"] - total["accepted"]
        table.add(f"{regime.words}, C = {found.per_s:.0f}/s", "false refusals at 58 % of C, a burst of 60 each second",
                  f"{lost} of {total['tries']} not taken; by status {total['status']}", "0", lost == 0, run, lost=lost)


def memory(regimes, table, given):
    """The destination is dead: what is owed waits on disk, not in memory."""
    regime = regimes["journal"]
    length = 60 if given.full else 15
    with Rig(regime, upstream="http://127.0.0.1:9") as rig:
        found = capacity_of.find(rig, table)
        say(f"memory: 20 x {found.per_s:.0f}/s for {length} s, the destination dead")
        before = rig.rss_mib()
        run = rig.surge("--curve", f"{20 * found.per_s:.0f}:{length}", *capacity_of.shape(found.per_s))
        time.sleep(1)
        after = rig.rss_mib()
    samples = [sample["server_rss_mib"] for sample in run["samples"]]
    growth = max(samples + [after]) - before
    half = samples[len(samples) // 2:]
    later = max(half) - half[0]
    words = f"{regime.words}, 20x for {length} s, destination dead"
    table.add(words, "memory growth", f"{growth:.0f} MB (from {before:.0f} to at most {max(samples + [after]):.0f} MB)", "<= 64 MB",
              growth <= 64, run, growth_mib=growth)
    table.add(words, "memory growth in the second half", f"{later:.1f} MB", "flat (<= 8 MB)", later <= 8, run, later_mib=later)


class Slow(threading.Thread):
    """Clients that send a request one byte at a time, for ever; those cut off come back."""

    HEAD = b"POST /patient/data HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"a" * 4000

    def __init__(self, address, count):
        super().__init__(daemon=True)
        host, port = address.split(":")
        self.target, self.count, self.stopping, self.sent = (host, int(port)), count, False, {}
        self.poll, self.opened, self.cut = select.epoll(), 0, 0

    def open(self):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(self.target)
        self.poll.register(s, select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR)
        self.sent[s.fileno()] = [s, 0]
        self.opened += 1

    def run(self):
        os.sched_setaffinity(threading.get_native_id(), {LOAD_CORE})
        while not self.stopping:
            begun = time.monotonic()
            for s, at in list(self.sent.values()):
                self.step(s, at)
            for number, _ in self.poll.poll(0):
                self.drop(number)
            for _ in range(min(500, self.count - len(self.sent))):
                self.open()
            time.sleep(max(0.01, 1 - (time.monotonic() - begun)) if len(self.sent) >= self.count else 0.01)
        for s, _ in self.sent.values():
            s.close()

    def step(self, s, at):
        try:
            s.send(self.HEAD[at:at + 1])
            self.sent[s.fileno()][1] = at + 1
        except OSError:
            self.drop(s.fileno())

    def drop(self, number):
        if number in self.sent:
            self.sent.pop(number)[0].close()
            self.cut += 1


def slowloris(regimes, table, given):
    regime = regimes["journal"]
    with Rig(regime) as rig:
        found = capacity_of.find(rig, table)
        slow = Slow(rig.intake, 5000)
        slow.start()
        ends = time.monotonic() + 10
        while len(slow.sent) < slow.count and time.monotonic() < ends:
            time.sleep(0.1)
        held = len(slow.sent)
        run = rig.surge("--curve", f"{0.5 * found.per_s:.0f}:{max(5, given.seconds)}", *capacity_of.shape(found.per_s))
        slow.stopping = True
        slow.join()
    total = run["total"]
    share = total["accepted"] / total["tries"]
    table.add(f"{regime.words}, {held} slow sockets ({slow.cut} cut off meanwhile)", "normal traffic at half of C that is served",
              f"{100 * share:.2f} % of {total['tries']}, p99 {total['accepted_latency']['p99_ms']:.1f} ms", ">= 99.9 %",
              share >= 0.999, run)


def closed_loops(regimes, table, given):
    for regime in (regimes["core"], regimes["journal"]):
        for connections in (512, 2000):
            with Rig(regime) as rig:
                run = rig.surge("--closed", "--connections", str(connections), "--curve", f"1:1,1:{given.seconds}", "--patients", "20000")
            phase = run.phase(1)
            p99, told = phase["accepted_latency"]["p99_ms"], phase["refused_latency"]["p99_ms"]
            words = f"{regime.words}, {connections} closed-loop connections"
            table.add(words, "p99 of accepted", f"{p99:.1f} ms ({phase['accepted_per_s']:.0f}/s taken)", "<= 100 ms", p99 <= 100)
            table.add(words, "p99 of the rest", f"{told:.1f} ms ({phase['refused']} refused, {phase['timed_out']} unanswered)",
                      "<= 20 ms", told <= 20 and phase["timed_out"] == 0, told_ms=told)


def left_behind(rig):
    """(tasks, descriptors, bytes in flight) of the server now."""
    dump = request(rig.server.admin, "GET", "/debug/pprof/goroutine?debug=1").body.decode(errors="replace")
    found = re.match(r"goroutine profile: total (\d+)", dump)
    tasks = int(found[1]) if found else -1  # no such page: the row says so
    flying = re.search(r"^vesper_\w*bytes_in_flight\w* (\S+)", rig.metrics(), re.M)
    return tasks, len(os.listdir(f"/proc/{rig.pid}/fd")), float(flying[1]) if flying else 0.0


def leavers(regimes, table, given):
    regime = regimes["journal"]
    host_of = lambda rig: (rig.intake.split(":")[0], int(rig.intake.split(":")[1]))  # noqa: E731
    head = (b"POST /patient/data HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a.b.c\r\nContent-Type: application/json\r\n"
            b"Content-Length: 900\r\n\r\n{\"submissionId\":")
    with Rig(regime) as rig:
        found = capacity_of.find(rig, table)
        options = ["--curve", f"{0.4 * found.per_s:.0f}:4", *capacity_of.shape(found.per_s)]
        normal = rig.surge(*options)
        time.sleep(1)
        before = left_behind(rig)
        for number in range(10_000):
            with socket.create_connection(host_of(rig)) as s:
                s.sendall(head[:1 + number % len(head)])
        ends = time.monotonic() + 5
        after = left_behind(rig)
        while any(now > then for now, then in zip(after, before)) and time.monotonic() < ends:
            time.sleep(0.1)
            after = left_behind(rig)
        again = rig.surge(*options)
    words = f"{regime.words}, 10,000 clients that leave in mid request"
    tasks = "tasks are not told; " if before[0] < 0 else ""
    table.add(words, "tasks, descriptors, bytes left behind", f"{tasks}{before} before, {after} after", "none",
              not any(now > then for now, then in zip(after, before)))
    p99, then = (run["total"]["accepted_latency"]["p99_ms"] for run in (again, normal))
    all_in = again["total"]["accepted"] == again["total"]["tries"]
    table.add(words, "p99 of normal traffic afterwards", f"{p99:.1f} ms, {then:.1f} ms before", "as before (<= 1.5x + 5 ms)",
              all_in and p99 <= 1.5 * then + 5, again)


def shares(regimes, table, given):
    for name in ("journal", "quota"):
        if name not in regimes:
            continue
        regime = regimes[name]
        with Rig(regime, trials=("BENCH-01", "BENCH-02")) as rig, tempfile.TemporaryDirectory() as folder:
            found = capacity_of.find(rig, table)
            inside = 0.3 * found.per_s
            plan = pathlib.Path(folder) / "plan.json"
            loads = [{"id": "BENCH-02", "diary": str(capacity_of.DIARY), "curve": f"{inside:.0f}:{given.seconds}"}]
            options = ["--plan", str(plan), *capacity_of.shape(found.per_s)]
            plan.write_text(json.dumps({"trials": loads}))
            alone = rig.surge(*options)
            loads.append({"id": "BENCH-01", "diary": str(capacity_of.DIARY), "curve": f"{20 * found.per_s:.0f}:{given.seconds}"})
            plan.write_text(json.dumps({"trials": loads}))
            beside = rig.surge(*options)
        table.keep(f"share-{name}", beside)
        quiet = beside.phase(0)["trials"]["BENCH-02"]
        p99, then = quiet["accepted_latency"]["p99_ms"], alone["total"]["accepted_latency"]["p99_ms"]
        words = f"{regime.words}, C = {found.per_s:.0f}/s, one trial at 20x, another at 30 % of C"
        lost = quiet["tries"] - quiet["accepted"]
        table.add(words, "refusals for the other", f"{quiet['refused']} refused, {lost} not taken of {quiet['tries']}", "0",
                  lost == 0, beside)
        table.add(words, "its p99", f"{p99:.1f} ms, {then:.1f} ms alone", "<= 2x alone", p99 <= 2 * then, beside)


ROWS = {"bursts": false_refusals, "memory": memory, "slowloris": slowloris, "closed": closed_loops, "leavers": leavers, "share": shares}
