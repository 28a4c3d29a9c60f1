import { describe, expect, it } from 'vitest'
import { take } from '../../src/core/outcome.ts'
import * as log from '../../src/release/audit/entry.ts'
import { LogEnd } from '../../src/stores/log-end.ts'
import { eventOf } from './release-rows.ts'

const row = take(log.nextRow(log.EMPTY_HEAD, eventOf('key.released'), 100))

describe('the end of a log', () => {
  it('is that of the row given, also after another', () => {
    const end = new LogEnd()
    expect(end.of(undefined)).toEqual(log.EMPTY_HEAD)
    const next = take(log.nextRow(end.of(row), eventOf('key.refused'), 101))
    for (const last of [row, next, next, row, undefined, row]) expect(end.of(last)).toEqual(log.headOf(last))
  })

  it('is read from a row once, and again from any that differs', () => {
    const end = new LogEnd()
    const head = end.of({ ...row })
    expect(end.of({ ...row })).toBe(head)
    expect(end.of({ ...row, chain: '1'.repeat(64) })).not.toBe(head)
    for (const entry of ['', '{}', ` ${row.entry}`, row.entry.replace('"at":100', '"at":1e2')]) {
      expect(end.of({ ...row })).toEqual(head)
      expect(() => end.of({ ...row, entry })).toThrow('not one that was written')
    }
  })

  it('does not follow a row that its writer changes', () => {
    const end = new LogEnd()
    const mine = { ...row }
    end.of(mine)
    mine.entry = '{}'
    expect(() => end.of({ ...row, entry: '{}' })).toThrow('not one that was written')
  })
})
