"""formgrader as a person uses it: the real Jupyter server in a course folder, and its pages in Chromium."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page

from tests.browser import PATIENCE_MS
from tests.nbgrader_courses import BIN
from tests.notebooks import NAME

TOKEN = "of-this-test-alone"
# What comes with Jupyter and takes a second each to start; nbgrader's own extensions stay.
OTHERS = ("jupyterlab", "jupyter_lsp", "jupyter_server_terminals", "notebook", "notebook_shim")
LOADED = "window.formgrader?.grades?.loaded && window.formgrader?.comments?.loaded"


@contextmanager
def manual_grading(course: Path, browser: Browser) -> Iterator[Page]:
    """Start the server in a course folder and open the list of submissions, with the students' names."""
    with _server(course) as url:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=url)
        context.set_default_timeout(PATIENCE_MS)
        context.route(lambda asked: not asked.startswith(url), lambda route: route.abort())  # MathJax, from elsewhere
        page = context.new_page()
        page.goto(f"/login?token={TOKEN}&next=/formgrader/gradebook/{NAME}/{NAME}")
        page.locator("tbody a").first.wait_for()  # the button shows the names of the rows that are there
        page.get_by_role("button", name="Show All Names").click()
        yield page
        context.close()


def open_submission(page: Page, student: str) -> None:
    """Click a student's name in the list and wait until the marks are there."""
    page.get_by_role("link", name=student, exact=True).click()
    page.wait_for_function(LOADED)


def enter(page: Page, field: str, text: str) -> None:
    """Type into a field of a submission's page and leave it, which saves it."""
    page.locator(f"#{field}").fill(text)
    with page.expect_response(lambda response: response.request.method == "PUT") as saved:
        page.locator(f"#{field}").press("Tab")
    assert saved.value.ok


def _wait_for(server: subprocess.Popen[str], host: str, port: int) -> None:
    """Wait until the server listens, which it does a moment after it says so."""
    while server.poll() is None:
        try:
            socket.create_connection((host, port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("the server ended")


@contextmanager
def _server(course: Path) -> Iterator[str]:
    off = dict.fromkeys(OTHERS, False)
    command = [
        str(BIN / "jupyter-server"), "--allow-root", "--no-browser", "--ip=127.0.0.1", "--port=0",
        f"--IdentityProvider.token={TOKEN}", f"--ServerApp.jpserver_extensions={off}",
    ]  # fmt: skip
    environment = {"PATH": os.defpath, "HOME": str(course / "home"), "LANG": "C.UTF-8"}
    with subprocess.Popen(command, cwd=course, env=environment, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        said: list[str] = []
        reader = threading.Thread(target=said.extend, args=(server.stderr,))  # or the server would wait for us
        try:
            for line in server.stderr:
                said.append(line)
                if "?token=" in line:
                    break
            else:
                raise AssertionError("the server did not start:\n" + "".join(said))
            reader.start()
            url = urlsplit(line.split()[-1])
            _wait_for(server, url.hostname or "", url.port or 0)
            yield f"{url.scheme}://{url.netloc}"
        finally:
            server.kill()  # there is nothing to save: it has no kernels
            if reader.is_alive():
                reader.join()
