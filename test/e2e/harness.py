"""What the end-to-end tests share: a real `vesper serve`, a real stand-in data platform, tokens, requests.

Every process binds port 0, lives in a folder of its own and is ended by stop(); only loopback is touched.
"""
import atexit, base64, hashlib, hmac, http.client, json, os, pathlib, queue, signal, subprocess, tempfile, threading, time, uuid

SOURCE = pathlib.Path(os.environ.get("VESPER_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("VESPER_BUILD", SOURCE / "build" / "dev"))
ISSUER = "https://id.example"
SECRET = hashlib.sha256(b"vesper end-to-end tests").digest()


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(subject="S-000123", trial="EVENING-01", scope="patient", secret=SECRET, kid="test", **claims):
    head = {"alg": "HS256", "typ": "JWT", "kid": kid}
    body = {"iss": ISSUER, "aud": "vesper", "sub": subject, "trial": trial, "scope": scope,
            "exp": int(time.time()) + 3600, **claims}
    signed = b64(json.dumps(head).encode()) + "." + b64(json.dumps(body).encode())
    return signed + "." + b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())


def diary(subject="S-000123", trial="EVENING-01", submission=None, **answers):
    return {"submissionId": submission or str(uuid.uuid4()), "trialId": trial, "subjectId": subject,
            "form": "evening-diary", "formVersion": "3", "authored": "2026-11-20T20:14:05+08:00",
            "answers": {"pain-nrs": 4, "fatigue": "moderate", "slept-hours": 6.5,
                        "took-medication": True, **answers}}


class Process:
    """A child that prints JSON lines on stdout; they are kept in `lines`."""

    def __init__(self, arguments, env=None, cwd=None):
        self.lines, self._queue = [], queue.Queue()
        self.child = subprocess.Popen([str(a) for a in arguments], stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True, cwd=cwd,
                                      env={**os.environ, **(env or {})})
        atexit.register(self.child.kill)  # also when the test itself is cut short
        self.errors = []
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=lambda: self.errors.extend(self.child.stderr), daemon=True).start()

    def _read(self):
        for line in self.child.stdout:
            self.lines.append(line)
            self._queue.put(line)
        self._queue.put(None)

    def wait_for(self, found, seconds=30):
        """The first line for which found(line) gives something; its result."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self._queue.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no such line within {seconds} s; stderr: {''.join(self.errors)}")
            if line is None:
                self.child.wait()
                raise AssertionError(f"ended with {self.child.returncode}: {''.join(self.lines[-5:])}{''.join(self.errors)}")
            result = found(line)
            if result:
                return result

    def kill(self):
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()

    def stop(self, seconds=15):
        if self.child.poll() is None:
            self.child.terminate()
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"did not stop within {seconds} s")


def json_line(line):
    try:
        return json.loads(line)
    except ValueError:
        return None


class Server:
    """`vesper serve` in a folder of its own; the folder outlives restarts of the process."""

    def __init__(self, upstream=None, config="", build=BUILD, scopes=("patient", "site", "service", "trial-admin", "ops")):
        self._folder = tempfile.TemporaryDirectory(prefix="vesper-e2e-")
        self.folder = pathlib.Path(self._folder.name)
        self.build = build
        keys = self.folder / "keys.json"
        keys.write_text(json.dumps({"keys": [{"kty": "oct", "kid": "test", "alg": "HS256", "use": "sig", "k": b64(SECRET)}]}))
        keys.chmod(0o600)
        destinations = {"default": upstream or "http://127.0.0.1:9"} if not isinstance(upstream, dict) else upstream
        self.config = self.folder / "vesper.toml"
        self.config.write_text(
            '[intake]\nlisten = "127.0.0.1:0"\n[admin]\nlisten = "127.0.0.1:0"\n'
            '[journal]\nurl = "sqlite:data/vesper.db"\n'
            f'[[access.issuer]]\nissuer = "{ISSUER}"\naudience = "vesper"\njwks = "keys.json"\nscopes = {json.dumps(list(scopes))}\n'
            + "".join(f'[upstream.{name}]\nurl = "{url}"\n' for name, url in destinations.items()) + config)
        self.process = None

    def start(self, env=None, seconds=30):
        self.process = Process([self.build / "vesper", "serve", "--config", self.config], env=env)

        def listening(line):
            event = json_line(line)
            return event if event and event.get("event.action") == "listening" else None
        event = self.process.wait_for(listening, seconds)
        self.intake = event["intake"].split("//")[1].rstrip("/")
        self.admin = event["admin"].split("//")[1].rstrip("/")
        return self

    def kill(self):
        self.process.kill()

    def stop(self):
        return self.process.stop() if self.process else 0

    def close(self):
        if self.process and self.process.child.poll() is None:
            self.process.kill()
        self._folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def publish(self, document=None, **headers):
        document = document or json.loads((SOURCE / "deploy/demo/trial.json").read_text())
        admin = token(subject="admin-1", trial=document["id"], scope="trial-admin")
        return request(self.intake, "PUT", f"/trials/{document['id']}", json.dumps(document), bearer=admin,
                       headers={"Content-Type": "application/json", **({"If-None-Match": "*"} if not headers else headers)})

    def submit(self, body, bearer=None, **headers):
        data = body if isinstance(body, (bytes, str)) else json.dumps(body)
        subject = body["subjectId"] if isinstance(body, dict) else "S-000123"
        trial = body["trialId"] if isinstance(body, dict) else "EVENING-01"
        return request(self.intake, "POST", "/patient/data", data, bearer=bearer or token(subject, trial),
                       headers={"Content-Type": "application/json", **headers})


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {dict(self.headers)} {self.body[:600]!r}"


def request(address, method, path, body=None, bearer=None, headers=None, timeout=20):
    connection = http.client.HTTPConnection(address, timeout=timeout)
    try:
        sent = dict(headers or {})
        if bearer:
            sent["Authorization"] = f"Bearer {bearer}"
        connection.request(method, path, body=body.encode() if isinstance(body, str) else body, headers=sent)
        reply = connection.getresponse()
        return Reply(reply.status, reply.headers, reply.read())
    finally:
        connection.close()


def eventually(probe, seconds=20, what="condition"):
    """Polls until probe() gives something true; a bound on waiting, never a measurement."""
    end = time.monotonic() + seconds
    while True:
        result = probe()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come about within {seconds} s")
        time.sleep(0.02)
