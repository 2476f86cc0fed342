/**
 * Stores of others that keep records durably, to be measured against: installed by `.ci/run` outside the repository, as they
 * compile native code. `LODE_LOG_PEERS` is the folder that has them in its `node_modules`.
 *
 * Each at the setting that makes an acknowledgement survive a power loss, through the fastest of its calls that do.
 */
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

export type PeerName = 'better-sqlite3' | 'lmdb' | 'classic-level';

export interface LogPeer {
  readonly name: PeerName;
  /** Durable when it is done. */
  append(record: Uint8Array): void | Promise<void>;
  /** The same, made for many under way at a time; undefined where there is no such call. */
  readonly appendAmongMany: ((record: Uint8Array) => Promise<void>) | undefined;
  /** Durable together. */
  appendBatch(records: readonly Uint8Array[]): void | Promise<void>;
  /** Closes it, opens it again and gives every record. */
  reread(visit: (record: Uint8Array) => void): Promise<void>;
  close(): Promise<void>;
}

/** Those that are installed. None of them is fine on a user's machine, and an error in CI. */
export async function logPeers(dir: string): Promise<LogPeer[]> {
  const home = process.env['LODE_LOG_PEERS'];
  if (home === undefined) {
    if (process.env['LODE_REQUIRE_PEERS'] !== '1') return [];
    throw new Error('LODE_LOG_PEERS is not set, and peers are required');
  }
  const load = createRequire(join(home, 'x.js'));
  mkdirSync(dir, { recursive: true });
  return [
    sqlite(load('better-sqlite3') as Sqlite, join(dir, 'sqlite.db')),
    lmdb(load('lmdb') as Lmdb, join(dir, 'lmdb')),
    await level(load('classic-level') as Level, join(dir, 'level')),
  ];
}

/** What a figure says of those that are missing. */
export function missingNote(peers: readonly LogPeer[]): string {
  return peers.length === 0 ? '; peers not installed' : '';
}

interface SqliteDatabase {
  pragma(source: string): unknown;
  exec(source: string): void;
  prepare(source: string): {
    run(value: Uint8Array): void;
    pluck(): { iterate(): Iterable<Uint8Array> };
  };
  transaction<A>(work: (argument: A) => void): (argument: A) => void;
  close(): void;
}
type Sqlite = new (path: string) => SqliteDatabase;

/** A write-ahead log that is synced at every commit. */
function sqlite(Database: Sqlite, path: string): LogPeer {
  const open = (): SqliteDatabase => {
    const db = new Database(path);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    return db;
  };
  let db = open();
  db.exec('CREATE TABLE log (lsn INTEGER PRIMARY KEY, body BLOB NOT NULL)');
  const insert = db.prepare('INSERT INTO log (body) VALUES (?)');
  const batch = db.transaction((records: readonly Uint8Array[]) => {
    for (const record of records) insert.run(record);
  });
  return {
    name: 'better-sqlite3',
    append: (record) => insert.run(record),
    appendAmongMany: undefined,
    appendBatch: batch,
    async reread(visit) {
      db.close();
      db = open();
      const bodies = db.prepare('SELECT body FROM log ORDER BY lsn').pluck();
      for (const body of bodies.iterate()) visit(body);
    },
    close: async () => db.close(),
  };
}

interface LmdbDatabase {
  readonly flushed: Promise<unknown>;
  put(key: number, value: Uint8Array): Promise<boolean>;
  putSync(key: number, value: Uint8Array): void;
  transactionSync(work: () => void): void;
  getRange(): Iterable<{ value: Uint8Array }>;
  close(): Promise<void>;
}
interface Lmdb {
  readonly open: (options: { path: string; encoding: string; keyEncoding: string }) => LmdbDatabase;
}

/** Its defaults sync every commit: a traced run shows the sync in front of each answer. */
function lmdb({ open }: Lmdb, path: string): LogPeer {
  const options = { path, encoding: 'binary', keyEncoding: 'uint32' };
  let db = open(options);
  let key = 0;
  return {
    name: 'lmdb',
    append: (record) => db.putSync(key++, record),
    async appendAmongMany(record) {
      await db.put(key++, record);
      await db.flushed;
    },
    appendBatch: (records) =>
      db.transactionSync(() => {
        for (const record of records) void db.put(key++, record);
      }),
    async reread(visit) {
      await db.close();
      db = open(options);
      for (const { value } of db.getRange()) visit(value);
    },
    close: () => db.close(),
  };
}

interface LevelDatabase {
  open(): Promise<void>;
  put(key: string, value: Uint8Array, options: { sync: boolean }): Promise<void>;
  batch(
    operations: readonly { type: 'put'; key: string; value: Uint8Array }[],
    options: { sync: boolean },
  ): Promise<void>;
  values(): AsyncIterable<Uint8Array> & { nextv(size: number): Promise<Uint8Array[]> };
  close(): Promise<void>;
}
interface Level {
  readonly ClassicLevel: new (path: string, options: { valueEncoding: string }) => LevelDatabase;
}

/** Its own log is synced where `sync` says so. */
async function level({ ClassicLevel }: Level, path: string): Promise<LogPeer> {
  const open = async (): Promise<LevelDatabase> => {
    const db = new ClassicLevel(path, { valueEncoding: 'view' });
    await db.open();
    return db;
  };
  let db = await open();
  let count = 0;
  const sync = { sync: true };
  const nextKey = (): string => String(count++).padStart(10, '0');
  const append = (record: Uint8Array): Promise<void> => db.put(nextKey(), record, sync);
  return {
    name: 'classic-level',
    append,
    appendAmongMany: append,
    appendBatch: (records) =>
      db.batch(
        records.map((value) => ({ type: 'put', key: nextKey(), value })),
        sync,
      ),
    async reread(visit) {
      await db.close();
      db = await open();
      const values = db.values();
      for (let some = await values.nextv(1000); some.length > 0; some = await values.nextv(1000))
        for (const value of some) visit(value);
    },
    close: () => db.close(),
  };
}
