/** From what the caller names to a store. The only module that knows which stores there are; each is loaded when named. */
import type { Store } from 'lode';
import type { Call } from './command.ts';
import { usage } from './command.ts';

/** What the call named first, or at another place. */
export async function openStore(call: Call, at = 0): Promise<Store> {
  const location = call.arg(at);
  // One letter and a colon is a drive.
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(location)?.[1]?.toLowerCase();
  switch (scheme) {
    case undefined:
    case 'file': {
      const { fsStore } = await import('lode/fs');
      return fsStore(scheme === undefined ? location : fileUrl(location));
    }
    case 's3': {
      const { s3Store } = await import('lode/s3');
      const store = s3Store(location);
      // Kept connections would keep the process.
      call.atEnd(() => store.close());
      return store;
    }
    default:
      throw usage('a store is a directory, a file: URL or an s3: URL', `${scheme}:`);
  }
}

function fileUrl(location: string): URL {
  if (!/^file:\//i.test(location)) throw usage('a file: URL starts with file:///', location);
  return new URL(location);
}
