import { describe, expect, it } from 'vitest'
import { utf8 } from '../../src/core/bytes.ts'
import { LIMITS } from '../../src/core/limits.ts'
import { createVerificationCache, NO_COLLATERAL, prepareCollateral, verify } from '../../src/index.ts'
import { amdMachine } from '../../src/testing/index.ts'

const rubbish = (blocks: number) =>
  utf8('-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n'.repeat(blocks))

describe('collateral that is rubbish', () => {
  it('is bounded by its objects, not by its files, and told in few words', async () => {
    const few = await prepareCollateral([{ name: 'few.pem', bytes: rubbish(3) }])
    expect(few.faults).toHaveLength(3)
    const many = await prepareCollateral([{ name: 'many.pem', bytes: rubbish(LIMITS.collateralObjects + 10) }])
    expect(many.faults.length).toBeLessThanOrEqual(64)
  })

  it('beside evidence makes a decision, whatever there is of it', async () => {
    const { report } = amdMachine('collateral-bounds')
    const files = [
      { name: 'report.bin', bytes: report },
      ...Array.from({ length: 200 }, (_, i) => ({ name: `${i}.pem`, bytes: rubbish(1000) })),
    ]
    const decision = await verify(files, {
      now: 1_785_542_400,
      policy: null,
      freshness: { kind: 'notGiven' },
      collateral: NO_COLLATERAL,
      lease: null,
      physical: 'unknown',
      referenceValues: [],
      injectedAnchors: [],
      cache: createVerificationCache(),
    })
    expect(decision.verdict).not.toBe('accept')
    expect(decision.findings.length).toBeLessThan(100)
  })
})
