"""The stand-in data platform (tools/standin), started on a free port. A fake, for the faults it can be told to make."""
import json, re

from harness import BUILD, Process, request


class Standin:
    def __init__(self, quiet=False, core=None, ledger=None):
        command = ["taskset", "-c", str(core)] if core is not None else []
        command += [BUILD / "vesper-standin", "--listen", "127.0.0.1:0"]
        command += ["--quiet-count"] if quiet else []
        command += ["--ledger", ledger] if ledger else []
        self.command = command

    def __enter__(self):
        self.process = Process(self.command)
        self.address = self.process.wait_for(lambda line: re.search(r"on http://(\S+)", line))[1]
        self.url = "http://" + self.address
        return self

    def __exit__(self, *_):
        self.process.kill()

    def count(self):
        """Deliveries applied, each key once."""
        return request(self.address, "GET", "/count").json()["applied"]

    def control(self, **behaviour):
        reply = request(self.address, "POST", "/control", json.dumps(behaviour), headers={"Content-Type": "application/json"})
        assert reply.status == 200, reply

    def ledger(self):
        body = request(self.address, "GET", "/ledger", timeout=60).body.decode()
        return [json.loads(line) for line in body.splitlines() if line]

    def effects(self):
        """Delivery id -> how often it was applied."""
        effects = {}
        for line in self.ledger():
            if line["outcome"] == "applied":
                effects[line["key"]] = effects.get(line["key"], 0) + 1
        return effects

    def order(self):
        """Delivery ids in the order in which they were applied."""
        return [line["key"] for line in self.ledger() if line["outcome"] == "applied"]
