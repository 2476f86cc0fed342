/** What verification finds, where a dataset may not have come to be at all. */
import { isLodeError } from '../src/index.ts';
import type { Problem, VerifyReport } from '../src/index.ts';

export async function problemsOf(dataset: {
  verify(): Promise<VerifyReport>;
}): Promise<readonly Problem[]> {
  try {
    return (await dataset.verify()).problems;
  } catch (error) {
    if (isLodeError(error, 'LODE_NO_SNAPSHOTS')) return [];
    throw error;
  }
}
