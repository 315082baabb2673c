"""A server that speaks the hub's protocol: model information, files at `resolve`, large ones behind a redirect, ranges.

It can be told to misbehave. Knows nothing of checkpoints: it serves what it is given.
"""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 3000
"""Bytes from which files are kept with their SHA-256, as the hub keeps what is stored in LFS."""


def digest(data):
    if len(data) >= LARGE:
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class HubServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repos = {}
        """Files of each repository, by name."""
        self.licences = {}
        self.commit = COMMIT
        self.asked = []
        """Method, path and range of every request."""
        self.cut_after = None
        """Bytes of a file after which a connection is closed; None: never."""
        self.cuts = 0
        """Connections that are still to be cut."""
        self.digests = {}
        """What is said of a file, by name, in the place of its digest."""
        self.wrong = set()
        """Names of files whose bytes are turned on the way."""
        self.knows_ranges = True
        self.refusals = {}
        """Status and X-Error-Code by repository."""
        self.busy = 0
        """Requests of files that are still to be answered with 503."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def fetched(self):
        """Names of files that were asked for."""
        return {path.rsplit("/", 1)[1] for _, path, _ in self.asked if "/resolve/" in path}

    def served(self):
        """Ranges that large files were asked for with, None for whole ones."""
        return [rng for _, path, rng in self.asked if path.startswith("/lfs/")]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body):
        path = self.path.partition("?")[0]
        self.server.asked.append((self.command, path, self.headers.get("Range")))
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            self.info("/".join(parts[2:4]), parts[5] if len(parts) > 5 else "main")
        elif parts[0] == "lfs":
            self.content("/".join(parts[1:3]), parts[3], body)
        elif "resolve" in parts:
            self.resolve("/".join(parts[:2]), parts[3], parts[4], body)
        else:  # what huggingface_hub asks beside
            self.refuse(404, "")

    def info(self, repo, revision):
        if self.refused(repo):
            return
        if revision not in ("main", self.server.commit):
            self.refuse(404, "RevisionNotFound")
            return
        siblings = []
        for name, data in self.server.repos[repo].items():
            sibling = {"rfilename": name, "size": len(data)}
            sibling["blobId"] = self.server.digests.get(name, digest(data))
            if len(data) >= LARGE:
                sibling["lfs"] = {"size": len(data), "sha256": digest(data), "pointerSize": 130}
            siblings.append(sibling)
        table = {"id": repo, "modelId": repo, "sha": self.server.commit, "siblings": siblings, "tags": []}
        if repo in self.server.licences:
            table["cardData"] = {"license": self.server.licences[repo]}
        self.send(200, json.dumps(table).encode(), {"Content-Type": "application/json"})

    def resolve(self, repo, revision, name, body):
        if self.refused(repo):
            return
        data = self.server.repos[repo].get(name)
        if data is None or revision not in ("main", self.server.commit):
            self.refuse(404, "EntryNotFound")
            return
        if len(data) >= LARGE:
            headers = {
                "Location": f"{self.server.url}/lfs/{repo}/{name}",
                "X-Linked-Etag": f'"{digest(data)}"',
                "X-Linked-Size": str(len(data)),
                "X-Repo-Commit": self.server.commit,
            }
            self.send(302, b"", headers)
            return
        self.content(repo, name, body)

    def content(self, repo, name, body):
        if self.server.busy:
            self.server.busy -= 1
            self.refuse(503, "")
            return
        data = self.server.repos[repo][name]
        headers = {"ETag": f'"{digest(data)}"', "X-Repo-Commit": self.server.commit}
        if name in self.server.wrong:
            data = data[:-1] + bytes([data[-1] ^ 1])
        status, asked = 200, self.headers.get("Range")
        if asked and self.server.knows_ranges:
            first = int(asked.removeprefix("bytes=").partition("-")[0])
            headers["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
            status, data = 206, data[first:]
        cut = self.server.cut_after
        if cut is not None and self.server.cuts and cut < len(data):
            self.server.cuts -= 1
            self.send(status, data, headers, only=cut)
            self.close_connection = True
            return
        self.send(status, data if body else b"", headers | {"Content-Length": str(len(data))})

    def refused(self, repo):
        if repo in self.server.refusals:
            self.refuse(*self.server.refusals[repo])
        elif repo not in self.server.repos:
            self.refuse(401, "RepoNotFound")
        else:
            return False
        return True

    def refuse(self, status, code):
        self.send(status, b"{}", {"X-Error-Code": code, "X-Error-Message": "no"})

    def send(self, status, data, headers, only=None):
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(data))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data if only is None else data[:only])


def serve():
    """A running server; `shutdown` and `server_close` end it."""
    server = HubServer()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server
