/** The fault matrix over sockets: every operation × every request of it × every fault of the wire, on the S3 double. */
import { s3Store } from '../../src/s3.ts';
import { limitedStore, s3Double, virtualEnv } from '../../src/testing/index.ts';
import type { S3Operation } from '../../src/testing/index.ts';
import { FaultLab } from './fault-lab.ts';
import { tryOnce } from './fault-matrix.ts';
import type { MatrixResult } from './fault-matrix.ts';
import type { FaultOperation } from './fault-operations.ts';
import { wireFaults } from './wire-faults.ts';
import type { WireFault } from './wire-faults.ts';

interface Place extends WireFault {
  readonly on: S3Operation;
  readonly at: number;
  readonly times: number;
}

/** A lab of a bucket whose requests meet the fault. */
async function wireLab({ act, on, at, times }: Place, hive: boolean): Promise<FaultLab> {
  const env = virtualEnv();
  const double = await s3Double({ env });
  const { bucket, endpoint, credentials } = double;
  const open = (): ReturnType<typeof s3Store> =>
    s3Store({ bucket, endpoint, credentials, env, conditions: 'assume' });
  const stores = [open(), open()] as const;
  // Who waits for a commit in flight asks every few milliseconds: each time would be one more place for every fault.
  const healthy = limitedStore(stores[0], { settleMs: 200 });
  const broken = limitedStore(stores[1], { settleMs: 200 });
  return new FaultLab((lab) => {
    const rule = double.script({
      on: ({ operation }) => lab.armed && operation === on,
      at,
      times,
      do: act,
    });
    return {
      env,
      healthy,
      broken,
      faults: {
        get fired() {
          return rule.fired;
        },
        async settle() {
          double.landLate();
        },
      },
      async close() {
        for (const store of stores) await store.close();
        await double.close();
      },
    };
  }, hive);
}

export interface WireOptions {
  readonly times?: readonly number[];
  readonly laterBy?: readonly number[];
}

/** Adds to `result` what happens when each request of the operation meets each fault. */
export async function tryOnWire(
  operation: FaultOperation,
  result: MatrixResult,
  { times = [1], laterBy = [3] }: WireOptions = {},
): Promise<void> {
  const { hive = false } = operation;
  for (const [on, faults] of wireFaults(laterBy)) {
    for (const fault of faults) {
      if (fault.kind.startsWith('lands late') && operation.compares === false) continue;
      for (const n of times) {
        for (let at = 0; ; at++) {
          const place = { ...fault, on, at, times: n };
          const name = `${on} ${at} ${fault.kind}, ${n === 1 ? 'once' : 'for ever'}`;
          const open = (): Promise<FaultLab> => wireLab(place, hive);
          const trial = { kind: fault.kind, isPut: on === 'PutObject', name, open };
          if (!(await tryOnce(operation, trial, result))) break;
        }
      }
    }
  }
}
