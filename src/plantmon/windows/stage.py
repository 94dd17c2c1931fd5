"""This module closes windows and closes them again when readings change: live, late, imported, replayed alike.

Work is found in the store alone: hours that are over but not closed, and hours whose readings were touched. Each hour
is read as one slice of time for all its points, computed, and written in one transaction together with the marks it
settles, so that a kill at any moment leaves either all or nothing of it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from plantmon.averages.mean import HourMean, Minutes, PointTable, means_of, minutes_of
from plantmon.averages.running import hours_of_influence, mask_of, running_minutes
from plantmon.averages.validity import hour_due, hour_needed
from plantmon.errors import ArchiveError
from plantmon.model.minutes import MINUTES, Grid, MinuteBlock
from plantmon.model.plant import Kind, Outlet, Plant, Point, Running
from plantmon.model.reading import Columns
from plantmon.model.window import Window
from plantmon.store import declarations, dirty, minutes, points, readings, reported, windows
from plantmon.store.database import Store
from plantmon.store.passed_over import PassedOver
from plantmon.times import HOUR_MS, MINUTE_MS
from plantmon.windows.blocks import differing, merged
from plantmon.windows.calculated import Calculations
from plantmon.windows.counter import Event, Happening
from plantmon.windows.day import day_of_hours, energy_day
from plantmon.windows.flow import STANDS_INTERVALS
from plantmon.windows.registers import NEIGHBOURS, follow, held_since, way
from plantmon.windows.suspects import Suspects, SuspicionNews
from plantmon.windows.virtual import Virtuals

ALL_MINUTES = (1 << MINUTES) - 1
TOUCHED_AT_ONCE = 20_000


@dataclass(slots=True)
class Job:
    """What is to be done in one hour."""

    touched: dict[int, dirty.Touched] = field(default_factory=dict)
    closing: set[int] = field(default_factory=set)  # points whose hour is over
    again: set[int] = field(default_factory=set)  # points whose closed hour may come out differently
    minutes_again: set[int] = field(default_factory=set)  # recompute: minutes from all readings


@dataclass(slots=True)
class Result:
    """What a job found, to be written in one transaction."""

    packed: dict[int, bytes] = field(default_factory=dict)
    hours: list[Window] = field(default_factory=list)
    changed: set[int] = field(default_factory=set)  # points whose minutes or hour differ from what stood
    wiped: list[tuple[dirty.Touched, int]] = field(default_factory=list)
    happenings: dict[int, tuple[Happening, ...]] = field(default_factory=dict)
    later: list[tuple[int, int]] = field(default_factory=list)  # hours and points that must be made again after this


@dataclass(frozen=True, slots=True)
class Progress:
    """What a run did; `more` when work was left for the next one."""

    closed: int
    changed: int
    more: bool


@dataclass(frozen=True, slots=True)
class RegisterNews:
    """A register did something a person must look at (replaced, too fast), or it turned out that it did not."""

    point: str
    happening: Happening
    is_over: bool = False  # a declared change or a late reading explains it


# Who is told of such news, inside the transaction that stores it: a kill leaves both or neither.
Tell = Callable[[sqlite3.Connection, list[RegisterNews], int], None]
TellSuspicions = Callable[[sqlite3.Connection, list[SuspicionNews], int], None]


class WindowStage:
    """Makes minute, hour and day windows of a plant."""

    def __init__(
        self, plant: Plant, numbers: dict[str, int], store: Store, tell: Tell | None = None,
        tell_suspicions: TellSuspicions | None = None,
    ) -> None:  # fmt: skip
        self._plant = plant
        self._store = store
        self._tell = tell
        self._tell_suspicions = tell_suspicions
        self._numbers = numbers
        self._points: dict[int, Point] = {numbers[name]: point for name, point in plant.points.items()}
        self._outlets: dict[str, Outlet] = plant.outlets
        self._table = PointTable.of(self._points)
        self._calculated = Calculations(plant, numbers)
        self._virtual = Virtuals(plant, numbers)
        self._suspects = Suspects(self._points)
        self._dependents = self._find_dependents()
        self._has_later = False
        self._busy = threading.Lock()
        self.passed_over = PassedOver()

    def run(self, now_ms: int, most_hours: int = 48) -> Progress:
        """Do what is due by `now_ms`, at most so many hours of it, oldest first."""
        with self._store.readers.snapshot() as connection:
            jobs, backward = self._plan(connection, now_ms)
        unreadable = self.passed_over.starts(now_ms)
        order = sorted(backward, reverse=True) + sorted(hour for hour in jobs if hour not in backward)
        order = [hour for hour in order if hour not in unreadable]
        closed = changed = 0
        self._has_later = False
        for hour in order[:most_hours]:
            if self._has_work(jobs[hour], hour, now_ms):
                try:
                    done = self._do(hour, jobs[hour], now_ms, backward=hour in backward)
                except ArchiveError as error:  # its marks stay; nobody else waits for its file
                    self.passed_over.note(hour, error, now_ms)
                    continue
                closed, changed = closed + done[0], changed + done[1]
        days = self._close_days()
        return Progress(closed + days[0], changed + days[1], len(order) > most_hours or self._has_later)

    def recompute(self, start_ms: int, end_ms: int, now_ms: int) -> int:
        """Compute every closed hour and day that overlaps [start, end) again; give how many rows came out differently.

        Zero unless something changed that no mark told of.
        """
        return sum(changed for _, changed in self.recompute_days(start_ms, end_ms, now_ms))

    def recompute_days(self, start_ms: int, end_ms: int, now_ms: int) -> Iterator[tuple[int, int]]:
        """Do so a local day at a time; give after each where it ends, and how many of its rows came out differently."""
        with self._store.readers.snapshot() as connection:
            closed = windows.closed(connection, "1h")
        if not closed:
            return
        # Outside of what is closed there is nothing: a far date must not make an endless walk.
        start_ms = max(start_ms, min(first for first, _ in closed.values()))
        end_ms = min(end_ms, max(until for _, until in closed.values()))
        hour = self._plant.time.hour_start(start_ms)
        for day in self._plant.time.days(start_ms, end_ms):
            changed, edge = 0, min(end_ms, self._plant.time.next_day(day))
            while hour < edge:
                inside = {point for point, (first, until) in closed.items() if first <= hour < until}
                inside &= self._points.keys()
                if inside:
                    changed += self._do(hour, Job(again=inside, minutes_again=inside), now_ms, backward=False)[1]
                hour += HOUR_MS
            yield edge, changed + self._days_again(day, set(self._points))

    def find_holes(self) -> int:
        """Find hours and days without window inside what counts as closed and have them made; give how many.

        The daily check of design rule 11.
        """
        holes: list[tuple[int, int, int]] = []
        with self._store.readers.snapshot() as connection:
            for point, (start, until) in windows.closed(connection, "1h").items():
                there = set(windows.starts(connection, "1h", point))
                if len(there) < (until - start) // HOUR_MS:
                    holes += [(hour, point, ALL_MINUTES) for hour in range(start, until, HOUR_MS) if hour not in there]
            days = self._missing_days(connection)
        if holes:
            self._store.write(lambda connection: dirty.touch(connection, holes))
        for day, numbers in days.items():
            self._days_again(day, numbers)
        return len(holes) + sum(map(len, days.values()))

    def _missing_days(self, connection: sqlite3.Connection) -> dict[int, set[int]]:
        missing: dict[int, set[int]] = defaultdict(set)
        for point, (start, until) in windows.closed(connection, "1d").items():
            there = set(windows.starts(connection, "1d", point))
            for day in self._plant.time.days(start, until):
                if day not in there:
                    missing[day].add(point)
        return missing

    # what is to be done

    def _plan(self, connection: sqlite3.Connection, now_ms: int) -> tuple[dict[int, Job], set[int]]:
        jobs: dict[int, Job] = defaultdict(Job)
        backward: set[int] = set()
        closed = windows.closed(connection, "1h")
        beyond: dict[int, int] = {}
        begun: set[int] = set()
        for mark in dirty.touched(connection, TOUCHED_AT_ONCE, self._points.keys()):
            jobs[mark.hour].touched[mark.point] = mark
            if mark.point not in begun:  # marks come oldest first: what is older than anything begins with this one
                begun.add(mark.point)
                self._plan_backward(jobs, backward, closed.get(mark.point), mark)
            self._plan_touched(connection, jobs, closed.get(mark.point), mark, beyond)
            for user in self._calculated.users(mark.point):
                first, until = closed.get(user, (0, 0))
                if first <= mark.hour < until:
                    jobs[mark.hour].again.add(user)
        lives = points.lives(connection).values()
        self._plan_calculated(jobs, backward, {life.id: life.first_ms for life in lives}, closed, now_ms)
        for life in lives:
            point = self._points.get(life.id)
            if point is None or life.first_ms is None or life.id in self._calculated or life.id in self._virtual:
                continue
            first = self._plant.time.hour_start(life.first_ms)
            until = closed.get(life.id, (first, first))[1]
            for hour in range(until, self._plant.time.hour_start(now_ms - point.grace_ms), HOUR_MS):
                jobs[hour].closing.add(life.id)
        return jobs, backward

    def _plan_calculated(
        self, jobs: dict[int, Job], backward: set[int], firsts: dict[int, int | None],
        closed: dict[int, tuple[int, int]], now_ms: int,
    ) -> None:  # fmt: skip
        """Plan what of calculated points and virtual meters closes: with the slowest part, from where they begin."""
        made: list[tuple[Calculations | Virtuals, int]] = [(self._calculated, one) for one in self._calculated.order]
        made += [(self._virtual, one) for one in self._virtual.order]
        for source, number in made:
            first_ms = source.first_ms(number, firsts)
            if first_ms is None:
                continue
            first = self._plant.time.hour_start(first_ms)
            start, until = closed.get(number, (first, first))
            for hour in range(first, start, HOUR_MS):  # a part has older readings now
                jobs[hour].closing.add(number)
                backward.add(hour)
            end = self._plant.time.hour_start(now_ms - source.grace_ms(number))
            for hour in range(until, end, HOUR_MS):
                jobs[hour].closing.add(number)

    def _plan_backward(
        self, jobs: dict[int, Job], backward: set[int], span: tuple[int, int] | None, mark: dirty.Touched
    ) -> None:  # fmt: skip
        """Plan the hours from a mark to where a point's windows begin: readings older than anything came."""
        if span is None or mark.point in self._calculated or mark.point in self._virtual:
            return  # where these begin is their parts' affair
        for hour in range(mark.hour, span[0], HOUR_MS):
            jobs[hour].closing.add(mark.point)
            backward.add(hour)

    def _plan_touched(
        self, connection: sqlite3.Connection, jobs: dict[int, Job], span: tuple[int, int] | None, mark: dirty.Touched,
        beyond: dict[int, int],
    ) -> None:  # fmt: skip
        if span is None:
            return
        start, until = span
        if mark.point in self._calculated or mark.point in self._virtual:
            start = min(start, mark.hour)
        point = self._points[mark.point]
        first, last = mark.hour, mark.hour
        if point.kind is Kind.COUNTER and not point.is_virtual:
            if mark.point not in beyond:
                beyond[mark.point] = _beyond_reach(connection, mark.point, until)
            if mark.hour < beyond[mark.point]:
                first, last = self._reach(connection, point, mark)
        for hour in range(max(first, start), min(last + 1, until), HOUR_MS):
            jobs[hour].again.add(mark.point)
        influence = hours_of_influence(point)
        for hour in range(mark.hour, mark.hour + (influence + 1) * HOUR_MS, HOUR_MS):
            jobs[hour].again |= self._dependents.get(mark.point, set())

    def _reach(self, connection: sqlite3.Connection, point: Point, mark: dirty.Touched) -> tuple[int, int]:
        """Give the first and last hour whose amount a touched register reading can change."""
        around = way(connection, point, mark.point, (mark.hour, mark.hour + HOUR_MS), NEIGHBOURS, NEIGHBOURS)
        if not len(around.reach):
            return mark.hour, mark.hour
        # A mark may have hidden the hour's own readings: what they were part of reaches to their neighbours.
        first, last = min(int(around.reach[0]), mark.hour), max(int(around.reach[-1]), mark.hour)
        if point.register is not None and point.register.counts == "rate":  # what stood there is gone or stands longer
            last += STANDS_INTERVALS * point.interval_ms
        holds = any(one.event is Event.SLIGHT_FALL for one in around.happenings)
        if holds or held_since(connection, mark.point, last + 1, through_changes=True) is not None:
            newest = declarations.register(connection, mark.point, last, declarations.FOREVER, 0, 0).ts
            last = int(newest[-1]) if len(newest) else last
        return self._plant.time.hour_start(first), self._plant.time.hour_start(last)

    def _has_work(self, job: Job, hour: int, now_ms: int) -> bool:
        """Whether anything of an hour can be done now; minutes that still run can wait."""
        over = _minutes_over(hour, now_ms)
        return bool(job.closing or job.again or job.minutes_again) or any(
            mark.minutes & over for mark in job.touched.values()
        )

    # doing it

    def _do(self, hour: int, job: Job, now_ms: int, *, backward: bool) -> tuple[int, int]:
        with self._busy:  # a recompute beside the live stage must not write what it read before the other
            with self._store.readers.snapshot() as connection:
                result = self._compute(connection, hour, job, now_ms)
            return self._store.write(
                lambda connection: self._write(connection, hour, job, result, now_ms, backward=backward)
            )

    def _compute(self, connection: sqlite3.Connection, hour: int, job: Job, now_ms: int) -> Result:
        result = Result()
        over = _minutes_over(hour, now_ms)
        blocks = self._compute_minutes(connection, hour, job, over, result)
        self._calculate(connection, hour, job, over, blocks, result)
        result.later = self._calculated.later(hour, result.packed, self._plant.time.hour_start(now_ms))
        chosen = (job.closing | job.again) & self._points.keys()
        if not chosen:
            return result
        closed = windows.closed(connection, "1h")
        for point in chosen - job.closing:  # a reopened hour only where it was closed
            first, until = closed.get(point, (0, 0))
            if not first <= hour < until:
                chosen = chosen - {point}
        gauges = {number for number in chosen if self._points[number].kind is not Kind.COUNTER}
        blocks |= minutes.read(connection, hour, gauges - blocks.keys())
        ran = self._ran(connection, hour, gauges, blocks)
        standing = windows.at(connection, "1h", hour)
        means = self._means(gauges, blocks)
        for number in sorted(chosen - set(self._virtual.order)):
            if number in gauges:
                window = self._gauge_hour(number, hour, means[number], ran.get(self._points[number].outlet or ""))
            else:
                window = self._counter_hour(connection, number, hour, result)
            if standing.get(number) != window:
                result.hours.append(window)
                result.changed.add(number)
        self._virtual_hours(chosen, job.closing, closed, hour, standing, result)
        return result

    def _compute_minutes(
        self, connection: sqlite3.Connection, hour: int, job: Job, over: int, result: Result
    ) -> dict[int, MinuteBlock]:
        """Average the touched minutes that are over; give the blocks of all touched gauges."""
        masks: dict[int, int] = {}
        for number, mark in job.touched.items():
            ready = mark.minutes & over
            result.wiped.append((mark, ready))
            if ready and self._points[number].kind is not Kind.COUNTER and number not in self._calculated:
                masks[number] = ready
        for number in job.minutes_again:
            if self._points[number].kind is not Kind.COUNTER and number not in self._calculated:
                masks[number] = over
        if not masks:
            return {}
        numbers = sorted(masks)
        found = self._average(connection, hour, masks)
        stored = minutes.packed_at(connection, hour, numbers)
        old = Grid.unpack([stored.get(number) for number in numbers])
        new = merged(old, found, np.array(numbers), hour, [masks[number] for number in numbers])
        for place in np.flatnonzero(differing(old, new)).tolist():
            number = numbers[place]
            packed = new.row(place).pack()
            # An hour without readings has no row.
            if packed != stored.get(number) and (number in stored or new.had[place].any()):
                result.packed[number] = packed
                result.changed.add(number)
                result.changed |= self._dependents.get(number, set()) & (job.again | job.closing)
        return {number: new.row(place) for place, number in enumerate(numbers)}

    def _calculate(
        self, connection: sqlite3.Connection, hour: int, job: Job, over: int, blocks: dict[int, MinuteBlock],
        result: Result,
    ) -> None:  # fmt: skip
        """Make the minutes of calculated points again that close, were marked, or of which a part was averaged."""
        chosen = job.closing | job.again | job.minutes_again | job.touched.keys()
        for number in self._calculated.due(chosen, blocks):
            stored = minutes.read(connection, hour, [number]).get(number)
            block = self._calculated.block(connection, number, hour, over, blocks)
            packed = block.pack()
            if (stored is not None and packed != stored.pack()) or (stored is None and block.had.any()):
                result.packed[number] = packed
                result.changed.add(number)
            blocks[number] = block

    def _average(self, connection: sqlite3.Connection, hour: int, masks: dict[int, int]) -> Minutes:
        together = 0
        for mask in masks.values():
            together |= mask
        slow = [number for number in masks if self._points[number].is_slow]
        parts = [
            readings.gauges(connection, hour + first * MINUTE_MS, hour + (last + 1) * MINUTE_MS, slow, masks)
            for first, last in _stretches(together)
        ]
        chosen = np.array(sorted(masks), np.int64)
        keep = [np.isin(part.point, chosen) for part in parts]
        merged = Columns(*(
            np.concatenate([getattr(part, name)[kept] for part, kept in zip(parts, keep, strict=True)])
            for name in ("ts", "point", "value", "flag")
        ))  # fmt: skip
        return minutes_of(declarations.applied(connection, merged), self._table, 0)

    def _ran(
        self, connection: sqlite3.Connection, hour: int, numbers: Iterable[int], blocks: dict[int, MinuteBlock]
    ) -> dict[str, int]:
        """Give the mask of the minutes in which outlets ran: those with a running condition, or marked stopped."""
        stopped = declarations.stopped(connection, hour)
        ran = {}
        for name in sorted({self._points[number].outlet or "" for number in numbers} & self._outlets.keys()):
            running = self._outlets[name].running
            if running is not None or name in stopped:
                mask = ALL_MINUTES if running is None else mask_of(self._running(connection, running, hour, blocks))
                ran[name] = mask & ~stopped.get(name, 0)
        return ran

    def _running(
        self, connection: sqlite3.Connection, running: Running, hour: int, blocks: dict[int, MinuteBlock]
    ) -> NDArray[np.bool_]:
        point = self._plant.points[running.point]
        number = self._numbers[running.point]
        own = blocks.get(number) or minutes.read(connection, hour, [number]).get(number) or MinuteBlock.empty()
        earlier = [
            minutes.read(connection, hour - back * HOUR_MS, [number]).get(number) or MinuteBlock.empty()
            for back in range(hours_of_influence(point), 0, -1)
        ]
        return running_minutes(running, point, [*earlier, own])

    def _means(self, numbers: Iterable[int], blocks: dict[int, MinuteBlock]) -> dict[int, HourMean]:
        """Average gauges' hours, those that are averaged alike side by side."""
        alike: dict[tuple[bool, bool, int], list[int]] = defaultdict(list)
        for number in sorted(numbers):
            point = self._points[number]
            needed = hour_needed(point, self._plant.rules)
            alike[point.kind is Kind.ENERGY, point.is_slow, needed].append(number)
        means: dict[int, HourMean] = {}
        for (is_energy, is_slow, needed), some in alike.items():
            grid = Grid.of([blocks.get(number) or MinuteBlock.empty() for number in some])
            found = means_of(grid, is_energy, is_slow, needed)
            means |= {number: found.one(place) for place, number in enumerate(some)}
        return means

    def _gauge_hour(self, number: int, hour: int, found: HourMean, ran: int | None) -> Window:
        point = self._points[number]
        needed = hour_needed(point, self._plant.rules)
        return Window(
            "1h", hour, hour + HOUR_MS, number,
            mean=found.mean, minimum=found.minimum, maximum=found.maximum, lower_bound=found.lower_bound,
            due=hour_due(point), had=found.had, valid=found.valid, readings=found.readings,
            over_range=found.over_range, ran=ran, is_valid=found.valid >= needed,
        )  # fmt: skip

    def _counter_hour(self, connection: sqlite3.Connection, number: int, hour: int, result: Result) -> Window:
        end = hour + HOUR_MS
        followed = follow(connection, self._points[number], number, hour, end)
        found = followed.edges.amount(hour, end)
        result.happenings[number] = tuple(one for one in followed.happenings if hour <= one.ts_ms < end)
        inside = int(np.count_nonzero((followed.read >= hour) & (followed.read < end)))
        return Window(
            "1h", hour, end, number,
            amount=found.amount, due=HOUR_MS, had=found.covered_ms, valid=found.covered_ms, readings=inside,
            is_valid=found.covered_ms == HOUR_MS, estimated=found.estimated,
        )  # fmt: skip

    def _virtual_hours(
        self, chosen: set[int], closing: set[int], closed: dict[int, tuple[int, int]], hour: int,
        standing: dict[int, Window], result: Result,
    ) -> None:  # fmt: skip
        """Make the hour of the virtual meters that are chosen, and of those of which a part came out differently."""
        parts = standing | {window.point: window for window in result.hours}
        for number in self._virtual.due(chosen & set(self._virtual.order), result.changed):
            first, until = closed.get(number, (0, 0))
            if number not in closing and not first <= hour < until:
                continue
            window = parts[number] = self._virtual.hour(number, hour, parts)
            if standing.get(number) != window:
                result.hours.append(window)
                result.changed.add(number)

    def _write(
        self, connection: sqlite3.Connection, hour: int, job: Job, result: Result, now_ms: int, *, backward: bool
    ) -> tuple[int, int]:
        minutes.write(connection, ((hour, number, packed) for number, packed in result.packed.items()))
        windows.write(connection, result.hours)
        reported.compare_again(connection, result.hours)
        dirty.wipe_touched(connection, result.wiped)
        if result.later:
            dirty.touch(connection, ((later, number, ALL_MINUTES) for later, number in result.later))
            self._has_later = True
        closed = windows.closed(connection, "1h")
        spans = {}
        for number in job.closing:
            start, until = closed.get(number, (hour, hour))
            spans[number] = (min(start, hour), until) if backward else (start, max(until, hour + HOUR_MS))
        windows.close(connection, "1h", spans)
        for number in job.closing:
            if number in self._calculated:
                points.note_first(connection, number, sorted(self._calculated.measured_parts(number)))
            if number in self._virtual:
                parts = sorted(self._virtual.measured_parts(number))
                points.note_first(connection, number, parts, is_earliest=self._virtual.is_sum(number))
        for number, happenings in result.happenings.items():
            self._write_events(connection, number, hour, happenings, now_ms)
        closed |= spans
        changed = {n for n in result.changed if closed.get(n, (0, 0))[0] <= hour < closed.get(n, (0, 0))[1]}
        judge = changed | job.closing
        suspicions = self._suspects.follow(connection, hour, judge | job.again, closed, now_ms)
        if suspicions and self._tell_suspicions is not None:
            self._tell_suspicions(connection, suspicions, now_ms)
        if judge:
            dirty.unjudge(connection, (("1h", hour, number) for number in sorted(judge)))
            day = self._plant.time.day_start(hour)
            days = windows.closed(connection, "1d")
            reopened = [n for n in sorted(judge) if days.get(n, (0, 0))[0] <= day < days.get(n, (0, 0))[1]]
            self._write_days(connection, day, reopened, always=True)
        return len(job.closing), len(changed - job.closing)

    def _write_events(
        self, connection: sqlite3.Connection, number: int, hour: int, happenings: tuple[Happening, ...], now_ms: int
    ) -> None:
        rows = [(one.ts_ms, str(one.event), one.before, one.after, one.amount) for one in happenings]
        fresh, gone = windows.replace_events(connection, number, hour, hour + HOUR_MS, rows)
        name = self._points[number].id
        faults = [one for one in happenings if one.event.is_fault]
        past = [Happening(row[0], Event(row[1]), *row[2:]) for row in gone]
        still = {one.ts_ms for one in faults}
        news = [RegisterNews(name, one) for one in faults if any(row[0] == one.ts_ms for row in fresh)]
        news += [RegisterNews(name, one, True) for one in past if one.event.is_fault and one.ts_ms not in still]
        if news and self._tell is not None:
            self._tell(connection, news, now_ms)

    # days

    def _close_days(self) -> tuple[int, int]:
        """Close the days whose hours are all closed, one transaction a day."""
        plant_time = self._plant.time
        with self._store.readers.snapshot() as connection:
            hours, days = windows.closed(connection, "1h"), windows.closed(connection, "1d")
        due: dict[int, list[int]] = defaultdict(list)
        backward: dict[int, list[int]] = defaultdict(list)
        for number, (start, until) in hours.items():
            if number not in self._points:
                continue
            first = plant_time.day_start(start)
            day_from, day = days.get(number, (first, first))
            while first < day_from:
                backward[first].append(number)
                first = plant_time.next_day(first)
            while (end := plant_time.next_day(day)) <= until:
                due[day].append(number)
                day = end
        for day in sorted(backward, reverse=True):
            self._store.write(lambda c, day=day: self._close_day(c, day, backward[day], earlier=True))  # type: ignore[misc]
        for day in sorted(due):
            self._store.write(lambda c, day=day: self._close_day(c, day, due[day], earlier=False))  # type: ignore[misc]
        return sum(map(len, due.values())), sum(map(len, backward.values()))

    def _close_day(self, connection: sqlite3.Connection, day: int, numbers: list[int], *, earlier: bool) -> None:
        closed = windows.closed(connection, "1d")
        end = self._plant.time.next_day(day)
        windows.close(
            connection,
            "1d",
            {
                number: (day, closed.get(number, (day, end))[1])
                if earlier
                else (closed.get(number, (day, end))[0], end)
                for number in numbers
            },
        )
        self._write_days(connection, day, numbers, always=True)

    def _days_again(self, day: int, numbers: set[int]) -> int:
        with self._store.readers.snapshot() as connection:
            closed = windows.closed(connection, "1d")
        inside = sorted(n for n in numbers if closed.get(n, (0, 0))[0] <= day < closed.get(n, (0, 0))[1])
        return self._store.write(lambda connection: self._write_days(connection, day, inside, always=False))

    def _write_days(self, connection: sqlite3.Connection, day: int, numbers: list[int], *, always: bool) -> int:
        """Make a day's windows of its hours; judge those that changed, or all when their hours may have."""
        if not numbers:
            return 0
        end = self._plant.time.next_day(day)
        standing = windows.at(connection, "1d", day)
        hours = windows.between(connection, "1h", day, end, set(numbers))
        changed = []
        for number in numbers:
            point = self._points[number]
            window = day_of_hours(point, number, self._plant.rules, day, end, hours.get(number, []))
            if point.kind is Kind.ENERGY:
                blocks = [block for _, block in minutes.span(connection, number, day, end)]
                window = energy_day(window, blocks)
            if standing.get(number) != window:
                changed.append(window)
        windows.write(connection, changed)
        reported.compare_again(connection, changed)
        judge = numbers if always else [window.point for window in changed]
        dirty.unjudge(connection, (("1d", day, number) for number in judge))
        return len(changed)

    # what never changes

    def _find_dependents(self) -> dict[int, set[int]]:
        """Give for each running point the points of the outlets it decides about."""
        found: dict[int, set[int]] = defaultdict(set)
        for outlet in self._outlets.values():
            if outlet.running:
                found[self._numbers[outlet.running.point]] |= {self._numbers[name] for name in outlet.points}
        return dict(found)


def _beyond_reach(connection: sqlite3.Connection, number: int, until: int) -> int:
    """Give from when on a register's touched hour has neighbours enough after `until` not to reach back before it."""
    after = declarations.register(connection, number, until, until, 0, NEIGHBOURS).ts
    return int(after[-1]) + 1 if len(after) >= NEIGHBOURS else declarations.FOREVER


def _minutes_over(hour: int, now_ms: int) -> int:
    """Give the mask of an hour's minutes that are over."""
    return (1 << max(0, min(MINUTES, (now_ms - hour) // MINUTE_MS))) - 1


def _stretches(mask: int) -> list[tuple[int, int]]:
    """Give a mask's runs of ones as (first, last)."""
    runs: list[tuple[int, int]] = []
    for minute in range(MINUTES):
        if mask >> minute & 1:
            if runs and runs[-1][1] == minute - 1:
                runs[-1] = (runs[-1][0], minute)
            else:
                runs.append((minute, minute))
    return runs
