"""kill -9 at random instants under load: nothing acknowledged is lost, each diary takes effect once, in order.

Goal:   promises 1 to 3 on the real binary, a real file system and a real receiver.
Method: every patient sends one diary after another and repeats the same bytes until she has a 201. The server is
        killed at a random instant and started again on the same folder, CYCLES times. At the end every
        acknowledged diary must be readable with the receipt first given, the receiver's ledger must hold it with
        one effect, and per patient in the order in which she sent them. A kill keeps the kernel's page cache, so this proves
        recovery, not fsync: that is the power-loss suite's part.
Usage:  kill_test.py [--cycles N] [--seed N]
"""
import argparse, json, random, socket, sys, threading, time

from harness import Server, diary, eventually, request, token
from standin import Standin


class Patient(threading.Thread):
    def __init__(self, number, server, stop):
        super().__init__(daemon=True)
        self.subject = f"S-{number:06d}"
        self.server, self.stopping = server, stop
        self.acknowledged, self.repeats = [], 0
        self.bearer = token(self.subject)

    def run(self):
        while not self.stopping.is_set():
            body = diary(self.subject, note=f"evening {len(self.acknowledged)}")
            receipt = self.send_until_acknowledged(json.dumps(body).encode())
            if receipt:
                self.acknowledged.append((body["submissionId"], receipt))

    def send_until_acknowledged(self, data):
        connection = None
        while True:
            try:
                host, port = self.server.intake.split(":")
                if connection is None:
                    connection = socket.create_connection((host, int(port)), timeout=5)
                status, body = self.post(connection, data)
                if status == 201:
                    return body
                if status not in (429, 503, 507):
                    raise SystemExit(f"unexpected answer {status}: {body!r}")
            except OSError:
                connection = None
            if self.stopping.is_set():
                return None
            self.repeats += 1
            time.sleep(0.01)

    def post(self, connection, data):
        head = (f"POST /patient/data HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.bearer}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n").encode()
        connection.sendall(head + data)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self.receive(connection)
        head, body = received.split(b"\r\n\r\n", 1)
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
        while len(body) < length:
            body += self.receive(connection)
        return int(head[9:12]), body

    @staticmethod
    def receive(connection):
        part = connection.recv(65536)
        if not part:
            raise ConnectionResetError("closed by the server")
        return part


def run_cycles(server, patients, cycles, rng):
    for cycle in range(cycles):
        time.sleep(rng.uniform(0.02, 0.35))
        server.kill()
        server.start()
        if (cycle + 1) % 20 == 0:
            done = sum(len(p.acknowledged) for p in patients)
            print(f"  {cycle + 1} kills, {done} acknowledged", flush=True)


def check_receipts(server, patients):
    for patient in patients:
        for submission, receipt in patient.acknowledged:
            reply = request(server.intake, "GET", f"/patient/data/{submission}", bearer=patient.bearer)
            assert reply.status == 200, f"acknowledged and lost: {submission} {reply}"
            assert reply.json()["receipt"] == json.loads(receipt), f"another receipt for {submission}"


def check_ledger(platform, patients):
    effects = platform.effects()  # delivery id -> number of effects
    order = platform.order()      # delivery ids by first effect
    place = {delivery: i for i, delivery in enumerate(order)}
    for patient in patients:
        deliveries = [json.loads(receipt)["deliveryId"] for _, receipt in patient.acknowledged]
        for delivery in deliveries:
            assert effects.get(delivery) == 1, f"{delivery} took effect {effects.get(delivery)} times"
        places = [place[d] for d in deliveries]
        assert places == sorted(places), f"{patient.subject}: delivered out of order"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--cycles", type=int, default=12)
    options.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = options.parse_args()
    print(f"seed {options.seed}", flush=True)
    rng = random.Random(options.seed)
    with Standin() as platform, Server(upstream=platform.url) as server:
        server.start()
        assert server.publish().status == 201
        stop = threading.Event()
        patients = [Patient(n, server, stop) for n in range(8)]
        for patient in patients:
            patient.start()
        run_cycles(server, patients, options.cycles, rng)
        stop.set()
        for patient in patients:
            patient.join(10)
        wanted = sum(len(p.acknowledged) for p in patients)
        assert wanted > options.cycles, "the load did not run"
        check_receipts(server, patients)
        eventually(lambda: platform.count() >= wanted, 60, "delivery of every acknowledged diary")
        check_ledger(platform, patients)
        assert server.stop() == 0
        print(f"{options.cycles} kills, {wanted} acknowledged, {sum(p.repeats for p in patients)} repeats, 0 lost, 0 doubled, 0 out of order")


if __name__ == "__main__":
    sys.exit(main())
