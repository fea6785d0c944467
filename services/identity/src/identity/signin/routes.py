"""Sign-in and refresh over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated

from chassis.hashing import NotAnAddressError
from chassis.http.bodies import Body
from chassis.http.guards import public
from chassis.http.language import Text
from chassis.http.problems import ForbiddenProblem, InvalidProblem, Problem, UnauthorizedProblem, invalid
from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from pydantic import Field
