"""`python -m testkit.demo`: plays the story on the running stack and says where to look afterwards."""

import argparse
import asyncio
import sys
import time

from chassis.terminal import say
from localstack.layout import Instance

from testkit.demo.steps import play
from testkit.demo.story import Story
from testkit.portal import PASSWORD
from testkit.stack import Stack


def main() -> int:
    """Play it once."""
    parser = argparse.ArgumentParser(prog="testkit.demo", description=__doc__)
    parser.add_argument("--instance", default="main", help="which instance of the local stack (default: main)")
    stack = Stack(Instance(parser.parse_args().instance))
    began = time.monotonic()
    story = asyncio.run(play(stack))
    say(f"\nThe story ended as it should, in {time.monotonic() - began:.0f} s. The stack goes on running:")
    _addresses(stack, story)
    return 0


def _addresses(stack: Stack, story: Story) -> None:
    for what, where in [
        ("gateway", f"{stack.gateway}/"),
        ("all APIs", f"{stack.gateway}/docs"),
        ("mails", f"{stack.mails}/"),
    ]:
        say(f"  {what:<10} {where}")
    say(f"Accounts, all with the password '{PASSWORD}':")
    for role, email in story.accounts.items():
        say(f"  {role:<10} {email}")
    say(f"  (the recruiter signs in for organisation {story.organisation})")
    say("`make status` shows what runs, `make turn DAYS=30` turns the clock, `make stop` ends it.")


if __name__ == "__main__":
    sys.exit(main())
