import { expect, it } from 'vitest'
import { type ClockReading, checkClock } from '../../src/core/clock.ts'
import { row } from './row.ts'
import { NOW } from './stage.ts'

/** A clock in order: built a month ago, last heard of ten seconds ago, one other source. */
const SOUND: ClockReading = {
  now: NOW,
  builtAt: NOW - 30 * 86_400,
  lastPersisted: NOW - 10,
  previous: { now: NOW - 10, elapsedSeconds: 10 },
  otherSources: [NOW],
}
const clock = (change: Partial<ClockReading> = {}) => checkClock({ ...SOUND, ...change })
const after = (elapsedSeconds: number, by: number) => clock({ previous: { now: NOW - by, elapsedSeconds } })

row('RJ-TIME-01', {
  twin: () => clock({ builtAt: NOW }),
  bad: {
    'a second before': () => clock({ builtAt: NOW + 1 }),
    'a clock at its epoch': () => clock({ now: 0 }),
    'whatever else is wrong': () => clock({ builtAt: NOW + 1, lastPersisted: NOW + 9999, otherSources: [0] }),
  },
})
row('RJ-TIME-02', {
  twin: () => clock({ lastPersisted: NOW }),
  bad: {
    'a second before': () => clock({ lastPersisted: NOW + 1 }),
    'a restored snapshot': () => clock({ lastPersisted: NOW + 86_400 }),
  },
})
row('RJ-TIME-03', {
  twin: { forwards: () => after(10, 310), backwards: () => after(310, 10), slowly: () => after(86_400, 86_400) },
  bad: { forwards: () => after(10, 311), backwards: () => after(311, 10), slowly: () => after(86_400, 86_701) },
})
row('RJ-TIME-04', {
  twin: {
    ahead: () => clock({ otherSources: [NOW + 300] }),
    behind: () => clock({ otherSources: [NOW - 300] }),
    'one of three': () => clock({ otherSources: [NOW, NOW + 1, NOW] }),
  },
  bad: {
    ahead: () => clock({ otherSources: [NOW + 301] }),
    behind: () => clock({ otherSources: [NOW - 301] }),
    'one of three': () => clock({ otherSources: [NOW, NOW + 1, NOW + 301] }),
  },
})

it('a clock that keeps nothing is judged by what it has', () => {
  const kept = { lastPersisted: { notKept: 'no store' }, previous: { notKept: 'first check' }, otherSources: [] }
  expect(clock(kept)).toEqual([])
  expect(clock({ ...kept, builtAt: NOW + 1 }).map((f) => f.code)).toEqual(['CLOCK_BEFORE_BUILD'])
})

it('a time that is no time is wrong use, and no sound clock', () => {
  expect(() => clock({ now: Number.NaN })).toThrow(TypeError)
  expect(() => clock({ otherSources: [Number.NaN] })).toThrow(TypeError)
})
