/** A copy of a row that nobody can change, for a store in memory to keep. */
export const kept = <T>(row: T): T => frozen(structuredClone(row))

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const member of Object.values(value)) frozen(member)
  return Object.freeze(value)
}
