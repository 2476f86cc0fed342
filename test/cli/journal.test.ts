/** At risk: what is said of a journal after a crash, and that looking at one changes nothing. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { inspectWal, openWal, writeSnapshot } from '../../src/journal.ts';
import { digest, exportJournal, fillJournals, look, secondSegment } from './journals.ts';
import { bench, lode, lodeJson } from './program.ts';
import type { Bench, Ran } from './program.ts';

describe('lode journal', () => {
  let at: Bench;
  before(async () => {
    at = bench();
    await fillJournals(at.folder);
  });
  after(() => at[Symbol.dispose]());
  const run = (...args: string[]): Promise<Ran> => lode(['journal', ...args], { cwd: at.folder });
  const journalAt = (name: string): ReturnType<typeof look> => look(join(at.folder, name));
  const contents = (dir: string): Record<string, string> =>
    Object.fromEntries(
      readdirSync(join(at.folder, dir)).map((name) => [
        name,
        readFileSync(join(at.folder, dir, name), 'hex'),
      ]),
    );

  it('inspect shows segments and snapshots, and what is damaged by the exit code', async () => {
    const { code, stdout } = await run('inspect', 'journal');
    assert.equal(code, 0);
    assert.match(stdout, /^records {2}6, LSN 1 to 6$/m);
    assert.match(stdout, /^wal-0{19}1\.log {6}1 {2}1…3 {8}3 .* sealed$/m);
    assert.match(stdout, /^snapshot-0{19}3\.snap .* json 1 {2}whole$/m);
    const document = (await lodeJson(['journal', 'inspect', 'torn'], { cwd: at.folder })) as {
      segments: { lastLsn: number; sealed: boolean }[];
      torn: { file: string; lsn: number };
    };
    assert.deepEqual(
      document.segments.map(({ lastLsn, sealed }) => [lastLsn, sealed]),
      [
        [3, true],
        [5, false],
      ],
    );
    assert.deepEqual([document.torn.file, document.torn.lsn], [secondSegment, 6]);
    const damaged = await run('inspect', 'damaged');
    assert.equal(damaged.code, 5);
    assert.match(damaged.stdout, /^records {2}3, LSN 1 to 3$/m);
    assert.match(damaged.stdout, / damaged$/m);
    assert.match((await run('inspect', 'torn')).stderr, /^a crash cut the last write short/);
  });

  it('tail prints records from any on, as text or with their bytes', async () => {
    const { stdout } = await run('tail', 'journal', '--from', '2');
    const lines = stdout.trim().split('\n');
    assert.equal(lines.length, 5);
    assert.match(lines[0] ?? '', /^2 {2}2026-01-02T03:04:05.* {2}26 B {2}\{"user":"bob"/);
    assert.match(lines[1] ?? '', /^3 {2}.* {2}3 B {2}AP8B$/);
    const json = await run('tail', 'journal', '--json', '--from', '3');
    const documents = json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { lsn: number; base64?: string; text?: string });
    assert.deepEqual(
      documents.map(({ lsn, base64, text }) => [lsn, base64 ?? text]),
      [
        [3, 'AP8B'],
        [4, '{"user":"ada","balance":12}'],
        [5, '{"user":"eve","balance":1}'],
        [6, '{"user":"eve","balance":2}'],
      ],
    );
    assert.equal((await run('tail', 'journal', '--from', '0')).code, 2);
    const damaged = await run('tail', 'damaged');
    assert.equal(damaged.code, 5);
    assert.match(damaged.stdout, /^3 .*\n5 .*\n6 /m);
  });

  it('tail --follow shows what another process appends, until Ctrl-C', async () => {
    await using wal = await openWal(join(at.folder, 'journal'));
    let isAppended = false;
    const { code, stdout } = await lode(['journal', 'tail', 'journal', '-f', '--from', '6'], {
      cwd: at.folder,
      onData: (child) => {
        if (isAppended) child.kill('SIGINT');
        else void wal.append(new TextEncoder().encode('more')).durable;
        isAppended = true;
      },
    });
    assert.equal(code, 130);
    assert.deepEqual(
      stdout.split('\n').map((line) => line.slice(0, 1)),
      ['6', '7', ''],
    );
  });

  it('verify names file, offset and checksums; what a crash left is no damage', async () => {
    const whole = await run('verify', 'journal');
    assert.deepEqual([whole.code, whole.stdout], [0, '']);
    assert.match(whole.stderr, /1 snapshot, .*: all as written$/m);
    const torn = await run('verify', 'torn');
    assert.equal(torn.code, 0);
    assert.match(torn.stderr, /a crash cut the last write short, at offset \d+ of wal-0{19}4\.log/);
    const damaged = await run('verify', 'damaged');
    assert.equal(damaged.code, 5);
    const line =
      /^wal-0{19}4\.log {2}offset 88 {2}record 4 {2}expected [0-9a-f]{8}, actual [0-9a-f]{8} {2}LODE_CHECKSUM_MISMATCH\n$/;
    assert.match(damaged.stdout, line);
    const name = join(at.folder, 'damaged', 'snapshot-00000000000000000003.snap');
    const bytes = readFileSync(name);
    bytes[110] = (bytes[110] ?? 0) ^ 1;
    writeFileSync(name, bytes);
    const { code, stdout } = await run('verify', 'damaged', '--json');
    assert.equal(code, 5);
    const { ok, problems } = JSON.parse(stdout) as { ok: boolean; problems: { file: string }[] };
    assert.equal(ok, false);
    assert.deepEqual(
      problems.map(({ file }) => file),
      [secondSegment, 'snapshot-00000000000000000003.snap'],
    );
    // The log that the snapshot would need begins behind the records that it is of.
    const gap = join(at.folder, 'gap');
    cpSync(join(at.folder, 'journal'), gap, { recursive: true });
    rmSync(join(gap, 'wal-00000000000000000001.log'));
    assert.equal((await run('verify', 'gap')).code, 0);
    const { journalId = '' } = await inspectWal(gap);
    await writeSnapshot(gap, [], { journalId, lsn: 2, timeMs: 1, codec: 'json', version: '1' });
    assert.match((await run('verify', 'gap')).stdout, /^wal-0{19}4.* LODE_TRUNCATED$/m);
  });

  it('recover changes nothing until told to, and keeps what it cuts', async () => {
    const before = contents('torn');
    const plan = await run('recover', 'torn');
    assert.equal(plan.code, 0, plan.stderr);
    assert.match(
      plan.stdout,
      /^keep the snapshot of record 3, and behind it 2 records, LSN 4 to 5$/m,
    );
    assert.match(plan.stdout, /^cut {2}\d+ B behind record 5: a write that a crash cut short$/m);
    assert.match(plan.stderr, /nothing was changed/);
    assert.deepEqual(contents('torn'), before);
    const applied = await run('recover', 'torn', '--apply');
    assert.equal(applied.code, 0, applied.stderr);
    const [, aside = ''] = /^set aside as (.*)$/m.exec(applied.stdout) ?? [];
    assert.ok(readdirSync(join(at.folder, 'torn')).includes(aside));
    assert.match((await run('recover', 'torn')).stderr, /^nothing to recover$/m);
    const refused = await run('recover', 'damaged');
    assert.equal(refused.code, 5);
    assert.match(refused.stderr, /^--mode last-good shows what can be kept$/m);
    const cut = await run('recover', 'damaged', '--mode', 'last-good', '--apply');
    assert.equal(cut.code, 0, cut.stderr);
    assert.match(cut.stdout, /^keep 3 records, LSN 1 to 3$/m);
    assert.equal((await run('recover', 'damaged', '--mode', 'salvage')).code, 2);
  });

  it('restore makes a journal of what was exported, once', async () => {
    await exportJournal(at.folder);
    const { code, stderr } = await run('restore', 'backups', 'stock', 'restored');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^restored: up to record 3; 2 files$/m);
    assert.match((await run('inspect', 'restored')).stdout, /^records {2}1, LSN 3 to 3$/m);
    assert.match((await run('tail', 'restored')).stdout, /^3 .* "apple"$/m);
    assert.notEqual((await run('restore', 'backups', 'stock', 'restored')).code, 0);
    assert.equal((await run('restore', 'backups', 'nothing', 'other')).code, 3);
  });

  it('calls no journal whole that has not been restored, or taken back, to its end', async () => {
    for (const note of ['restoring', 'rewinding']) {
      cpSync(join(at.folder, 'restored'), join(at.folder, note), { recursive: true });
      assert.equal((await run('verify', note)).code, 0);
      writeFileSync(join(at.folder, note, note), '{}\n');
      const { code, stdout } = await run('verify', note);
      assert.equal(code, 5);
      assert.match(stdout, new RegExp(`^${note}  .*LODE_TRUNCATED$`, 'm'));
      const inspected = await run('inspect', note);
      assert.equal(inspected.code, 5);
      assert.match(inspected.stderr, /to its end/);
    }
  });

  it('export and restore make the same journal, on the same dataset as exportTo', async () => {
    const exported = await lodeJson(['journal', 'export', 'exported', 'backups', 'copy'], {
      cwd: at.folder,
    });
    const { lsn, parts, pending } = exported as Record<string, unknown>;
    assert.deepEqual([lsn, parts, pending], [3, 2, 0]);
    const again = await run('export', 'exported', 'backups', 'stock');
    assert.match(again.stderr, /^stock: up to record 3; nothing new$/m, again.stderr);
    assert.equal((await run('restore', 'backups', 'copy', 'copied')).code, 0);
    const digests = ['exported', 'copied', 'restored'].map((name) => digest(join(at.folder, name)));
    assert.equal(new Set(await Promise.all(digests)).size, 1);
    assert.equal((await run('export', 'data', 'backups', 'other')).code, 3);
    assert.equal((await run('export', 's3://bucket/journal', 'backups', 'other')).code, 2);
    assert.equal((await run('export', 'journal', 'backups', 'stock')).code, 2);
  });

  it('recover takes a journal back to a record or a moment, by plan or at once', async () => {
    cpSync(join(at.folder, 'exported'), join(at.folder, 'back'), { recursive: true });
    const before = contents('back');
    const plan = await run('recover', 'back', '--until-lsn', '2');
    assert.match(plan.stdout, /^cut {2}1 record behind, \d+ B of log$/m, plan.stderr);
    assert.deepEqual(contents('back'), before);
    const applied = await run('recover', 'back', '--until-lsn', '2', '--apply', '--json');
    const { removed, setAside } = JSON.parse(applied.stdout) as {
      removed: { records: number };
      setAside: string[];
    };
    assert.equal(removed.records, 1);
    assert.ok(setAside.every((name) => readdirSync(join(at.folder, 'back')).includes(name)));
    const { id } = await journalAt('back');
    assert.deepEqual(await journalAt('back'), { id, lsn: 2, state: { apple: 1, pear: 1 } });
    const time = ['--until-time', '2026-01-02T03:04:06+00:00'];
    assert.match((await run('recover', 'back', ...time)).stderr, /^nothing to recover$/m);
    const tooFar = await run('recover', 'back', '--until-lsn', '3');
    assert.equal(tooFar.code, 3);
    assert.match(tooFar.stderr, /"LSN 0 to LSN 2 \(2026/);
    for (const wrong of [
      ['--until-time', '2026-01-02'],
      ['--until-lsn', 'x'],
      [...time, '--until-lsn', '1'],
    ])
      assert.equal((await run('recover', 'back', ...wrong)).code, 2);
  });

  it('says when there is no journal, and leaves one that is in use alone', async () => {
    assert.equal((await run('inspect', 'data')).code, 3);
    assert.equal((await run('inspect', 'nothing')).code, 3);
    assert.equal((await run('inspect', 's3://bucket/journal')).code, 2);
    assert.equal((await run('inspect')).code, 2);
    await using wal = await openWal(join(at.folder, 'journal'));
    await wal.append(new Uint8Array(5)).durable;
    assert.equal((await run('inspect', 'journal')).code, 0);
    const { code, stderr } = await run('recover', 'journal', '--apply');
    assert.equal(code, 1, stderr);
    assert.match(stderr, /LODE_LOCKED/);
  });
});
