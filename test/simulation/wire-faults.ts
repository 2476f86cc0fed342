/** What can go wrong with a request of an S3 store, by name: between it and the server, in the server, on the way back. */
import type { S3Act, S3Answer, S3Operation } from '../../src/testing/index.ts';

export interface WireFault {
  readonly kind: string;
  readonly act: S3Act;
}

const reply = (code: string): S3Act => ({ effect: 'none', answer: { code } });

/** Nothing happens. */
const always: readonly WireFault[] = [
  { kind: 'refused', act: { refuse: 'reset' } },
  { kind: 'closed unread', act: { refuse: 'close' } },
  { kind: 'slow down', act: reply('SlowDown') },
  { kind: 'internal error', act: reply('InternalError') },
  { kind: 'denied', act: reply('AccessDenied') },
  { kind: 'hangs', act: { effect: 'none', hang: true } },
];

/** It happens, and the answer is lost or says otherwise. */
const afterwards: readonly WireFault[] = [
  { kind: 'answer lost', act: { cut: { head: 0 } } },
  { kind: 'answer cut', act: { cut: { head: 40 } } },
  { kind: 'error after effect', act: { answer: { code: 'InternalError' } } },
  { kind: 'hangs after effect', act: { hang: true } },
  { kind: 'delivered twice', act: { effect: 'twice' } },
];

const answers: readonly WireFault[] = [
  { kind: 'answer lost', act: { cut: { head: 0 } } },
  { kind: 'body cut', act: { cut: { body: 9 } } },
  { kind: 'body cut, closed', act: { cut: { body: 9 }, end: 'close' } },
  { kind: 'body in chunks', act: { chunked: true } },
  { kind: 'body too long', act: { lengthOff: -1 } },
  { kind: 'body too short', act: { lengthOff: 1, end: 'close' } },
  { kind: 'a bit flipped', act: { answer: flipped } },
];

function flipped(answer: S3Answer): S3Answer {
  const body = answer.body.slice();
  const at = body.length >> 1;
  body[at] = (body[at] ?? 0) ^ 1;
  return answer.status === 200 ? { ...answer, body } : answer;
}

const missing: WireFault = { kind: 'missing', act: reply('NoSuchKey') };

function late(laterBy: number): readonly WireFault[] {
  return [
    { kind: 'lands late', act: { effect: { laterBy } } },
    { kind: 'lands late, said to have failed', act: lateError(laterBy) },
  ];
}

function lateError(laterBy: number): S3Act {
  return { effect: { laterBy }, answer: { code: 'InternalError' } };
}

export function wireFaults(
  laterBy: readonly number[],
): ReadonlyMap<S3Operation, readonly WireFault[]> {
  const conflicts: readonly WireFault[] = [
    { kind: 'in the way of another', act: reply('ConditionalRequestConflict') },
    { kind: 'a conflict that is none', act: reply('PreconditionFailed') },
  ];
  return new Map<S3Operation, readonly WireFault[]>([
    ['PutObject', [...always, ...afterwards, ...laterBy.flatMap(late), ...conflicts]],
    ['GetObject', [...always, ...answers, missing]],
    ['HeadObject', [...always, { kind: 'answer lost', act: { cut: { head: 0 } } }, missing]],
    ['ListObjectsV2', [...always, ...answers.filter(({ kind }) => kind !== 'a bit flipped')]],
    ['DeleteObject', [...always, ...afterwards]],
    ['DeleteObjects', [...always, ...afterwards]],
  ]);
}
