"""All events with their meaning: for the terminal, for programs, for the page."""

from typing import Any

from contracts.envelope import Topic
from contracts.topics import EVENTS, FAMILIES

TOPICS = tuple(event.topic for event in (*EVENTS, *FAMILIES))


def as_text() -> str:
    """A paragraph for each event."""
    return "\n\n".join(_paragraph(topic) for topic in TOPICS)


def _paragraph(topic: Topic) -> str:
    lines = [
        topic.name,
        f"  says         {topic.says}",
        f"  key          {topic.key}",
        f"  written by   {topic.owner}",
        f"  followed by  {_followers(topic)}",
        f"  kept         {_kept(topic)}",
    ]
    return "\n".join([*lines, f"  tombstone    {topic.tombstone}"] if topic.tombstone else lines)


def _followers(topic: Topic) -> str:
    return ", ".join(topic.followed_by) or "no service"


def _kept(topic: Topic) -> str:
    if topic.kept is None:
        return "the last event of each key, for ever"
    term = f"{topic.kept.days} days" if topic.kept.days != 1 else "1 day"
    return f"{term}, the last event of each key" if topic.tombstone else term


def as_data() -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "topic": topic.name,
            "type": topic.event_type,
            "kind": topic.kind.value,
            "key": topic.key,
            "says": topic.says,
            "tombstone": topic.tombstone or None,
            "written_by": topic.owner,
            "followed_by": list(topic.followed_by),
            "partitions": topic.partitions,
            "configs": topic.configs,
        }
        for topic in TOPICS
    ]


def as_markdown() -> str:
    """The same as a table, and the tombstones as a second one."""
    events = ["| topic | key | says | followed by | kept |", "|---|---|---|---|---|"]
    events += [f"| `{t.name}` | {_cell(t.key)} | {t.says} | {_followers(t)} | {_kept(t)} |" for t in TOPICS]
    tombstones = ["| stream | what its tombstone means |", "|---|---|"]
    tombstones += [f"| `{t.name}` | {t.tombstone} |" for t in TOPICS if t.tombstone]
    return "\n".join([*events, "", *tombstones, ""])


def _cell(text: str) -> str:
    return f"`{text}`" if "<" in text else text
