import { readFile, stat } from 'node:fs/promises'
import { LIMITS } from '../core/limits.ts'
import { fail, type Outcome, ok } from '../core/outcome.ts'
import type { Collected, Collector, Probed } from './collector.ts'
import { systemCodeOf } from './system-error.ts'

/** Evidence that was kept in a file, as it stands. It answers the challenge of its day, and no other. */
export function savedCollector(path: string): Collector {
  const size = async (): Promise<Outcome<number>> => {
    try {
      const { size: bytes } = await stat(path)
      return bytes <= LIMITS.requestBytes
        ? ok(bytes)
        : fail('COLLECT_SAVED_UNREADABLE', path, {
            expected: `at most ${LIMITS.requestBytes} bytes`,
            actual: `${bytes} bytes`,
          })
    } catch (error) {
      return fail('COLLECT_SAVED_UNREADABLE', path, { actual: systemCodeOf(error) })
    }
  }
  return {
    name: 'saved',
    makes: 'document',
    async probe(): Promise<Probed> {
      const bytes = await size()
      return bytes.ok ? { faults: [], facts: { bytes: String(bytes.value) } } : { faults: bytes.faults, facts: {} }
    },
    async collect(): Promise<Outcome<Collected>> {
      const bytes = await size()
      if (!bytes.ok) return bytes
      try {
        return ok({ evidence: { kind: 'document', bytes: new Uint8Array(await readFile(path)) }, faults: [] })
      } catch (error) {
        return fail('COLLECT_SAVED_UNREADABLE', path, { actual: systemCodeOf(error) })
      }
    },
  }
}
