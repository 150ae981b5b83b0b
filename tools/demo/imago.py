# SPDX-License-Identifier: BSD-3-Clause
"""The `imago` command for Python: what the demo and the system tests do, they do as a user would, through it."""
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIREWALL = ROOT / "examples/firewall"
COMMAND_SECONDS = 60


class Failed(Exception):
    """A command ended with a status other than 0; the text is what it said."""


class Imago:
    """`imago` of one build directory, with run directories under `runtime` (a short path: it holds unix sockets)."""

    def __init__(self, build, runtime):
        self.program = ROOT / build / "tools/imago"
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": str(runtime)}

    def attempt(self, *arguments, **options):
        """Runs a command: (status, standard output, standard error)."""
        options = {"timeout": COMMAND_SECONDS, "stdin": subprocess.DEVNULL, **options}
        done = subprocess.run([self.program, *map(str, arguments)], env=self.environment, capture_output=True, text=True, errors="replace",
                              check=False, **options)
        return done.returncode, done.stdout, done.stderr

    def __call__(self, *arguments, **options):
        """Runs a command that must succeed; returns its standard output."""
        status, out, err = self.attempt(*arguments, **options)
        if status != 0:
            raise Failed(f"imago {' '.join(map(str, arguments))}: status {status}\n{out}{err}".rstrip())
        return out

    def keygen(self, stem):
        """Makes a key pair; returns (private key file, public key file)."""
        self("keygen", stem)
        return pathlib.Path(f"{stem}.pem"), pathlib.Path(f"{stem}.pub.pem")

    def bundle(self, object_file, output, key, version, command="verify"):
        """A signed bundle with a proof; with command "bundle" without."""
        self(command, object_file, "-o", output, "--key", key, "--version", version)
        return output


class Function:
    """A running network function."""

    def __init__(self, imago, name):
        self.imago, self.name = imago, name

    def read(self, handler):
        return self.imago("read", self.name, handler).rstrip("\n")

    def number(self, handler):
        return int(self.read(handler))

    def table(self, handler):
        """A handler of lines "NAME VALUE" or "VALUE NAME" as a dictionary of what is a number to it."""
        return dict(line.split(None, 1) for line in self.read(handler).splitlines() if " " in line)

    def write(self, handler, value=""):
        return self.imago("write", self.name, handler, value)

    def load(self, element, bundle):
        return self.imago("load", self.name, element, bundle)

    def stop(self):
        return self.imago("stop", self.name)


def compile_bpf(source, output, *options):
    """What the README of the firewall says to do by hand."""
    command = ["clang", "-target", "bpf", *options, "-g", "-O2", f"-I{ROOT / 'include'}", "-I/usr/include/x86_64-linux-gnu", "-c", str(source), "-o", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
    if done.returncode != 0:
        raise Failed(done.stderr.rstrip())
    return output
