"""A data platform dies, hangs, slows down or turns away, and heals: the backlog flows again.

Method: the stand-in plays the illness while diaries come in; the time from its healing to the last delivery is measured and
printed. That it is 2 s at most is asserted on virtual time, in src/flows/deliver/protection_test.cpp; here only that it comes about.
"""
import sys, time, unittest

from delivery_test import Delivery, outbox
from harness import eventually, request
from standin import Standin

PATIENTS = 60


class Recovery(Delivery):
    settings = "deadline_ms = 1000\n"

    def destination(self, server):
        return outbox(server)["destinations"][0]

    def falls_ill_and_heals(self, name, platform, ill, heal):
        server = self.open(platform.url)
        self.arrives(server, self.send(server))
        ill()
        for n in range(PATIENTS):
            self.send(server, f"S-{n}")
        eventually(lambda: self.destination(server)["breaker"] != "closed", 15, f"an open breaker ({name})")
        self.assertIn(self.destination(server)["breakerCause"], ("faults", "slow", "stalled"))
        self.assertIsNotNone(self.destination(server)["breakerSince"])
        metrics = request(server.admin, "GET", "/metrics").body.decode()
        self.assertIn('vesper_relay_breaker_state{destination="default",state="closed"} 0', metrics)
        heal()
        began = time.monotonic()
        eventually(lambda: self.destination(server)["delivered"] == PATIENTS + 1, 30, f"delivery of all ({name})")
        print(f"  {name}: all {PATIENTS} delivered {time.monotonic() - began:.2f} s after healing", file=sys.stderr)
        self.assertEqual(self.destination(server)["breaker"], "closed")
        self.assertEqual(self.destination(server)["parked"], 0)
        lines = "".join(server.process.lines)
        self.assertIn("destination.at_fault", lines)
        self.assertIn("destination.recovered", lines)

    def misbehaves(self, name, **behaviour):
        platform = self.standin()
        self.falls_ill_and_heals(name, platform, lambda: platform.control(next=-1, probability=1, **behaviour),
                                 lambda: platform.control(mode="ok", delay_ms=0, probability=1))

    def test_after_503(self):
        self.misbehaves("503", mode="status", status=503)

    def test_after_hanging(self):
        self.misbehaves("hanging", mode="hang")

    def test_after_being_slow(self):
        self.misbehaves("slow", mode="ok", delay_ms=3000)

    def test_after_being_dead(self):
        platform = self.standin()

        def rise():
            again = Standin()
            again.command[again.command.index("127.0.0.1:0")] = platform.address
            again.__enter__()
            self.addCleanup(again.__exit__)

        self.falls_ill_and_heals("dead", platform, platform.process.kill, rise)


if __name__ == "__main__":
    unittest.main()
