import pickle

import pytest
from chassis.crypto import DataKey, UnreadableError, decrypt, decrypt_fields, encrypt, encrypt_fields

KEY = DataKey(b"k" * 32)
OTHER_KEY = DataKey(b"o" * 32)
SECRET = b"Kerkstraat 12"
PROFILE = {
    "identity.given_name": "Annemarie",
    "identity.family_name": "de Vries",
    "identity.birth_date": "1998-04-12",
    "identity.address": {"street": "Kerkstraat", "number": "12", "postal_code": "3511 AB"},
    "contact.telephone": "+31 85 000 0000",
    "contact.channels": ["mail", "relayed"],
    "career.summary": "Ik ben al tien jaar bakker en zoek een plek waar ik leerlingen kan begeleiden. 🥖",
    "wishes.salary_from": 3100,
    "wishes.remote": False,
    "wishes.available_from": None,
}


@pytest.mark.parametrize(
    ("key", "subject", "path"),
    [(OTHER_KEY, "ann", "street"), (KEY, "bob", "street"), (KEY, "ann", "city"), (KEY, "anns", "treet"), (KEY, "an", "nstreet")],
)
def test_a_value_opens_only_with_its_key_for_its_subject_at_its_path(key: DataKey, subject: str, path: str) -> None:
    box = encrypt(KEY, SECRET, subject="ann", path="street")
    assert decrypt(KEY, box, subject="ann", path="street") == SECRET
    with pytest.raises(UnreadableError) as refused:
        decrypt(key, box, subject=subject, path=path)
    assert refused.value.path == path
    assert str(refused.value) == f"{path} cannot be opened"


def test_any_changed_byte_and_any_shorter_box_is_refused() -> None:
    box = encrypt(KEY, SECRET, subject="ann", path="street")
    changed = [box[:at] + bytes([box[at] ^ 1]) + box[at + 1 :] for at in range(len(box))]
    for bad in [*changed, *(box[:length] for length in range(len(box))), box + b"\0"]:
        with pytest.raises(UnreadableError):
            decrypt(KEY, bad, subject="ann", path="street")


def test_a_field_under_another_path_is_named_and_nothing_is_returned() -> None:
    boxes = encrypt_fields(KEY, "ann", PROFILE)
    boxes["identity.given_name"] = boxes["identity.family_name"]
    with pytest.raises(UnreadableError) as refused:
        decrypt_fields(KEY, "ann", boxes)
    assert refused.value.path == "identity.given_name"
    assert "Vries" not in str(refused.value)


def test_fields_come_back_as_they_were() -> None:
    boxes = encrypt_fields(KEY, "ann", PROFILE)
    assert decrypt_fields(KEY, "ann", boxes) == PROFILE
    assert decrypt(KEY, boxes["wishes.salary_from"], subject="ann", path="wishes.salary_from") == b"3100"
    assert encrypt_fields(KEY, "ann", {}) == decrypt_fields(KEY, "ann", {}) == {}


def test_nothing_readable_is_left_and_equal_values_look_different() -> None:
    boxes = encrypt_fields(KEY, "ann", {"a": "Kerkstraat", "b": "Kerkstraat"})
    assert b"Kerkstraat" not in b"".join(boxes.values())
    nonces = {encrypt(KEY, SECRET, subject="ann", path="a")[1:13] for _ in range(1000)} | {box[1:13] for box in boxes.values()}
    assert len(nonces) == 1002


def test_a_key_gives_its_bytes_to_nobody() -> None:
    assert "kkkk" not in repr(KEY) + str(KEY)
    with pytest.raises(TypeError):
        pickle.dumps(KEY)
    with pytest.raises(ValueError, match="32 bytes"):
        DataKey(b"k" * 16)
