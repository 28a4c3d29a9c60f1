const LIMIT = 512

/** Remembers what was made under a key that determines it; the oldest entry goes when there are more than 512. */
export function memo<T>(): (key: string, make: () => T) => T {
  const made = new Map<string, T>()
  return (key, make) => {
    const known = made.get(key)
    if (known !== undefined) return known
    const value = make()
    made.set(key, value)
    if (made.size > LIMIT) {
      for (const oldest of made.keys()) {
        made.delete(oldest)
        break
      }
    }
    return value
  }
}
