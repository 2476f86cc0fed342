/** Bodies of reads that go wrong: slow, cut, short, long, corrupt, or not as long as announced. */
import { concat } from '../../bytes/index.ts';
import { LodeError } from '../../errors.ts';
import type { StoredObject } from '../../store/store.ts';
import { ForwardingObject } from '../../store/wrappers/forwarding.ts';
import type { StoreFaultKind } from './faults.ts';

type BodyFaultKind = Extract<StoreFaultKind, `${string}-body` | 'wrong-size'>;

export function isBodyFault(kind: StoreFaultKind): kind is BodyFaultKind {
  return kind === 'wrong-size' || kind.endsWith('-body');
}

export class FaultyObject extends ForwardingObject {
  override readonly size: number;
  override readonly range: { readonly offset: number; readonly length: number };
  readonly #kind: BodyFaultKind;

  constructor(inner: StoredObject, kind: BodyFaultKind) {
    super(inner);
    this.#kind = kind;
    const more = kind === 'wrong-size' ? 1 : 0;
    this.size = inner.size + more;
    this.range = { offset: inner.range.offset, length: inner.range.length + more };
  }

  override async *stream(): AsyncGenerator<Uint8Array> {
    const bytes = await this.inner.bytes();
    const half = bytes.subarray(0, bytes.length >> 1);
    switch (this.#kind) {
      case 'slow-body':
        for (let at = 0; at < bytes.length; at++) yield bytes.slice(at, at + 1);
        return;
      case 'short-body':
        return yield half;
      case 'long-body':
        yield bytes;
        return yield new Uint8Array([0x21]);
      case 'corrupt-body':
        if (half.length > 0) half[half.length - 1] = (half[half.length - 1] ?? 0) ^ 1;
        return yield bytes;
      case 'wrong-size':
        return yield bytes;
      case 'cut-body':
        yield half;
        throw new LodeError('LODE_TRUNCATED', 'injected: the body was cut', { key: this.key });
      case 'dropped-body':
        yield half;
        throw new LodeError('LODE_UNAVAILABLE', 'injected: the connection was lost', {
          key: this.key,
        });
    }
  }

  override async bytes(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.stream()) chunks.push(chunk);
    return concat(chunks);
  }
}
