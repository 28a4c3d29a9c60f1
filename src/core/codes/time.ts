import type { CodeTable } from './entry.ts'

export const TIME_CODES = {
  // Time: the clock of the verifier itself.
  CLOCK_BEFORE_BUILD: {
    verdict: 'inconclusive',
    title: 'The clock of the verifier is before the day this version was built.',
    hint: 'The operator of the verifier should set the clock and enable NTP, for example with chrony. To judge old evidence give its time with --at.',
  },
  CLOCK_WENT_BACK: {
    verdict: 'inconclusive',
    title: 'The clock of the verifier is behind an instant it has already recorded.',
    hint: 'The operator of the verifier should check NTP and whether a virtual machine was restored from a snapshot. Decisions resume once the clock has passed the recorded instant.',
  },
  CLOCK_JUMP: {
    verdict: 'inconclusive',
    title: 'The clock of the verifier jumped by more than five minutes between two checks.',
    hint: 'The operator of the verifier should look for a suspended host or a manual change, let NTP settle and retry.',
  },
  CLOCK_SOURCES_DISAGREE: {
    verdict: 'inconclusive',
    title: 'The time sources of the verifier disagree by more than allowed.',
    hint: 'The operator of the verifier should find out which source is wrong, for example with chronyc sources, and remove or repair it.',
  },
} as const satisfies CodeTable
