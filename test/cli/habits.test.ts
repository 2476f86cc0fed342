/** At risk: a program that behaves as programs do. Help, exit codes, errors, pipes, Ctrl-C, and how fast it starts. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { median } from '../../bench/harness.ts';
import { commandNames, helpFor } from '../../src/cli/help.ts';
import type { Command } from '../../src/cli/command.ts';
import { jsonl, openDataset } from '../../src/index.ts';
import { root } from '../files.ts';
import { manifest } from '../package/repository.ts';
import { bench, fill, lode } from './program.ts';
import type { Bench } from './program.ts';

/** What `lode --help` may take of a bare start of Node; loading any ES module at all is most of what is above 1. */
const helpRatioMax = 1.6;

describe('help', () => {
  it('is there at every level, with examples that start with a command', async () => {
    for (const args of [[], ['--help'], ['-h'], ['help']]) {
      const { code, stdout, stderr } = await lode(args);
      assert.deepEqual([code, stdout, stderr], [0, helpFor('').text, '']);
    }
    for (const name of commandNames) {
      const { text } = helpFor(name);
      assert.match(text, new RegExp(`Examples:\n {2}lode ${name} `));
      assert.ok(
        text.split('\n').every((line) => line.length <= 100),
        name,
      );
    }
    assert.equal((await lode(['log', 'x', '--help'])).stdout, helpFor('log').text);
    assert.equal((await lode(['help', 'gc'])).stdout, helpFor('gc').text);
    assert.equal((await lode(['--version'])).stdout, `${manifest.version}\n`);
  });

  it('names the options that its command takes, and no other', async () => {
    for (const name of commandNames) {
      const module = new URL(`../../src/cli/commands/${name.replace(' ', '-')}.js`, import.meta.url)
        .href;
      const { command } = (await import(module)) as { command: Command };
      const named = [...helpFor(name).text.matchAll(/^ {2}(?:-(\w), )?--([\w-]+)/gm)];
      assert.deepEqual(
        named.map(([, short = '', long = '']) => `${short} ${long}`).sort(),
        Object.entries(command.options)

          .map(([long, { short = '' }]) => `${short} ${long}`)
          .sort(),
        name,
      );
    }
  });

  it('comes about as fast as Node starts', (t) => {
    using at = bench();
    const report = join(at.folder, 'report.cjs');
    writeFileSync(
      report,
      `process.on('exit', () => { const { user, system } = process.cpuUsage();` +
        ` require('fs').writeSync(2, String(user + system)); });`,
    );
    const cpuMs = (...args: string[]): number =>
      Number(spawnSync(process.execPath, ['-r', report, ...args], { encoding: 'utf8' }).stderr) /
      1000;
    const help = [join(root, 'dist/lode/cli.js'), '--help'];
    const ratios: number[] = [];
    for (let round = -1; round < 9; round++) {
      const bare = cpuMs('-e', '0');
      const ratio = cpuMs(...help) / bare;
      if (round >= 0) ratios.push(ratio); // the first fills the page cache
    }
    t.diagnostic(`ratio ${median(ratios).toFixed(2)} (at most ${helpRatioMax}), processor time`);
    assert.ok(median(ratios) <= helpRatioMax, `ratio ${median(ratios).toFixed(2)}`);
  });
});

