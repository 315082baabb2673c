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
        limit = self.cage.limits.cpu_seconds + 5 * reference["cpu_seconds"]
        runs = self.cage.run_all([case.program(text) for text in unknown], cpu_seconds=limit)
        for text, run in zip(unknown, runs, strict=True):
            known[text] = run.outcome == "passed" and passed_tests(run) >= set(reference["tests"])
        return {text: known[text] for text in texts}

    def _reference(self, case: ProjectCase) -> dict[str, object]:
        programs = [case.program(case.after), case.program(case.before)]
        try:
            answer, question = self.cage.run_all(programs, cpu_seconds=REFERENCE_SECONDS)
        except DataError as error:
            return {"outcome": "failed", "why": str(error)[:200], "cpu_seconds": 0.0}
        tests = passed_tests(answer)
        noticed = question.outcome != "passed" or not passed_tests(question) >= tests
        return {
            "outcome": answer.outcome,
            "why": answer.last_line[:200],
            "cpu_seconds": round(answer.cpu_seconds, 3),
            "question": "failed" if noticed else "passed",
            "tests": sorted(tests),
        }
