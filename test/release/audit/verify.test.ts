import { describe, expect, it } from 'vitest'
import { toHex } from '../../../src/core/encodings.ts'
import { take } from '../../../src/core/outcome.ts'
import { signCheckpoint } from '../../../src/release/audit/checkpoint.ts'
import { chainAfter } from '../../../src/release/audit/entry.ts'
import { EMPTY_HEAD, headOf, nextRow, readEntry, verifyAudit } from '../../../src/release/audit/index.ts'
import { leafHash, rootOf } from '../../../src/release/audit/merkle.ts'
import type { AuditEvent, AuditRow, CheckpointRow } from '../../../src/release/ports.ts'
import { eventOf } from '../../stores/release-rows.ts'
import { codesOf, pathOf, rowsOf, type Signing, signing } from './support.ts'

const COUNT = 12
const ROWS = rowsOf(COUNT)
const SIGNING = await signing('audit-1')

const checkpointOf = (rows: readonly AuditRow[], { signer }: Signing = SIGNING, at = 200): Promise<CheckpointRow> =>
  signCheckpoint(
    {
      size: rows.length,
      root: toHex(rootOf(rows.map((r) => leafHash(r.entry)))),
      chain: rows.at(-1)?.chain ?? '',
      at,
    },
    signer,
  )
const CHECKPOINTS = [await checkpointOf(ROWS.slice(0, 5)), await checkpointOf(ROWS.slice(0, 9))]
const END = headOf(ROWS.at(-1))

const verified = (
  rows: readonly AuditRow[],
  { checkpoints = CHECKPOINTS, anchor = END as Parameters<typeof verifyAudit>[0]['anchor'], keys = SIGNING.keys } = {},
) => verifyAudit({ rows, checkpoints, keys, anchor })

/** What whoever can write the database can do besides: compute the chain anew. */
function rechained(rows: readonly AuditRow[]): AuditRow[] {
  let chain = EMPTY_HEAD.chain
  return rows.map(({ entry }, i) => {
    const renumbered = entry.replace(/"sequence":\d+/, `"sequence":${i + 1}`)
    chain = chainAfter(chain, renumbered)
    return { sequence: i + 1, entry: renumbered, chain }
  })
}

const edited = (row: AuditRow): AuditRow => ({ ...row, entry: row.entry.replace('"actor":"gate"', '"actor":"kbs"') })
const without = <T>(list: readonly T[], at: number): T[] => list.filter((_, i) => i !== at)
function swapped(rows: readonly AuditRow[], a: number, b: number): AuditRow[] {
  const copy = [...rows]
  ;[copy[a], copy[b]] = [copy[b] as AuditRow, copy[a] as AuditRow]
  return copy
}

/** Every way to tamper with the row at `at`: its name, and what is left. */
const tamperings = (at: number): readonly (readonly [string, readonly AuditRow[]])[] => {
  const row = ROWS[at] as AuditRow
  return [
    ['edited', ROWS.map((r, i) => (i === at ? edited(r) : r))],
    ['dropped', without(ROWS, at)],
    ['cut off from here', ROWS.slice(0, at)],
    ['doubled', [...ROWS.slice(0, at), row, ...ROWS.slice(at)]],
    ['another inserted', [...ROWS.slice(0, at), edited(row), ...ROWS.slice(at)]],
    ...(at + 1 < COUNT ? ([['swapped with the next', swapped(ROWS, at, at + 1)]] as const) : []),
    ...(at > 0 ? ([['swapped with the first', swapped(ROWS, 0, at)]] as const) : []),
  ]
}

