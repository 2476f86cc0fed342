/** A local file to upload from: read at any place, and held to what it was when it was opened. */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { LodeError } from 'lode';
import { usage } from './command.ts';

interface State {
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

export class SourceFile {
  readonly path: string;
  readonly size: number;
  readonly #file: FileHandle;
  readonly #state: State;

  private constructor(path: string, file: FileHandle, state: State) {
    this.size = Number(state.size);
    this.path = path;
    this.#file = file;
    this.#state = state;
  }

  static async open(path: string): Promise<SourceFile> {
    const file = await open(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      throw new LodeError('LODE_NOT_FOUND', 'there is no such file', { key: path });
    });
    try {
      const state = await file.stat({ bigint: true });
      // Pipes and devices have no length, and cannot be read again.
      if (!state.isFile()) throw usage('FILE has to be a regular file', path);
      if (state.size === 0n) throw usage('FILE is empty', path);
      return new SourceFile(path, file, state);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const { bytesRead } = await this.#file.read(bytes, at, length - at, offset + at);
      if (bytesRead === 0) throw this.#changed();
      at += bytesRead;
    }
    return bytes;
  }

  /** To be called before what was read is committed: half of one state and half of another is neither. */
  async assertUnchanged(): Promise<void> {
    const { size, mtimeNs } = await this.#file.stat({ bigint: true });
    if (size !== this.#state.size || mtimeNs !== this.#state.mtimeNs) throw this.#changed();
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #changed(): LodeError {
    return new LodeError('LODE_OBJECT_CHANGED', 'the file was written to while it was read', {
      key: this.path,
      next: 'What was committed before is of its former state. Fill another volume from a file that rests.',
    });
  }
}
