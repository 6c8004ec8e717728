"""A web server on this machine that misbehaves as it is told."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """Serves each path by a function of the request's handler; counts the requests.

    `release` lets stalled answers go on; `half_sent` is set once half of a stalled body is out.
    """

    def __init__(self):
        self.answers, self.requests = {}, []
        self.release, self.half_sent = threading.Event(), threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.requests.append(self.path)
                with contextlib.suppress(
                    BrokenPipeError, ConnectionResetError
                ):  # the client went away, or was killed
                    server.answers.get(self.path, status(404))(self)

            def log_message(self, *arguments):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.release.set()
        self.http.shutdown()
        self.http.server_close()

    def url(self, path, answer=None):
        """The address of a path, answered so."""
        if answer:
            self.answers[path] = answer
        return f"http://127.0.0.1:{self.http.server_address[1]}{path}"

    def silence(self, handler):
        """No answer at all until the release."""
        self.release.wait(30)

    def stall(self, content):
        """Half of the content, then nothing until the release."""

        def answer(handler):
            head(handler, len(content))
            handler.wfile.write(content[: len(content) // 2])
            handler.wfile.flush()
            self.half_sent.set()
            self.release.wait(30)
            handler.wfile.write(content[len(content) // 2 :])

        return answer


def head(handler, length=None):
    handler.send_response(200)
    if length is not None:
        handler.send_header("Content-Length", str(length))
    handler.end_headers()


def body(content):
    """The whole content."""

    def answer(handler):
        head(handler, len(content))
        handler.wfile.write(content)

    return answer


def truncated(content):
    """Says the whole length, sends half, hangs up."""

    def answer(handler):
        head(handler, len(content))
        handler.wfile.write(content[: len(content) // 2])

    return answer


def endless(handler):
    """Says no length, and sends until the client goes away."""
    head(handler)
    for _ in range(10_000):
        handler.wfile.write(bytes(10_000))


def status(code):
    return lambda handler: handler.send_error(code)


def redirect(address):
    def answer(handler):
        handler.send_response(302)
        handler.send_header("Location", address)
        handler.end_headers()

    return answer
