"""Rows of several groups that look at files, neighbours and the machine from unusual sides."""

from __future__ import annotations

import io
import json
import zipfile

import nbformat

from tests.battery.row import Row, ema, honest_ema, sampler, statuses, unless_leaked

LOCAL_PORT = 47_811  # the bench listens there, on the machine's own loopback

LOCAL = f"""
import socket
for family, address in (
    (socket.AF_INET, ("127.0.0.1", {LOCAL_PORT})),
    (socket.AF_INET6, ("::1", {LOCAL_PORT})),
    (socket.AF_UNIX, "/var/run/docker.sock"),
    (socket.AF_UNIX, "\\0battery"),
    (getattr(socket, "AF_VSOCK", 40), (2, 5005)),
):
    try:
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.settimeout(0.5)
            tried.connect(address)
            leaks.append(str(address))
    except OSError:
        pass
"""

CLASSMATES = """
import os
for folder, folders, names in os.walk("/"):
    # Not where only the system and its packages are: every call searches, within the limit of a call.
    folders[:] = [name for name in folders if name not in ("proc", "sys", "usr", "lib", "site-packages")]
    leaks += [name for name in names if "linus" in name or name in ("gradebook.db", "grades.csv")]
"""

SPECIAL = """
import os, stat
for folder in ("/tmp", "/dev/shm", os.getcwd()):
    for make in (
        lambda: os.symlink("/etc/passwd", folder + "/consistency-models.ipynb"),
        lambda: os.mkfifo(folder + "/pipe"),
        lambda: os.mknod(folder + "/null", stat.S_IFCHR | 0o666, os.makedev(1, 3)),
        lambda: (open(folder + "/root", "w").close(), os.chmod(folder + "/root", 0o6755)),
        lambda: (os.mkdir(folder + "/shut"), open(folder + "/shut/in", "w").close(), os.chmod(folder + "/shut", 0)),
    ):
        try:
            make()
        except OSError:
            pass
"""

SWAPS = """
import os, threading, time
def swap():
    for _ in range(20):
        for folder, _, names in os.walk("/"):
            for name in names:
                if name.endswith(".ipynb"):
                    try: open(folder + "/" + name, "w").close()
                    except OSError: pass
        time.sleep(0.05)
threading.Thread(target=swap, daemon=True).start()
"""

OWN_NOISE = """
import numpy as np
draw = np.random.default_rng()
levels = np.linspace(sigma_max, sigma_min, n_steps + 1)[:-1]
with torch.no_grad():
    for k, s in enumerate(levels):
        noise = torch.tensor(draw.standard_normal((n_samples, 2)), dtype=torch.float32)
        x = noise if k == 0 else (1 - float(s)) * x_0 + float(s) * noise
        x_0 = model(x, torch.full((n_samples,), float(s)))
return x_0
"""


def _worksheets(data: bytes) -> bytes:
    return json.dumps(nbformat.convert(nbformat.reads(data.decode(), as_version=4), 3)).encode()


def _one_id_for_all(data: bytes) -> bytes:
    notebook = json.loads(data)
    notebook["nbformat_minor"] = 5
    for cell in notebook["cells"]:
        cell["id"] = "same"
    return json.dumps(notebook).encode()


def _last_years(data: bytes) -> bytes:
    cell = {"cell_type": "code", "metadata": {"nbgrader": {"grade_id": "lora"}}, "source": "x = 1", "outputs": []}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}).encode()


def _archive(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../escaped.ipynb", data)
        archive.writestr("/absolute.ipynb", data)
        link = zipfile.ZipInfo("consistency-models.ipynb")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("zeros", bytes(10**7))
    return packed.getvalue()


ROWS = (
    Row("4_old_nbformat", data=_worksheets),
    Row("5_duplicate_nb_cell_ids", data=_one_id_for_all),
    Row("11_wrong_assignment", data=_last_years, unreadable="another assignment"),
    Row("12_zip_slip_bomb", data=_archive, unreadable="zip archive"),
    Row("41_unseeded_randomness", answers=sampler(OWN_NOISE)),
    Row("64_reads_classmates", answers=unless_leaked(CLASSMATES)),
    Row("67_network_local", answers=unless_leaked(LOCAL)),
    Row(
        "67_network_local_blocked",
        answers=ema(f"import socket\nsocket.create_connection(('127.0.0.1', {LOCAL_PORT}), timeout=1)"),
        lost=("ema_update",),
        statuses=statuses("blocked"),
    ),
    Row("78_special_files", answers=honest_ema(SPECIAL)),
    Row("78_special_files_in_cell", cell=SPECIAL),
    Row("80_swap_after_check", cell=SWAPS),
    Row(
        "42_reseeds_numpy_inside",
        answers=sampler(
            """
            import numpy as np
            np.random.seed(0)
            levels = torch.linspace(sigma_max, sigma_min, n_steps + 1)[:-1]
            with torch.no_grad():
                x = model(torch.randn(n_samples, 2), levels[0].expand(n_samples))
                for s in levels[1:]:
                    x = model((1 - s) * x + s * torch.randn(n_samples, 2), s.expand(n_samples))
            return x
            """
        ),
        partly=("sample_consistency_multistep",),
        statuses=statuses("contract"),
        says="global random generator was seeded",
    ),
)
