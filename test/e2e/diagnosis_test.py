"""Looking into a running and into a stuck server: the task dump in its three forms, /debug/vars, stalled tasks told."""
import ctypes, gzip, json, os, pathlib, re, shutil, socket, subprocess, tempfile, time, unittest

from harness import diary, eventually, json_line, request, token
from raw import Case
from receiver import Receiver

GO = shutil.which("go") or "/usr/local/go/bin/go"
CANARY = "CANARY-7f3a"


class Stopped:
    """Threads of a child, stopped one by one by ptrace while the rest of it runs on."""
    SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17

    def __init__(self, pid, names):
        self.call = ctypes.CDLL(None, use_errno=True).ptrace
        self.call.argtypes = [ctypes.c_long] * 2 + [ctypes.c_void_p] * 2
        tasks = pathlib.Path(f"/proc/{pid}/task")
        self.threads = [int(t.name) for t in tasks.iterdir() if (t / "comm").read_text().strip().startswith(names)]

    def __enter__(self):
        for thread in self.threads:
            if self.call(self.SEIZE, thread, None, None) != 0:
                raise unittest.SkipTest("this machine does not allow ptrace")
            self.call(self.INTERRUPT, thread, None, None)
            os.waitpid(thread, 0x40000000)  # __WALL: until it has stopped
        return self

    def __exit__(self, *_):
        for thread in self.threads:
            self.call(self.DETACH, thread, None, None)


def blocks(text):
    """The tasks of goroutine?debug=2 as dictionaries."""
    found = []
    for block in text.split("\n\n")[1:]:
        head, *lines = block.strip().split("\n")
        task = dict(line.strip().split(": ", 1) for line in lines)
        task["head"] = head
        found.append(task)
    return found


