import { describe, expect, it } from 'vitest'
import { take } from '../../src/core/outcome.ts'
import { checkProof, proveInclusion } from '../../src/release/audit/index.ts'
import { entryProofs } from '../../src/service/audit-proofs.ts'
import { codesOf, rowsOf, signing } from '../release/audit/support.ts'
import { testBroker } from '../release/support.ts'

describe('proofs of entries', () => {
  it('are refused for a log that was cut off meanwhile', async () => {
    const t = await testBroker()
    await t.ask()
    const log = take(await t.openAudit())
    const prove = entryProofs(t.store, log)
    expect(take(await prove(1))).toMatchObject({ format: 'vouchsafe/audit-inclusion/1' })
    expect(codesOf(await prove(3))).toEqual(['SERVICE_AUDIT_ENTRY_UNKNOWN'])
    t.sql('DROP TRIGGER audit_kept')
    t.sql('DELETE FROM audit WHERE sequence = 2')
    for (const sequence of [1, 3]) expect(codesOf(await prove(sequence))).toEqual(['AUDIT_CHAIN_BROKEN'])
  })

  it('keep neither the log nor the process, however long it is', async () => {
    const rows = rowsOf(3500)
    const asked: number[] = []
    const source = {
      auditRows: async (after: number, limit: number) => {
        asked.push(limit)
        return rows.slice(after, after + limit)
      },
      checkpoints: async () => [],
    }
    let turns = 0
    const others = setInterval(() => turns++, 0)
    const { keys } = await signing('audit-1')
    const proof = await proveInclusion(source, 1700, { size: 3500, statement: 'of somebody' })
    clearInterval(others)
    expect(turns).toBeGreaterThan(0)
    expect(Math.max(...asked)).toBe(1000)
    expect(proof.path).toHaveLength(12)
    expect(codesOf(await checkProof({ ...proof }, keys))).toEqual(['AUDIT_CHECKPOINT_INVALID'])
  })
})
