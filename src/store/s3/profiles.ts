/** The shared files of AWS tools, `~/.aws/config` and `~/.aws/credentials`: sections of names and values. */

export type Profile = Readonly<Record<string, string>>;

/** Sections by name. Nested settings (indented below another) are not ours and skipped. */
export function parseProfiles(text: string): Map<string, Profile> {
  const profiles = new Map<string, Record<string, string>>();
  let current: Record<string, string> | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;].*)?$/.test(line)) continue;
    const section = /^\[\s*([^\]]*?)\s*\]/.exec(line)?.[1]?.replace(/\s+/g, ' ');
    if (section !== undefined) {
      current = profiles.get(section) ?? (Object.create(null) as Record<string, string>);
      profiles.set(section, current);
      continue;
    }
    const [, name, value] = /^([A-Za-z0-9_]+)\s*=\s*(.*?)\s*(?:\s[#;].*)?$/.exec(line) ?? [];
    if (current !== undefined && name !== undefined && value) current[name.toLowerCase()] = value;
  }
  return profiles;
}
