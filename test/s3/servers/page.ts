/** `docs/providers.md`, as text: what `verdicts.json` and the list of servers say. `node dist/test/s3/servers/page.js` writes it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../files.ts';
import { programs } from './programs.ts';
import { r2 } from './r2.ts';
import { readVerdicts } from './verdicts.ts';
import type { Verdict } from './verdicts.ts';

export const pagePath: string = join(root, 'docs/providers.md');

/** Why a case fails somewhere. A case without a reason here has none that is known. */
const reasons: Readonly<Record<string, string>> = {
  'keys made and unmade at once that stand in each other’s way':
    'A put may be refused while a neighbour’s last object is deleted: both need the same directory.',
  'range {"suffix":3} of "" off by one':
    'The last bytes of an empty object come back without a size, which is refused rather than guessed.',
  'hostile keys: dots in names': 'A part that is two dots and a space is refused.',
  'hostile keys: ends of Unicode':
    'U+FFFE and U+FFFF come back from a listing as U+FFFD; such keys can be read, not listed.',
  'hostile keys: lengths':
    'Parts of keys are names of files, of 255 bytes at most. Keys that Lode makes are shorter.',
};

interface Server {
  readonly name: string;
  readonly release: string;
  readonly source: string;
}

export const servers: readonly Server[] = [
  ...programs.map(({ name, release, module, version }) => {
    const source = `From \`${module}\` \`${version}\`.`;
    return { name, release, source };
  }),
  r2,
];

export function page(): string {
  const verdicts = readVerdicts();
  const tested = servers.flatMap((server) => {
    const verdict = verdicts[server.name];
    return verdict === undefined ? [] : [{ server, verdict }];
  });
  return [
    '# S3 servers that were tried',
    '<!-- Written by `npm run providers`; do not edit. -->',
    'Each server is of the version named here and run with an empty bucket. The store suite of `lode/testing`, a ' +
      'dataset suite (write, stream, read, partitions, Parquet by ranges, conflicts, racing writers, verify, repair) and ' +
      'the facts below are tried on it; `.ci/run s3` does it again and fails where a server is no longer as described here.',
    'A server that is not listed has not been tried by us. `lode doctor s3://bucket?endpoint=…` tells what it does, and the ' +
      'first conditional write on a server that does not honour conditions is refused.',
    table(tested),
    ...tested.map(({ server, verdict }) => exceptions(server, verdict)),
    '## Another server\n\n' +
      '```sh\nAWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… LODE_TEST_S3_ENDPOINT=http://127.0.0.1:9000 LODE_TEST_S3_BUCKET=lode \\\n' +
      '  npm test -- s3/real-servers\n```\n\n' +
      'The bucket has to exist; what the tests leave in it is below `test-…`.',
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

function table(tested: readonly { readonly server: Server; readonly verdict: Verdict }[]): string {
  const rows: string[][] = [
    ['', ...tested.map(({ server }) => `${server.name} ${server.release}`)],
    tested.map(() => '---'),
    [
      'store suite',
      ...tested.map(
        ({ verdict: { passed, failing } }) => `${passed} of ${passed + failing.length}`,
      ),
    ],
  ];
  rows[1]?.unshift('---');
  const names = new Set(tested.flatMap(({ verdict }) => Object.keys(verdict.facts)));
  for (const name of names)
    rows.push([name, ...tested.map(({ verdict }) => shown(verdict.facts[name]))]);
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function shown(fact = 'not tried'): string {
  return fact.startsWith('LODE_') ? `\`${fact}\`` : fact;
}

function exceptions({ name, source }: Server, { failing }: Verdict): string {
  const lines =
    failing.length === 0
      ? ['Every case of the store suite passes.']
      : failing.map((one) => `- *${one}*: ${reasons[one] ?? 'reason unknown.'}`);
  return `## ${name}\n\n${source}\n\n${lines.join('\n')}`;
}

if (process.argv[1]?.endsWith('page.js') === true) writeFileSync(pagePath, page());
