/** Name of what the operating system answered, e.g. `ENOENT`; undefined where it was no answer of the system. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined
}

/** As `systemCode`, and rethrows what is no answer of the system: an error of ours. */
export function systemCodeOf(error: unknown): string {
  const code = systemCode(error)
  if (code === undefined) throw error
  return code
}
