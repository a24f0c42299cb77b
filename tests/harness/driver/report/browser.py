"""Chromium without a window, by the DevTools protocol over two pipes: no port, no library."""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


class Trouble(Exception):
    """The browser did not do what it was asked."""


class Browser:
    """One page. What goes wrong in it is collected in `errors`."""

    def __init__(self, command, timeout=60):
        self.timeout = timeout
        self.errors = []
        self.requests = []
        self.number = 0
        self.rest = b""
        self.profile = tempfile.mkdtemp(prefix="heddle-browser-")
        to_read, self.to = os.pipe()
        self.from_, to_write = os.pipe()

        def descriptors():  # the browser reads 3 and writes 4
            read, write = os.dup(to_read), os.dup(to_write)
            os.dup2(read, 3)
            os.dup2(write, 4)

        self.process = subprocess.Popen(
            [command, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-extensions", "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
             "--renderer-process-limit=1", f"--user-data-dir={self.profile}", "--remote-debugging-pipe", "about:blank"],
            pass_fds=(3, 4), close_fds=True, preexec_fn=descriptors, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        pages = [t for t in self.call("Target.getTargets", session=None)["targetInfos"] if t["type"] == "page"]
        self.session = self.call("Target.attachToTarget", {"targetId": pages[0]["targetId"], "flatten": True},
                                 session=None)["sessionId"]
        for domain in "Runtime", "Page", "Log", "Network":
            self.call(domain + ".enable")

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def receive(self, until):
        while b"\0" not in self.rest:
            if not select.select([self.from_], [], [], max(0, until - time.monotonic()))[0]:
                raise Trouble("the browser does not answer")
            more = os.read(self.from_, 1 << 20)
            if not more:
                raise Trouble("the browser has ended")
            self.rest += more
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def note(self, event):
        method, what = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = what["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and what["type"] in ("error", "warning", "assert"):
            self.errors.append(" ".join(str(a.get("value", a.get("description"))) for a in what["args"]))
        elif method == "Log.entryAdded" and what["entry"]["level"] in ("error", "warning"):
            self.errors.append(what["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(what["request"]["url"])
        elif method == "Page.javascriptDialogOpening":
            self.errors.append("a dialog: " + what["message"])
        return method

    def call(self, method, params=None, session="mine"):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params or {}}
        if session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + self.timeout
        while True:
            answer = self.receive(until)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise Trouble(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.note(answer)

    def open(self, path):
        self.call("Page.navigate", {"url": "file://" + os.path.abspath(path)})
        until = time.monotonic() + self.timeout
        while self.note(self.receive(until)) != "Page.loadEventFired":
            pass

    def run(self, script):
        """The value of an expression in the page, awaited."""
        result = self.call("Runtime.evaluate", {"expression": script, "awaitPromise": True, "returnByValue": True})
        if "exceptionDetails" in result:
            raise Trouble(f"{script}: {result['exceptionDetails'].get('exception', {}).get('description')}")
        return result["result"].get("value")

    def wait(self, script):
        until = time.monotonic() + self.timeout
        while not self.run(script):
            if time.monotonic() > until:
                raise Trouble(f"never true: {script}")
            time.sleep(0.05)

    def key(self, key):
        text = key if len(key) == 1 else None
        for kind in "keyDown", "keyUp":
            self.call("Input.dispatchKeyEvent", {"type": kind, "key": key, **({"text": text} if text and kind == "keyDown" else {})})

    def click(self, x, y):
        for kind in "mousePressed", "mouseReleased":
            self.call("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1})

    def look(self, width, height, dark=False, scale=1):
        self.call("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False})
        self.call("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def picture(self, path, whole=False):
        image = self.call("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": whole})
        with open(path, "wb") as file:
            file.write(base64.b64decode(image["data"]))
