"""The order of the story's steps."""

from testkit.demo.follower import following
from testkit.demo.gone import account_is_deleted, scraper_is_frozen
from testkit.demo.story import (
    Story,
    a_year_passes,
    candidates_activate,
    candidates_anonymise,
    candidates_register,
    first_consents,
    nothing_twice,
    organisation_joins,
    recruiter_looks,
    vacancies_are_mailed,
)
from testkit.demo.telling import step
from testkit.portal import Portal
from testkit.samples import people
from testkit.stack import Stack


async def play(stack: Stack) -> Story:
    """Tell the whole story."""
    first, second = people()[:2]
    async with Portal(stack.gateway, stack.mails) as portal:
        story = Story(stack, portal)
        async with step(1, "An operator, an organisation, a recruiter and a system"):
            await organisation_joins(story)
        async with step(2, "Two candidates register and confirm their address"):
            await candidates_register(story, first, second)
        async with step(3, "They read the privacy statement; the first consents to the candidate bank"):
            await first_consents(story, first)
        async with step(4, "They fill in their profiles, choose what recruiters see, and activate"):
            await candidates_activate(story, first, second)
        async with step(5, "The recruiter searches and opens a profile; the candidate sees who looked"):
            await recruiter_looks(story, first, second)
        async with step(6, "A saved search, new vacancies, one mail, one click to stop (two workers are killed)"):
            await vacancies_are_mailed(story, first, second)
        async with step(7, "A year passes: both are asked, one renews, the other expires (a worker is killed in mid-sweep)"):
            await a_year_passes(story, first, second)
        async with step(8, "One anonymises for a while, the other for good (two workers are killed)"):
            await candidates_anonymise(story, first, second)
        async with step(9, "After the kills: nothing lost, nothing twice"):
            await nothing_twice(story, first, second)
        async with step(10, "A recruiter carries the bank away, and is frozen"):
            await scraper_is_frozen(story, first)
        title = "A candidate deletes the account: every service confirms, and a system outside forgets"
        async with step(11, title), following(story) as system:
            await account_is_deleted(story, first, system)
    return story
