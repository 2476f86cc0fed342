/** The Disk over the machine's file system. */
export { nodeDisk } from './disk.ts';
export { absolutePath } from './path.ts';
