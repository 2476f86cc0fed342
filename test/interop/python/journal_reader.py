"""Reads journals. Written from docs/formats/journal.md alone, so that reading what Lode wrote proves that page.

Usage: journal_reader.py DIR... Prints JSON lines: segments, records, ends and snapshots as they are read, the verdict last.
Exit code 0: whole, or torn at its end as a crash leaves it; 5: damaged, or of a format this program does not know.
"""

import hashlib
import json
import os
import re
import struct
import sys

PAGE = 32768
HEAD = 11
HEADER_SIZE = 88
RECORD_MAX = 67_108_864
GROUP_MAX = 32768
WHOLE, FIRST, MIDDLE, LAST = 5, 6, 7, 8
RECORD, HEADER, SEAL, CHUNK, FOOTER = range(5)


class Damage(Exception):
    def __init__(self, offset, why, expected=None, actual=None):
        super().__init__(why)
        self.facts = {"offset": offset, "why": why}
        if expected is not None:
            self.facts |= {"expected": expected, "actual": actual}


# --- Checksums

TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    TABLE.append(byte)


def crc32c(data, crc=0):
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def masked(crc):
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


# --- Frames


class Frame:
    def __init__(self, at, kind, log, payload, checksum):
        self.at, self.kind, self.log, self.payload, self.checksum = at, kind, log, payload, checksum
        self.end = at + HEAD + len(payload)


