"""The lab the tests run against, started by tests/sdk/run, and an application with webhooks and sockets.

Decides how the lab is reached and what the application keeps; what is asked of Microsoft's SDK is the tests' matter.
"""

import base64
import hashlib
import json
import math
import os
import socket
import ssl
import struct
import threading
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

import jwt

SOON = 20
"""Seconds for whatever should happen at once, with room for a busy machine."""

with open(os.environ["DREIKLANG_LAB_SETUP"], encoding="utf-8") as file:
    SETUP = json.load(file)
ENDPOINT, CA = SETUP["endpoint"], SETUP["caFile"]
NUMBER = SETUP["resourceAccounts"][0]["number"]
ACCOUNT = SETUP["resourceAccounts"][0]["id"]
TRUST = ssl.create_default_context(cafile=CA)

_resolve = socket.getaddrinfo


def _resolve_here(host, *args, **kwargs):
    """Recordings lie at a host of Microsoft's as far as the SDK knows; here it is this machine, in this process alone."""
    return _resolve("127.0.0.1" if str(host).endswith(".asm.skype.com") else host, *args, **kwargs)


socket.getaddrinfo = _resolve_here


def ask(method, path, body=None, headers=None, data=None):
    """Asks the lab itself (or whatever needs no SDK); the answer's body."""
    data = data if data is not None else None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(ENDPOINT + path, data=data, method=method, headers=headers or {})
    with urllib.request.urlopen(request, context=TRUST, timeout=150) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def entra_token(scope, user=None):
    """A token of a user (the first one) for the desks' application."""
    user = user or SETUP["users"][0]
    form = {"grant_type": "password", "client_id": SETUP["deskClientId"], "username": user["userPrincipalName"],
            "password": user["password"], "scope": scope}
    data = "&".join(f"{name}={quote(value, safe='')}" for name, value in form.items()).encode()
    return ask("POST", f"/{SETUP['tenantId']}/oauth2/v2.0/token", data=data)["access_token"]


class Person:
    """Somebody in the lab."""

    def __init__(self, who):
        self.who = who

    def act(self, action, **body):
        return ask("POST", f"/lab/api/people/{quote(self.who, safe='')}/{action}", body)

    @property
    def state(self):
        return ask("GET", f"/lab/api/people/{quote(self.who, safe='')}")["state"]

    def wait(self, stage):
        self.act("wait", stage=stage, withinMs=SOON * 1000)

    def hears(self, *tones, of=(440, 600, 660, 720, 1000)):
        """Waits until just these tones are heard; an error when they are not."""
        query = f"tones={','.join(map(str, of))}&wanted={','.join(map(str, tones))}&withinMs={SOON * 1000}"
        ask("GET", f"/lab/api/people/{quote(self.who, safe='')}/hears?{query}")


def caller(tone=440, **manner):
    """A new telephone; its number and its person."""
    number = f"+4915{uuid.uuid4().int % 10**9:09}"
    ask("POST", "/lab/api/people", {"number": number, "toneHz": tone, "manner": manner})
    return number, Person(number)


def tone_wav(hz=1000, seconds=1.0):
    """A prompt as the service wants it: WAV, mono, 16 bit, 16 kHz."""
    count = int(16000 * seconds)
    samples = struct.pack(f"<{count}h", *(int(6000 * math.sin(2 * math.pi * hz * index / 16000)) for index in range(count)))
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(samples), b"WAVE", b"fmt ", 16, 1, 1, 16000, 32000, 2, 16, b"data", len(samples))
    return head + samples


class Application:
    """Takes events, callbacks and sockets; serves a prompt. Tokens of callbacks are checked as Microsoft's page says."""

    def __init__(self):
        self.told, self.grid, self.frames, self.problems = [], [], [], []
        self.changed = threading.Condition()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"application": self}))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.socket_url = self.url.replace("http", "ws")
        configuration = ask("GET", "/calling/.well-known/acsopenidconfiguration")
        self.issuer, self.keys = configuration["issuer"], jwt.PyJWKClient(configuration["jwks_uri"], ssl_context=TRUST)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.subscription = ask("POST", "/lab/api/subscriptions", {"url": self.url + "/events"})

    def close(self):
        ask("DELETE", f"/lab/api/subscriptions/{self.subscription['id']}")
        self.server.shutdown()
        self.server.server_close()

    def wait(self, what, look):
        """Waits until `look` finds something."""
        with self.changed:
            found = self.changed.wait_for(look, SOON)
        if self.problems:
            raise AssertionError(self.problems)
        if not found:
            raise AssertionError(f"waited for {what}; told {[(event['type'], event['data']) for event in self.told[-6:]]}")
        return found

    def event(self, kind, connection=None, **fields):
        """The data of a callback of this kind with these fields."""
        def look():
            for event in self.told:
                data = event["data"]
                if event["type"] == f"Microsoft.Communication.{kind}" and connection in (None, data["callConnectionId"]):
                    if all(data.get(name) == value for name, value in fields.items()):
                        return data
            return None
        return self.wait(f"{kind} {fields}", look)

    def incoming(self, number):
        """The call of this caller."""
        def look():
            for event in self.grid:
                if event["eventType"].endswith(".IncomingCall") and event["data"]["from"]["rawId"] == f"4:{number}":
                    return event["data"]
            return None
        return self.wait("an incoming call", look)

    def keep(self, where, things):
        with self.changed:
            where.extend(things)
            self.changed.notify_all()

    def take_callback(self, headers, events):
        try:
            token = headers["Authorization"].removeprefix("Bearer ")
            key = self.keys.get_signing_key_from_jwt(token).key
            jwt.decode(token, key, algorithms=["RS256"], audience=SETUP["resourceId"], issuer=self.issuer)
        except Exception as problem:  # any problem at all fails the test that waits
            self.problems.append(problem)
        self.keep(self.told, events)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    application = None

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", content_type="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        events = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers.get("aeg-event-type") == "SubscriptionValidation":
            self.answer(200, json.dumps({"validationResponse": events[0]["data"]["validationCode"]}).encode())
        elif self.path == "/events":
            self.application.keep(self.application.grid, events)
            self.answer(200)
        else:
            self.application.take_callback(self.headers, events)
            self.answer(202)

    def do_GET(self):
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self.serve_socket()
        else:
            self.answer(200, tone_wav(), "audio/wav")

    def serve_socket(self):
        """As much of RFC 6455 as the lab's frames need."""
        accept = hashlib.sha1((self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(accept).decode())
        self.end_headers()
        self.close_connection = True
        while head := self.rfile.read(2):
            length = head[1] & 127
            if length > 125:
                length = int.from_bytes(self.rfile.read(2 if length == 126 else 8), "big")
            mask = self.rfile.read(4)
            payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(self.rfile.read(length)))
            if head[0] & 15 == 8:
                return
            self.application.keep(self.application.frames, [json.loads(payload)])
