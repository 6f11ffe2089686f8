# SPDX-License-Identifier: Apache-2.0
"""Python environments for the clients, and waiting for servers. Standard library only."""
import hashlib
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent


def python_with(requirements):
    """Makes a virtual environment with the packages of a requirements file (once) and returns its interpreter."""
    requirements = HERE / requirements
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    folder = HERE / ".venv" / f"{requirements.stem}-{digest}"
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        print(f"installing {requirements.name} …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                        "-r", str(requirements)], check=True)
        ready.touch()
    return str(python)


def free_port(preferred=0):
    """The preferred port of the loopback interface if nothing listens there, else any free one."""
    for port in (preferred, 0):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return listener.getsockname()[1]
    raise OSError("no free port on 127.0.0.1")


def wait_until_ready(url, process, seconds=30):
    """Waits until `url` answers. Ends the program with a message if the process dies or the time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"{process.args[0]} ended with status {process.returncode}; its messages are above")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    sys.exit(f"{url} did not answer within {seconds} s")


def client_environment():
    """Environment for an Elastic agent on a laptop: no look for cloud metadata, which delays the start."""
    return {**os.environ, "ELASTIC_APM_CLOUD_PROVIDER": "none"}
