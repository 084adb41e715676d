"""A process that looks to the runner like a service: answers `/readyz`, and dies at once when its settings say so."""

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Ready(BaseHTTPRequestHandler):
    """Always ready."""

    def do_GET(self) -> None:
        """200 to everything."""
        self.send_response(200)
        self.end_headers()


if __name__ == "__main__":
    name = sys.argv[1].upper()
    if os.environ.get("STAND_IN_DIES"):  # noqa: TID251 - a process of its own, it has no settings
        sys.exit("told to die")
    address = os.environ[f"{name}_HTTP_HOST"], int(os.environ[f"{name}_HTTP_PORT"])  # noqa: TID251 - as above
    HTTPServer(address, Ready).serve_forever()