class Diagnosis(Case):
    def read(self, server, path, status=200):
        reply = request(server.admin, "GET", path)
        self.assertEqual(reply.status, status, reply)
        return reply.body

    def tasks(self, server):
        return blocks(self.read(server, "/debug/pprof/goroutine?debug=2").decode())

    def test_every_task_says_who_it_is_and_where_it_waits(self):
        with Receiver(lambda delivered: None) as stuck:
            server = self.server(upstream=stuck.url, config="deadline_ms = 60000\n")
            self.assertEqual(server.submit(diary()).status, 201)
            with socket.create_connection(server.intake.split(":")) as idle:
                idle.sendall(b"POST /patient/data HT")
                def both():
                    found = {t["waits"]: t for t in self.tasks(server)}
                    return found if {"upstream.reply", "socket.read.head"} <= set(found) else None
                waits = eventually(both, what="a stuck delivery and a slow head in the dump")
            for task in self.tasks(server):
                self.assertEqual(set(task), {"head", "name", "owner", "thread", "created", "waits", "since", "deadline", "age"})
                self.assertRegex(task["created"], r"^src/[\w/]+\.[ch]pp:\d+$")
                self.assertTrue(task["owner"].startswith("vesper/"), task)
                self.assertRegex(task["head"], r"^task \d+ \[[\w. ]+, \d+\.\d{3} s\]:$")
            self.assertRegex(waits["upstream.reply"]["owner"], "^vesper/deliver/outbox/default/workers")
            self.assertRegex(waits["upstream.reply"]["deadline"], r"^in \d+\.\d{3} s$")
            self.assertRegex(waits["socket.read.head"]["owner"], r"^vesper/shard\d/intake/connections$")
            owners = {t["owner"] for t in self.tasks(server)}
            for owner in ("vesper/log", "vesper/journal", "vesper/journal/commit", "vesper/admin", "vesper/deliver", "vesper/admin/keys",
                          "vesper/journal/read", "vesper/shard0/intake", "vesper/admin/stalls"):
                self.assertIn(owner, owners)
            server.kill()

    def test_counts_begin_as_go_does(self):
        server = self.server()
        text = self.read(server, "/debug/pprof/goroutine?debug=1").decode()
        total = int(re.match(r"goroutine profile: total (\d+)\n", text).group(1))
        counts = [int(n) for n in re.findall(r"^(\d+) @(?: 0x[0-9a-f]+)+$", text, re.M)]
        self.assertEqual(sum(counts), total)
        self.assertGreater(total, 8)
        address = re.search(r"^#\t(0x[0-9a-f]+)\tsockets\.ready$", text, re.M).group(1)
        named = request(server.admin, "POST", "/debug/pprof/symbol", f"{address}+0x1").body.decode()
        self.assertIn(f"{address}\tsockets.ready\n", named)

    def pprof(self, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            result = subprocess.run([GO, "tool", "pprof", *arguments], capture_output=True, text=True, timeout=240,
                                    env={**os.environ, "HOME": os.environ.get("HOME", folder), "PPROF_TMPDIR": folder,
                                         "GOTOOLCHAIN": "local"})
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def test_go_tool_pprof_reads_both_forms_with_no_binary(self):
        if not os.path.exists(GO):
            self.skipTest("no Go on this machine")
        server = self.server()
        url = f"http://{server.admin}/debug/pprof/goroutine"
        top = self.pprof("-top", "-nodecount=100", url)
        for part in ("Type: goroutine", "sockets.ready", "vesper/shard0/intake", "connection", "thread"):
            self.assertIn(part, top)
        self.assertIn("thread: Total", self.pprof("-tags", url))
        listed = self.pprof("-raw", url)
        self.assertRegex(listed, r"src/io/http/[\w./]+:\d+")
        self.assertIn("sockets.ready", self.pprof("-top", "-nodecount=100", url + "?debug=1"))
        zipped = self.read(server, "/debug/pprof/goroutine")
        self.assertGreater(len(gzip.decompress(zipped)), 100)

    def test_the_index_lists_what_there_is_and_nothing_else(self):
        server = self.server(publish=False)
        index = self.read(server, "/debug/pprof/").decode()
        for name in ("goroutine?debug=1", "goroutine?debug=2", "symbol", "/debug/vars"):
            self.assertIn(name, index)
        for later in ("profile", "heap", "allocs", "mutex", "block", "trace"):
            if later not in index:
                self.read(server, f"/debug/pprof/{later}", 404)
        self.read(server, "/debug/pprof/goroutine?debug=3", 400)

    def test_vars_name_every_bounded_place(self):
        server = self.server()
        self.assertEqual(server.submit(diary()).status, 201)
        variables = json.loads(self.read(server, "/debug/vars"))
        for queue in ("journal.entries", "journal.bytes", "journal.reads", "http.connections", "http.bytes", "log.bytes",
                      "delivery.default"):
            figures = variables["queues"][queue]
            self.assertEqual(set(figures), {"depth", "capacity", "high_water", "blocked_seconds"})
            self.assertGreater(figures["capacity"], 0, queue)
            self.assertLessEqual(figures["depth"], figures["capacity"], queue)
        self.assertGreaterEqual(variables["queues"]["journal.entries"]["high_water"], 1)
        self.assertGreaterEqual(variables["queues"]["http.connections"]["high_water"], 1)
        self.assertGreater(variables["memstats"]["resident_bytes"], variables["memstats"]["allocated_bytes"] // 100)
        self.assertGreater(variables["uptime_seconds"], 0)
        self.assertGreaterEqual(sum(s["requests"] for s in variables["shards"]), 1)
        self.assertGreaterEqual(variables["tasks"]["by_scope"]["vesper/shard0/intake"]["live"], 2)
        self.assertEqual(variables["tasks"]["stalled"], 0)

    def test_no_patient_content_in_any_page(self):
        with Receiver(lambda delivered: None) as stuck:
            server = self.server(upstream=stuck.url)
            bearer = token("S-" + CANARY)
            self.assertEqual(server.submit(diary("S-" + CANARY, note=CANARY), bearer=bearer).status, 201)
            eventually(lambda: "upstream.reply" in {t["waits"] for t in self.tasks(server)})
            for path in ("/debug/vars", "/debug/pprof/", "/debug/pprof/goroutine?debug=1", "/debug/pprof/goroutine?debug=2"):
                page = self.read(server, path).decode()
                self.assertNotIn(CANARY, page)
                self.assertNotIn(bearer, page)
            self.assertNotIn(CANARY.encode(), gzip.decompress(self.read(server, "/debug/pprof/goroutine")))
            server.kill()

    def test_the_dump_is_read_while_every_shard_is_stuck_and_the_stall_is_told(self):
        server = self.server()
        held = [socket.create_connection(server.intake.split(":")) for _ in range(200)]
        eventually(lambda: sum(t["name"] == "connection" and "shard" in t["thread"] for t in self.tasks(server)) == 200)
        threads = ("vesper-shard", "vesper-deliver", "vesper-journal", "vesper-read", "vesper-due")
        with Stopped(server.process.child.pid, threads) as stopped:
            self.assertGreaterEqual(len(stopped.threads), 5)
            before = time.monotonic()
            self.assertGreaterEqual(len(self.tasks(server)), 200)
            self.assertLess(time.monotonic() - before, 5)
            self.assertIn("goroutine profile: total", self.read(server, "/debug/pprof/goroutine?debug=1").decode())

            def told(line):
                event = json_line(line)
                ours = event and event.get("event.action") == "task.stalled" and event["vesper.owner"].startswith("vesper/shard0")
                return event if ours else None
            event = server.process.wait_for(told)
            self.assertEqual((event["vesper.task"], event["vesper.waits"], event["vesper.thread"]), ("sweep", "clock.sleep", "shard0"))
            self.assertGreaterEqual(event["vesper.late_ms"], 1000)
            variables = json.loads(self.read(server, "/debug/vars"))
            self.assertGreaterEqual(variables["tasks"]["stalled"], 1)
            self.assertGreater(max(s["since_turn_seconds"] for s in variables["shards"]), 1)
            self.assertRegex(self.read(server, "/metrics").decode(), r"(?m)^vesper_tasks_stalled [1-9]")
        self.assertEqual(server.submit(diary()).status, 201)
        eventually(lambda: json.loads(self.read(server, "/debug/vars"))["tasks"]["stalled"] == 0, what="no stall any more")
        for connection in held:
            connection.close()


if __name__ == "__main__":
    unittest.main()
