/**
 * P18: what using us costs before the first call: import time against a bare start of Node, size and dependencies. The S3
 * adapter's against that of AWS's own client, where `LODE_AWS_SDK` says where that is.
 */
import { spawnSync } from 'node:child_process';
import { root } from '../../test/files.ts';
import { packedFiles } from '../../test/package/pack.ts';
import { manifest } from '../../test/package/repository.ts';
import { median, type Bar } from '../harness.ts';

const importShareMax = 0.25;
const adapterOfSdkMax = 0.2;
const unpackedBytesMax = 1_000_000;
const dependenciesMax = 3;

export const bar: Bar = {
  id: 'P18',
  title: 'footprint: import of lode, unpacked size, dependencies',
  async run({ release, log }) {
    const rounds = release ? 31 : 11;
    const share = held(importShareMax, () => importShare(manifest.name, rounds, log));
    const adapter = adapterShare(rounds, log);
    const { unpackedBytes, files } = packedFiles();
    const dependencies = Object.keys({
      ...manifest.dependencies,
      ...manifest.optionalDependencies,
    });
    log(`${files.length} files, dependencies ${dependencies.join(', ')}`);
    const pass =
      share <= importShareMax &&
      (adapter ?? 0) <= adapterOfSdkMax &&
      unpackedBytes <= unpackedBytesMax &&
      dependencies.length <= dependenciesMax;
    return {
      outcome: pass ? 'pass' : 'fail',
      figure:
        `import ${share.toFixed(2)} of a bare start (bar ${importShareMax}), ` +
        `${adapter === undefined ? "AWS's client not installed" : `of lode/s3 ${adapter.toFixed(2)} of AWS's client`} ` +
        `(bar ${adapterOfSdkMax}), ` +
        `${unpackedBytes} bytes unpacked (bar ${unpackedBytesMax}), ` +
        `${dependencies.length} dependencies (bar ${dependenciesMax})`,
    };
  },
};

/** One measurement that is in order, or the median of three. */
function held(max: number, measure: () => number): number {
  const values = [measure()];
  if ((values[0] ?? 0) > max) values.push(measure(), measure());
  return median(values);
}

/** What importing the adapter adds, as a share of what AWS's client adds. */
function adapterShare(rounds: number, log: (line: string) => void): number | undefined {
  const sdk = process.env['LODE_AWS_SDK'];
  const share = (what: string): number => importShare(what, rounds, log);
  if (!sdk) return void share(`${manifest.name}/s3`);
  return held(adapterOfSdkMax, () => share(`${manifest.name}/s3`) / share(sdk));
}

/**
 * Median over rounds, in turn: what importing something adds to a program that is an ES module, as a share of `node -e 0`. What
 * Node itself takes to load any module at all is in neither. Processor time, because starts are short and a busy machine
 * doubles their wall time at random.
 */
function importShare(what: string, rounds: number, log: (line: string) => void): number {
  const bare: number[] = [];
  const added: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const start = cpuMs('0');
    const empty = cpuMs(`import('data:text/javascript,')`);
    const ours = cpuMs(`import('${what}')`);
    if (round < 0) continue; // the first starts fill the page cache
    bare.push(start);
    added.push(ours - empty);
  }
  const share = median(added.map((ms, i) => ms / (bare[i] ?? Number.NaN)));
  log(
    `import ${what.startsWith('file:') ? "AWS's client" : what}: share ${share.toFixed(2)}, adds ${median(added).toFixed(1)} ms, ` +
      `bare start ${median(bare).toFixed(1)} ms of processor time, ${rounds} rounds`,
  );
  return share;
}

/** Processor time of `node -e code`, from its start to its exit. */
function cpuMs(code: string): number {
  const report =
    `process.on('exit', () => { const { user, system } = process.cpuUsage();` +
    ` require('fs').writeSync(1, String(user + system)); });`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', report + code], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`node -e "${code}" failed: ${stderr}`);
  return Number(stdout) / 1000;
}
