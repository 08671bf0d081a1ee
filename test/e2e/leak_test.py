"""Nothing is left behind: after many diaries for a dead destination, and after many clients that left in mid request.

VESPER_LEAK_REQUESTS and VESPER_LEAK_CLIENTS say how many; `./dev test --all` runs 100,000 and 10,000.
"""
import json, os, random, socket, struct, unittest, uuid

from harness import diary, eventually, request, token
from raw import Case, post

REQUESTS = int(os.environ.get("VESPER_LEAK_REQUESTS", 3000))
CLIENTS = int(os.environ.get("VESPER_LEAK_CLIENTS", 300))
SEED = int(os.environ.get("VESPER_LEAK_SEED", 20261120))
MEMORY_SLACK = 48 << 20  # read-ahead of what is owed, and the caches of SQLite


def figures(server):
    return json.loads(request(server.admin, "GET", "/debug/vars").body)


def intake_tasks(variables):
    return sum(row["live"] for path, row in variables["tasks"]["by_scope"].items() if "/intake" in path)


def left_behind(server, before):
    """What is there now and was not before, by name; an empty dictionary when nothing is."""
    now = figures(server)
    found = {"tasks": intake_tasks(now) - intake_tasks(before),
             "connections": now["queues"]["http.connections"]["depth"] - before["queues"]["http.connections"]["depth"],
             "descriptors": max(0, now["descriptors"] - before["descriptors"] - 80),  # the destination may have its 64
             "entries": now["queues"]["journal.entries"]["depth"], "reads": now["queues"]["journal.reads"]["depth"],
             "buffers": sum(shard["buffers"] for shard in now["shards"]),
             "memory": max(0, now["memstats"]["resident_bytes"] - before["memstats"]["resident_bytes"] - MEMORY_SLACK)}
    return {name: count for name, count in found.items() if count > 0}


def abort(connection):
    """Ends it with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Leaks(Case):
    def nothing_left(self, server, before, seconds=20):
        try:
            eventually(lambda: not left_behind(server, before), seconds)
        except AssertionError:
            raise AssertionError(f"left behind: {left_behind(server, before)}") from None

    def send_diaries(self, server, count):
        bearer, taken = token(), 0
        body = json.dumps(diary(submission="X" * 36)).encode()
        with socket.create_connection(server.intake.split(":")) as connection:
            reader = connection.makefile("rb")
            while taken < count:
                batch = min(32, count - taken)
                connection.sendall(b"".join(post(body.replace(b"X" * 36, str(uuid.uuid4()).encode()), bearer) for _ in range(batch)))
                for _ in range(batch):
                    self.assertIn(b" 201 ", reader.readline())
                    length = 0
                    while (line := reader.readline()) != b"\r\n":
                        if line.lower().startswith(b"content-length:"):
                            length = int(line.split(b":")[1])
                    reader.read(length)
                taken += batch

    def leave(self, server, count):
        chance = random.Random(SEED)
        for _ in range(count):
            whole = post(diary())
            connection = socket.create_connection(server.intake.split(":"))
            connection.sendall(whole[:chance.randrange(1, len(whole) + 1)])
            chance.choice([abort, socket.socket.close])(connection)

    def test_diaries_for_a_dead_destination_leave_nothing(self):
        server = self.server(upstream="http://127.0.0.1:9")
        self.send_diaries(server, 500)  # caches and pools are filled once
        before = figures(server)
        self.send_diaries(server, REQUESTS)
        self.nothing_left(server, before)

    def test_clients_that_leave_in_mid_request_leave_nothing(self):
        server = self.server()
        self.send_diaries(server, 100)
        before = figures(server)
        self.leave(server, CLIENTS)
        self.nothing_left(server, before)
        self.send_diaries(server, 100)

    def test_a_planted_leak_is_caught(self):
        server = self.server()
        self.send_diaries(server, 100)
        before = figures(server)
        planted = [socket.create_connection(server.intake.split(":")) for _ in range(3)]
        for connection in planted:
            connection.sendall(b"POST /patient/data HTTP/1.1\r\n")
        eventually(lambda: "tasks" in left_behind(server, before), what="the leak")
        with self.assertRaises(AssertionError):
            self.nothing_left(server, before, seconds=0.5)
        for connection in planted:
            connection.close()
        self.nothing_left(server, before)


class Leaving(Case):
    """One diary a second is committed: what is queued behind it can be taken back, what is in the group cannot."""

    def test_a_client_that_leaves_takes_back_what_is_queued_and_not_what_is_committed(self):
        server = self.server(start=False, config="")
        text = server.config.read_text()
        server.config.write_text(text.replace('url = "sqlite:data/vesper.db"\n', 'url = "sqlite:data/vesper.db"\npace_per_s = 1\n'))
        server.start()
        self.assertEqual(server.publish().status, 201)

        def send(submission):
            connection = socket.create_connection(server.intake.split(":"))
            connection.sendall(post(diary(submission=submission), token()))
            return connection

        def serving():
            text = request(server.admin, "GET", "/debug/pprof/goroutine?debug=2").body.decode()
            return text.count("waits: journal.commit")
        committing, queued, patient = (str(uuid.uuid4()) for _ in range(3))
        first = send(committing)
        eventually(lambda: serving() == 1 and figures(server)["queues"]["journal.entries"]["depth"] == 0)
        second, third = send(queued), send(patient)
        eventually(lambda: serving() == 3)
        abort(second)
        abort(first)
        self.assertIn(b" 201 ", third.recv(65536))
        third.close()
        statuses = {name: request(server.intake, "GET", f"/patient/data/{name}", bearer=token()).status
                    for name in (committing, queued, patient)}
        self.assertEqual(statuses, {committing: 200, queued: 404, patient: 200})
        eventually(lambda: serving() == 0)


if __name__ == "__main__":
    unittest.main()
