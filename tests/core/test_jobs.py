"""Upkeep: each job at its turn, none ends the others, and a slow one leaves the machine to those who work."""

from __future__ import annotations

import threading

from wms.core.jobs import FIRST_AFTER_S_MAX, REST_FACTOR, Job, Jobs

WAIT_S = 60


class Hand:
    """A clock that is moved by hand, and the names of the jobs that ran."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.ran: list[str] = []

    def job(self, name: str, every_s: float, takes_s: float = 0.0) -> Job:
        def work() -> None:
            self.ran.append(name)
            self.now_s += takes_s

        return Job(name, every_s, work)

    def jobs(self, *jobs: Job) -> Jobs:
        return Jobs(jobs, lambda: self.now_s)

    def wait(self, jobs: Jobs, seconds: float) -> list[str]:
        self.now_s += seconds
        return jobs.run_due()


def test_nothing_runs_before_its_turn() -> None:
    hand = Hand()
    jobs = hand.jobs(hand.job("lost", 30))
    assert hand.wait(jobs, 29.9) == []
    assert hand.wait(jobs, 0.1) == ["lost"]


def test_a_rare_job_has_its_first_turn_within_a_minute_of_the_start() -> None:
    hand = Hand()
    jobs = hand.jobs(hand.job("velocity", 3600))
    assert hand.wait(jobs, FIRST_AFTER_S_MAX) == ["velocity"]
    assert hand.wait(jobs, 3599) == []
    assert hand.wait(jobs, 1) == ["velocity"]


def test_who_waited_longest_goes_first() -> None:
    hand = Hand()
    jobs = hand.jobs(hand.job("late", 50), hand.job("early", 20))
    assert hand.wait(jobs, 60) == ["early", "late"]


def test_a_slow_job_rests_ten_times_as_long_as_it_took() -> None:
    hand = Hand()
    jobs = hand.jobs(hand.job("audit", 60, takes_s=30))
    hand.wait(jobs, 60)
    assert hand.wait(jobs, 30 * REST_FACTOR - 1) == []
    assert hand.wait(jobs, 1) == ["audit"]


def test_a_job_that_fails_stops_no_other_and_has_its_next_turn() -> None:
    hand = Hand()

    def fails() -> None:
        hand.ran.append("broken")
        raise OSError("no disk")

    jobs = hand.jobs(Job("broken", 10, fails), hand.job("sound", 20))
    hand.wait(jobs, 20)
    hand.wait(jobs, 20)
    assert hand.ran == ["broken", "sound", "broken", "sound"]


def test_the_thread_runs_what_is_due_and_stops_when_asked() -> None:
    ran = threading.Event()
    jobs = Jobs([Job("quick", 0.01, ran.set)])
    jobs.start()
    assert ran.wait(WAIT_S)
    jobs.stop()
    ran.clear()
    assert not ran.wait(0.1)


def test_a_house_without_jobs_stands_still() -> None:
    assert Jobs([]).run_due() == []
