"""HTTP: a person deletes their account."""

from typing import Annotated, Any

from chassis.http.bodies import Body
from chassis.http.guards import signed_in
from chassis.http.language import Text
from chassis.http.problems import ConflictProblem, ForbiddenProblem
from chassis.tokens import Caller
from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from identity.closing.service import Closing, StaffAccountError, WrongPasswordError
from identity.organisations.model import LastAdministratorError
from identity.settings import IdentitySettings
from identity.throttling.service import ThrottledError, Try, came_from, throttled

_PASSWORD = Text("Het wachtwoord klopt niet", "The password is wrong")
_STAFF = Text("Draag eerst uw rol bij het portaal over", "Hand over your role at the portal first")
_LAST = Text(
    "Maak eerst iemand anders beheerder van uw organisatie", "Make somebody else your organisation's administrator first"
)


class ClosingBody(Body):
    """The password again: a session that was left open does not delete an account."""

    model_config = ConfigDict(str_strip_whitespace=False)  # blanks belong to a password

    password: Annotated[SecretStr, Field(max_length=1024)]


class Closed(BaseModel):
    """The account is closed, and its person is being erased; a mail holds the link by which that is followed."""

    model_config = ConfigDict(frozen=True)

    request: str


@post("/me/account/erasure", status_code=202, opt={"access": signed_in()}, summary="Delete my account")
async def delete_account(
    request: Request[Any, Any, Any],
    data: JSONBody[ClosingBody],
    caller: NamedDependency[Caller],
    closing: NamedDependency[Closing],
    settings: NamedDependency[IdentitySettings],
    counted_under: NamedDependency[bytes],
) -> Closed:
    """Close the account for good: you are signed out everywhere, your profile is gone from the bank, and all details are erased.

    This cannot be undone. What the law makes the portal keep, the last mail names.
    """
    attempt = Try.of(key=counted_under, account=caller.subject, caller=came_from(request, settings))
    try:
        return Closed(request=await closing.close(caller.subject, data.password.get_secret_value(), attempt))
    except ThrottledError as error:
        raise throttled(error) from error
    except WrongPasswordError as error:
        raise ForbiddenProblem(code="password", title=_PASSWORD) from error
    except StaffAccountError as error:
        raise ConflictProblem(code="staff-account", title=_STAFF) from error
    except LastAdministratorError as error:
        raise ConflictProblem(code="last-administrator", title=_LAST) from error


ROUTES = [delete_account]
