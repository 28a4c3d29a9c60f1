/** RFC 3339 instant moved by whole seconds. */
export const shifted = (instant: string, seconds: number): string =>
  new Date(Date.parse(instant) + 1000 * seconds).toISOString().replace('.000Z', 'Z')
