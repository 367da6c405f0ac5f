"""The program behind `make run`, when it cannot start."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from local.stack.settings import ROOT


def test_a_port_in_use_is_reported_with_a_remedy(tmp_path: Path) -> None:
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", 0))
        occupied.listen()
        port = occupied.getsockname()[1]
        options = ["--free-ports", "--public-port", str(port), "--state", str(tmp_path)]
        result = subprocess.run(
            [sys.executable, "-m", "local.stack", *options],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert result.returncode == 1
    assert f"port {port}" in result.stderr
    assert "PUBLIC_PORT=" in result.stderr
