"""Judging by tests of whole projects: they tell of each test, they take long, and they may not notice the question."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import DataError
from engine.evaluation.judging import Bench, Judgeable, Tell
from engine.evaluation.project_tests import passed_tests
from engine.evaluation.projects import ProjectCase

REFERENCE_SECONDS = 120.0
"""CPU time for the tests of a published answer."""


@dataclass(frozen=True, slots=True)
class ProjectBench(Bench):
    """A bench for `ProjectCase`s, among others that are not judged."""

    def references(self, cases: Sequence[Judgeable], tell: Tell) -> None:
        """Run every published answer and question once; each case is kept by itself, as it may take minutes."""
        for case in cases:
            key = f"reference {case.name}"
            if isinstance(case, ProjectCase) and key not in self.ledger.rows:
                self.ledger.add(key, self._reference(case))
            tell(1)

    def passing(self, case: Judgeable, texts: Sequence[str]) -> dict[str, bool]:
        """Which answers pass the wanted tests and all that the published answer passes."""
        assert isinstance(case, ProjectCase), "others have a reason not to be judged"
        reference = self.ledger.rows[f"reference {case.name}"]
        known = {case.before: False, case.after: True}
        unknown = [text for text in texts if text not in known]
        known |= self._solve(case, unknown, reference["cpu_seconds"], set(reference["tests"]))
        return {text: known[text] for text in texts}

    def _reference(self, case: ProjectCase) -> dict[str, object]:
        try:
            run = self.cage.run(case.program(case.after), REFERENCE_SECONDS)
        except DataError as error:
            return {"outcome": "failed", "why": str(error)[:200], "cpu_seconds": 0.0}
        row = {"outcome": run.outcome, "why": run.last_line[:200], "cpu_seconds": round(run.cpu_seconds, 3)}
        if run.outcome != "passed":
            return row
        tests = passed_tests(run)
        passes = self._solve(case, [case.before], run.cpu_seconds, tests)[case.before]
        return row | {"question": "passed" if passes else "failed", "tests": sorted(tests)}

    def _solve(
        self, case: ProjectCase, texts: Sequence[str], seconds: float, tests: set[str]
    ) -> dict[str, bool]:
        """Which answers pass.

        Args:
            seconds: CPU time that the published answer's tests took.
            tests: all that it passed.
        """
        # A few times that, so that an endless loop is not waited for in vain.
        limit = self.cage.limits.cpu_seconds + 5 * seconds
        runs = self.cage.run_all([case.program(text) for text in texts], cpu_seconds=limit)
        return {
            text: run.outcome == "passed" and passed_tests(run) >= tests
            for text, run in zip(texts, runs, strict=True)
        }
