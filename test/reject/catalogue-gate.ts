import type { Row } from './catalogue.ts'

/** GATE and RES: admission, attestation results. Areas are listed once all their rows are. */
export const GATE_AREAS: readonly string[] = []

export const GATE_ROWS = [] as const satisfies readonly Row[]
