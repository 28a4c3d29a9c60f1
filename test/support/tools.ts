import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { describe, it } from 'vitest'

/** A program or library of Debian's, or a Python package, that some tests are run against. */
export interface Tool {
  readonly name: string
  /** what brings it, as one would type it */
  readonly install: string
  readonly isThere: () => boolean
}

/** A command of Debian's on PATH, or at one of these places. */
export const command = (name: string, debianPackage: string, ...places: readonly string[]): Tool => ({
  name,
  install: `apt-get install ${debianPackage}`,
  isThere: () =>
    places.some((place) => existsSync(place)) || spawnSync('sh', ['-c', 'command -v "$0"', name]).status === 0,
})

/** A shared library of Debian's, at one of these places. */
export const library = (name: string, debianPackage: string, ...places: readonly string[]): Tool => ({
  name,
  install: `apt-get install ${debianPackage}`,
  isThere: () => places.some((place) => existsSync(place)),
})

/** The Python that has the packages: VOUCHSAFE_PYTHON, or `python3`. */
export const PYTHON = process.env.VOUCHSAFE_PYTHON ?? 'python3'

export const pythonPackage = (name: string): Tool => ({
  name: `${name} (Python)`,
  install: `pip install ${name} (and name that Python in VOUCHSAFE_PYTHON)`,
  isThere: () => spawnSync(PYTHON, ['-c', `import ${name}`], { stdio: 'ignore' }).status === 0,
})

/**
 * `describe` for tests against real parts of somebody else's making. Where one is absent the group is skipped by name, so
 * that a checkout without it still passes; under CI=true its absence is a failure.
 */
export function describeWith(tools: readonly Tool[], name: string, body: () => void): void {
  const missing = tools.filter((tool) => !tool.isThere())
  if (missing.length === 0) {
    describe(name, body)
  } else if (process.env.CI === 'true') {
    throw new TypeError(`CI without ${missing.map((t) => `${t.name} (${t.install})`).join(', ')}`)
  } else {
    it.skip(`${name} (absent: ${missing.map((t) => `${t.name}, ${t.install}`).join('; ')})`, () => {})
  }
}
