# SPDX-License-Identifier: BSD-3-Clause
"""Keys and bundles on the host: made, shown, and exchanged with openssl."""
import subprocess

import pytest


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=True, timeout=30).stdout


def test_openssl_reads_our_keys(signed):
    private = openssl("pkey", "-in", signed.key, "-pubout")
    assert private == openssl("pkey", "-pubin", "-in", signed.public, "-pubout")


def test_a_key_of_openssl_signs_and_verifies(imago, signed, tmp_path):
    key, public, bundle = tmp_path / "other.pem", tmp_path / "other.pub.pem", tmp_path / "other.imb"
    openssl("genpkey", "-algorithm", "ed25519", "-out", key)
    openssl("pkey", "-in", key, "-pubout", "-out", public)
    signed.bundle("pass", 1)
    imago.bundle(signed.directory / "pass.bpf.o", bundle, key, 7)
    out = imago("inspect", bundle, "--key", public)
    assert "good" in out and "pass" in out and "7" in out
    status, out, _ = imago.attempt("inspect", bundle, "--key", signed.public)
    assert status == 1 and "unknown key" in out


def test_a_private_key_is_nobody_elses(signed):
    assert signed.key.stat().st_mode & 0o777 == 0o600


def test_keygen_overwrites_nothing(imago, signed):
    before = signed.key.read_bytes()
    status, _, error = imago.attempt("keygen", signed.directory / "operator")
    assert status == 1 and "operator" in error
    assert signed.key.read_bytes() == before


def test_one_key_signs_the_same_bytes_twice(imago, signed, tmp_path):
    signed.bundle("block_dns", 1)
    once, twice = (imago.bundle(signed.directory / "block_dns.bpf.o", tmp_path / name, signed.key, 4) for name in ("once", "twice"))
    assert once.read_bytes() == twice.read_bytes()


def test_a_changed_bundle_is_shown_as_such(imago, signed, tmp_path):
    data = bytearray(signed.bundle("pass", 1).read_bytes())
    data[-1] ^= 1
    bad = tmp_path / "bad.imb"
    bad.write_bytes(data)
    status, out, _ = imago.attempt("inspect", bad, "--key", signed.public)
    assert status == 1 and "WRONG" in out


@pytest.mark.parametrize("version", ["0", "-1", "x", "18446744073709551616"])
def test_a_version_is_a_number_from_1_up(imago, signed, tmp_path, version):
    signed.bundle("pass", 1)
    status, _, error = imago.attempt("bundle", signed.directory / "pass.bpf.o", "-o", tmp_path / "x.imb", "--key", signed.key, "--version", version)
    assert status == 1 and "version" in error
    assert not (tmp_path / "x.imb").exists()