describe('verifyAudit', () => {
  it('accepts the log that was written', async () => {
    const { head, covered, lastCheckpoint, log } = take(await verified(ROWS))
    expect([head, covered, lastCheckpoint?.size, log.tree.size]).toEqual([END, COUNT, 9, COUNT])
    expect(take(await verified([], { checkpoints: [], anchor: EMPTY_HEAD })).head).toEqual(EMPTY_HEAD)
    const apart = take(await verified(ROWS, { anchor: { notChecked: 'far from the service' } as never }))
    expect(apart.covered).toBe(9)
    expect(take(await verified(ROWS, { anchor: headOf(ROWS[3]) })).covered).toBe(9)
  })

  it.each(Array.from({ length: COUNT }, (_, i) => i))('finds any change of row %i + 1', async (at) => {
    for (const [what, rows] of tamperings(at)) {
      const found = await verified(rows)
      expect([codesOf(found), what]).toEqual([['AUDIT_CHAIN_BROKEN'], what])
      const row = Number(pathOf(found).split('/').at(-1))
      expect(row, what).toBeLessThanOrEqual(what === 'doubled' || what === 'another inserted' ? at + 2 : at + 1)
    }
  })

  it.each(Array.from({ length: COUNT }, (_, i) => i))(
    'finds any change of row %i + 1 though the chain was computed anew',
    async (at) => {
      for (const [what, rows] of tamperings(at))
        for (const checkpoints of [CHECKPOINTS, CHECKPOINTS.filter(({ size }) => size <= rows.length), []]) {
          const found = await verified(rechained(rows), { checkpoints })
          // A row more at the end is a log that went on; that nobody vouches for it is told.
          if (rows.slice(0, COUNT).every((row, i) => row === ROWS[i]) && rows.length > COUNT)
            expect(take(found).covered).toBe(COUNT)
          else expect([codesOf(found), what]).toEqual([['AUDIT_CHAIN_BROKEN'], what])
        }
    },
  )

  it('finds it by the checkpoint alone, up to where there is one', async () => {
    const anchor = { notChecked: 'far from the service' } as never
    for (let at = 0; at < COUNT; at++)
      for (const [what, rows] of tamperings(at)) {
        const isTold =
          rechained(rows)
            .slice(0, 9)
            .some((row, i) => row.chain !== ROWS[i]?.chain) || rows.length < 9
        const codes = codesOf(await verified(rechained(rows), { anchor }))
        expect([codes, what]).toEqual([isTold ? ['AUDIT_CHAIN_BROKEN'] : ['none'], what])
        if (at < 8) expect(isTold).toBe(true)
      }
  })

  it('finds rows that no writer of ours makes', async () => {
    const last = ROWS[COUNT - 1] as AuditRow
    const texts = [
      '',
      '{}',
      `${last.entry} `,
      last.entry.replace('"codes":[]', '"codes":[1]'),
      last.entry.replace('}', ',"x":1}'),
    ]
    for (const entry of texts) {
      const rows = [...ROWS.slice(0, -1), { ...last, entry, chain: chainAfter(ROWS[COUNT - 2]?.chain ?? '', entry) }]
      const anchor = { notChecked: 'for once' } as never
      expect(codesOf(await verified(rows, { anchor }))).toEqual(['AUDIT_CHAIN_BROKEN'])
      expect(() => headOf(rows.at(-1))).toThrow('row 12')
    }
    expect(readEntry(last.entry)).toMatchObject({ sequence: 12, at: 101, challengeId: 'c12' })
  })

  it('finds time that goes back', async () => {
    const back = ROWS.map((r, i) => (i === 6 ? { ...r, entry: r.entry.replace('"at":101', '"at":7') } : r))
    const anchor = { notChecked: 'for once' } as never
    const found = await verified(rechained(back), { anchor, checkpoints: [] })
    expect([codesOf(found), pathOf(found)]).toEqual([['AUDIT_TIME_INVALID'], 'audit/row/7'])
  })

  it('takes checkpoints of pinned keys alone, each for what it says', async () => {
    const [first] = CHECKPOINTS as [CheckpointRow]
    const foreign = await signing('audit-1')
    const ec = await signing('audit-2', 'ES256')
    const retired = await signing('audit-3', 'EdDSA', 150)
    const [head, payload, signature] = first.statement.split('.')
    const forged: readonly CheckpointRow[] = [
      await checkpointOf(ROWS.slice(0, 5), foreign),
      await checkpointOf(ROWS.slice(0, 5), ec),
      { ...first, statement: `${head}.${payload}.${signature?.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))}` },
      { ...first, statement: '' },
      { ...first, statement: `${head}.${payload}` },
      { ...first, size: 6 },
    ]
    for (const one of forged)
      expect(codesOf(await verified(ROWS, { checkpoints: [one] }))).toEqual(['AUDIT_CHECKPOINT_INVALID'])
    const keys = { keys: [...SIGNING.keys.keys, ...ec.keys.keys, ...retired.keys.keys] }
    const late = await checkpointOf(ROWS.slice(0, 5), retired)
    expect(codesOf(await verified(ROWS, { checkpoints: [late], keys }))).toEqual(['AUDIT_CHECKPOINT_INVALID'])
    const sound = [await checkpointOf(ROWS.slice(0, 5), retired, 149), await checkpointOf(ROWS.slice(0, 7), ec)]
    expect(codesOf(await verified(ROWS, { checkpoints: sound, keys }))).toEqual(['none'])
    const second = await checkpointOf(rowsOf(5, 'd'))
    expect(codesOf(await verified(ROWS, { checkpoints: [first, second] }))).toEqual(['AUDIT_CHAIN_BROKEN'])
  })
})

describe('nextRow', () => {
  const event = eventOf('key.refused')
  const head = { ...EMPTY_HEAD, at: 100 }
  const at = (second: number) => readEntry(take(nextRow(head, event, second)).entry)?.at

  it('refuses time that goes back, but not clocks that are never equal', () => {
    expect(codesOf(nextRow(head, event, 97))).toEqual(['AUDIT_TIME_INVALID'])
    expect([at(98), at(99), at(100), at(101)]).toEqual([100, 100, 100, 101])
  })

  it('records the members of an event, as text that is well-formed', () => {
    const more = { ...event, secret: 'x' }
    expect(take(nextRow(head, more, 100))).toEqual(take(nextRow(head, event, 100)))
    expect(() => nextRow(head, { ...event, actor: '\ud800' }, 100)).toThrow(TypeError)
    expect(() => nextRow(head, event, 1.5)).toThrow(TypeError)
    const odd = { ...event, actor: 'Zoë \\ud800 "\u0000"' }
    expect(readEntry(take(nextRow(head, odd, 100)).entry)?.actor).toBe(odd.actor)
  })

  it('tells the MAC of a key’s row in entries of such rows alone, and reads those of before that tell none', () => {
    const entry = (type: AuditEvent['type'], row: string | null) =>
      take(nextRow(head, eventOf(type, { row }), 100)).entry
    for (const type of ['key.registered', 'key.changed'] as const) {
      expect(readEntry(entry(type, 'AAAA'))?.row).toBe('AAAA')
      expect(entry(type, null)).not.toContain('row')
      expect(readEntry(entry(type, null))?.row).toBeNull()
      expect(readEntry(entry(type, 'AAAA').replace('"AAAA"', 'null'))).toBeUndefined()
      expect(readEntry(entry(type, 'AAAA').replace('"AAAA"', '7'))).toBeUndefined()
    }
    expect(readEntry(entry('key.refused', null))?.row).toBeNull()
    expect(readEntry(entry('key.refused', 'AAAA'))).toBeUndefined()
  })
})
