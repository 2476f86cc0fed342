/**
 * Holds a recording to the order of its syncs: nothing is acknowledged, and nothing points to an object, before the bytes,
 * the name and every directory above it are durable. Unlike crash states it needs no recovery code, and it names the
 * entry at fault.
 */
import { PowerLossModel } from './power-loss.ts';
import type { View } from './power-loss.ts';
import type { Recording } from './recording.ts';

export interface SyncRules {
  /** Paths that the mark with this label promises: durably as they are now, there or absent. */
  readonly promised?: (label: string) => readonly string[];
  /** True for a path under which readers look for complete files. */
  readonly published?: (path: string) => boolean;
  /** Paths that a file, once it has this name, says exist. */
  readonly references?: (path: string, bytes: Uint8Array) => readonly string[];
}

export interface SyncViolation {
  /** Index in the recording of the acknowledgement or the new name. */
  readonly entry: number;
  readonly path: string;
  readonly problem:
    | 'acknowledged before its bytes were synced'
    | 'acknowledged before its name was synced'
    | 'published before its bytes were synced'
    | 'referred to before its bytes were synced'
    | 'referred to before its name was synced'
    | 'referred to but missing';
}

export function syncViolations(recording: Recording, rules: SyncRules): SyncViolation[] {
  const model = new PowerLossModel(recording.base);
  const found: SyncViolation[] = [];
  for (const [index, entry] of recording.entries.entries()) {
    model.apply(entry, index);
    const report = (path: string, problem: SyncViolation['problem']): void => {
      found.push({ entry: index, path, problem });
    };
    if (entry.kind === 'mark') {
      for (const path of rules.promised?.(entry.label) ?? []) {
        const open = openParts(model, path);
        if (open.name) report(path, 'acknowledged before its name was synced');
        if (open.bytes) report(path, 'acknowledged before its bytes were synced');
      }
    } else if (entry.kind === 'names') {
      for (const { directory, name, node } of entry.changes) {
        if (node?.kind !== 'file') continue;
        const parent = pathOf(model.current(), model.root, directory);
        if (parent !== undefined) checkName(model, `${parent}/${name}`, node.inode, rules, report);
      }
    }
  }
  return found;
}

function checkName(
  model: PowerLossModel,
  path: string,
  inode: number,
  { published, references }: SyncRules,
  report: (path: string, problem: SyncViolation['problem']) => void,
): void {
  if (published?.(path) === true && hasOpenBytes(model, inode)) {
    report(path, 'published before its bytes were synced');
  }
  for (const referred of references?.(path, model.current().content(inode).bytes) ?? []) {
    const open = openParts(model, referred);
    if (open.missing) report(referred, 'referred to but missing');
    if (open.name) report(referred, 'referred to before its name was synced');
    if (open.bytes) report(referred, 'referred to before its bytes were synced');
  }
}

/** What of a path a power loss could still change. */
function openParts(
  model: PowerLossModel,
  path: string,
): { missing: boolean; name: boolean; bytes: boolean } {
  const view = model.current();
  let inode: number | undefined = model.root;
  let name = false;
  for (const part of path.split('/').filter((piece) => piece !== '')) {
    const directory: number = inode;
    const open = hasOpenName(model, directory, part);
    inode = view.names(directory)?.get(part);
    // What is absent stays absent, whatever becomes of the directories above it.
    if (inode === undefined) return { missing: true, name: open, bytes: false };
    name ||= open;
  }
  return { missing: false, name, bytes: hasOpenBytes(model, inode) };
}

function hasOpenName(model: PowerLossModel, directory: number, name: string): boolean {
  return model.pending().some(({ event, floor }) => {
    if (event.kind !== 'names') return false;
    const changes = floor === 'target' ? event.changes.slice(0, -1) : event.changes;
    return changes.some((change) => change.directory === directory && change.name === name);
  });
}

function hasOpenBytes(model: PowerLossModel, inode: number): boolean {
  return model.pending().some(({ event }) => event.kind !== 'names' && event.inode === inode);
}

/** Where a directory is now; `undefined` when no name leads to it any more. */
function pathOf(view: View, from: number, wanted: number): string | undefined {
  if (from === wanted) return '';
  for (const [name, inode] of view.names(from) ?? []) {
    const below = view.names(inode) && pathOf(view, inode, wanted);
    if (below !== undefined) return `/${name}${below}`;
  }
  return undefined;
}
