import { describe } from 'vitest'
import { ccelLog, dstackLog, type TestEventLog } from '../../src/testing/index.ts'
import { judgeLog } from '../attestation/event-log/support.ts'
import { row } from './row.ts'

const WRONG = ['drop', 'reorder', 'add', 'duplicate', 'move'] as const

type Log = (wrong?: (typeof WRONG)[number]) => { readonly log: TestEventLog; readonly version: 1 | 2 }

const withWrong = (wrong: (typeof WRONG)[number] | undefined) => (wrong === undefined ? {} : { wrong })

const FORMS: Readonly<Record<string, Log>> = {
  CCEL: (wrong) => ({ log: ccelLog(withWrong(wrong)), version: 1 }),
  'dstack version 1': (wrong) => ({ log: dstackLog({ version: 1, ...withWrong(wrong) }), version: 1 }),
  'dstack version 2': (wrong) => ({ log: dstackLog({ version: 2, ...withWrong(wrong) }), version: 2 }),
  'dstack without digests': (wrong) => ({ log: dstackLog({ digests: 'stripped', ...withWrong(wrong) }), version: 1 }),
}

const judged = ({ log, version }: ReturnType<Log>) => judgeLog(log, { dstackVersion: version })

describe('event logs', () => {
  const cases = Object.entries(FORMS).flatMap(([form, log]) =>
    WRONG.map((wrong) => ({ name: `${form}, ${wrong}`, log, wrong })),
  )
  row('RJ-TDX-34', {
    twin: Object.fromEntries(cases.map(({ name, log }) => [name, () => judged(log())])),
    bad: Object.fromEntries(cases.map(({ name, log, wrong }) => [name, () => judged(log(wrong))])),
  })
})
