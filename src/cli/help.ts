/** What `--help` says, at each level, with examples. Plain text, so that it loads at once; docs/cli.md shows it whole. */

const storeHelp = `STORE is a directory (./data), a file: URL or an s3: URL (s3://bucket/prefix).`;

const top = `lode: look at stores of datasets and volumes, and look after them

Usage: lode COMMAND STORE [NAME] [SNAPSHOT] [options]

Look:
  ls                  datasets and volumes of a store, or objects
  log                 history of a dataset or a volume, newest first
  show                one snapshot: its facts, its files or blocks
  cat                 records as JSON Lines, or raw bytes
  diff                what is different between two snapshots
  volume map          which bytes of a volume are there, as a picture
  volume read         bytes of a volume

Copy:
  volume fill         upload what a volume lacks of a file
  volume materialize  a volume as a local file

Look after:
  verify              compare every object with what was committed
  doctor              what this storage can and cannot promise
  repair              complete what interrupted commits left
  gc                  delete data that no snapshot names

Journals, each a directory:
  journal inspect     segments and snapshots
  journal tail        records, and those that are still to come
  journal verify      compare every record and snapshot with its checksums
  journal recover     cut off what a crash left, or what came after a point
  journal export      into a dataset, what it lacks of a journal
  journal restore     a journal out of the dataset it was exported to

${storeHelp}
NAME is that of a dataset or a volume. SNAPSHOT is an id or "latest", which is what you
get without one.

Options of all commands:
  --json           one JSON document instead of text; docs/cli.md has the shapes
  --kind KIND      dataset or volume, where there are both of one name
  --layout NAME    default, hive or flat, where it cannot be detected
  -q, --quiet      no progress and no notes
  -h, --help       help; "lode COMMAND --help" for a command
  -V, --version

Commands that repair or delete only show what they would do; --apply does it.
Data goes to stdout, everything else to stderr.
Exit codes: 0 ok, 1 failure, 2 usage, 3 not found, 4 conflict, 5 damaged, 130 interrupted.

Examples:
  lode ls ./data
  lode log ./data events --limit 5
  lode cat ./data events --where 'level>=3' --columns at,text | head
  lode volume fill s3://bucket/images disk ./disk.img
`;

const rangesHelp = `Sizes are bytes, or with a unit: kB, MB, GB, TB of thousands, KiB, MiB, GiB, TiB of 1024s.`;

