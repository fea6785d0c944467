"""The organisations that take part in all rounds of a run: made once, with their people and their systems."""

from dataclasses import dataclass

import httpx

from testkit.cast import Cast, Organisation
from testkit.faults.client import Client
from testkit.faults.companies import CompanyAtWork
from testkit.faults.ledger import Ledger
from testkit.portal import Actor, ok


@dataclass(frozen=True)
class Company:
    """How its people and its system sign in."""

    organisation: Organisation
    secret: tuple[str, str]
    operator: Actor
    other: str
    """Another organisation, whose people do nothing: it has a system that follows the bank, and an administrator."""

    @classmethod
    async def found(cls, cast: Cast) -> "Company":
        """Let an operator make them."""
        operator = await cast.operator()
        organisation = await cast.organisation(operator, f"Vakwerk {cast.mark[:4]}", bank=True)
        other = await cast.organisation(operator, f"Traagwerk {cast.mark[:4]}", bank=True)
        await cast.portal.join_organisation(operator, other.id, cast.email("beheerder"), role="administrator")
        wanted = {"name": "Vacaturesysteem", "scopes": ["vacancies:write"]}
        client = ok(await operator.post(f"identity/v1/organisations/{organisation.id}/clients", wanted)).json()
        return cls(organisation, (client["id"], client["secret"]), operator, other.id)

    async def at_work(self, http: httpx.AsyncClient, ledger: Ledger, mark: str, groups: tuple[str, ...]) -> CompanyAtWork:
        """Let it take part in a round."""
        acting = {"organisation": self.organisation.id, "role": "recruiter"}
        recruiter = Client(http, ledger, email=self.organisation.recruiter_email, acting=acting, actor=Actor(http))
        system = Client(http, ledger, secret=self.secret, actor=Actor(http))
        await recruiter.sign_in()
        await system.sign_in()
        return CompanyAtWork(self.organisation, recruiter, system, ledger, groups, mark)
