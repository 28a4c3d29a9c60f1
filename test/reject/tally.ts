import { expect } from 'vitest'
import type { CollateralSet } from '../../src/attestation/collateral.ts'
import type { Code } from '../../src/core/codes.ts'
import { createVerificationCache } from '../../src/core/context.ts'
import { type Decision, prepareCollateral, verify } from '../../src/index.ts'
import type { AmdMachine } from '../../src/testing/index.ts'
import { ASKED, amdAnchors, amdCollateral, bundle, bundleItem, cpuPolicy, NOW } from './stage.ts'

/** How often each code came back, most frequent first. */
export class Tally {
  readonly #counts = new Map<string, number>()
  add(code: string): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1)
  }
  get executions(): number {
    return [...this.#counts.values()].reduce((a, b) => a + b, 0)
  }
  get counts(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)))
  }
}

const sorted = (files: readonly Uint8Array[]): Promise<CollateralSet> =>
  prepareCollateral(files.map((bytes, i) => ({ name: `file-${i}`, bytes }))).then((s) => s.collateral)

const ANY_VERSION = cpuPolicy({ minReportVersion: 2 })

/** Judges many reports of one machine end to end, with what does not change prepared once. */
export async function judgeOf(machine: AmdMachine): Promise<(report: Uint8Array) => Promise<Decision>> {
  const collateral = await sorted(amdCollateral(machine))
  const injectedAnchors = amdAnchors(machine)
  const cache = createVerificationCache()
  return (report) =>
    verify(bundle([bundleItem('cpu', 'amd/snp-report', report, [machine.table])]), {
      now: NOW,
      policy: ANY_VERSION,
      freshness: ASKED,
      collateral,
      lease: null,
      physical: 'unknown',
      referenceValues: [],
      injectedAnchors,
      cache,
    })
}

/** The one code of a refusal that nobody could take for anything else. */
export function refusal(decision: Decision): Code {
  const [item, ...others] = decision.items
  expect([decision.verdict, item?.verdict, item?.claims, others.length]).toEqual(['reject', 'reject', undefined, 0])
  const [found, ...more] = decision.findings
  if (found === undefined || more.length > 0) throw new TypeError(JSON.stringify(decision.findings))
  return found.code
}
