/** Rows like those people keep: an id, a time, text, numbers, a flag, a list; about 140 bytes a line. */
export interface Row {
  readonly id: number;
  readonly at: string;
  readonly user: string;
  readonly event: string;
  readonly path: string;
  readonly value: number;
  readonly ok: boolean;
  readonly tags: readonly string[];
}

const events = ['login', 'logout', 'click', 'purchase'] as const;

export function sampleRows(count: number, seed: number): Row[] {
  let state = seed >>> 0 || 1;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  return Array.from({ length: count }, (_, id) => ({
    id,
    at: new Date(1_700_000_000_000 + id * 1000 + next(1000)).toISOString(),
    user: `user-${next(10_000)}`,
    event: events[next(events.length)] ?? 'click',
    path: `/products/${next(1000)}/reviews`,
    value: next(1_000_000) / 100,
    ok: next(10) > 0,
    tags: ['web', `v${next(5)}`],
  }));
}
