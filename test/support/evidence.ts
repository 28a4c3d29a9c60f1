import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'vitest'

const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/** Where real evidence lies: VOUCHSAFE_EVIDENCE, or ../shared/evidence beside a checkout. It is never part of the repository. */
const EVIDENCE_ROOT = process.env.VOUCHSAFE_EVIDENCE ?? resolve(REPOSITORY, '../shared/evidence')

/** The absolute path of a file or folder of the evidence, e.g. `evidencePath('sev-snp/roots')`. */
export const evidencePath = (path: string): string => join(EVIDENCE_ROOT, path)

export const hasEvidence = (path: string): boolean => existsSync(evidencePath(path))

/** The bytes of one file of the evidence. */
export const evidence = (path: string): Uint8Array => new Uint8Array(readFileSync(evidencePath(path)))

/** A JSON file of the evidence. Each test states the members it reads. */
export const evidenceJson = <T>(path: string): T => JSON.parse(readFileSync(evidencePath(path), 'utf8')) as T

/**
 * `describe` for tests that read real evidence below `path`. Where it is absent the group is skipped by name, so that a
 * checkout without it still passes; under CI=true its absence is a failure.
 */
export function describeEvidence(path: string, body: () => void): void {
  if (hasEvidence(path)) {
    describe(`evidence ${path}`, body)
  } else if (process.env.CI === 'true') {
    throw new TypeError(`CI without evidence: ${evidencePath(path)} does not exist; set VOUCHSAFE_EVIDENCE`)
  } else {
    // The body would read what is not there while it lists its tests.
    it.skip(`evidence ${path} (absent: set VOUCHSAFE_EVIDENCE)`, () => {})
  }
}
