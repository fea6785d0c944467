"""Which tokens are accepted, and that ended sessions and withdrawn keys end them at once."""

from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
from chassis.clock import Clock
from chassis.http.problems import BusyProblem, UnauthorizedProblem
from chassis.known import ENDED, KEYS, Known
from chassis.tokens import Caller, TokenError, Tokens, encode
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pymongo.errors import ServerSelectionTimeoutError

ISSUER = "https://portal.example"
SIGNER, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
CALLER = Caller("p1", "recruiter", org="o1", bank=True, scopes=frozenset({"a:b", "c:d"}), session="s1", amr=("pwd", "otp"))
DAY = timedelta(days=1)


class FakeMongo:
    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {KEYS: [row("k1", SIGNER)], ENDED: []}
        self.reads, self.down = 0, False

    async def find(self, collection: str, _where: object) -> list[dict[str, Any]]:
        if self.down:
            raise ServerSelectionTimeoutError("down")
        self.reads += collection == KEYS
        return self.rows[collection]


def row(kid: str, key: Ed25519PrivateKey, *, since: timedelta = -DAY, until: timedelta = DAY) -> dict[str, Any]:
    x = jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)["x"]
    now = Clock().machine()
    return {"_id": kid, "x": x, "not_before": now + since, "not_after": now + until}


def claims(**changed: Any) -> dict[str, Any]:
    now = int(Clock().machine().timestamp())
    usual = {
        "iss": ISSUER,
        "aud": "kandidatenbank",
        "sub": "p1",
        "iat": now,
        "exp": now + 600,
        "jti": "t",
        "sid": "s1",
        "role": "candidate",
    }
    return {name: value for name, value in (usual | changed).items() if value is not None}


def signed(body: dict[str, Any], *, key: Any = SIGNER, algorithm: str = "EdDSA", kid: str = "k1") -> str:
    return jwt.encode(body, key, algorithm=algorithm, headers={"kid": kid})


@pytest.fixture
def mongo() -> FakeMongo:
    return FakeMongo()


@pytest.fixture
def known(mongo: FakeMongo) -> Known:
    return Known(mongo, poll=timedelta(seconds=60))


@pytest.fixture
def tokens(known: Known) -> Tokens:
    return Tokens(known, Clock(), issuer=ISSUER)


async def test_what_is_signed_is_what_is_read(tokens: Tokens) -> None:
    now = Clock().machine()
    token = encode(CALLER, kid="k1", key=SIGNER, issuer=ISSUER, token_id="t", issued=now, expires=now + timedelta(minutes=10))
    assert await tokens.check(token) == CALLER
    assert await tokens.caller(f"bearer {token}") == CALLER


NOW = int(Clock().machine().timestamp())


@pytest.mark.parametrize(
    "token",
    [
        signed(claims(exp=NOW - 60)),
        signed(claims(aud="another")),
        signed(claims(iss="https://elsewhere.example")),
        signed(claims(iat=NOW + 600)),
        signed(claims(iat=NOW - 30 * 86400)),
        signed(claims(), key=OTHER),
        signed(claims(), kid="k2"),
        signed(claims(), key=None, algorithm="none"),
        signed(claims(), key="x" * 32, algorithm="HS256"),
        signed(claims(sub=7)),
        signed(claims(sid=["s1"])),
        "rubbish",
        "a.b.c",
        *(signed(claims(**{missing: None})) for missing in ("iss", "aud", "sub", "iat", "exp", "jti", "sid", "role")),
    ],
)
async def test_a_token_that_is_not_right_in_everything_is_refused(tokens: Tokens, token: str) -> None:
    with pytest.raises(TokenError):
        await tokens.check(token)


async def test_a_changed_token_is_refused(tokens: Tokens) -> None:
    head, _, signature = signed(claims()).split(".")
    body = signed(claims(role="operator")).split(".")[1]
    with pytest.raises(TokenError):
        await tokens.check(f"{head}.{body}.{signature}")


async def test_every_refusal_gives_the_caller_the_same_answer(tokens: Tokens) -> None:
    answers = []
    for header in (None, "", "Basic abc", "Bearer", f"Bearer {signed(claims(aud='x'))}", f"Bearer {signed(claims(), kid='k9')}"):
        with pytest.raises(UnauthorizedProblem) as refused:
            await tokens.caller(header)
        answers.append((refused.value.status, refused.value.code, refused.value.detail))
    assert set(answers) == {(401, "unauthorized", None)}


async def test_a_remembered_token_ends_with_its_session(tokens: Tokens, known: Known, mongo: FakeMongo) -> None:
    token = signed(claims())
    assert (await tokens.check(token)).subject == "p1"
    mongo.rows[ENDED] = [{"_id": "s1", "at": Clock().machine()}]
    await known.refresh()
    with pytest.raises(TokenError):
        await tokens.check(token)


async def test_a_remembered_token_ends_with_its_key(tokens: Tokens, known: Known, mongo: FakeMongo) -> None:
    token = signed(claims())
    await tokens.check(token)
    mongo.rows[KEYS] = []
    await known.refresh()
    with pytest.raises(TokenError):
        await tokens.check(token)


async def test_a_remembered_token_ends_with_its_term(known: Known) -> None:
    class Ahead(Clock):
        ahead = timedelta()

        def machine(self) -> datetime:
            return super().machine() + self.ahead

    clock = Ahead()
    tokens, token = Tokens(known, clock, issuer=ISSUER), signed(claims(exp=int(Clock().machine().timestamp()) + 1))
    await tokens.check(token)
    remembered = tokens._remembered[token]
    clock.ahead = timedelta(seconds=30)
    assert (await tokens.check(token)).subject == "p1"  # verified by PyJWT's own clock, which nobody turns
    assert tokens._remembered[token] is not remembered


async def test_unknown_keys_cause_one_read_per_poll(tokens: Tokens, mongo: FakeMongo) -> None:
    for number in range(5):
        with pytest.raises(TokenError):
            await tokens.check(signed(claims(), kid=f"made-up-{number}"))
    assert mongo.reads == 1


async def test_a_new_key_is_found_without_waiting_for_the_poll(mongo: FakeMongo) -> None:
    tokens = Tokens(Known(mongo, poll=timedelta(0)), Clock(), issuer=ISSUER)
    await tokens.check(signed(claims()))
    mongo.rows[KEYS].append(row("k2", OTHER))
    assert (await tokens.check(signed(claims(), key=OTHER, kid="k2"))).subject == "p1"


async def test_the_last_copy_serves_while_the_database_is_away(tokens: Tokens, mongo: FakeMongo) -> None:
    await tokens.check(signed(claims()))
    mongo.down = True
    assert (await tokens.check(signed(claims(jti="another")))).subject == "p1"


async def test_before_anything_could_be_read_nobody_is_called_a_stranger(tokens: Tokens, mongo: FakeMongo) -> None:
    mongo.down = True
    with pytest.raises(BusyProblem):
        await tokens.check(signed(claims()))
