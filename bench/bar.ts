/**
 * Runs bars by id: `npm run bar -- P7 R10`, `--list`, `--release` for the large counts, `--seed n` to replay.
 *
 * A bar is a file in `bench/bars/` (speed and scale) or `test/bars/` (reliability and cost) that exports `bar`. Its last line
 * is its figure; the exit code is 0 when all pass, 1 when one falls short, 2 for a wrong call, 3 when a peer is missing.
 */
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { globSync, root } from '../test/files.ts';
import type { Bar, BarContext } from './harness.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean', default: false },
    release: { type: 'boolean', default: false },
    seed: { type: 'string' },
  },
});

const bars = await load();
if (values.list || positionals.length === 0) {
  for (const bar of bars.values()) console.log(`${bar.id.padEnd(8)} ${bar.title}`);
  process.exit(values.list ? 0 : 2);
}
const context: BarContext = {
  release: values.release,
  seed: values.seed === undefined ? (Date.now() ^ (process.pid << 8)) >>> 0 : Number(values.seed),
  log: (line) => console.log(`  ${line}`),
};
process.exitCode = await runAll(positionals);

async function load(): Promise<Map<string, Bar>> {
  const found = new Map<string, Bar>();
  for (const file of [...globSync('bench/bars', '.ts'), ...globSync('test/bars', '.ts')]) {
    const url = pathToFileURL(join(root, 'dist', file.replace(/\.ts$/, '.js'))).href;
    const { bar } = (await import(url)) as { bar: Bar };
    found.set(bar.id.toUpperCase(), bar);
  }
  return found;
}

async function runAll(ids: readonly string[]): Promise<number> {
  let worst = 0;
  for (const id of ids) {
    const bar = bars.get(id.toUpperCase());
    if (bar === undefined) {
      console.error(`no bar is called ${id}; see npm run bar -- --list`);
      return 2;
    }
    console.log(`${bar.id} ${bar.title} (seed ${context.seed})`);
    const { outcome, figure } = await bar.run(context);
    console.log(`${bar.id} ${figure} ${outcome}`);
    if (outcome === 'fail') worst = 1;
    if (outcome === 'skip' && worst === 0) worst = 3;
  }
  return worst;
}
