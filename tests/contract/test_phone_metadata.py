"""The compiled-in numbering plans are those of the libphonenumber version that reads them."""

import json
import subprocess
from pathlib import Path

from local.stack.settings import ROOT


def test_the_metadata_is_that_of_the_library_in_the_lock_file() -> None:
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--locked"], cwd=ROOT, capture_output=True, check=True
    )
    packages = json.loads(metadata.stdout)["packages"]
    [manifest] = [package["manifest_path"] for package in packages if package["name"] == "rlibphonenumber"]
    theirs = Path(manifest).parent / "src/generated/metadata/metadata.bin"
    ours = ROOT / "shared/crm/src/phone/metadata.bin"
    assert ours.read_bytes() == theirs.read_bytes(), f"rlibphonenumber has changed: copy {theirs.name} from its source"
