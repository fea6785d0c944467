"""`python -m testkit.disks`: after the demo, searches the disks of Kafka and MongoDB for its two candidates.

First it shows that it would find them: an id and an organisation's name, which may stand there, are found in both.
"""

import argparse
import sys

from chassis.terminal import say
from localstack.layout import Instance

from testkit.residue import Finding, data_files, flush, search
from testkit.samples import organisation, people
from testkit.stack import Stack


def main() -> int:
    """Search once; 1 when somebody was found, or when nothing at all was."""
    parser = argparse.ArgumentParser(prog="testkit.disks", description=__doc__)
    parser.add_argument("--instance", default="main", help="which instance of the local stack (default: main)")
    stack = Stack(Instance(parser.parse_args().instance))
    flush(stack.mongo_url())
    files = data_files(stack.instance)
    public = organisation()["name"]
    would_find = {one.path.suffix for one in search(files, public)} >= {".log", ".wt"}
    say(f"'{public}', which everybody may read, is {'' if would_find else 'NOT '}found in Kafka's segments and MongoDB's files")
    found = list(search(files, *_traces()))
    for one in found:
        say(f"FOUND {_where(one, stack)}")
    say(f"searched {len(files)} files for {len(_traces())} details of the two candidates: {len(found) or 'none'} found")
    return 0 if would_find and not found else 1


def _traces() -> list[str]:
    """Names, streets, postal codes, telephone numbers, and what stands before the @, where a telling puts its mark."""
    return [trace.partition("@")[0] for person in people()[:2] for trace in person.traces()]


def _where(one: Finding, stack: Stack) -> str:
    return f"'{one.text}' as {one.encoding} in {one.path.relative_to(stack.instance.folder)} at {one.offset}"


if __name__ == "__main__":
    sys.exit(main())
