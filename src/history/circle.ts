/**
 * Parent links that run in a circle: no writer makes them, damaged or hostile manifests may.
 *
 * One id is remembered and replaced after 1, 2, 4, 8, … steps (Brent). Whoever walks in a circle meets it again within
 * a few rounds, and a long history costs nothing to walk.
 */
import { LodeError } from '../errors.ts';

export class CircleGuard {
  #mark: string | undefined;
  #steps = 0;
  #stepsMax = 1;

  /** Call for each snapshot a walk comes by. Throws `LODE_MANIFEST_INVALID` for one passed before. */
  pass(id: string): void {
    if (id === this.#mark) {
      throw new LodeError('LODE_MANIFEST_INVALID', 'the parents of a snapshot run in a circle', {
        snapshot: id,
        field: 'parent_snapshot_id',
      });
    }
    if (++this.#steps < this.#stepsMax) return;
    this.#mark = id;
    this.#steps = 0;
    this.#stepsMax *= 2;
  }
}
