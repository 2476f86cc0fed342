/** At risk: two processes on one log, and processes that are killed. The lock names its holder and ends with it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isLodeError } from '../../../src/errors.ts';
import { openWal } from '../../../src/journal.ts';

const program = fileURLToPath(new URL('holder.js', import.meta.url));
const sizes = [1, 10, 300];

describe('a log of one process', () => {
  it('refuses another, opens once the first is killed, and holds all that was acknowledged', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'lode-log-'));
    try {
      let kept = 0;
      for (let round = 0; round < 6; round++) {
        const child = spawn(process.execPath, [program, dir], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const ended = once(child, 'exit');
        let acknowledged = 0;
        let lines = 0;
        for await (const line of createInterface({ input: child.stdout })) {
          if (line.startsWith('open ')) assert.equal(Number(line.slice(5)), kept);
          else acknowledged = Number(line);
          if (lines++ === 3) {
            await assert.rejects(openWal(dir), (error) => {
              assert.ok(isLodeError(error, 'LODE_LOCKED'));
              assert.match(String(error.details.actual), new RegExp(`process ${child.pid} `));
              return true;
            });
          }
          if (lines === 10 + round * 7) child.kill('SIGKILL');
        }
        await ended;
        const wal = await openWal(dir);
        kept = wal.durableLsn;
        assert.ok(kept >= acknowledged, `${kept} of ${acknowledged}`);
        let count = 0;
        for await (const { lsn, bytes } of wal.cursor()) {
          const size = sizes[(lsn - 1) % 3] ?? 0;
          assert.deepEqual(Buffer.from(bytes), Buffer.alloc(size, size & 0xff));
          count++;
        }
        assert.equal(count, kept);
        // Records go in threes: the next process goes on where a three begins.
        for (; kept % 3 !== 0; kept++) {
          const size = sizes[kept % 3] ?? 0;
          await wal.append(Buffer.alloc(size, size & 0xff)).durable;
        }
        await wal.close();
      }
      assert.ok(kept > 100);
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
