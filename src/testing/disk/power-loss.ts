/**
 * The persistence model: which changes to a disk are durable at a given moment, and what is left of it when the power
 * goes, given the fate of those that are not.
 *
 * - File content and size are durable after a datasync of the file, which says nothing about the file's name.
 * - Names are durable after a sync of the directory they are in, which says nothing about content. A new directory that
 *   its parent does not durably name is lost with all that is below it.
 * - Whatever is not durable may have arrived or not, each change on its own and in any order: a disk writes back what
 *   it likes, and a journaling file system persists names unasked. Names are never torn: a rename is seen whole, except
 *   that a rename between directories may show both names until the one that loses the name is synced.
 * - A write may arrive in part: a prefix of it, or its size alone over zeros or what the sectors held before.
 * - After a failed datasync the pages count as clean: the content may have arrived or not, reads still show it, and no
 *   later sync will write it. A failed sync of a directory leaves its names pending, and a later one may succeed.
 */
import type { DiskEvent, DiskImage, ImageFile, ImageNode, NameChange } from '../../disk/image.ts';
import type { RecordedEntry } from './recording.ts';
import { applyData, contentOf, emptyContent, fingerprintOfName, mix } from './content.ts';
import type { Content, DataEvent, Fate } from './content.ts';

type NamesEvent = Extract<DiskEvent, { kind: 'names' }>;

/** One change whose fate may still matter. */
export interface Effect {
  /** Index of its entry in the recording. */
  readonly index: number;
  readonly event: DataEvent | NamesEvent;
  /** The least that is certain. `full` for a durable change that later images still need in its place. */
  floor: 'none' | 'target' | 'full';
  /** A datasync of its file failed: no later one covers it. */
  lost: boolean;
}

/** Two numbers below it add up exactly. */
const sumLimit = 2 ** 52;

type Names = ReadonlyMap<string, number>;

/** A disk as one choice of fates leaves it. */
export interface View {
  names(directory: number): Names | undefined;
  content(file: number): Content;
}

export class PowerLossModel {
  readonly root: number;
  readonly #names = new Map<number, Map<string, number>>();
  readonly #contents = new Map<number, Content>();
  /** Contents already worked out, by file and then by the fates of its changes. Forgotten when the file is synced. */
  readonly #known = new Map<number, Map<string, Content>>();
  readonly #nameFingerprints = new Map<string, number>();
  #live: Effect[] = [];

  constructor(base: DiskImage) {
    this.root = base.inode;
    this.#load(base);
  }

  /** Changes that are not durable, in the order they were made. */
  pending(): Effect[] {
    return this.#live.filter((effect) => effect.floor !== 'full');
  }

  apply(entry: RecordedEntry, index: number): void {
    switch (entry.kind) {
      case 'write':
      case 'truncate':
        this.#live.push({ index, event: entry, floor: 'none', lost: false });
        return;
      case 'names':
        for (const { node } of entry.changes) if (node !== undefined) this.#meet(node);
        this.#live.push({ index, event: entry, floor: 'none', lost: false });
        return;
      case 'datasync':
        for (const effect of this.#dataOf(entry.inode)) if (!effect.lost) effect.floor = 'full';
        return this.#fold();
      case 'syncDirectory':
        for (const effect of this.#live) syncNames(effect, entry.inode);
        return this.#fold();
      case 'lost':
        for (const effect of this.#dataOf(entry.inode)) effect.lost = effect.floor !== 'full';
        return;
      case 'mark':
    }
  }

  /** The disk after a power loss in which each pending change met the fate given for it, by position in `pending()`. */
  view(fates: readonly Fate[]): View {
    const names = new Map<number, Map<string, number>>();
    const keys = new Map<number, { key: string; content: Content }>();
    let next = 0;
    for (const effect of this.#live) {
      const fate =
        effect.floor === 'full' ? 'full' : atLeast(effect.floor, fates[next++] ?? 'none');
      if (fate === 'none') continue;
      if (effect.event.kind === 'names') this.#rename(names, effect.event, fate);
      else this.#rewrite(keys, effect.event, effect.index, fate);
    }
    return {
      names: (directory) => names.get(directory) ?? this.#names.get(directory),
      content: (file) => keys.get(file)?.content ?? this.#contents.get(file) ?? emptyContent,
    };
  }

  /** What a process sees that asks now: every change, durable or not. */
  current(): View {
    return this.view(this.pending().map(() => 'full'));
  }

  /** Equal for equal disks, and as good as never for others. Cheaper than an image. */
  fingerprint(view: View, directory: number = this.root): number {
    let sum = 0;
    for (const [name, inode] of view.names(directory) ?? []) {
      const below =
        view.names(inode) === undefined
          ? view.content(inode).fingerprint
          : this.fingerprint(view, inode);
      // A sum, as the order of names means nothing; the inode counts, as two names of one file are not two files.
      const entry = mix(mix(this.#nameFingerprint(name), below), inode);
      sum = (sum + (entry % sumLimit)) % sumLimit;
    }
    return mix(sum, 1);
  }

  image(view: View): DiskImage {
    const files = new Map<number, ImageFile>();
    const node = (inode: number): ImageNode => {
      const names = view.names(inode);
      if (names !== undefined) return directory(inode, names);
      const file = files.get(inode) ?? { kind: 'file', inode, bytes: view.content(inode).bytes };
      files.set(inode, file);
      return file;
    };
    const directory = (inode: number, names: Names): DiskImage => {
      const entries = new Map<string, ImageNode>();
      for (const [name, child] of names) entries.set(name, node(child));
      return { kind: 'directory', inode, entries };
    };
    return directory(this.root, view.names(this.root) ?? new Map<string, number>());
  }

  #load(directory: DiskImage): void {
    const names = new Map<string, number>();
    this.#names.set(directory.inode, names);
    for (const [name, node] of directory.entries) {
      names.set(name, node.inode);
      if (node.kind === 'directory') this.#load(node);
      else this.#contents.set(node.inode, contentOf(node.bytes));
    }
  }

  #meet({ kind, inode }: { kind: ImageNode['kind']; inode: number }): void {
    if (kind === 'directory' && !this.#names.has(inode)) this.#names.set(inode, new Map());
  }

  #dataOf(inode: number): Effect[] {
    return this.#live.filter(({ event }) => event.kind !== 'names' && event.inode === inode);
  }

  /** Takes durable changes into the base, unless an earlier change of the same thing is still open. */
  #fold(): void {
    const open = new Set<string>();
    this.#live = this.#live.filter((effect) => {
      const things = thingsOf(effect);
      if (effect.floor === 'full' && !things.some((thing) => open.has(thing))) {
        this.#settle(effect.event);
        return false;
      }
      for (const thing of things) open.add(thing);
      return true;
    });
  }

