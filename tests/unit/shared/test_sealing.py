"""Sealed detail opens with the right key for the right concern, and for nothing else."""

import base64
import hmac
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sealing import NotOpened, SecretKey, seal, unseal

KEY, OTHER = SecretKey.of(b"k" * 32), SecretKey.of(b"o" * 32)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
details = st.dictionaries(texts, texts | st.lists(texts, max_size=3), max_size=4)


@given(details, texts)
def test_what_was_sealed_opens_as_it_was(detail: dict[str, Any], bound_to: str) -> None:
    assert unseal(seal(detail, KEY, bound_to=bound_to), KEY, bound_to=bound_to) == detail


def test_another_key_opens_nothing_even_under_the_same_name() -> None:
    sealed = seal({"a": "b"}, KEY, bound_to="con_1/1")
    with pytest.raises(NotOpened):
        unseal(sealed, OTHER, bound_to="con_1/1")
    with pytest.raises(NotOpened):
        unseal(sealed, SecretKey(KEY.kid, OTHER.value), bound_to="con_1/1")


@pytest.mark.parametrize("bound_to", ["con_1/2", "con_2/1", ""])
def test_a_sealed_part_cannot_be_moved_to_another_concern_or_version(bound_to: str) -> None:
    with pytest.raises(NotOpened):
        unseal(seal({"a": "b"}, KEY, bound_to="con_1/1"), KEY, bound_to=bound_to)


@given(st.sampled_from(["wrapped_key", "nonce", "ciphertext"]), st.integers(0, 200), st.integers(1, 255))
def test_one_changed_byte_anywhere_is_found(name: str, at: int, flip: int) -> None:
    sealed = seal({"a": "b"}, KEY, bound_to="con_1/1")
    raw = bytearray(base64.b64decode(sealed[name]))
    raw[at % len(raw)] ^= flip
    with pytest.raises(NotOpened):
        unseal({**sealed, name: base64.b64encode(raw).decode()}, KEY, bound_to="con_1/1")


@pytest.mark.parametrize("name", ["kid", "wrapped_key", "nonce", "ciphertext"])
def test_a_missing_part_is_found(name: str) -> None:
    sealed = seal({"a": "b"}, KEY, bound_to="con_1/1")
    del sealed[name]
    with pytest.raises(NotOpened):
        unseal(sealed, KEY, bound_to="con_1/1")


def test_the_same_detail_never_looks_the_same_twice() -> None:
    one, two = (seal({"a": "b"}, KEY, bound_to="con_1/1") for _ in range(2))
    assert not {one[name] for name in ("wrapped_key", "nonce", "ciphertext")} & set(two.values())


def test_a_key_never_shows_its_value(tmp_path: Path) -> None:
    file = tmp_path / "a.key"
    file.write_text(base64.b64encode(b"k" * 32).decode() + "\n")
    read = SecretKey.read(file)
    assert read == KEY
    assert "kkkk" not in repr(read) + str(read)
    assert base64.b64encode(b"k" * 32).decode() not in repr(read)


@pytest.mark.parametrize("text", ["", "short", base64.b64encode(b"k" * 31).decode(), "not base64!" * 4])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a.key"
    file.write_text(text)
    with pytest.raises(ValueError, match=r".+"):
        SecretKey.read(file)


def test_a_mac_tells_apart_lists_that_would_join_to_the_same_text() -> None:
    assert not hmac.compare_digest(KEY.mac(b"ab", b"c"), KEY.mac(b"a", b"bc"))
    assert KEY.mac(b"ab") != OTHER.mac(b"ab")


@given(st.lists(st.binary(max_size=70), max_size=4))
def test_a_mac_is_hmac_sha256_over_each_part_behind_its_length(parts: list[bytes]) -> None:
    plain = hmac.new(KEY.value, digestmod="sha256")
    for part in parts:
        plain.update(len(part).to_bytes(8, "big"))
        plain.update(part)
    assert KEY.mac(*parts) == plain.digest()


def test_no_two_seals_share_a_nonce_or_a_data_key() -> None:
    seals = [seal({"a": "b"}, KEY, bound_to="con_1/1") for _ in range(50)]
    for name in ("nonce", "wrapped_key", "ciphertext"):
        assert len({sealed[name] for sealed in seals}) == len(seals)
    for sealed in seals:
        wrapped, nonce = base64.b64decode(sealed["wrapped_key"]), base64.b64decode(sealed["nonce"])
        assert (len(wrapped), len(nonce)) == (12 + 32 + 16, 12)
        assert wrapped[:12] != nonce