const pages: Readonly<Record<string, string>> = {
  ls: `lode ls STORE [PREFIX]: datasets and volumes of a store, or objects under a prefix

  -l, --long         with the latest snapshot of each; objects with size and time
  -r, --recursive    objects, all the way down

Examples:
  lode ls ./data
  lode ls ./data --long
  lode ls ./data datasets/events/
  lode ls ./data --recursive --json
`,
  log: `lode log STORE NAME: history of a dataset or a volume, newest first

  -n, --limit N      at most N snapshots
  --unreachable      instead, snapshots that are no ancestors of the head: never
                     acknowledged, or cut off by a writer elsewhere

Columns: id, time, records, files, bytes, metadata; of a volume id, time, blocks, bytes
that are there, metadata.

Examples:
  lode log ./data events --limit 5
  lode log ./data events --json | jq '.snapshots[].id'
`,
  show: `lode show STORE NAME [SNAPSHOT]: one snapshot, its facts, its files or blocks

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
  diff: `lode diff STORE NAME [FROM [TO]]: what is different between two snapshots

Without FROM and TO: the latest snapshot and its parent. Without TO: FROM and the
latest. Files are the same file when partition and name are the same; they are kept when
their content is, by checksum. Of volumes: which blocks came.

Examples:
  lode diff ./data events
  lode diff ./data events 1767323045123456789 latest --json
`,
  verify: `lode verify STORE [NAME [SNAPSHOT]]: compare every object with what was committed

Reads all data; without a name, of all datasets and volumes. Exit code 5 when anything is
missing, cut or altered; each such object is a line on stdout.

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
  gc: `lode gc STORE [NAME]: delete data files and blocks that no snapshot names

  --apply            delete; without it only the plan is shown
  --dry-run          show the plan (the default)
  --older-than AGE   only files at least this old: 36h, 30d. Default 7d, at least 24h

Writes that fail or die leave such files. Nothing is deleted while a commit is under way,
a manifest is damaged or an ancestor is missing.

Examples:
  lode gc ./data
  lode gc ./data events --older-than 30d --apply
`,
  repair: `lode repair STORE [NAME]: complete what interrupted commits left

  --apply            write; without it only the plan is shown
  --dry-run          show the plan (the default)

Writes a missing pointer, a fence where a pointer names nothing, missing copies of
manifests. Replaces and deletes nothing.

Examples:
  lode repair ./data
  lode repair ./data events --apply
`,
  'volume map': `lode volume map STORE VOLUME [SNAPSHOT]: which bytes are there

  --missing          instead, what is missing: a range OFFSET+LENGTH on each line

As wide as the terminal, or as COLUMNS says. Each line begins with its offset.

Examples:
  lode volume map ./data disk
  lode volume map ./data disk --missing
  lode volume map ./data disk --json | jq '.missing[0]'
`,
  'volume read': `lode volume read STORE VOLUME [SNAPSHOT]: bytes to stdout

  --range RANGE      FROM-TO (TO is not a part of it), FROM- or OFFSET+LENGTH; without
                     it the whole volume
  --partial          of blocks at both ends fetch only what was asked for, which no
                     checksum covers then

${rangesHelp}
Nothing is made up: where bytes of the range are missing, none is written, every gap is
named, and the exit code is 3.

Examples:
  lode volume read ./data disk --range 0-512 | xxd
  lode volume read ./data disk --range 64MiB+4KiB > page
`,
  'volume fill': `lode volume fill STORE VOLUME FILE: upload what a volume lacks of a file

  --length SIZE      of a volume that is not there yet; the end of FILE without it
  --offset SIZE      where FILE begins in the volume. Default 0, with a FILE as long as
                     the volume
  --block SIZE       bytes of a block. Default 8MiB
  --batch SIZE       bytes of a commit: what readers see at once. Default 256MiB
  --check            first compare all that is there with FILE; without it a few blocks
  -n, --dry-run      only say what would be uploaded

${rangesHelp}
Stopped at any time, from any machine: the same call goes on where the last one was.
Ctrl-C commits what has been uploaded, and ends. What is there is never replaced; it is
compared with FILE by its checksums. Another FILE, and one that changes meanwhile, end it
with exit code 4.

Examples:
  lode volume fill ./data disk ./disk.img
  lode volume fill s3://bucket/images disk ./part2.img --offset 1GiB --length 4GiB
`,
  'volume materialize': `lode volume materialize STORE VOLUME FILE [SNAPSHOT]: a volume as a local file

  --range RANGE      only the blocks that touch it: FROM-TO, FROM- or OFFSET+LENGTH
  --holes            write what is there. Gaps stay as they are in FILE: in a new one
                     holes, which read as zeros. Without it gaps are named, nothing is
                     written, and the exit code is 3

FILE is as long as the volume; every block is verified. Stopped at any time, the same
call goes on: blocks that FILE has already are kept, found out by their checksums. A
FILE of another length is left alone.

Examples:
  lode volume materialize ./data disk ./disk.img
  lode volume materialize s3://bucket/images disk ./disk.img --holes
`,
  'journal inspect': `lode journal inspect DIR: segments and snapshots of a journal

Reads all of it. Columns: the epoch of the writer, the records by LSN, the bytes of the
file, the running checksum that the next segment vouches for, the time of the last record,
and whether the segment is sealed or open: being written to, or left so by a crash. Exit
code 5 when something is damaged. Takes no lock: it may be used by others.

Examples:
  lode journal inspect ./journal
  lode journal inspect ./journal --json | jq '.segments[-1].lastLsn'
`,
  'journal tail': `lode journal tail DIR: records of a journal, oldest first

  -f, --follow       wait for records to come, until Ctrl-C
  --from LSN         begin with this record; the first there is without it

Columns: LSN, time, bytes, and the beginning of the content: text, or Base64 of what is
none. With --json each record is a document on a line of its own, with all of its content.
What another process is writing is shown once it is whole, which may be before it is
durable.

Examples:
  lode journal tail ./journal --from 4711
  lode journal tail ./journal --follow --json | jq -r .text
`,
  'journal verify': `lode journal verify DIR: compare every record and snapshot with its checksums

Exit code 5 when anything is damaged; each such file is a line on stdout, with the offset,
and the checksums where it is those. What a crash leaves of its last write is no damage:
nobody was told that it was written. A restoration that has not ended is.

Examples:
  lode journal verify ./journal
  lode journal verify ./journal --json | jq '.problems[0]'
`,
  'journal recover': `lode journal recover DIR: cut off what a crash left, or what came after a point

  --apply            do it; without it only the plan is shown
  --dry-run          show the plan (the default)
  --mode MODE        tail (the default): cut a write that a crash left unfinished, which
                     any opening does; damage is exit code 5. last-good: cut at the first
                     damage, whatever was acknowledged behind it
  --until-lsn LSN    take the journal back: this record is the last one that stays
  --until-time TIME  the same: it ends before the first record that is later. Records that
                     were written together have one time, of milliseconds

What is cut is set aside in files of its own, never destroyed.

Examples:
  lode journal recover ./journal
  lode journal recover ./journal --mode last-good --apply
  lode journal recover ./journal --until-time 2026-01-02T03:04:05.123Z
`,
  'journal export': `lode journal export DIR STORE DATASET: into a dataset, what it lacks of a journal

The newest snapshot the first time, afterwards only records that are new. The dataset is
made when there is none; it holds nothing else. Takes no lock, and needs nobody's code: the
journal may be in use. Of one that is, or that was not closed, the last write is left out, as
nothing tells whether it is durable. Exit code 5 when the journal is damaged.

Examples:
  lode journal export ./journal s3://bucket/backups stock
`,
  'journal restore': `lode journal restore STORE DATASET DIR [SNAPSHOT]: a journal out of a dataset

What was exported to it, up to that snapshot. DIR is made, or has to be
empty. Everything is verified. Stopped at any time, the same call goes on; nobody can open
half a journal.

Examples:
  lode journal restore s3://bucket/backups stock ./journal
`,
};

