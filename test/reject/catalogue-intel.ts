import type { Row } from './catalogue.ts'

/** TDX and SGX: quotes, their collateral, event logs. Areas are listed once all their rows are. */
export const INTEL_AREAS: readonly string[] = []

export const INTEL_ROWS = [] as const satisfies readonly Row[]
