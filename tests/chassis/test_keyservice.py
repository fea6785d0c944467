"""The key services, a folder and a real OpenBao, do the same: one suite for both, and what only one of them can get wrong."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest
from chassis.clock import Clock
from chassis.ids import new_id
from chassis.keyfolder import KeyFolder
from chassis.keyservice import KeyService, KeyServiceError, Secret, Trouble, Unopened, Wrapped, week_of
from chassis.transit import Transit
from testkit.openbao import OpenBao, running_openbao
from testkit.ports import free_port

pytestmark = pytest.mark.integration
THIS = week_of(Clock().today())
NEXT = THIS + timedelta(days=7)
SECRETS = [Secret("ann:career", b"a" * 32), Secret("bob:career", bytes(range(32)))]
Connect = Callable[[], Awaitable[KeyService]]
"""Gives the same key service to another process."""


@pytest.fixture(scope="module", params=["folder", "openbao"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao | None]:
    """What stands behind the key services of this module."""
    if request.param == "folder":
        yield None
        return
    with running_openbao(tmp_path_factory.mktemp("openbao") / "log") as made:
        yield made


@pytest.fixture
async def connect(server: OpenBao | None, tmp_path: Path) -> AsyncIterator[Connect]:
    """A key service that holds nothing yet."""
    key, made = new_id(), list[KeyService]()

    async def one() -> KeyService:
        made.append(KeyFolder(tmp_path) if server is None else await server.transit(key))
        return made[-1]

    yield one
    for each in made:
        await each.close()


@pytest.fixture
async def masters(connect: Connect) -> KeyService:
    return await connect()


async def names(masters: KeyService) -> list[str]:
    return [epoch.name for epoch in await masters.held()]


async def test_what_is_wrapped_opens_for_its_owner_in_every_process(masters: KeyService, connect: Connect) -> None:
    await masters.make(THIS)
    wrapped = await masters.wrap(SECRETS)
    assert [one.owner for one in wrapped] == ["ann:career", "bob:career"]
    assert {one.epoch for one in wrapped} == set(await names(masters))
    assert await (await connect()).unwrap(wrapped) == [one.plain for one in SECRETS]


async def test_what_does_not_open_says_why_and_holds_up_nothing_else(masters: KeyService) -> None:
    await masters.make(THIS)
    ann, bob = await masters.wrap(SECRETS)
    stolen = Wrapped("bob:career", ann.box, ann.epoch)
    damaged = Wrapped("ann:career", ann.box[:-4] + b"AAAA", ann.epoch)
    found = await masters.unwrap([stolen, bob, damaged])
    assert found == [Unopened.DAMAGED, SECRETS[1].plain, Unopened.DAMAGED]
    assert await masters.unwrap([stolen]) == [Unopened.DAMAGED]


async def test_nothing_is_wrapped_before_there_is_an_epoch(masters: KeyService) -> None:
    assert await masters.held() == []
    with pytest.raises(KeyServiceError) as refused:
        await masters.wrap(SECRETS)
    assert refused.value.trouble is Trouble.EMPTY
    assert await masters.unwrap([Wrapped("ann:career", b"vault:v1:" + b"A" * 60, "1")]) == [Unopened.MISSING]
    assert await masters.held() == []


async def test_nothing_is_asked_for_nothing(masters: KeyService) -> None:
    await masters.make(THIS)
    assert (await masters.wrap([]), await masters.unwrap([])) == ([], [])


async def test_processes_that_make_the_first_epoch_at_once_make_one(connect: Connect) -> None:
    several = [await connect() for _ in range(5)]
    await asyncio.gather(*(one.make(THIS) for one in several))
    (epoch,) = await several[0].held()
    assert epoch.first_day == THIS
    boxes = [(await one.wrap(SECRETS))[0] for one in several]
    assert await several[0].unwrap(boxes) == [SECRETS[0].plain] * 5


async def test_the_next_epoch_wraps_and_the_former_still_opens(masters: KeyService, connect: Connect) -> None:
    elsewhere = await connect()
    await masters.make(THIS)
    before = await elsewhere.wrap(SECRETS)
    await masters.make(THIS)
    assert await names(masters) == [before[0].epoch]
    await masters.make(NEXT)
    after = await elsewhere.wrap(SECRETS)
    assert await names(elsewhere) == [before[0].epoch, after[0].epoch]
    assert before[0].epoch != after[0].epoch
    assert await elsewhere.unwrap([before[0], after[1]]) == [one.plain for one in SECRETS]


async def test_a_destroyed_epoch_opens_nothing_any_more_anywhere(masters: KeyService, connect: Connect) -> None:
    elsewhere = await connect()
    await masters.make(THIS)
    before = await elsewhere.wrap(SECRETS)
    await masters.make(NEXT)
    after = await masters.wrap(SECRETS)
    for _ in range(2):
        await masters.destroy(before[0].epoch)
        assert await elsewhere.unwrap([before[0], after[1]]) == [Unopened.MISSING, SECRETS[1].plain]
    assert await names(elsewhere) == [after[0].epoch]


async def test_what_is_kept_and_shown_holds_no_secret(masters: KeyService) -> None:
    await masters.make(THIS)
    (wrapped,) = await masters.wrap(SECRETS[:1])
    assert SECRETS[0].plain not in wrapped.box
    assert "aaaa" not in repr(SECRETS[0])


def test_a_folders_key_is_its_owners_alone_and_is_overwritten(tmp_path: Path) -> None:
    async def make_and_destroy() -> bytes:
        masters = KeyFolder(tmp_path)
        await masters.make(THIS)
        await asyncio.to_thread(kept.hardlink_to, path)
        await masters.destroy(path.name)
        return await asyncio.to_thread(kept.read_bytes)

    path, kept = tmp_path / THIS.isoformat(), tmp_path / "the-same-blocks"
    assert asyncio.run(make_and_destroy()) == bytes(44)
    assert [each.name for each in tmp_path.iterdir()] == [kept.name]
    assert kept.stat().st_mode & 0o777 == 0o600


async def test_a_file_that_holds_no_key_is_not_held(tmp_path: Path) -> None:
    for name, text in {
        "2027-03-01": "\0" * 44,
        "2027-03-08": "MTIz",
        "2027-03-15": "",
        "notes": "x",
        "20270322": "A" * 44,
    }.items():
        await asyncio.to_thread((tmp_path / name).write_text, text)
    assert await KeyFolder(tmp_path).held() == []


async def test_a_folder_that_is_away_is_trouble_and_says_no_name(tmp_path: Path) -> None:
    for ask in (KeyFolder(tmp_path / "away").held, lambda: KeyFolder(tmp_path / "away").make(date(2027, 3, 1))):
        with pytest.raises(KeyServiceError, match=r"^key service: unreachable$") as refused:
            await ask()
        assert refused.value.trouble is Trouble.AWAY


async def test_destroyed_versions_are_removed_and_not_only_refused(tmp_path: Path) -> None:
    """A version that is only refused comes back when an administrator lowers the least one again."""
    with running_openbao(tmp_path / "log") as server:
        masters = await server.transit("profiles")
        await masters.make(THIS)
        await masters.make(NEXT)
        await masters.destroy("1")
        kept = await server.kept("profiles")
        assert (kept["min_available_version"], kept["exportable"], list(kept["keys"])) == (2, False, ["2"])
        await masters.close()


async def test_a_wrong_token_is_told_apart(tmp_path: Path) -> None:
    with running_openbao(tmp_path / "log") as server:
        masters = server.with_token("profiles", "wrong")
        allowed = await server.transit("profiles")
        await allowed.make(THIS)
        for ask in (masters.held, lambda: masters.wrap(SECRETS), lambda: masters.make(NEXT), lambda: masters.destroy("1")):
            with pytest.raises(KeyServiceError) as refused:
                await ask()
            assert refused.value.trouble is Trouble.REFUSED
        await masters.close()
        await allowed.close()


@asynccontextmanager
async def answering(raw: bytes) -> AsyncIterator[Transit]:
    """A key service whose server answers everything like this; nothing at all when there is nothing to say."""

    callers: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        callers.append(writer)
        await reader.read(65536)
        writer.write(raw)
        if raw:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port := free_port())
    masters = Transit(f"http://127.0.0.1:{port}", mount="transit", key="k", token="t", patience=timedelta(seconds=0.3))
    yield masters
    await masters.close()
    server.close()
    for writer in callers:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    ("status", "body", "trouble"),
    [
        ("503 Sealed", b'{"errors":["Vault is sealed"]}', Trouble.AWAY),
        ("429 Standby", b"{}", Trouble.AWAY),
        ("403 Forbidden", b'{"errors":["permission denied"]}', Trouble.REFUSED),
        ("200 OK", b"<html>a proxy</html>", Trouble.ODD),
        ("418 Teapot", b"{}", Trouble.ODD),
        ("", b"", Trouble.AWAY),
    ],
)
async def test_whatever_the_server_answers_is_one_of_few_troubles(status: str, body: bytes, trouble: Trouble) -> None:
    raw = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body if status else b""
    async with answering(raw) as masters:
        for ask in (masters.held, lambda: masters.wrap(SECRETS), lambda: masters.make(THIS)):
            with pytest.raises(KeyServiceError) as refused:
                await ask()
            assert refused.value.trouble is trouble
            assert str(refused.value) == f"key service: {trouble.value}"


async def test_a_server_that_is_away_is_trouble() -> None:
    masters = Transit(f"http://127.0.0.1:{free_port()}", mount="transit", key="k", token="t", patience=timedelta(seconds=1))
    with pytest.raises(KeyServiceError) as refused:
        await masters.wrap(SECRETS)
    assert refused.value.trouble is Trouble.AWAY
    await masters.close()
