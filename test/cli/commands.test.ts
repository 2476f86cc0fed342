/** At risk: what scripts build on. Each command by its output, its document and its exit code. */
import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { bench, fill, lode, lodeJson } from './program.ts';
import type { Bench, Filled, Ran } from './program.ts';

describe('lode', () => {
  let at: Bench;
  let ids: Filled;
  before(async () => {
    at = bench();
    ids = await fill(at.store);
  });
  after(() => at[Symbol.dispose]());
  const run = (...args: string[]): Promise<Ran> => lode(args, { cwd: at.folder });
  const document = async <T>(...args: string[]): Promise<T> =>
    (await lodeJson(args, { cwd: at.folder })) as T;
  const lines = async (...args: string[]): Promise<string[]> => {
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 0, stderr);
    return stdout.split('\n').slice(0, -1);
  };

  it('ls lists datasets of every layout, objects level by level, and all of them', async () => {
    assert.deepEqual(await lines('ls', 'data'), ['events', 'prices', 'visits', 'backup', 'disk']);
    assert.deepEqual(await lines('ls', 'data', '--layout', 'hive'), ['visits']);
    assert.deepEqual(await lines('ls', 'data', '--layout', 'flat'), ['backup']);
    assert.deepEqual(await lines('ls', 'data', 'datasets/events/'), [
      'datasets/events/latest',
      'datasets/events/snapshots/',
    ]);
    assert.equal((await lines('ls', 'data', '-r')).length, 28);
    assert.match(
      (await lines('ls', 'data', '-l'))[0] ?? '',
      /^events {2}default {2}2026-.* 1 row /,
    );
    const { version, datasets } = await document<{ version: number; datasets: object[] }>(
      'ls',
      'data',
      '--long',
    );
    assert.equal(version, 1);
    assert.deepEqual(
      datasets.map((facts) => Object.keys(facts)),
      datasets.map(() => ['id', 'latest', 'layout']),
    );
    const objects = await document<{ objects: object[] }>('ls', 'data', 'backup/');
    assert.deepEqual(
      objects.objects.map((facts) => Object.keys(facts)),
      [['prefix'], ['etag', 'key', 'lastModified', 'size']],
    );
  });

  it('log shows the history newest first, and what is no part of it', async () => {
    const found = await lines('log', 'data', 'events');
    assert.deepEqual(
      found.map((line) => line.slice(0, 19)),
      [ids.second, ids.first],
    );
    assert.equal((await lines('log', 'data', 'events', '-n', '1')).length, 1);
    assert.equal((await lines('log', 'data', 'events', '-n', '0')).length, 0);
    const log = await document<{ snapshots: { createdAt: string }[] }>(
      'log',
      'data',
      'events',
      '--limit',
      '1',
    );
    const createdAt = log.snapshots[0]?.createdAt;
    assert.match(createdAt ?? '', /^2026-01-02T03:04:05\.\d+Z$/);
    assert.deepEqual(log, {
      version: 1,
      command: 'log',
      dataset: 'events',
      layout: 'default',
      snapshots: [
        {
          id: ids.second,
          parent: ids.first,
          createdAt,
          rows: 1,
          files: 1,
          bytes: 62,
          metadata: { checked: true, source: 'demo' },
        },
      ],
    });
    assert.deepEqual(
      (await document<typeof log>('log', 'data', 'visits', '--unreachable')).snapshots,
      [],
    );
  });

  it('show tells the facts and files of a snapshot', async () => {
    const facts = await document<Record<string, unknown>>('show', 'data', 'events', ids.first);
    assert.deepEqual([facts['id'], facts['rows'], facts['codec']], [ids.first, 2, 'jsonl']);
    assert.deepEqual(Object.keys((facts['files'] as object[])[0] ?? {}), [
      'bytes',
      'checksum',
      'path',
    ]);
    const latest = await lines('show', 'data', 'prices', 'latest', '--stats');
    assert.ok(latest.some((line) => line.includes('id: 1 to 2, 0 nulls')));
  });

  it('cat writes records of every codec, selected, exact, or raw bytes', async () => {
    const events = await lines('cat', 'data', 'events', ids.first);
    assert.equal(events.length, 2);
    assert.match(events[1] ?? '', /"free":12345678901234567890,/);
    const cat = (...more: string[]): Promise<string[]> =>
      lines('cat', 'data', 'events', ids.first, ...more);
    assert.deepEqual(await cat('--columns', 'level', '--limit', '1'), ['{"level":1}']);
    assert.deepEqual(await cat('-w', 'level>=2', '-c', 'text'), ['{"text":"disk full"}']);
    assert.deepEqual(await cat('-w', 'at<2026-01-02T12:00:00Z', '-c', 'level'), ['{"level":1}']);
    assert.deepEqual(await cat('-w', 'text="started"', '-w', 'level<3', '-c', 'level'), [
      '{"level":1}',
    ]);
    assert.deepEqual(await cat('-w', 'level="3"'), []);
    assert.deepEqual(await lines('cat', 'data', 'visits', '-p', 'day=2026-01-03'), [
      '{"day":"2026-01-03","user":"eve"}',
    ]);
    assert.deepEqual(await lines('cat', 'data', 'prices', '-w', 'at>2026-01-01T12:00:00Z'), [
      '{"at":"2026-01-02T12:00:00Z","id":2}',
    ]);
    assert.equal((await run('cat', 'data', 'backup')).stdout, 'hello\n');
    assert.equal((await run('cat', 'data', 'backup', '--limit', '1')).code, 2);
  });

  it('diff tells files by partition and content, rows and metadata', async () => {
    const visits = await lines('diff', 'data', 'visits');
    assert.deepEqual(visits.slice(-3), [
      '- day=2026-01-01/data  34 B',
      '+ day=2026-01-03/data  34 B',
      '1 added, 1 removed, 0 changed, 1 kept',
    ]);
    const back = await document<{ files: { change: string; name: string }[]; metadata: object[] }>(
      'diff',
      'data',
      'events',
      ids.second,
      ids.first,
    );
    assert.deepEqual(
      back.files.map(({ change, name }) => `${change} ${name}`),
      ['changed data'],
    );
    assert.deepEqual(back.metadata, [{ name: 'checked', from: true }]);
    assert.equal((await run('diff', 'data', 'backup')).code, 3);
  });

  it('verify is silent about clean stores, and names what is damaged with exit code 5', async () => {
    const clean = await run('verify', 'data');
    assert.deepEqual([clean.code, clean.stdout], [0, '']);
    using other = bench();
    const { first } = await fill(other.store);
    const key = `datasets/events/snapshots/${first}/data/data`;
    writeFileSync(other.path(key), 'damaged');
    const damaged = await lode(['verify', 'data'], { cwd: other.folder });
    assert.equal(damaged.code, 5);
    assert.match(damaged.stdout, new RegExp(`^${key}  LODE_\\w+  .*\\n$`));
    const told = await lode(['verify', 'data', 'events', '--json'], { cwd: other.folder });
    const { ok, datasets } = JSON.parse(told.stdout) as {
      ok: boolean;
      datasets: { problems: object[] }[];
    };
    assert.deepEqual(
      [told.code, ok, datasets.length, datasets[0]?.problems.length],
      [5, false, 1, 1],
    );
    assert.equal(
      (await lode(['verify', 'data', 'events', 'latest'], { cwd: other.folder })).code,
      0,
    );
    assert.equal((await lode(['cat', 'data', 'events', first], { cwd: other.folder })).code, 5);
  });

  it('doctor tries the storage and leaves nothing behind', async () => {
    const objects = await lines('ls', 'data', '-r');
    const { code, stdout } = await run('doctor', 'data');
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^ok {2}conditional writes /m);
    assert.deepEqual(await lines('ls', 'data', '-r'), objects);
    const report = await document<{ checks: { name: string; status: string }[] }>(
      'doctor',
      'data',
      '--read-only',
    );
    assert.ok(report.checks.some(({ status }) => status === 'skipped'));
    writeFileSync(at.path('lode-probe-1'), '');
    assert.match((await run('doctor', 'data')).stdout, /^warning {2}listing .*lode-probe-1/m);
    rmSync(at.path('lode-probe-1'));
  });

  it('gc shows its plan, and deletes only with --apply', async () => {
    using other = bench();
    await fill(other.store);
    const key = other.orphan();
    const gc = (...args: string[]): Promise<Ran> =>
      lode(['gc', 'data', ...args], { cwd: other.folder });
    const plan = await gc();
    assert.equal(plan.stdout, `    15 B  2025-01-01T00:00:00Z  ${key}\n`);
    assert.ok(existsSync(other.path(key)));
    assert.equal((await gc('events', '--older-than', '23h')).code, 2);
    assert.equal((await gc('events', '--apply', '--dry-run')).code, 2);
    const applied = await gc('events', '--apply', '--json');
    const { datasets } = JSON.parse(applied.stdout) as {
      datasets: { deleted: number; orphans: object[] }[];
    };
    assert.deepEqual([applied.code, datasets[0]?.deleted, datasets[0]?.orphans.length], [0, 1, 1]);
    assert.ok(!existsSync(other.path(key)));
    assert.equal((await lode(['verify', 'data'], { cwd: other.folder })).code, 0);
    writeFileSync(other.path('datasets/events/latest'), '1900000000000000000');
    assert.equal((await gc('events')).code, 3);
  });

  it('repair shows its plan, and writes only with --apply', async () => {
    using other = bench();
    await fill(other.store);
    const pointer = 'datasets/events/latest';
    rmSync(other.path(pointer));
    const repair = (...args: string[]): Promise<Ran> =>
      lode(['repair', 'data', ...args], { cwd: other.folder });
    assert.equal((await repair()).stdout, `${pointer}\n`);
    assert.ok(!existsSync(other.path(pointer)));
    assert.equal((await repair('events', '--apply')).code, 0);
    assert.ok(existsSync(other.path(pointer)));
    assert.deepEqual(JSON.parse((await repair('--json')).stdout), {
      version: 1,
      command: 'repair',
      applied: false,
      datasets: ['events', 'prices', 'visits', 'backup'].map((dataset) => ({ dataset, keys: [] })),
      volumes: [{ volume: 'disk', keys: [] }],
    });
  });
});
