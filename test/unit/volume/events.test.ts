/** At risk: a dashboard that shows how far an upload is, and is wrong. */
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe } from 'node:test';
import type { LodeEvents } from '../../../src/index.ts';
import { content, onBoth } from './bed.ts';

describe('the event of a commit', () => {
  onBoth('says how much of the volume is there, with what others committed', async (bed) => {
    const told: LodeEvents['lode:commit'][] = [];
    const listen = (event: unknown): void => void told.push(event as LodeEvents['lode:commit']);
    const [one, other] = [await bed.volume(), await bed.volume({ manifests: 'compact' })];
    const [first, second] = [
      await one.stageWriteAt(0, content(0, 30)),
      await other.stageWriteAt(50, content(50, 20)),
    ];
    subscribe('lode:commit', listen);
    try {
      await one.commit([first]);
      await other.commit([second]);
    } finally {
      unsubscribe('lode:commit', listen);
    }
    assert.deepEqual(
      told.map(({ volume, coveredBytes, missingBytes }) => [volume, coveredBytes, missingBytes]),
      [
        ['vol', 30, 70],
        ['vol', 50, 50],
      ],
    );
  });
});
