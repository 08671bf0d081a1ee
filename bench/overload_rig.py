"""What the rows of bench/overload.py stand on: a server in a regime, `vesper surge` against it, and CPU quotas."""
import atexit, contextlib, json, os, pathlib, re, resource, signal, subprocess, sys, time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "test" / "e2e"))
os.environ.setdefault("VESPER_SOURCE", str(ROOT))
os.environ.setdefault("VESPER_BUILD", str(ROOT / "build" / "release"))

from harness import BUILD, ISSUER, Server, request  # noqa: E402

SERVER_CORE, LOAD_CORE = (0, 1) if os.cpu_count() > 1 else (0, 0)
DIARY = ROOT / "deploy/demo/bench-diary.json"
TRIAL = ROOT / "deploy/demo/bench-trial.json"
CGROUP = pathlib.Path("/sys/fs/cgroup/cpu")
PERIOD_US = 10_000
CONNECTIONS_MAX = min(20_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 1000)


def say(text):
    print(f"overload: {text}", file=sys.stderr, flush=True)


class Quota:
    """A cgroup (v1, cpu) that grants a share of one core, in periods of 10 ms."""

    def __init__(self, percent):
        self.folder = CGROUP / f"vesper-bench-{os.getpid()}-{percent}"
        self.folder.mkdir()
        (self.folder / "cpu.shares").write_text("50000")  # within its quota it goes before what else the machine does
        (self.folder / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (self.folder / "cpu.cfs_quota_us").write_text(str(PERIOD_US * percent // 100))
        (self.folder / "cpu.shares").write_text("10240")  # its quota is its own whatever else runs

    def hold(self, pid):
        (self.folder / "cgroup.procs").write_text(str(pid))

    def throttled(self):
        return int(re.search(r"nr_throttled (\d+)", (self.folder / "cpu.stat").read_text())[1])

    def close(self):
        for pid in (self.folder / "cgroup.procs").read_text().split():
            (CGROUP / "cgroup.procs").write_text(pid)
        for _ in range(50):
            with contextlib.suppress(OSError):
                return self.folder.rmdir()
            time.sleep(0.02)


def quotas_work():
    try:
        Quota(10).close()
        return True
    except OSError:
        return False


class Regime:
    """How capacity is lowered: `pace` commits a second, `quota` percent of a core, or neither (one whole core)."""

    def __init__(self, name, pace=0, quota=0):
        self.name, self.pace, self.quota = name, pace, quota

    @property
    def words(self):
        if self.pace:
            return f"journal paced to {self.pace:,} commits/s, server on one core"
        return f"server under a CPU quota of {self.quota} % of one core (period 10 ms)" if self.quota else "server on one whole core"


def pin(pid, core):
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), {core})


def favour_session():
    """Where the scheduler groups processes by session, priority is the session's; restored at the end."""
    path = pathlib.Path("/proc/self/autogroup")
    with contextlib.suppress(OSError):
        before = re.search(r"nice (-?\d+)", path.read_text())[1]
        path.write_text("-10")
        atexit.register(lambda: path.write_text(before))


def favour(pid):
    """More priority than whatever else the machine does meanwhile; only root may."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.setpriority(os.PRIO_PROCESS, int(task.name), -10)


def status_mib(pid, field="VmRSS"):
    return int(re.search(rf"{field}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) / 1024


class Rig:
    """`vesper serve` in a regime, with trials published; use as a context."""

    def __init__(self, regime, trials=("BENCH-01",), upstream=None, env=None):
        self.regime, self.trials = regime, trials
        self.server = Server(upstream=upstream, build=BUILD, config='[log]\nlevel = "warn"\n')
        self.env = {"VESPER__INTAKE__SHARDS": "1", "VESPER__JOURNAL__PACE_PER_S": str(regime.pace),
                    "VESPER__INTAKE__CONNECTIONS_MAX": str(CONNECTIONS_MAX + 500), **(env or {})}
        self.delivered = upstream is not None
        self.quota = None

    def __enter__(self):
        self.server.start(env=self.env)
        self.pid = self.server.process.child.pid
        document = json.loads(TRIAL.read_text())
        for trial in self.trials:
            reply = self.server.publish({**document, "id": trial, "destinations": ["default"] if self.delivered else []})
            assert reply.status == 201, reply
        pin(self.pid, SERVER_CORE)
        favour(self.pid)
        self.first()
        if self.regime.quota:
            self.quota = Quota(self.regime.quota)
            self.quota.hold(self.pid)
        return self

    def first(self):
        """A few thousand diaries before anything is limited: caches, pages and the write-ahead log are warm."""
        self.surge("--rate", "1000", "--seconds", "2", warm=True)

    def __exit__(self, *_):
        if self.quota:
            self.quota.close()
        self.server.close()

    @property
    def intake(self):
        return self.server.intake

    def surge_command(self, *options, trial="BENCH-01", diary=DIARY):
        command = ["taskset", "-c", str(LOAD_CORE), str(BUILD / "vesper"), "surge", "--intake", f"http://{self.intake}",
                   "--key", str(self.server.folder / "keys.json"), "--issuer", ISSUER, "--trial", trial, "--diary", str(diary),
                   "--pid", str(self.pid), "--json", "--quiet"]
        return ["nice", "-n", "-10", *command, *options] if os.geteuid() == 0 else command + list(options)

    def surge(self, *options, warm=False, **named):
        done = subprocess.run(self.surge_command(*options, **named), capture_output=True, text=True)
        if not done.stdout:
            raise SystemExit(f"vesper surge failed: {done.stderr}")
        return Run(json.loads(done.stdout), warm)

    def rss_mib(self):
        return status_mib(self.pid)

    def metrics(self):
        return request(self.server.admin, "GET", "/metrics").body.decode()


class Run:
    """What `vesper surge --json` reported."""

    def __init__(self, report, warm=False):
        self.report, self.warm = report, warm

    def __getitem__(self, name):
        return self.report[name]

    def phase(self, index):
        return self.report["phases"][index]

    @property
    def invalid(self):
        """Why its figures prove nothing; empty when they do."""
        generator = self.report["generator"]
        if generator["verdict"] == "believable":
            return ""
        return f"INVALID: generator {generator['verdict']}, by up to {generator['late_max_ms']:.0f} ms"

    def recovery_ms(self, end_s, normal_p99_ms):
        """From `end_s`, how long until all that is due later is taken, in intervals of normal p99."""
        width = self.report["interval_ms"]
        last_bad = end_s * 1000
        for interval in self.report["intervals"]:
            begin = interval["from_s"] * 1000
            if begin < end_s * 1000 - 1 or interval["tries"] == 0:
                continue
            if interval["accepted"] != interval["tries"] or interval["p99_ms"] > normal_p99_ms:
                last_bad = begin + width
        return last_bad - end_s * 1000


def server_cost(run, phase, c_us):
    """Server CPU of a refused diary in a phase, when an accepted one costs c_us; None: nothing was refused."""
    each = run.phase(phase)
    refused = each["refused"]
    if not refused or each["cpu"]["server_s"] is None:
        return None
    return max(0.0, (each["cpu"]["server_s"] * 1e6 - c_us * each["accepted"]) / refused)


def raise_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def end_cleanly():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
