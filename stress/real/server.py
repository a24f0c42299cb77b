# A web server on a free port of this machine, whose number it prints; a thread for each connection.
import http.server


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        page = b"x" * 5000
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("", 0), Page)
print(server.server_address[1], flush=True)
server.serve_forever()
