/**
 * How old data has to be before it may be taken for garbage. Writers and collectors share these figures: what a commit
 * has uploaded is safe for a day, and a commit that takes longer than half of that looks whether its data is still there.
 */
const hourMs = 60 * 60 * 1000;

/** Nothing younger is ever collected. */
export const collectionAgeMinMs: number = 24 * hourMs;
export const collectionAgeDefaultMs: number = 7 * 24 * hourMs;
/** A commit that began longer ago than this checks its data. */
export const uncheckedCommitMs: number = collectionAgeMinMs / 2;
