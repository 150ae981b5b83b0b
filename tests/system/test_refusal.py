# SPDX-License-Identifier: BSD-3-Clause
"""A bundle that must not get in is refused with its reason, and the running program goes on untouched."""
import pytest
from imago import FIREWALL, Failed



@pytest.fixture
def refuse(firewall):
    """refuse(bundle) tries to load it and returns the reason, after making sure that nothing changed and packets flow."""

    def attempt(bundle, element="fw"):
        before = firewall.read("fw.program"), firewall.read("fw.maps")
        status, _, reason = firewall.imago.attempt("load", firewall.name, element, bundle)
        assert status == 1
        assert (firewall.read("fw.program"), firewall.read("fw.maps")) == before
        count = firewall.sender.sent + len(firewall.sender.frames)
        seen = len(firewall.recorder.numbers)
        firewall.play(count)
        firewall.settle()
        assert len(firewall.recorder.numbers) > seen
        return reason

    return attempt


def spoilt(good, path, change):
    data = bytearray(good.read_bytes())
    change(data)
    path.write_bytes(data)
    return path


def test_any_flipped_byte_breaks_the_signature(refuse, signed, tmp_path):
    good = signed.bundle("block_dns", 2)
    size = good.stat().st_size
    for at in (32, size // 3, size // 2, size - 65, size - 64, size - 1):  # sections and signature; the header has tests below

        def flip(data, at=at):
            data[at] ^= 1

        assert "signature" in refuse(spoilt(good, tmp_path / "flipped.imb", flip))


def test_an_unknown_key_is_refused(refuse, signed):
    assert "key" in refuse(signed.bundle("block_dns", 2, signed.stranger))


def test_an_older_version_is_refused_and_the_newer_goes_on(refuse, firewall, signed):
    firewall.load("fw", signed.bundle("block_dns", 5))
    reason = refuse(signed.bundle("block_dns", 4))
    assert "version" in reason and "4" in reason and "5" in reason


def test_the_same_version_is_refused_too(refuse, firewall, signed):
    firewall.load("fw", signed.bundle("block_dns", 5))
    assert "version" in refuse(signed.bundle("block_dns", 5))


def test_a_bundle_for_another_element_is_refused(refuse, signed):
    assert "audience" in refuse(signed.bundle("block_dns", 2, None, "--audience", "other*"))


def test_a_wrong_magic_is_refused(refuse, signed, tmp_path):
    def change(data):
        data[0] ^= 0xFF

    assert "bundle" in refuse(spoilt(signed.bundle("block_dns", 2), tmp_path / "magic.imb", change))


@pytest.mark.parametrize("keep", [0, 1, 31, 32, 95, 96, -1])
def test_a_truncated_bundle_is_refused(refuse, signed, tmp_path, keep):
    bundle = tmp_path / "short.imb"
    bundle.write_bytes(signed.bundle("block_dns", 2).read_bytes()[:keep])
    assert refuse(bundle).strip()


def test_an_element_that_takes_no_program_says_so(refuse, signed):
    assert "program" in refuse(signed.bundle("block_dns", 2), element="queue")


def test_an_element_that_is_not_there_is_named(refuse, signed):
    assert "'nobody'" in refuse(signed.bundle("block_dns", 2), element="nobody")


def test_a_good_bundle_gets_in_after_a_refusal(refuse, firewall, signed):
    refuse(signed.bundle("block_dns", 2, signed.stranger))
    firewall.load("fw", signed.bundle("block_dns", 2))
    assert "name block_dns" in firewall.read("fw.program")


def test_a_program_without_proof(imago, firewall, refuse, signed, tmp_path):
    """A signature alone does not do; a proof does, and the function says what it proved."""
    assert firewall.table("security")["unproven_programs"] == "refused"
    good = signed.bundle("block_dns", 2)
    unproven = imago.bundle(signed.directory / "block_dns.bpf.o", tmp_path / "unproven.imb", signed.key, 2, command="bundle")
    assert "carries no proof" in refuse(unproven)
    firewall.load("fw", good)
    program = firewall.table("fw.program")
    assert int(program["proof"]) > 0 and 0 < int(program["bound"]) < 1000000


def test_a_function_does_not_start_with_a_program_without_proof(imago, launch, signed, tmp_path):
    signed.bundle("pass", 1)
    unproven = imago.bundle(signed.directory / "pass.bpf.o", tmp_path / "pass.imb", signed.key, 1, command="bundle")
    with pytest.raises(Failed, match="carries no proof"):
        launch("process", (FIREWALL / "firewall.click").read_text(), files=[unproven])
    launch("process", (FIREWALL / "firewall.click").read_text(), files=[unproven], options=["--allow-unproven"])