def frame_at(data, at, log=None):
    """A valid frame of this log, or why there is none."""
    page_end = min(len(data), (at // PAGE + 1) * PAGE)
    if at + HEAD > page_end:
        return "no room for a frame"
    checksum, length, kind, number = struct.unpack_from("<IHBI", data, at)
    end = at + HEAD + length
    if kind not in (WHOLE, FIRST, MIDDLE, LAST) or end > page_end:
        return "not a frame"
    if log is not None and number != log:
        return "a frame of another log"
    if masked(crc32c(data[at + 6 : end])) != checksum:
        return "checksum"
    return Frame(at, kind, number, data[at + HEAD : end], data[at : at + 4])


def skip_page_end(data, at):
    left = -at % PAGE
    if 0 < left < HEAD:
        if any(data[at : at + left]):
            raise Damage(at, "nonzero bytes at the end of a page")
        at = min(len(data), at + left)
    return at


# --- Records


class Record:
    def __init__(self, frames):
        body = b"".join(frame.payload for frame in frames)
        self.frames, self.at, self.end = frames, frames[0].at, frames[-1].end
        self.kind, self.last, self.low, self.index, at = prefix_of(body, self.at)
        zigzag, at = varint(body, at, 8, self.at)
        self.delta = zigzag >> 1 if zigzag % 2 == 0 else -(zigzag >> 1) - 1
        self.content = body[at:]
        if len(self.content) > RECORD_MAX:
            raise Damage(self.at, "record beyond the size limit")

    def fields(self, layout):
        try:
            return struct.unpack("<" + layout, self.content)
        except struct.error:
            raise Damage(self.at, "size of a header, seal or footer") from None


def prefix_of(body, offset):
    if len(body) < 4:
        raise Damage(offset, "record without its prefix")
    bits, low = struct.unpack_from("<BH", body)
    if bits & 0xE0 or bits & 15 > FOOTER:
        raise Damage(offset, "unknown kind or bits", actual=bits, expected="kinds 0 to 4")
    index, at = varint(body, 3, 5, offset)
    return bits & 15, bits & 16 != 0, low, index, at


def varint(body, at, most, offset):
    value = 0
    for place in range(most):
        if at + place >= len(body):
            break
        value |= (body[at + place] & 127) << 7 * place
        if body[at + place] < 128:
            return value, at + place + 1
    raise Damage(offset, "number without an end")


class Torn(Exception):
    """D of section 5: what is here neither follows nor is unwritten."""

    def __init__(self, at, why):
        super().__init__(why)
        self.at, self.why = at, why


def records_of(data, log):
    """Records until unwritten space; `Torn` where something else is, or where a record is not complete."""
    at, parts = 0, []
    while True:
        at = skip_page_end(data, at)
        if not any(data[at : at + HEAD]) and not any(data[at:]):
            if parts:
                raise Torn(at, "record without its last frame")
            return
        frame = frame_at(data, at, log)
        if isinstance(frame, str):
            raise Torn(at, frame)
        if (frame.kind in (MIDDLE, LAST)) != bool(parts):
            raise Torn(at, "frame out of order")
        parts.append(frame)
        at = frame.end
        if frame.kind in (WHOLE, LAST):
            yield Record(parts)
            parts = []


# --- Segments


class Unbegun(Damage):
    """A segment that ends within its header."""

    def __init__(self):
        super().__init__(0, "ends within its header")


class Segment:
    def __init__(self, folder, name):
        self.name = name
        with open(os.path.join(folder, name), "rb") as file:
            self.data = file.read()
        first = frame_at(self.data, 0)
        if isinstance(first, str):
            raise Unbegun() if len(self.data) < HEADER_SIZE else Damage(0, "header: " + first)
        header = Record([first])
        if header.content[:8] != b"lode-wal":
            raise Damage(0, "not a segment")
        if struct.unpack_from("<H", header.content.ljust(10, b"\0"), 8)[0] != 1:
            raise Damage(0, "format version", 1, struct.unpack_from("<H", header.content, 8)[0])
        _, _, flags, self.log, self.journal, self.epoch, self.first, before, running, zero, self.time = header.fields(
            "8sHHI16sQQQIIq"
        )
        self.running_before, self.anew = running, flags & 1 == 1
        facts = (flags & ~1, zero, first.kind, header.kind, header.last, header.low, header.index, first.log, before)
        if facts != (0, 0, WHOLE, HEADER, True, self.first & 0xFFFF, 0, self.log, self.first - 1):
            raise Damage(0, "header does not agree with itself")
        if name != f"wal-{self.first:020}.log":
            raise Damage(0, "header of another file", name, f"wal-{self.first:020}.log")

    def read(self, following):
        """Yields facts of records; the last fact yielded tells how the segment ends."""
        taken_over = isinstance(following, Segment) and following.epoch > self.epoch
        until = following.first - 1 if taken_over else None
        self.lsn, self.running, self.index, self.group_open = self.first - 1, self.running_before, -1, False
        end, time = "open", self.time
        try:
            for record in records_of(self.data, self.log):
                if record.at == 0:
                    self.take(record)
                    continue
                if end == "sealed":
                    raise Damage(record.at, "something behind the seal")
                if until is not None and self.lsn == until:
                    break
                time += record.delta
                if record.kind == SEAL:
                    self.check_seal(record)
                    end = "sealed"
                    continue
                self.check_order(record)
                self.take(record)
                self.lsn += 1
                self.index, self.group_open = record.index, not record.last
                yield {
                    "lsn": self.lsn,
                    "offset": record.at,
                    "time": time,
                    "index": record.index,
                    "last": record.last,
                    "frames": len(record.frames),
                    "bytes": len(record.content),
                    "sha256": hashlib.sha256(record.content).hexdigest(),
                }
            if end == "open" and self.group_open and not taken_over:
                raise Torn(len(self.data), "group without its last record")
        except Torn as torn:
            if end == "sealed":
                raise Damage(torn.at, "something behind the seal") from None
            if not taken_over or self.lsn < until:
                self.judge(torn, following)
                end = "torn"
        if taken_over and self.lsn >= until:
            end = "taken over" if end == "open" else end
        elif following is not None and end != "sealed":
            raise Damage(len(self.data), "ends without a seal")
        yield {"end": end, "lastLsn": self.lsn}

    def take(self, record):
        for frame in record.frames:
            self.running = crc32c(frame.checksum, self.running)

    def check_order(self, record):
        index = self.index + 1 if self.group_open else 0
        expected = (RECORD, self.lsn + 1 & 0xFFFF, index)
        actual = (record.kind, record.low, record.index)
        if actual != expected or index >= GROUP_MAX:
            raise Damage(record.at, "record does not follow", expected, actual)

    def check_seal(self, seal):
        actual = (seal.low, seal.index, seal.last, *seal.fields("QI"))
        expected = (self.lsn + 1 & 0xFFFF, 0, True, self.lsn, self.running)
        if actual != expected:
            raise Damage(seal.at, "seal does not fit", expected, actual)

    def judge(self, torn, following):
        """Section 5: a torn group, or `Damage`."""
        if following is not None:
            raise Damage(torn.at, torn.why)
        group = self.lsn - self.index if self.group_open else self.lsn + 1
        at = torn.at
        while (found := self.first_frame_from(at)) is not None:
            payload, at = self.record_from(found)
            try:
                kind, _, low, index, _ = prefix_of(payload, found.at)
            except Damage:
                continue
            if kind == SEAL or (low - index) & 0xFFFF != group & 0xFFFF:
                raise Damage(torn.at, f"{torn.why}, but the log goes on at {found.at}")

    def first_frame_from(self, at):
        number = struct.pack("<I", self.log)
        at = self.data.find(number, at + 7)
        while at >= 0:
            frame = frame_at(self.data, at - 7, self.log)
            if isinstance(frame, Frame) and frame.kind in (WHOLE, FIRST):
                return frame
            at = self.data.find(number, at + 1)
        return None

    def record_from(self, first):
        """The payload of the record that begins here, or of its first frame when it is not whole; and where to go on."""
        frame, payload = first, first.payload
        while frame.kind in (FIRST, MIDDLE):
            at = frame.end + -frame.end % PAGE if -frame.end % PAGE < HEAD else frame.end
            following = frame_at(self.data, at, self.log)
            if isinstance(following, str) or following.kind in (WHOLE, FIRST):
                return first.payload, frame.end
            frame, payload = following, payload + following.payload
        return payload, frame.end


def open_segment(folder, name):
    try:
        return Segment(folder, name)
    except Damage as damage:
        return damage


def read_segments(folder, names, say):
    """The verdict, and whose log it is."""
    segments = [open_segment(folder, name) for name in names]
    anew = [at for at, segment in enumerate(segments) if isinstance(segment, Segment) and segment.anew]
    start = anew[-1] if anew else 0
    for name in names[:start]:
        say({"file": name, "end": "does not count"})
    verdict, before = "whole", None
    for at, segment in enumerate(segments[start:], start):
        following = segments[at + 1] if at + 1 < len(segments) else None
        try:
            if isinstance(segment, Damage):
                raise segment
            facts = {"firstLsn": segment.first, "epoch": segment.epoch, "log": segment.log, "size": len(segment.data)}
            say({"file": segment.name, "journal": segment.journal.hex(), **facts, "anew": segment.anew})
            check_link(before, segment)
            for fact in segment.read(following):
                say({"file": segment.name, **fact})
                verdict = "torn" if fact.get("end") == "torn" else verdict
        except Unbegun as unbegun:
            if following is None:
                say({"file": names[at], "end": "torn", "offset": 0})
                return "torn", before and before.journal
            say({"file": names[at], "end": "damaged", **unbegun.facts})
            return "damaged", before and before.journal
        except Damage as damage:
            say({"file": names[at], "end": "damaged", **damage.facts})
            return "damaged", before and before.journal
        before = segment
    return verdict, before and before.journal


def check_link(before, segment):
    if before is None:
        return
    expected = (before.journal, before.lsn + 1, before.running, True, True)
    later = (segment.log > before.log, segment.epoch >= before.epoch)
    actual = (segment.journal, segment.first, segment.running_before, *later)
    if actual != expected:
        raise Damage(0, "does not follow the segment before", repr(expected), repr(actual))


# --- Snapshots


def read_snapshot(folder, name):
    with open(os.path.join(folder, name), "rb") as file:
        data = file.read()
    lsn = int(name[9:29])
    state, chunks, header, footer, end = b"", 0, None, None, 0
    try:
        for place, record in enumerate(records_of(data, lsn & 0xFFFFFFFF)):
            wanted = (HEADER,) if place == 0 else (CHUNK, FOOTER)
            if record.kind not in wanted or footer is not None:
                raise Damage(record.at, "record out of order")
            if (record.low, record.index, record.last) != (place & 0xFFFF, 0, True):
                raise Damage(record.at, "record does not follow")
            if record.kind == HEADER:
                header = record
            elif record.kind == CHUNK:
                state, chunks = state + record.content, chunks + 1
            else:
                footer, end = record, record.end
    except Torn as torn:
        raise Damage(torn.at, torn.why) from None
    if header is None or footer is None or end != len(data):
        raise Damage(end, "does not end with a footer")
    actual = footer.fields("QII")
    if actual != (len(state), crc32c(state), chunks):
        raise Damage(footer.at, "footer does not fit", (len(state), crc32c(state), chunks), actual)
    return {**snapshot_facts(header, lsn), "bytes": len(state), "chunks": chunks, "sha256": hashlib.sha256(state).hexdigest()}


def snapshot_facts(header, lsn):
    content = header.content
    if content[:8] != b"lode-snp" or len(content) < 54:
        raise Damage(0, "not a snapshot")
    version, flags, journal, of, time, written = struct.unpack_from("<HH16sQqq", content, 8)
    if (version, flags) != (1, 0):
        raise Damage(0, "format version or flags", (1, 0), (version, flags))
    if of != lsn:
        raise Damage(0, "header of another file", lsn, of)
    texts, at = [], 52
    for _ in range(2):
        length = content[at] if at < len(content) else 256
        texts.append(content[at + 1 : at + 1 + length])
        at += 1 + length
    if at != len(content):
        raise Damage(0, "header does not agree with itself")
    codec, code = (text.decode("utf-8") for text in texts)
    return {"journal": journal.hex(), "lsn": lsn, "time": time, "written": written, "codec": codec, "version": code}


def read_journal(folder):
    def say(fact):
        print(json.dumps(fact))

    names = sorted(os.listdir(folder))
    segments = [name for name in names if re.fullmatch(r"wal-\d{20}\.log", name)]
    verdict, journal = read_segments(folder, segments, say)
    for name in names:
        if not re.fullmatch(r"snapshot-\d{20}\.snap", name):
            continue
        try:
            facts = read_snapshot(folder, name)
            if journal is not None and facts["journal"] != journal.hex():
                raise Damage(0, "snapshot of another journal", journal.hex(), facts["journal"])
            say({"file": name, **facts})
        except Damage as damage:
            say({"file": name, "end": "damaged", **damage.facts})
            verdict = "damaged"
    say({"verdict": verdict})
    return verdict


if __name__ == "__main__":
    verdicts = [read_journal(folder) for folder in sys.argv[1:]]
    sys.exit(5 if "damaged" in verdicts else 0)
