/** What `--help` says, at each level, with examples. Plain text, so that it loads at once; docs/cli.md shows it whole. */

const storeHelp = `STORE is a directory (./data), a file: URL or an s3: URL (s3://bucket/prefix).`;

const top = `lode: look at stores of datasets, and look after them

Usage: lode COMMAND STORE [DATASET] [SNAPSHOT] [options]

Look:
  ls       datasets of a store, or objects
  log      history of a dataset, newest first
  show     one snapshot: its facts and files
  cat      records as JSON Lines, or raw bytes
  diff     what is different between two snapshots

Look after:
  verify   compare every object with what was committed
  doctor   what this storage can and cannot promise
  repair   complete what interrupted commits left
  gc       delete data that no snapshot names

${storeHelp}
SNAPSHOT is an id or "latest", which is what you get without one.

Options of all commands:
  --json           one JSON document instead of text; docs/cli.md has the shapes
  --layout NAME    default, hive or flat, where it cannot be detected
  -q, --quiet      no progress and no notes
  -h, --help       help; "lode COMMAND --help" for a command
  -V, --version

Commands that change something only show what they would do; --apply does it.
Data goes to stdout, everything else to stderr.
Exit codes: 0 ok, 1 failure, 2 usage, 3 not found, 4 conflict, 5 damaged, 130 interrupted.

Examples:
  lode ls ./data
  lode log ./data events --limit 5
  lode cat ./data events --where 'level>=3' --columns at,text | head
`;

const pages: Readonly<Record<string, string>> = {
  ls: `lode ls STORE [PREFIX]: datasets of a store, or objects under a prefix

  -l, --long         datasets with their latest snapshot, objects with size and time
  -r, --recursive    objects, all the way down

Examples:
  lode ls ./data
  lode ls ./data --long
  lode ls ./data datasets/events/
  lode ls ./data --recursive --json
`,
  log: `lode log STORE DATASET: history of a dataset, newest first

  -n, --limit N      at most N snapshots
  --unreachable      instead, snapshots that are no ancestors of the head: never
                     acknowledged, or cut off by a writer elsewhere

Columns: id, time, records, files, bytes, metadata.

Examples:
  lode log ./data events --limit 5
  lode log ./data events --json | jq '.snapshots[].id'
`,
  show: `lode show STORE DATASET [SNAPSHOT]: one snapshot, its facts and files

  --stats            statistics of the columns of each file

Examples:
  lode show ./data events
  lode show ./data events 1767323045123456789 --stats
`,
  cat: `lode cat STORE DATASET [SNAPSHOT]: records as JSON Lines, or raw bytes

  -p, --partition P  only files of this partition, as in paths: day=2026-01-02
  -w, --where COND   only records that match: field=value, or with >, >=, <, <=; may be
                     given several times. Values are JSON (12, true, "12") or else
                     text; RFC 3339 times compare as times
  -c, --columns A,B  only these fields
  -n, --limit N      at most N records

Everything is verified on its way. Files that cannot hold a match are not fetched.

Examples:
  lode cat ./data events --partition day=2026-01-02
  lode cat ./data events --where 'at>=2026-01-02T00:00:00Z' --where level=3 --limit 10
  lode cat ./data backups > backup.tar
`,
  diff: `lode diff STORE DATASET [FROM [TO]]: what is different between two snapshots

Without FROM and TO: the latest snapshot and its parent. Without TO: FROM and the
latest. Files are the same file when partition and name are the same; they are kept when
their content is, by checksum.

Examples:
  lode diff ./data events
  lode diff ./data events 1767323045123456789 latest --json
`,
  verify: `lode verify STORE [DATASET [SNAPSHOT]]: compare every object with what was committed

Reads all data. Without a dataset, all of them. Exit code 5 when anything is missing, cut
or altered; each such object is a line on stdout.

Examples:
  lode verify ./data
  lode verify ./data events latest
`,
  doctor: `lode doctor STORE: what this storage can and cannot promise

  --read-only        leave out the checks that write

Writes one scratch object, proves that conditional writes work, and removes it again.
Exit code 1 when datasets cannot be committed safely here.

Examples:
  lode doctor ./data
  lode doctor ./data --read-only --json
`,
  gc: `lode gc STORE [DATASET]: delete data files that no snapshot names

  --apply            delete; without it only the plan is shown
  --dry-run          show the plan (the default)
  --older-than AGE   only files at least this old: 36h, 30d. Default 7d, at least 24h

Writes that fail or die leave such files. Nothing is deleted while a commit is under way,
a manifest is damaged or an ancestor is missing.

Examples:
  lode gc ./data
  lode gc ./data events --older-than 30d --apply
`,
  repair: `lode repair STORE [DATASET]: complete what interrupted commits left

  --apply            write; without it only the plan is shown
  --dry-run          show the plan (the default)

Writes a missing pointer, a fence where a pointer names nothing, missing copies of
manifests. Replaces and deletes nothing.

Examples:
  lode repair ./data
  lode repair ./data events --apply
`,
};

export const commandNames: readonly string[] = Object.keys(pages);

export function helpFor(command: string | undefined): { text: string; known: boolean } {
  if (command === undefined || command.startsWith('-')) return { text: top, known: true };
  if (!Object.hasOwn(pages, command)) return { text: unknownCommand(command), known: false };
  const common = '\nAlso --json, --layout, --quiet: see "lode --help".\n';
  const page = pages[command] ?? '';
  const examples = page.indexOf('\nExamples:');
  return { text: page.slice(0, examples) + common + page.slice(examples), known: true };
}

export function unknownCommand(command: string): string {
  return `lode: there is no command ${JSON.stringify(command)}\nCommands: ${commandNames.join(', ')}. See "lode --help".\n`;
}
