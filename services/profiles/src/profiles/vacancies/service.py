"""Organisations publish, change and close their vacancies; each step is told to the other services."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from chassis.clock import Clock
from chassis.http.language import Text
from chassis.http.problems import ConflictProblem, FieldError, InvalidProblem, NotFoundProblem
from chassis.ids import new_id
from chassis.tokens import Caller
from chassis.uow import Reads, UnitOfWork
from contracts.profiles.vacancy import VacancyEvent, Workplace

from profiles.jobposting import JobPosting
from profiles.organisations.service import Organisation, acting_for
from profiles.vacancies import store
from profiles.vacancies.model import BrokenRuleError, Facts, State, Vacancy, facts_of

__all__ = ["State", "Vacancies", "Vacancy"]


class ClosedProblem(ConflictProblem):
    """A closed vacancy was to be changed."""

    code, title = "vacancy-closed", Text("Deze vacature is gesloten", "This vacancy is closed")


@dataclass(frozen=True)
class Vacancies:
    """The use cases. A vacancy of another organisation does not exist for the caller."""

    clock: Clock

    async def publish(self, uow: UnitOfWork, *, caller: Caller, posting: JobPosting) -> Vacancy:
        """Publish a vacancy of the organisation that the caller acts for."""
        organisation = await acting_for(uow, caller)
        today = self.clock.today()
        vacancy = Vacancy(new_id(), organisation.id, published_on=today, facts=self._facts(posting, organisation))
        return _keep(uow, vacancy)

    async def change(
        self, uow: UnitOfWork, *, caller: Caller, vacancy: str, posting: JobPosting, check: Callable[[int], None]
    ) -> Vacancy:
        """Let a posting take the place of what was published; `check` refuses what was not seen before."""
        organisation = await acting_for(uow, caller)
        found = await _find(uow, vacancy, organisation)
        check(found.sequence)
        if found.state is State.CLOSED:
            raise ClosedProblem
        facts = self._facts(posting, organisation)
        return found if facts == found.facts else _keep(uow, replace(found, facts=facts))

    async def close(self, uow: UnitOfWork, *, caller: Caller, vacancy: str) -> Vacancy:
        """Stop offering a vacancy. Again: nothing new."""
        found = await _find(uow, vacancy, await acting_for(uow, caller))
        closed = found.closed(self.clock.today())
        return found if closed == found else _keep(uow, closed)

    async def show(self, reads: Reads, *, caller: Caller, vacancy: str) -> Vacancy:
        """Return one vacancy."""
        return await _find(reads, vacancy, await acting_for(reads, caller))

    async def list_own(
        self, reads: Reads, *, caller: Caller, state: State | None, before: str | None, limit: int
    ) -> list[Vacancy]:
        """Return the organisation's vacancies, the newest first."""
        organisation = await acting_for(reads, caller)
        return await store.find_of(reads, organisation.id, state=state, before=before, limit=limit)

    def _facts(self, posting: JobPosting, organisation: Organisation) -> Facts:
        try:
            return facts_of(posting, organisation=organisation.name, today=self.clock.today())
        except BrokenRuleError as broken:
            error = FieldError(broken.field, broken.rule, broken.detail)
            raise InvalidProblem(errors=[error], choices=list(broken.choices) or None) from None


async def _find(reads: Reads, vacancy: str, organisation: Organisation) -> Vacancy:
    found = await store.find(reads, vacancy, organisation=organisation.id)
    if found is None:
        raise NotFoundProblem
    return found


def _keep(uow: UnitOfWork, vacancy: Vacancy) -> Vacancy:
    kept = replace(vacancy, sequence=store.keep(uow, vacancy))
    uow.emit(_event(kept), sequence=kept.sequence)
    return kept


def _event(vacancy: Vacancy) -> VacancyEvent:
    facts = vacancy.facts
    places = [
        Workplace(name=one.name, province=one.province, latitude=one.latitude, longitude=one.longitude) for one in facts.places
    ]
    hours_min, hours_max = facts.hours or (None, None)
    salary_min, salary_max = facts.salary or (None, None)
    return VacancyEvent.model_validate(
        {
            "vacancy": vacancy.id,
            "organisation": vacancy.organisation,
            "state": vacancy.state.value,
            "published_on": vacancy.published_on,
            "valid_through": facts.valid_through,
            "title": facts.title,
            "description": facts.description,
            "place": places[0] if places else None,
            "also_at": places[1:],
            "remote": facts.workplace == "remote",
            "hybrid": facts.workplace == "hybrid",
            "skills": facts.skills,
            "level": facts.level,
            "hours_min": hours_min,
            "hours_max": hours_max,
            "salary_min": salary_min,
            "salary_max": salary_max,
            "contract_types": facts.contract_types,
            "sectors": facts.sectors,
            "starts_on": facts.starts_on,
            "url": facts.url,
        }
    )
