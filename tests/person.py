"""A kernel with a person before it, without a browser: what a front end sends and receives, spoken directly."""
import os
import time

from jupyter_client.manager import start_new_kernel


class Kernel:
    """A kernel and the client of a person who moves controls, by the messages that a browser would send."""

    def __init__(self, folder=None, **environment):
        """A kernel that works in the folder (a path; None: in this process's) with more variables of environment."""
        path = os.pathsep.join([os.getcwd(), os.path.dirname(__file__)])
        self.manager, self.client = start_new_kernel(env=os.environ | {"PYTHONPATH": path} | environment, cwd=folder)
        self.models = {}  # comm id: state

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def run(self, code):
        """Executes the cell as a front end with a person does; the bundle of its result, or its error's text."""
        request = self.client.execute(code, allow_stdin=True)
        found = {}
        while True:
            message = self.next()
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            if message["msg_type"] == "error":
                found = {"error": f"{content['ename']}: {content['evalue']}"}
            found = content["data"] if message["msg_type"] == "execute_result" else found
            if message["msg_type"] == "status" and content["execution_state"] == "idle":
                return found

    def next(self, timeout=20):
        """The next message; what it tells of widgets is noted in `models`."""
        message = self.client.get_iopub_msg(timeout=timeout)
        content = message["content"]
        if message["msg_type"] in ("comm_open", "comm_msg") and "state" in content["data"]:
            self.models.setdefault(content["comm_id"], {}).update(content["data"]["state"])
        return message

    def model(self, **wanted):
        """The comm id of the newest widget whose state holds these."""
        return [key for key, state in self.models.items() if wanted.items() <= state.items()][-1]

    def set(self, model, **state):
        content = {"comm_id": model, "data": {"method": "update", "state": state, "buffer_paths": []}}
        self.client.shell_channel.send(self.client.session.msg("comm_msg", content))

    def press(self, model):
        """A button, as a click or Enter does."""
        content = {"comm_id": model, "data": {"method": "custom", "content": {"event": "click"}}}
        self.client.shell_channel.send(self.client.session.msg("comm_msg", content))

    def pictures(self, until, seconds=20):
        """The pictures that arrive, up to one for which until(html) holds, as (time, html)."""
        seen, deadline = [], time.monotonic() + seconds
        while time.monotonic() < deadline:
            content = self.next()["content"]
            html = content.get("data", {}).get("state", {}).get("value", "") if "comm_id" in content else ""
            if isinstance(html, str) and "aspect-ratio" in html:
                seen.append((time.monotonic(), html))
                if until(html):
                    return seen
        raise AssertionError(f"{len(seen)} pictures, but not the one waited for")
