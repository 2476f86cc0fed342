/** At risk: bytes that all verify, and are not the log: a lost or misplaced write leaves such. LSNs, seals and running checksums tell. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FrameScanner } from '../../src/journal/wal/frame-scanner.ts';
import { FrameWriter } from '../../src/journal/wal/frame-writer.ts';
import { diskWith, look, sampleLog } from './sample.ts';
import type { SampleRecord, SampleSegment } from './sample.ts';

const joined = (...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts));

function nth(log: readonly SampleSegment[], index: number): SampleSegment {
  const segment = log.at(index);
  assert.ok(segment);
  return segment;
}

/** A record that is a group by itself, with others behind it. */
function single({ records }: SampleSegment): SampleRecord {
  const found = records.find(
    ({ endsGroup }, i) => i > 0 && i < records.length - 2 && endsGroup && records[i - 1]?.endsGroup,
  );
  assert.ok(found);
  return found;
}

async function refused(
  log: readonly SampleSegment[],
  index: number,
  bytes: Uint8Array,
): Promise<void> {
  const changed = log.map((segment) =>
    segment === nth(log, index) ? { ...segment, bytes } : segment,
  );
  for (const mode of ['tail', 'strict'] as const) {
    const outcome = await look(await diskWith(changed), mode);
    assert.equal(outcome.refused, 'LODE_INVALID_FORMAT', mode);
  }
}

describe('a log in which every frame verifies is refused', () => {
  it('when a whole group is missing from a segment that is still written', async () => {
    const log = await sampleLog({ seed: 5, records: 30, segmentBytes: 60_000, killed: true });
    const last = nth(log, -1);
    const { start, end } = single(last);
    await refused(log, -1, joined(last.bytes.subarray(0, start), last.bytes.subarray(end)));
  });

  it('when the last groups in front of a seal are missing', async () => {
    const log = await sampleLog({ seed: 6, records: 30, segmentBytes: 60_000, killed: false });
    const last = nth(log, -1);
    const cut = single(last).end;
    await refused(log, -1, joined(last.bytes.subarray(0, cut), last.bytes.subarray(last.end)));
  });

  it('when a record of an earlier segment is another one of the same length', async () => {
    const log = await sampleLog({ seed: 7, records: 40, segmentBytes: 2000, killed: true });
    const segment = nth(log, 0);
    const { start, end, lsn, content } = single(segment);
    const logNumber = new DataView(segment.bytes.buffer).getUint32(7, true);
    const writer = new FrameWriter({ logNumber, position: start, running: 0 });
    const other = new TextEncoder().encode(content.replaceAll('x', 'y'));
    writer.add({ kind: 0, lsn, index: 0, timeDelta: 0 }, [other]);
    const { bytes } = writer.take();
    const [before, after] = [segment.bytes.subarray(0, start), segment.bytes.subarray(end)];
    await refused(log, 0, joined(before, bytes, after));
  });
});

describe('the end of a page', () => {
  it('that is too short for a frame holds zeros and nothing else', () => {
    const start = { logNumber: 7, position: 32_768 - 60, running: 0 };
    const writer = new FrameWriter(start);
    const prefix = { kind: 0, index: 0, timeDelta: 0 } as const;
    writer.add({ ...prefix, lsn: 1 }, [new Uint8Array(60 - 16 - 6)]);
    writer.add({ ...prefix, lsn: 2, index: 1 }, [new Uint8Array(9)]);
    const { bytes } = writer.take();
    const step = (changed: Uint8Array): unknown => {
      const scanner = new FrameScanner(7, start.position, 0);
      scanner.load(changed, start.position, true);
      assert.equal(scanner.next(), 'record');
      return [scanner.next(), scanner.damage?.reason];
    };
    assert.deepEqual(step(bytes), ['record', undefined]);
    for (let at = 54; at < 60; at++)
      assert.deepEqual(step(bytes.with(at, 1)), ['damage', 'padding']);
  });
});
