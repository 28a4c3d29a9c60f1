import type { Row } from './catalogue.ts'

/** CB: CBOR, COSE, AWS Nitro, Arm CCA. Areas are listed once all their rows are. */
export const CBOR_AREAS: readonly string[] = []

export const CBOR_ROWS = [] as const satisfies readonly Row[]
