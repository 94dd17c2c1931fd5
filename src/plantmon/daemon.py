"""This module is the daemon: it builds the stages, owns threads, scheduler and clock, and the order of stopping.

Threads: paho's network thread fills the queue; the writer drains it, commits and acknowledges; the scheduler's workers
run the stages and the watches; one thread mails, one each tells of stuck mails elsewhere, beats, and forwards to an
InfluxDB; the main thread feeds systemd's watchdog and waits for the end.
"""

from __future__ import annotations

import ctypes
import math
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, JobExecutionEvent
from apscheduler.schedulers.background import BackgroundScheduler

from plantmon import outward, systemd, watch
from plantmon.alarms import silence
from plantmon.alarms.device_clock import DeviceClocks, Spoken
from plantmon.archiving import COMPONENT as ARCHIVE
from plantmon.archiving import Archiving
from plantmon.errors import ArchiveError, DeliveryError, SettingsError, StoreUnavailable
from plantmon.feed.check import Message
from plantmon.feed.inflow import Inflow
from plantmon.feed.own_clock import Finding, OwnClock
from plantmon.feed.session import Broker, Session
from plantmon.importing.staging import beside
from plantmon.model.alarm import Condition
from plantmon.model.plant import Plant
from plantmon.notify import heartbeat, smtp
from plantmon.notify.draftsman import ChartChild
from plantmon.notify.smtp import MailServer
from plantmon.notify.stage import Mailer
from plantmon.pipeline import Pipeline
from plantmon.plant.topics import DECODED
from plantmon.requests import Requests
from plantmon.settings import Settings
from plantmon.store import alarms, health, inbox, points, series, spool, values
from plantmon.store.database import Lock, Store, transaction
from plantmon.store.writer import Writer
from plantmon.times import HOUR_MS, MINUTE_MS, Clock

log = structlog.get_logger()

DRAIN_S = 6.0  # of the ten seconds an orderly stop may take
MAIL_END_S = 2.0  # what a mail server may take for the answer that is under way
HELD_MOST = 20_000  # messages waiting for our own clock; beyond, the queue fills and the broker keeps them
WRITER_STUCK_S = 60.0  # a commit never takes so long; then the watchdog is not fed and systemd starts us anew
ON_THE_WAY_S = 2.0  # what a reading may take from the broker into the store before its point counts as silent
LOG_AGAIN_S = 3600.0  # an unchanged failure is logged once an hour
MAIL_IDLE_S = 30.0
SECOND_LOOK_S = 5.0  # how often it is looked whether a mail is stuck; what is known to fall due is looked at in time
BEAT_LOOK_S = 1.0
FORWARD_LOOK_S = 1.0  # what is committed within it goes in one request
WATCHES_STUCK_S = 60.0  # they look around every second
STATUS_EVERY_S = 10.0
IMPORTS_AGAIN_S = 600.0  # after one that did not go on
LONG_REQUESTS = {"recompute", "adopt", "import"}
ARCHIVE_REST_S = 0.01  # between two of its transactions: it has a day's time
_ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h
# While messages wait, storing goes before computing: hours that still fill would be computed again and again.
STAGES_REST = 3.0  # times as long as the stages ran
FORWARD_END_S = 0.5  # what was accepted and could not be noted any more goes out once again
FORWARD_REST = 20.0  # likewise: who reads the InfluxDB can wait, who sends to us may not be kept waiting
FORWARD_YIELDS = 50  # messages that wait: more than a plant's ordinary trickle
LONGEST_REST_S = 15.0


def clock_of(settings: Settings, plant: Plant) -> Clock:
    """Make the plant's clock from the settings: real time, unless a start or a rate is given."""
    section = settings.clock
    if not section.start and section.rate == 1.0:
        return Clock()
    real_now = time.time_ns() // 1_000_000
    real_start = plant.time.parse(section.real_start) if section.real_start else real_now
    start = plant.time.parse(section.start) if section.start else real_start
    return Clock(start, real_start, section.rate)