  #settle(event: DataEvent | NamesEvent): void {
    if (event.kind === 'names') return this.#rename(this.#names, event, 'full');
    const before = this.#contents.get(event.inode) ?? emptyContent;
    this.#contents.set(event.inode, applyData(before, event, 'full'));
    this.#known.delete(event.inode);
  }

  #rename(into: Map<number, Map<string, number>>, event: NamesEvent, fate: Fate): void {
    const changes = fate === 'target' ? event.changes.slice(-1) : event.changes;
    for (const { directory, name, node } of changes) {
      let names = into.get(directory);
      if (names === undefined) {
        names = new Map(this.#names.get(directory));
        into.set(directory, names);
      }
      if (node === undefined) names.delete(name);
      else names.set(name, node.inode);
    }
  }

  #rewrite(
    into: Map<number, { key: string; content: Content }>,
    event: DataEvent,
    index: number,
    fate: Fate,
  ): void {
    const { inode } = event;
    const before = into.get(inode) ?? {
      key: '',
      content: this.#contents.get(inode) ?? emptyContent,
    };
    const key = `${before.key}${index}:${fate} `;
    let known = this.#known.get(inode);
    if (known === undefined) this.#known.set(inode, (known = new Map()));
    let content = known.get(key);
    if (content === undefined) {
      content = applyData(before.content, event, fate);
      known.set(key, content);
    }
    into.set(inode, { key, content });
  }

  #nameFingerprint(name: string): number {
    let value = this.#nameFingerprints.get(name);
    if (value === undefined) {
      value = fingerprintOfName(name);
      this.#nameFingerprints.set(name, value);
    }
    return value;
  }
}

/** True when the rename takes a name out of one directory and puts one into another. */
export function crossesDirectories(event: NamesEvent): boolean {
  return event.changes.some(({ directory }) => directory !== targetOf(event).directory);
}

/** The last change of a rename is the new name. */
function targetOf(event: NamesEvent): NameChange {
  const target = event.changes[event.changes.length - 1];
  return target ?? { directory: 0, name: '', node: undefined };
}

function syncNames(effect: Effect, directory: number): void {
  const { event } = effect;
  if (event.kind !== 'names') return;
  if (!event.changes.some((change) => change.directory === directory)) return;
  // A directory that gains a name may be written without the one that loses it, never the other way round.
  const half = crossesDirectories(event) && targetOf(event).directory === directory;
  if (!half) effect.floor = 'full';
  else if (effect.floor === 'none') effect.floor = 'target';
}

function atLeast(floor: 'none' | 'target', fate: Fate): Fate {
  return fate === 'none' ? floor : fate;
}

/** What a change is about: a file's content, or names. */
function thingsOf({ event }: Effect): string[] {
  if (event.kind !== 'names') return [`${event.inode}`];
  return event.changes.map(({ directory, name }) => `${directory}/${name}`);
}
