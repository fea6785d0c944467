"""Pure rules of sending: waiting, verdicts, messages."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from chassis.hashing import normal_address
from notifications.mail.model import MailClass, Reason, State
from notifications.sending.model import (
    Again,
    Answer,
    Correspondent,
    Ended,
    Rendered,
    Retries,
    ascii_address,
    build,
    message_id,
    verdict,
)

SENDER = Correspondent("portaal@kandidatenbank.example", "Kandidatenbank", "vragen@kandidatenbank.example")
WORDS = Rendered("Werk je profiel bij", "Hoi,\n\nCafé & co.\n", "<p>Café &amp; co.</p>", "nl")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNSUBSCRIBE = (
    "https://kandidatenbank.example/api/notifications/v1/pages/unsubscribe/0192f0c1-0000-7000-8000-000000000001." + "A" * 43
)


def message(**changes):
    arguments = {"cause": "profiles:ask:1:1", "sender": SENDER, "to": "an@x.example", "rendered": WORDS, "at": AT} | changes
    return message_from_bytes(build(**arguments).as_bytes(), policy=default)


def test_waiting_doubles_up_to_the_longest_and_never_overflows():
    retries = Retries(first=timedelta(seconds=30), longest=timedelta(hours=1))
    waits = [retries.wait(attempts).total_seconds() for attempts in (0, 1, 2, 3, 8, 10_000)]
    assert waits == [30, 30, 60, 120, 3600, 3600]


def test_a_mail_is_too_old_exactly_when_its_term_is_over():
    retries = Retries(give_up_after=timedelta(days=4))
    assert not retries.too_old(asked_at=AT, now=AT + timedelta(days=4, seconds=-1))
    assert retries.too_old(asked_at=AT, now=AT + timedelta(days=4))


@pytest.mark.parametrize("mail_class", MailClass)
@pytest.mark.parametrize("too_old", [False, True])
def test_what_the_server_said_for_certain_ends_a_mail_of_either_class(mail_class, too_old):
    assert verdict(Answer.ACCEPTED, mail_class=mail_class, too_old=too_old) == Ended(State.ACCEPTED, Reason.TAKEN)
    assert verdict(Answer.REFUSED, mail_class=mail_class, too_old=too_old) == Ended(State.BOUNCED, Reason.REFUSED)


@pytest.mark.parametrize("mail_class", MailClass)
def test_a_deferred_mail_is_tried_again_until_it_is_too_old(mail_class):
    assert verdict(Answer.DEFERRED, mail_class=mail_class, too_old=False) == Again(Reason.DEFERRED)
    assert verdict(Answer.DEFERRED, mail_class=mail_class, too_old=True) == Ended(State.GIVEN_UP, Reason.TOO_OLD)


def test_when_unsure_only_a_mail_that_must_arrive_is_sent_again():
    assert verdict(Answer.UNSURE, mail_class=MailClass.MUST_ARRIVE, too_old=False) == Again(Reason.UNSURE)
    assert verdict(Answer.UNSURE, mail_class=MailClass.AT_MOST_ONCE, too_old=False) == Ended(State.GIVEN_UP, Reason.UNSURE)


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
    lines = mail.as_bytes().split(b"\r\n")
    assert f"List-Unsubscribe: <{UNSUBSCRIBE}>".encode() in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines
    assert f"List-Unsubscribe: <{UNSUBSCRIBE}>\r\n" in mail.as_string()


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
    assert "andré@x.example" in build(cause="c", sender=SENDER, to="andré@x.example", rendered=WORDS, at=AT).as_bytes().decode()