const groups: Readonly<Record<string, string>> = {
  volume: `lode volume COMMAND STORE VOLUME: a byte space that fills up over time

  lode volume map          which bytes are there, as a picture
  lode volume read         bytes to stdout
  lode volume fill         upload what is missing of a file
  lode volume materialize  the volume as a local file

Also ls, log, show, diff, verify, repair and gc take volumes.
`,
  journal: `lode journal COMMAND DIR: an append-only log and the snapshots of its state

  lode journal inspect     segments and snapshots
  lode journal tail        records, and those that are still to come
  lode journal verify      compare every record and snapshot with its checksums
  lode journal recover     cut off what a crash left, or what came after a point
  lode journal export      into a dataset, what it lacks of a journal
  lode journal restore     a journal out of the dataset it was exported to
`,
};

export const commandNames: readonly string[] = Object.keys(pages);

/** The command that a call begins with: one word, or two where the first is a group. */
export function commandIn([first = '', second = '']: readonly string[]): string {
  const isGroup = Object.hasOwn(groups, first) && second !== '' && !second.startsWith('-');
  return isGroup ? `${first} ${second}` : first;
}

export function helpFor(command: string): { text: string; known: boolean } {
  if (command === '' || command.startsWith('-')) return { text: top, known: true };
  if (Object.hasOwn(groups, command)) return { text: groups[command] ?? '', known: true };
  if (!Object.hasOwn(pages, command)) return { text: unknownCommand(command), known: false };
  const where = command.startsWith('journal ') ? '' : ' --kind, --layout,';
  const common = `\nAlso --json,${where} --quiet: see "lode --help".\n`;
  const page = pages[command] ?? '';
  const examples = page.indexOf('\nExamples:');
  return { text: page.slice(0, examples) + common + page.slice(examples), known: true };
}

export function unknownCommand(command: string): string {
  if (Object.hasOwn(groups, command)) return `lode: a command is missing\n${groups[command]}`;
  return `lode: there is no command ${JSON.stringify(command)}\nCommands: ${commandNames.join(', ')}. See "lode --help".\n`;
}