describe('a call', () => {
  let at: Bench;
  before(async () => {
    at = bench();
    await fill(at.store);
  });
  after(() => at[Symbol.dispose]());

  it('that is mistaken ends with exit code 2 and a line that says why', async () => {
    const mistakes: [string[], RegExp][] = [
      [['frob'], /no command "frob"/],
      [['ls'], /a STORE is missing/],
      [['log', 'data'], /a NAME is missing/],
      [['log', 'data', 'events', 'more'], /too many arguments/],
      [['log', 'data', 'events', '--frob'], /Unknown option '--frob'/],
      [['log', 'data', 'events', '--limit'], /argument missing/],
      [['log', 'data', 'events', '--limit', 'x'], /takes a whole number/],
      [['log', 'data', 'events', '--layout', 'x'], /default, hive or flat/],
      [['cat', 'data', 'events', '--where', 'level'], /a condition is/],
      [['cat', 'data', 'events', '--json'], /JSON Lines already/],
      [['gc', 'data', '--older-than', 'x'], /an age such as/],
      [['ls', 'ftp://host/'], /a store is a directory/],
      [['ls', 'data', '--kind', 'x'], /dataset or volume/],
      [['ls', 'data', '--kind', 'volume', '--layout', 'flat'], /--layout is for datasets/],
      [['volume'], /a command is missing\n.*\n\n {2}lode volume map/],
      [['volume', 'frob'], /no command "volume frob"/],
      [['volume', 'map', 'data'], /a VOLUME is missing/],
      [['volume', 'fill', 'data', 'disk'], /a FILE is missing/],
      [['volume', 'fill', 'data', 'disk', 'disk.img', '--block', '1XB'], /a size is/],
      [['volume', 'fill', 'data', 'disk', 'disk.img', '--batch', '0'], /more than nothing/],
      [['volume', 'fill', 'data', 'disk', 'data'], /a regular file/],
      [['volume', 'read', 'data', 'disk', '--json'], /bytes as they are/],
      [['volume', 'read', 'data', 'disk', '--range', '7'], /a range is/],
      [['volume', 'read', 'data', 'disk', '--range', '8-7'], /ends after it begins/],
      [['volume', 'read', 'data', 'disk', '--range', '0-65537'], /not a range of the volume/],
      [['volume', 'materialize', 'data', 'disk', 'data'], /remove it, or name another/],
      [['cat', 'data', 'disk'], /use lode volume read/],
      [['show', 'data', 'disk', '--stats'], /--stats is for datasets/],
      [['ls', 's3://bucket/?frob=1'], /a parameter that means nothing/],
      [['log', 'data', '../data'], /not the name of a dataset/],
    ];
    for (const [args, says] of mistakes) {
      const { code, stdout, stderr } = await lode(args, { cwd: at.folder });
      assert.deepEqual([code, stdout], [2, ''], args.join(' '));
      assert.match(stderr, says);
      assert.doesNotMatch(stderr, /\n {4}at /, 'no stack');
    }
  });

  it('that asks for what is not there ends with exit code 3', async () => {
    for (const args of [
      ['ls', 'nowhere'],
      ['log', 'data', 'nobody'],
      ['show', 'data', 'events', '123'],
      ['show', 'data', 'disk', '123'],
      ['log', 'data', 'events', '--kind', 'volume'],
      ['volume', 'map', 'data', 'events'],
      ['volume', 'fill', 'data', 'disk', 'nowhere.img'],
    ]) {
      const { code, stderr } = await lode(args, { cwd: at.folder });
      assert.equal(code, 3, `${args.join(' ')}: ${stderr}`);
    }
  });

  it('tells failures as JSON when it is to speak JSON, and shows stacks on demand', async () => {
    const { stderr } = await lode(['log', 'data', 'nobody', '--json'], { cwd: at.folder });
    const { version, error } = JSON.parse(stderr) as { version: number; error: { code: string } };
    assert.deepEqual([version, error.code], [1, 'LODE_NOT_FOUND']);
    const debug = { cwd: at.folder, env: { LODE_DEBUG: '1' } };
    assert.match((await lode(['log', 'data', 'nobody'], debug)).stderr, /\n {4}at /);
  });

  it('takes file: URLs, and says nothing but data when it is quiet', async () => {
    const url = `file://${at.folder}/data`;
    assert.equal((await lode(['ls', url])).stdout.split('\n')[0], 'events');
    const { stdout, stderr } = await lode(['verify', url, '--quiet']);
    assert.deepEqual([stdout, stderr], ['', '']);
  });

  it('shows no control characters of others', async () => {
    using other = bench();
    const { store } = other;
    const events = await openDataset('events', { store, codec: jsonl<object>() });
    await events.write([], { evil: '\u001b[31mred\u202e' });
    const { stdout } = await lode(['log', 'data', 'events'], { cwd: other.folder });
    assert.match(stdout, /\\u001b\[31mred\\u202e/);
  });
});

describe('a long call', () => {
  let at: Bench;
  before(async () => {
    at = bench();
    const { store } = at;
    const many = await openDataset('many', { store, codec: jsonl<object>() });
    const text = 'x'.repeat(1000);
    await many.write(Array.from({ length: 20_000 }, (_, i) => ({ i, text })));
  });
  after(() => at[Symbol.dispose]());

  it('is aborted by Ctrl-C with exit code 130', async () => {
    let sent = false;
    const { code, stdout, stderr } = await lode(['cat', 'data', 'many'], {
      cwd: at.folder,
      onData: (child) => {
        if (!sent) sent = child.kill('SIGINT');
      },
    });
    assert.equal(code, 130);
    assert.ok(stdout.length < 20_000_000);
    assert.equal(stderr, '\nlode: stopping; again to stop at once\n');
  });

  it('ends quietly when its reader has read enough', async () => {
    const { code, stderr } = await lode(['cat', 'data', 'many'], {
      cwd: at.folder,
      onData: (child) => child.stdout?.destroy(),
    });
    assert.deepEqual([code, stderr], [0, '']);
  });
});
