# SPDX-License-Identifier: Apache-2.0
"""Builds askdocs with the fastest engine for local models that this machine can compile.

    python3 apps/askdocs/build.py [--debug] [--engine llama|candle|none] [--portable] [-- ARGUMENTS OF cargo build]

llama.cpp needs a C++ compiler, cmake and libclang. The last two are taken from PyPI where they are missing; without a C++ compiler it
is candle, which is pure Rust and slower. `--print-environment` prints what cargo needs as lines of NAME=VALUE and builds nothing."""
import argparse
import glob
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TOOLS = ROOT / "target/tools"
COMPILERS = [("c++", "cc"), ("g++", "gcc"), ("clang++", "clang")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--debug", action="store_true", help="build without optimisation of the Rust code")
    parser.add_argument("--engine", choices=["llama", "candle", "none"], help="what runs local models")
    parser.add_argument("--portable", action="store_true", help="for any processor, not for this one: slower")
    parser.add_argument("--print-environment", action="store_true")
    parser.add_argument("cargo", nargs="*", help="further arguments of cargo build")
    args = parser.parse_args()

    engine = args.engine or ("llama" if compilers() else "candle")
    if engine == "llama" and not compilers():
        sys.exit("llama.cpp needs a C++ compiler, and none is here: install g++ or clang++, or choose --engine candle")
    if args.engine is None and engine == "candle":
        print("There is no C++ compiler here: local models are run by candle, in pure Rust, and answer more slowly.", flush=True)
    changes = environment(args.portable) if engine == "llama" else {}
    if args.print_environment:
        for name, value in changes.items():
            print(f"{name}={value}")
        return
    features = ",".join(["tls", *([] if engine == "none" else [engine])])
    command = ["cargo", "build", "--locked", "-p", "askdocs", "--features", features, *([] if args.debug else ["--release"]), *args.cargo]
    print(" ".join(command), flush=True)
    sys.exit(subprocess.run(command, cwd=ROOT, env={**os.environ, **changes}).returncode)


def compilers():
    """The C++ and the C compiler, if they are there."""
    if os.environ.get("CXX"):
        return os.environ["CXX"], os.environ.get("CC", "cc")
    return next((pair for pair in COMPILERS if all(map(shutil.which, pair))), None)


def environment(portable):
    """What the build of llama.cpp needs in the environment."""
    changes = {}
    if not shutil.which("cmake"):
        changes["PATH"] = f"{from_pypi('cmake==3.31.6') / 'cmake/data/bin'}{os.pathsep}{os.environ['PATH']}"
    if not has_libclang():
        # PyPI's libclang has no headers of its own: those of the C compiler serve.
        libclang = next(from_pypi("libclang==18.1.1").glob("clang/native/libclang.*"), None)
        if libclang is None:
            sys.exit("PyPI's libclang is not what was expected: install libclang, or choose --engine candle")
        changes["LIBCLANG_PATH"] = str(libclang.parent)
        include = subprocess.run([compilers()[1], "-print-file-name=include"], capture_output=True, text=True, check=True).stdout.strip()
        changes["BINDGEN_EXTRA_CLANG_ARGS"] = f"-isystem {include}"
    if not portable:
        # llama.cpp is compiled for the oldest processors unless it is told otherwise.
        for name in ("CMAKE_C_FLAGS", "CMAKE_CXX_FLAGS"):
            if name not in os.environ:
                changes[name] = "-march=native -fPIC"
    return changes


def has_libclang():
    """Is there a libclang that bindgen finds?"""
    # The names without a version come with the headers that are needed, too.
    places = ["/usr/lib/llvm*/lib", "/usr/lib*", "/usr/local/lib", "/usr/lib/*-linux-gnu", "/Library/Developer/CommandLineTools/usr/lib"]
    return bool(os.environ.get("LIBCLANG_PATH") or any(glob.glob(f"{place}/libclang.{end}") for place in places for end in ("so", "dylib")))


def from_pypi(package):
    """Installs a package into a folder below `target`, once, and returns it."""
    folder = TOOLS / package.split("=")[0]
    if not folder.is_dir():
        print(f"fetching {package} from PyPI …", file=sys.stderr, flush=True)
        unfinished = folder.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target", str(unfinished), package]
        if subprocess.run(command, env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}).returncode != 0:
            sys.exit(f"{package} could not be fetched from PyPI: install it, or choose --engine candle")
        unfinished.rename(folder)
    return folder


if __name__ == "__main__":
    main()
