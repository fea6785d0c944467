"""The bytes of a letter: what readers make of them, and what cannot break out of a header."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default

import pytest
from chassis.hashing import normal_address
from notifications.letters.model import Correspondent, Rendered, ascii_address, build, message_id

SENDER = Correspondent("portaal@kandidatenbank.example", "Kandidatenbank", "vragen@kandidatenbank.example")
WORDS = Rendered("Werk je profiel bij", "Hoi,\n\nCafé & co.\n", "<p>Café &amp; co.</p>", "nl")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNSUBSCRIBE = (
    "https://kandidatenbank.example/api/notifications/v1/pages/unsubscribe/0192f0c1-0000-7000-8000-000000000001." + "A" * 43
)


def message(**changes):
    arguments = {"cause": "profiles:ask:1:1", "sender": SENDER, "to": "an@x.example", "rendered": WORDS, "at": AT} | changes
    return message_from_bytes(build(**arguments), policy=default)


def test_every_copy_of_a_cause_has_one_message_id_that_names_nobody():
    one, other = message_id("profiles:ask:1:1", "x.example"), message_id("profiles:ask:1:2", "x.example")
    assert one == message_id("profiles:ask:1:1", "x.example") != other
    assert "profiles" not in one
    assert message()["Message-ID"] == message_id("profiles:ask:1:1", "kandidatenbank.example")


def test_a_message_has_text_and_html_and_the_headers_that_readers_look_for():
    mail = message()
    assert mail.get_content_type() == "multipart/alternative"
    text, html = mail.iter_parts()
    assert (text.get_content_type(), text.get_content().split()) == ("text/plain", ["Hoi,", "Café", "&", "co."])
    assert (html.get_content_type(), html.get_content().strip()) == ("text/html", "<p>Café &amp; co.</p>")
    assert mail["From"] == "Kandidatenbank <portaal@kandidatenbank.example>"
    assert (mail["To"], mail["Reply-To"]) == ("an@x.example", "vragen@kandidatenbank.example")
    assert (mail["Subject"], mail["Content-Language"], mail["Auto-Submitted"]) == ("Werk je profiel bij", "nl", "auto-generated")
    assert mail["Date"].datetime == AT
    assert mail["List-Unsubscribe"] is None


def test_r22_one_click_unsubscribe_stands_in_both_headers_of_rfc_8058_unfolded_and_not_encoded():
    mail = build(cause="c", sender=SENDER, to="an@x.example", rendered=WORDS, at=AT, unsubscribe=UNSUBSCRIBE)
    lines = mail.split(b"\r\n")
    assert f"List-Unsubscribe: <{UNSUBSCRIBE}>".encode() in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines


def test_a_subject_line_cannot_bring_in_a_header():
    mail = message(rendered=Rendered("Baan\r\nBcc: iedereen@x.example", "t", "h", "nl"))
    assert mail["Subject"] == "Baan Bcc: iedereen@x.example"
    assert mail["Bcc"] is None


@pytest.mark.parametrize("address", ["an@x.example\nBcc: b@x.example", "an", "@x.example", "an@", "a n@x.example"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ValueError):
        ascii_address(address)


@pytest.mark.parametrize("address", ["an(1)@x.example", "jan:an@x.example", "(jan)an@x.example", "an@x.example(jan)"])
def test_what_a_mail_program_would_send_to_another_mailbox_is_refused(address):
    with pytest.raises(ValueError):
        ascii_address(address)


@pytest.mark.parametrize("address", ["an@straße.example", "an@βόλος.example", "mi\u212ae@x.example", "re\u0301ne@x.example"])
def test_a_mail_goes_to_the_mailbox_that_the_address_is_hashed_as(address):
    """Else somebody proves an address by a mail that went to another: strasse.example would confirm for straße.example."""
    assert ascii_address(address).lower() == normal_address(address)


def test_a_domain_with_accents_is_written_as_servers_know_it():
    assert ascii_address("an@café.example") == "an@xn--caf-dma.example"


def test_a_local_part_with_accents_survives():
    assert "andré@x.example" in build(cause="c", sender=SENDER, to="andré@x.example", rendered=WORDS, at=AT).decode()


@pytest.mark.parametrize("subject", ["Já, één plek", "Baan " * 40, "=?utf-8?q?Geheim?= plan", "Ünïcode " * 20, ""])
@pytest.mark.parametrize("to", ["an@x.example", "andré@x.example"])
def test_a_subject_of_any_kind_is_read_as_it_was_written(subject, to):
    raw = build(cause="c", sender=SENDER, to=to, rendered=Rendered(subject, "t", "h", "nl"), at=AT)
    assert all(len(line) < 200 for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n"))
    if "=?" not in subject:  # the standard library writes it as it is and reads it as an encoded word
        assert message(to=to, rendered=Rendered(subject, "t", "h", "nl"))["Subject"] == " ".join(subject.split())


@pytest.mark.parametrize("address", ["an@x.example", "o'neil+werk@x.example", "=?q?@x.example", f"{'a' * 64}@{'b' * 60}.example"])
def test_an_address_is_read_as_it_was_written(address):
    mail = message(to=address)
    assert [one.addr_spec for one in mail["To"].addresses] == [address]


@pytest.mark.parametrize("place", ["to", "unsubscribe", "cause"])
def test_nothing_that_is_handed_in_brings_in_a_header(place):
    hostile = "an@x.example\r\nBcc: iedereen@x.example"
    try:
        mail = message(**{place: hostile})
    except ValueError:
        return
    assert mail["Bcc"] is None


@pytest.mark.parametrize(
    "field",
    [{"display_name": "K\nBcc: b@x.example"}, {"reply_to": "v@x.example\nBcc: b@x.example"}, {"address": "p@x\nBcc: b@x"}],
)
def test_a_correspondent_brings_in_no_header(field):
    with pytest.raises(ValueError):
        message(sender=replace(SENDER, **field))


def test_a_display_name_with_accents_or_commas_survives():
    assert message(sender=replace(SENDER, display_name="Bank, één"))["From"].addresses[0].display_name == "Bank, één"


@pytest.mark.parametrize(
    "text",
    [
        "..\n.\nFrom an\n",
        "a" * 3000,
        "een = twee \n\tdrie\t\n",
        "één\rtwee\r\ndrie\x00",
        "",
        "\n--BOUNDARY--\n--BOUNDARY\n",
        "€" * 500,
    ],
)
def test_every_text_arrives_as_it_was_written_and_in_short_lines(text):
    text = text.replace("BOUNDARY", str(message().get_boundary()))
    raw = build(cause="c", sender=SENDER, to="an@x.example", rendered=Rendered("s", text, text, "nl"), at=AT)
    lines = raw.split(b"\r\n")
    assert raw.isascii()
    assert all(len(line) <= 78 and b"\n" not in line and b"\r" not in line for line in lines)
    parts = list(message_from_bytes(raw, policy=default).iter_parts())
    expected = [line.decode() for line in text.encode().splitlines()]
    assert [[line.decode() for line in part.get_payload(decode=True).splitlines()] for part in parts] == [expected, expected]


@pytest.mark.parametrize("subject", ["Werk", "Één", "x" * 70])
def test_the_headers_are_those_that_the_standard_library_writes(subject):
    """So that the ways around it are ways around its cost only."""
    expected = EmailMessage(policy=SMTP)
    expected["Subject"], expected["To"] = subject, "an@x.example"
    head = build(cause="c", sender=SENDER, to="an@x.example", rendered=Rendered(subject, "t", "h", "nl"), at=AT)
    assert all(line in head for line in bytes(expected).split(b"\r\n") if line)
