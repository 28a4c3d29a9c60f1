/*
 * Quotes a software TPM as often as it is told and says how much resident memory that took: in a process of its own, whose heap
 * is collected before each reading, so that what grows is what a library was not given back.
 */
import { createAk, createEk, loadAk, quote, Tpm } from '../../../src/collect/index.ts'
import type { Outcome } from '../../../src/core/outcome.ts'

const [, , tcti = '', count = ''] = process.argv

function taken<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.faults))
  return outcome.value
}

const tpm = taken(await Tpm.open(tcti))
const ek = taken(await createEk(tpm, 'ecc'))
const ak = taken(await loadAk(tpm, ek, taken(await createAk(tpm, ek, 'ecc'))))

async function resident(quotes: number): Promise<number> {
  for (let i = 0; i < quotes; i++) taken(await quote(tpm, ak, new Uint8Array(32), 'sha256', [0, 1, 2, 3]))
  if (globalThis.gc === undefined) throw new TypeError('node --expose-gc')
  globalThis.gc()
  return process.memoryUsage().rss
}

const before = await resident(Math.min(Number(count), 1000))
process.stdout.write(String((await resident(Number(count))) - before))
process.exit()
