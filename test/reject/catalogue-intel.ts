import type { Row } from './catalogue.ts'

/** TDX and SGX: quotes, their collateral, event logs. Areas are listed once all their rows are. */
export const INTEL_AREAS: readonly string[] = []

export const INTEL_ROWS = [
  {
    id: 'RJ-TDX-34',
    code: 'TDX_EVENT_LOG_MISMATCH',
    verdict: 'reject',
    what: 'an event log that does not replay to the RTMRs',
  },
] as const satisfies readonly Row[]