def broker_of(settings: Settings, plant: Plant) -> Broker:
    """Make the broker's address and manners from the settings."""
    mqtt = settings.mqtt
    tls = mqtt.tls
    return Broker(
        mqtt.host, mqtt.port, mqtt.client_id, mqtt.username,
        mqtt.password.get_secret_value() if mqtt.password else None,
        tls.ca if tls else None, tls.cert if tls else None, tls.key if tls else None, tls is not None,
        mqtt.protocol, mqtt.keepalive_s, mqtt.session_expiry_s, mqtt.receive_maximum,
        settings.heartbeat.mqtt_topic if settings.heartbeat else None,
        heartbeat.status(plant.id, heartbeat.OFFLINE),
    )  # fmt: skip


def mail_server_of(settings: Settings) -> MailServer:
    """Make the mail server's address and manners from the settings."""
    smtp = settings.smtp
    password = smtp.password.get_secret_value() if smtp.password else None
    return MailServer(smtp.host, smtp.port, smtp.security, smtp.username, password, smtp.timeout_s)


class _Ending(Exception):
    """The mail thread must send no more."""


class Daemon:
    """One plant's service. `run` returns when it was told to stop, or raises what makes going on impossible."""

    def __init__(self, settings: Settings, plant: Plant) -> None:
        self._settings = settings
        self._plant = plant
        self._clock = clock_of(settings, plant)
        self._lock = Lock(settings.store.path)
        self._inflow = Inflow(settings.mqtt.queue_messages, settings.mqtt.queue_mb * 1_000_000)
        self._own_clock = OwnClock(plant.rules.future_ms, self._clock.rate)
        self._device_clocks = DeviceClocks(plant)
        self._held: list[Message] = []
        self._clock_is_wrong = False
        self._store_fault: str | None = None
        self._fault_to_tell: str | None = None
        self._retry_s = 0.0
        self._dropped = 0
        self._dropped_seen: int | None = None
        self._dropped_at_ms: int | None = None
        self._listening_since_ms = self._clock.now()
        self._was_connected = False
        self._failures: dict[str, tuple[str, float, int]] = {}  # component: what, when last logged, how often
        self._stages_rest_until_s = 0.0
        self._forward_rests_until_s = 0.0
        self._looked_ahead_min = 0  # the plant minute it was last done in
        self._digested_min = 0  # likewise
        self._imports_due_s = 0.0
        self._looked_around_s = time.monotonic()
        self._ending = threading.Event()
        self._mail_wake = threading.Event()
        self._loops: list[outward.Loop] = []

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT. Raises AlreadyRunning, StoreUnavailable, StoreCorrupt, PlantFileError."""
        _share_memory()
        folder = self._settings.store.path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"{folder}: {error.strerror}") from error
        self._lock.take()
        try:
            self._build()
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: self._ending.set())
            self._start()
            self._watch_over()
        finally:
            self._stop()
            self._lock.release()
        if self._writer.failure is not None:
            raise self._writer.failure

    def _build(self) -> None:
        settings, plant = self._settings, self._plant
        self._writer = Writer(settings.store.path, self._inflow.arrived)
        self._pipeline: Pipeline | None = None
        self._writer.start(self._pump)
        self._store = Store(settings.store.path, self._writer.run)
        spool_max = settings.influx.spool_max if settings.influx else 0
        self._store.write(lambda connection: spool.set_limit(connection, spool_max))
        domain = settings.smtp.sender.rpartition("@")[2]
        pipeline = Pipeline(plant, self._store, self._clock.now(), domain, self._clock.rate)
        self._archiving = Archiving(settings, self._store)
        self._requests = Requests(pipeline, self._clock.now)
        self._chart = ChartChild()
        self._mailer = Mailer(
            self._store, plant, mail_server_of(settings), settings.smtp.sender, self._series, self._chart,
            rate=self._clock.rate, send=self._send,
        )  # fmt: skip
        with self._store.readers.snapshot() as connection:
            row = connection.execute("SELECT value FROM meta WHERE key = 'subscriptions'").fetchone()
            self._dropped_seen = values.number_or_none(connection, "broker_dropped_seen")
        stale = row[0].split("\n") if row else []
        broker = broker_of(settings, plant)
        self._session = Session(broker, pipeline.checker.routes, self._inflow, self._clock.now, stale)
        topic = settings.heartbeat.mqtt_topic if settings.heartbeat else None
        if topic is not None and self._session.hears(topic):
            raise SettingsError(f"heartbeat.mqtt_topic {topic} lies within a feed's topic; give it one of its own")
        filters = "\n".join(topic for topic, _ in self._session.filters)
        self._store.write(
            lambda c: c.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('subscriptions', ?)", (filters,))
        )
        pipeline.alarms.end_orphans(self._clock.now())
        self._pipeline = pipeline
        self._scheduler = self._schedule()
        self._mail_thread = threading.Thread(target=self._mail, name="mail", daemon=True)
        self._second = outward.second_channel_of(settings, plant, self._store, self._clock.rate)
        self._heartbeat = outward.heartbeat_of(settings, plant, self._session.publish_status)
        self._forwarder = outward.forwarder_of(settings, plant, self._store)
        if self._forwarder is not None:
            self._loops.append(outward.Loop("forward", self._forward, self._ending, FORWARD_END_S))
        if self._second is not None:
            self._loops.append(outward.Loop("second-channel", self._tell_elsewhere, self._ending, MAIL_END_S))
        if self._heartbeat is not None:
            self._loops.append(outward.Loop("heartbeat", self._beat, self._ending, MAIL_END_S))

    def _schedule(self) -> BackgroundScheduler:
        scheduler = BackgroundScheduler(
            timezone=self._plant.time.zone,
            # A job whose worker was busy runs late instead of never, and once for all the times it missed.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            executors={"default": {"type": "threadpool", "max_workers": 4}},
        )
        soon = datetime.now(UTC) + timedelta(seconds=0.2)
        for name, job, seconds in (
            ("stages", self._run_stages, 1.0),
            ("surroundings", self._look_around, 1.0),
            ("outlook", self._look_ahead, 1.0),
            ("digest", self._send_digest, 1.0),
            ("inbox", lambda: self._serve_inbox(lambda kind: kind not in LONG_REQUESTS), 0.5),
            ("long_requests", self._serve_long_requests, 0.5),
            ("completeness", self._check_completeness, 60.0),
            (ARCHIVE, self._keep_archive, 10.0),
        ):
            scheduler.add_job(self._guarded(name, job), "interval", seconds=seconds, id=name, next_run_time=soon)
        scheduler.add_listener(_log_job, EVENT_JOB_ERROR | EVENT_JOB_MAX_INSTANCES)
        return scheduler

    def _start(self) -> None:
        self._chart.start()
        self._session.start()
        self._scheduler.start()
        self._mail_thread.start()
        for loop in self._loops:
            loop.start()
        systemd.notify(READY="1", STATUS="started")
        for feed in self._plant.feeds:
            if feed.format not in DECODED:
                log.warning("feed_without_decoder", topic=feed.topic, format=feed.format)
        log.info("started", plant=self._plant.id, points=len(self._plant.points), limits=len(self._plant.limits))

    # the writer's thread

    def _pump(self, connection: sqlite3.Connection) -> bool:
        """Store what waits, then acknowledge it; say whether there was anything."""
        pipeline = self._pipeline
        if pipeline is None or time.monotonic() < self._retry_s:
            # What arrives meanwhile would wake the writer at once, over and over.
            self._inflow.arrived.clear()
            return False
        messages = self._held
        if len(messages) < HELD_MOST:
            messages = messages + self._inflow.take()
        now_ms = self._clock.now()
        if not messages:
            if pipeline.ingest.has_lives_due(now_ms):
                with suppress(StoreUnavailable), transaction(connection):
                    pipeline.ingest.note_lives(connection, now_ms)
            return False
        batch = pipeline.checker.check(messages)
        finding = self._own_clock.judge(batch, now_ms, time.monotonic())
        self._clock_is_wrong = finding is Finding.CLOCK_WRONG
        if finding is not Finding.GO_ON:
            pipeline.checker.put_back()
            return self._hold(messages, 0.5)
        try:
            with transaction(connection):
                stored = pipeline.take(connection, batch, messages, now_ms)
        except StoreUnavailable as error:
            self._note_store_fault(str(error))
            pipeline.undone(connection, now_ms)
            return self._hold(messages, 1.0)
        self._held = []
        self._note_store_fault(None)
        self._session.acknowledge([message.token for message in messages if message.token])
        if stored.woke:
            self._mail_wake.set()
        return True

    def _hold(self, messages: list[Message], wait_s: float) -> bool:
        """Keep a batch unacknowledged and come back to it."""
        self._held = messages
        self._retry_s = time.monotonic() + wait_s
        return False

    def _note_store_fault(self, fault: str | None) -> None:
        if fault != self._store_fault:
            if fault:
                log.error("store_unavailable", error=fault)
            else:
                log.info("store_back")
        if self._store_fault and fault is None:
            self._fault_to_tell = self._store_fault  # while it lasted no alarm could be written
        self._store_fault = fault

    # the scheduler's threads

    def _guarded(self, name: str, job: Callable[[], None]) -> Callable[[], None]:
        """Wrap a job: its failure is logged with its trace, shown in health, and stops no other."""

        def run() -> None:
            if self._ending.is_set():
                return
            before = self._count_queued()
            try:
                job()
            except StoreUnavailable as error:
                self._note_store_fault(str(error))
            except Exception as error:
                self._note_failure(name, error)
            else:
                self._note_well(name)
            self._wake_mail(before)

        return run

    def _count_queued(self) -> int:
        return self._pipeline.announcer.queued if self._pipeline else 0

    def _wake_mail(self, before: int) -> None:
        """Wake the mail thread when messages were queued since a count was taken.

        Whoever queues takes his own: another's look may fall between the count and its commit, and wakes in vain.
        """
        if self._count_queued() != before:
            self._mail_wake.set()

    def _note_failure(self, component: str, error: Exception) -> None:
        """Log a failure when it is another than the last, and once an hour; show it in health."""
        said, logged_s, count = self._failures.get(component, ("", 0.0, 0))
        is_news = repr(error) != said or time.monotonic() - logged_s > LOG_AGAIN_S
        if is_news:
            log.error("failing", component=component, count=count + 1, exc_info=error)
        self._failures[component] = (repr(error), time.monotonic() if is_news else logged_s, count + 1)
        now_ms = self._clock.now()
        with suppress(Exception):  # the log has it; a store that cannot be written says so itself
            self._store.write(lambda connection: health.note_failure(connection, component, repr(error), now_ms))

    def _note_well(self, component: str) -> None:
        if self._failures.pop(component, None) is not None:
            log.info("well_again", component=component)
            now_ms = self._clock.now()
            with suppress(Exception):  # as above; the threads that call this must not end by it
                self._store.write(lambda connection: health.note_well(connection, component, now_ms))

    def _run_stages(self) -> None:
        pipeline = self._pipeline
        assert pipeline is not None
        if self._inflow.is_behind and time.monotonic() < self._stages_rest_until_s:
            return
        began_s = time.monotonic()
        self._turn_until_done(pipeline)
        took_s = time.monotonic() - began_s
        self._stages_rest_until_s = time.monotonic() + min(STAGES_REST * took_s, LONGEST_REST_S)

    def _turn_until_done(self, pipeline: Pipeline) -> None:
        while not self._ending.is_set():
            before = self._count_queued()
            turn = pipeline.turn(self._clock.now())
            if turn.verdicts_changed or turn.windows_closed:
                log.debug("windows", closed=turn.windows_closed, changed=turn.windows_changed)
            self._wake_mail(before)
            if not turn.more or self._inflow.is_behind:
                break

    def _look_around(self) -> None:
        """Raise and clear the alarms about silence, broker, clocks and disk."""
        pipeline = self._pipeline
        assert pipeline is not None
        now_ms, real_s = self._clock.now(), time.monotonic()
        self._looked_around_s = real_s
        if self._store_fault is not None:  # try the disk, also when no message comes to try it
            self._store.write(lambda connection: values.set_number(connection, "disk_tried_ms", now_ms))
            self._note_store_fault(None)
        link = self._session.link
        if link.is_connected and not self._was_connected:
            self._listening_since_ms = now_ms
        self._was_connected = link.is_connected
        self._note_dropped(now_ms)
        away_s = None if link.is_connected else real_s - link.changed_s
        stalled_s = None if link.stalled_s is None else real_s - link.stalled_s
        fault, self._fault_to_tell = self._fault_to_tell, None
        with self._store.readers.snapshot() as connection:
            waiting = spool.total(connection)
            lives = points.lives(connection)
            ahead = points.ahead(connection)
            standing = {alarm.key for alarm in alarms.all_standing(connection)}
            archive_fault = next((one[3] for one in health.failing(connection) if one[0] == ARCHIVE), None)
        archive_fault = archive_fault or pipeline.unreadable
        seen = watch.Surroundings(
            away_s, link.reason, self._dropped, self._dropped_at_ms, self._clock_is_wrong, fault, stalled_s,
            waiting.bytes / waiting.most if waiting.most else None, archive_fault,
        )  # fmt: skip
        conditions = watch.conditions(seen, now_ms)
        heard = {name: silence.Heard(life.heard_ms) for name, life in lives.items()}
        slack_ms = int(ON_THE_WAY_S * 1000 * self._clock.rate)
        is_deaf = away_s is not None or self._clock_is_wrong or self._store_fault is not None
        silent = silence.conditions(
            self._plant, heard, self._listening_since_ms, now_ms,
            broker_is_away=is_deaf,
            slack_ms=slack_ms,
        )  # fmt: skip
        spoken = {name: Spoken(life.spoken_ms, life.heard_ms, ahead.get(name)) for name, life in lives.items()}
        clocks = [] if is_deaf else self._device_clocks.conditions(spoken, now_ms, slack_ms=slack_ms)
        moving = [one for one in [*conditions, *silent, *clocks] if _moves(one, standing)]

        def write(connection: sqlite3.Connection) -> bool:
            return pipeline.alarms.apply(connection, moving, now_ms)

        if not moving:
            return
        self._store.write(write)

    def _look_ahead(self) -> None:
        """Warn of what is to come: once a plant minute of running windows, once an hour of caps, leaks, deadlines."""
        pipeline = self._pipeline
        assert pipeline is not None
        now_ms = self._clock.now()
        if now_ms // MINUTE_MS == self._looked_ahead_min or self._inflow.is_behind:
            return
        pipeline.outlook(now_ms)
        if now_ms // HOUR_MS != self._looked_ahead_min // (HOUR_MS // MINUTE_MS):
            pipeline.watch_caps(now_ms)
            pipeline.watch_leaks(now_ms)
            pipeline.watch_deadlines(now_ms)
        self._looked_ahead_min = now_ms // MINUTE_MS

    def _send_digest(self) -> None:
        """Once a plant minute: queue the digest that is due."""
        pipeline = self._pipeline
        assert pipeline is not None
        now_ms = self._clock.now()
        if now_ms // MINUTE_MS == self._digested_min:
            return
        if queued := pipeline.digests.run(now_ms):
            log.info("digest_queued", messages=queued)
        self._digested_min = now_ms // MINUTE_MS

    def _note_dropped(self, now_ms: int) -> None:
        """Follow the broker's count of dropped messages, across our own restarts too: that is when it drops."""
        seen = self._session.link.dropped
        if seen is None or seen == self._dropped_seen:
            return
        if self._dropped_seen is not None:
            # A broker that was started anew counts from 0: all it has dropped since is new to us.
            self._dropped += seen - self._dropped_seen if seen > self._dropped_seen else seen
            if self._dropped:
                self._dropped_at_ms = now_ms
        self._dropped_seen = seen
        self._store.write(lambda connection: values.set_number(connection, "broker_dropped_seen", seen))

    def _serve_inbox(self, is_meant: Callable[[str], bool]) -> None:
        """Do what people ask; what takes minutes has a job of its own, for others want to acknowledge meanwhile."""
        connection = inbox.open_inbox(inbox.path_beside(self._settings.store.path))
        try:
            inbox.serve(connection, self._requests.handle, is_meant)
        finally:
            connection.close()

    def _serve_long_requests(self) -> None:
        """Do what takes minutes; then, once, go on with files that a killed command was taking in."""
        self._serve_inbox(lambda kind: kind in LONG_REQUESTS)
        if time.monotonic() < self._imports_due_s:
            return
        self._imports_due_s = time.monotonic() + IMPORTS_AGAIN_S
        assert self._pipeline is not None
        self._pipeline.importing.go_on(beside(self._settings.store.path), self._clock.now)
        self._imports_due_s = math.inf

    def _check_completeness(self) -> None:
        """Once a plant day: every closed window there, every limit judged (design rule 11)."""
        pipeline = self._pipeline
        assert pipeline is not None
        today = self._plant.time.day_start(self._clock.now())
        with self._store.readers.snapshot() as connection:
            if values.number(connection, "completeness_checked") >= today:
                return
        pipeline.alarms.end_orphans(self._clock.now())
        holes = pipeline.windows.find_holes() + pipeline.amounts.find_holes() + pipeline.compliance.find_holes()
        if holes:
            log.warning("holes_found", count=holes)
        self._store.write(lambda connection: values.set_number(connection, "completeness_checked", today))

    def _keep_archive(self) -> None:
        """Once a day of UTC: seal and let go of what is due; not while a backlog comes in."""
        try:
            self._archiving.daily(self._clock.now(), time.monotonic(), self._may_archive)
        except ArchiveError:
            if not self._ending.is_set():  # then its child was ended, which is no failure
                raise

    def _may_archive(self) -> bool:
        return not self._inflow.is_behind and not self._ending.wait(ARCHIVE_REST_S)

    # the mail thread

    def _mail(self) -> None:
        while not self._ending.is_set():
            self._mail_wake.clear()
            wait_s = MAIL_IDLE_S
            try:
                due_ms = self._mailer.run(self._clock.now(), time.time_ns() // 1_000_000)
                if due_ms is not None:
                    wait_s = min(wait_s, max(0.05, due_ms / 1000 - time.time()))
            except _Ending:
                return
            except StoreUnavailable as error:
                self._note_store_fault(str(error))
                wait_s = 1.0
            except Exception as error:  # mail must go on, whatever one message did
                self._note_failure("mail", error)
                wait_s = 5.0
            else:
                self._note_well("mail")
            self._mail_wake.wait(wait_s)

    def _send(self, server: MailServer, mime: bytes, sender: str, addresses: list[str]) -> dict[str, smtp.Reply]:
        if self._ending.is_set():  # its answer might not be written any more
            raise _Ending
        return smtp.send(server, mime, sender, addresses)

    def _series(self, point: str, start_ms: int, end_ms: int) -> tuple[list[int], list[float]]:
        assert self._pipeline is not None
        number = self._pipeline.numbers.get(point)
        if number is None:
            return [], []
        try:
            with self._store.readers.snapshot() as connection:
                return series.course(connection, number, start_ms, end_ms)
        except ArchiveError as error:  # a mail goes without its chart rather than not at all
            log.warning("series_unreadable", point=point, error=str(error))
            return [], []

    # the threads of second channel, heartbeat and InfluxDB

    def _tell_elsewhere(self) -> float:
        """Tell of stuck mails on the second channel; give how long to wait."""
        assert self._second is not None
        try:
            turn = self._second.run(self._clock.now(), time.time_ns() // 1_000_000)
        except StoreUnavailable as error:
            self._note_store_fault(str(error))
            return 1.0
        except Exception as error:  # the next breach must have its chance
            self._note_failure("second_channel", error)
            return SECOND_LOOK_S
        if turn.is_tried:
            self._note_called("second_channel", turn.fault)
        return SECOND_LOOK_S if turn.due_ms is None else min(SECOND_LOOK_S, max(0.05, turn.due_ms / 1000 - time.time()))

    def _beat(self) -> float:
        """Beat where it is due; give how long to wait."""
        assert self._heartbeat is not None
        try:
            link = self._session.link
            beat = self._heartbeat.run(self._faults(), link.changed_s, time.monotonic(), time.time_ns() // 1_000_000)
            if beat.is_called:
                self._note_called("heartbeat", beat.fault)
        except Exception:  # a heartbeat must beat on
            log.exception("heartbeat_failed")
        return BEAT_LOOK_S

    def _forward(self) -> float:
        """Send what waits for the InfluxDB, giving way to readings that come in; give how long to wait."""
        assert self._forwarder is not None
        if len(self._inflow) > FORWARD_YIELDS and time.monotonic() < self._forward_rests_until_s:
            return 0.1
        began_s = time.monotonic()
        try:
            turn = self._forwarder.run(self._clock.now(), began_s)
        except StoreUnavailable as error:
            self._note_store_fault(str(error))
            return 1.0
        except Exception as error:  # what waits must have its chance again
            self._note_failure("forward", error)
            return LONGEST_REST_S
        took_s = time.monotonic() - began_s
        self._forward_rests_until_s = time.monotonic() + min(FORWARD_REST * took_s, LONGEST_REST_S)
        if turn.rows or turn.fault:
            self._note_called("forward", turn.fault)
        if turn.fault:
            return turn.wait_s
        return 0.0 if turn.is_full else FORWARD_LOOK_S

    def _note_called(self, component: str, fault: str | None) -> None:
        """Show in health and log how a call went; a writer that is stuck is not waited for."""
        if not self._is_writing:
            return
        if fault is None:
            self._note_well(component)
        else:
            self._note_failure(component, DeliveryError(fault, retriable=True))

    @property
    def _is_writing(self) -> bool:
        return self._writer.failure is None and time.monotonic() - self._writer.turned_s < WRITER_STUCK_S

    def _faults(self) -> list[str]:
        """Name what keeps plantmon from its work just now; nothing: it is well."""
        section = self._settings.heartbeat
        needs_broker = section is None or not section.even_without_broker
        signs = {
            "broker away": needs_broker and not self._session.link.is_connected,
            "network thread ended": not self._session.is_alive(),
            "writer stuck": not self._is_writing,
            "store unavailable": self._store_fault is not None,
            "clock wrong": self._clock_is_wrong,
            "mail thread ended": not self._mail_thread.is_alive(),
            "watches stuck": time.monotonic() - self._looked_around_s > WATCHES_STUCK_S,
        }
        return [name for name, is_so in signs.items() if is_so]

    # the main thread

    def _watch_over(self) -> None:
        """Feed the watchdog while the network thread lives and the writer comes round; end when told or broken."""
        status_s = 0.0
        while not self._ending.wait(1.0):
            if self._writer.failure is not None:
                log.critical("writer_failed", error=repr(self._writer.failure))
                return
            if not self._session.is_alive():
                self._session.revive()
            network, writer = self._session.is_alive(), time.monotonic() - self._writer.turned_s < WRITER_STUCK_S
            if network and writer:
                systemd.notify(WATCHDOG="1")
            else:
                log.error("not_well", network_thread=network, writer=writer)
            if time.monotonic() - status_s > STATUS_EVERY_S:
                status_s = time.monotonic()
                link = self._session.link
                systemd.notify(
                    STATUS=f"broker {'connected' if link.is_connected else 'away'}, {len(self._inflow)} waiting"
                )

    def _stop(self) -> None:
        """Take no more messages, write and acknowledge what waits, end the threads; what is left the broker keeps."""
        systemd.notify(STOPPING="1")
        self._ending.set()
        self._mail_wake.set()
        if getattr(self, "_session", None) is not None:
            self._session.stop_taking()
            deadline = time.monotonic() + DRAIN_S
            while len(self._inflow) and self._writer.is_alive() and time.monotonic() < deadline:
                time.sleep(0.02)
        if getattr(self, "_archiving", None) is not None:
            self._archiving.close()
        if getattr(self, "_scheduler", None) is not None and self._scheduler.running:
            self._scheduler.shutdown(wait=True)
        mail = getattr(self, "_mail_thread", None)
        if mail is not None and mail.is_alive():  # what the mail server just took must still be written, or goes twice
            mail.join(MAIL_END_S)
        for loop in self._loops:
            loop.join()
        if getattr(self, "_writer", None) is not None:
            self._writer.stop(DRAIN_S)
        if getattr(self, "_session", None) is not None:
            self._session.stop()
        if getattr(self, "_chart", None) is not None:
            self._chart.close()
        log.info("stopped", pid=os.getpid())


def _share_memory() -> None:
    """Have the threads share two heaps: with one each, what one frees is no use to the next (27 MB measured)."""
    with suppress(OSError, AttributeError):  # a C library without this knob
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 2)


def _moves(condition: Condition, standing: set[str]) -> bool:
    """Whether a condition can change anything."""
    return condition.is_bad is not None and condition.is_bad != (condition.key in standing)


def _log_job(event: JobExecutionEvent) -> None:
    log.debug("job", job=event.job_id, code=event.code, error=repr(getattr(event, "exception", None)))
